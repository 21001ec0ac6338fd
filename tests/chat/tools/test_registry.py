"""The list of tools keeps its contract, and what is offered depends on what is allowed."""

from __future__ import annotations

from backends.database import in_database
from chat.models import Internet, SearchEngine
from chat.tools.base import Caller, Reach
from chat.tools.registry import TOOLS, known_to, tools_for
from privatechathub.accounts.models import User

INSIDE = {"get_current_datetime", "calculate", "search_my_conversations", "show_notification"}
PROJECT = {"get_project_memory", "update_project_memory", "rename_project", "update_project_description"}


def test_every_tool_describes_itself_to_people_and_to_models() -> None:
    for tool in TOOLS:
        assert tool.name.isidentifier()
        assert tool.name.islower()
        assert str(tool.label)
        assert len(tool.description) > 20
        assert tool.parameters["type"] == "object"
        assert set(tool.parameters.get("required", ())) <= set(tool.parameters["properties"])
        assert 0 < tool.timeout <= 60


async def offered(caller: Caller) -> list[str]:
    return [tool.name for tool in await tools_for(caller)]


async def test_without_the_internet_no_tool_reaches_outside(caller: Caller) -> None:
    tools = await tools_for(caller)
    assert {tool.name for tool in tools} == INSIDE
    assert not any(Reach.OUTSIDE in tool.reach for tool in tools)


async def test_the_internet_and_an_engine_bring_their_tools(caller: Caller, internet: Internet) -> None:
    assert set(await offered(caller)) == INSIDE | {"fetch_url", "read_url", "get_current_location"}
    internet.search_engine, internet.searxng_url = SearchEngine.SEARXNG, "http://searx.home"
    await in_database(internet.save)
    assert set(await offered(caller)) == INSIDE | {
        "fetch_url",
        "read_url",
        "get_current_location",
        "web_search",
    }


async def test_a_saved_place_is_told_without_reaching_outside(
    caller: Caller, alice: User, internet: Internet
) -> None:
    alice.place = "Reykjavík"
    await in_database(alice.save)
    locations = [tool for tool in await tools_for(caller) if tool.name == "get_current_location"]
    assert [(tool.reach, tool.on_by_default) for tool in locations] == [(frozenset(), False)]
    internet.allowed = False
    await in_database(internet.save)
    assert "get_current_location" in await offered(caller)


def test_pages_know_each_name_once_and_only_what_could_be_used(alice: User, bob: User) -> None:
    def known(user: User) -> dict[str, bool]:
        tools = known_to(user.pk)
        assert len({tool.name for tool in tools}) == len(tools)
        return {tool.name: Reach.OUTSIDE in tool.reach for tool in tools}

    assert known(alice) == dict.fromkeys(INSIDE | PROJECT | {"get_current_location"}, False)
    row = Internet.objects.create(pk=1, allowed=True)
    assert {name for name, outside in known(alice).items() if outside} == {
        "fetch_url",
        "read_url",
        "get_current_location",
    }
    alice.place = "Oslo"
    alice.save()
    assert not known(alice)["get_current_location"]
    assert known(bob)["get_current_location"]
    row.search_engine, row.searxng_url = SearchEngine.SEARXNG, "http://searx.home"
    row.save()
    assert known(bob)["web_search"]
