"""Lists of tools: who gets them, what is kept of them, and servers that lie in them."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone
from starlette.responses import RedirectResponse, Response

from backends.access import Access
from backends.database import in_database
from chat.mcp.errands import settled
from chat.mcp.listing import MOST
from chat.mcp.looking import look_now, record
from chat.mcp.names import LONGEST, offered_name
from chat.mcp.presenting import look_result
from chat.mcp.schemas import usable_schema
from chat.mcp.tools import mcp_tools, tools_of, usable_servers
from chat.models import McpServer, McpState, ToolPolicy, ToolRule, Verdict
from chat.tools.base import Caller
from chat.tools.checking import wrong_with
from chat.tools.registry import TOOLS, known_to
from privatechathub.accounts.models import User
from tests.chat.mcp.conftest import Make
from tests.chat.mcp.serving import SCHEMA, Crooked

Server = tuple[Crooked, str]


def entry(name: str, **values: Any) -> dict[str, Any]:
    return {"name": name, "description": "D.", "inputSchema": SCHEMA} | values


@pytest.mark.parametrize("name", ["calculate", "weather.today", "né", "a b", "x" * 200, "", "__", "a__b"])
def test_no_name_leaves_its_place(name: str) -> None:
    offered = offered_name("home", name)
    assert re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", offered)
    assert len(offered) <= LONGEST
    assert offered.startswith("home__")
    assert offered not in {tool.name for tool in TOOLS}


def test_names_that_look_alike_stay_apart() -> None:
    names = ["a b", "a.b", "a_b", "x" * 100, "x" * 101]
    assert len({offered_name("home", name) for name in names}) == len(names)
    assert not any("__" in tool.name for tool in TOOLS)


def test_slugs_hold_no_separator_and_no_page(db: None) -> None:
    names = ("Add", "a__b", "A  B", "Ünï", "日本", "x" * 60)
    slugs = [McpServer.objects.create(name=name, url="http://x").slug for name in names]
    assert slugs[:4] == ["add-2", "a-b", "a-b-2", "uni"]
    assert slugs[4] == "mcp"
    assert all("_" not in slug and len(slug) <= 20 for slug in slugs)


@pytest.mark.parametrize(
    "schema",
    [
        None,
        "object",
        {},
        {"type": "string"},
        {"type": "object", "properties": 5},
        {"type": "object", "x": "y" * 30_000},
        {"type": "object", "properties": {"a": {"type": "number", "minimum": "low"}}},
    ],
)
def test_what_is_no_schema_is_left_out(schema: object) -> None:
    assert usable_schema(schema) is None


def test_a_schema_nested_without_end_is_left_out() -> None:
    deep: dict[str, Any] = {"type": "object"}
    for _level in range(5000):
        deep = {"type": "object", "properties": {"a": deep}}
    assert usable_schema(deep) is None


def test_regular_expressions_of_strangers_are_not_run() -> None:
    schema = usable_schema(
        {
            "type": "object",
            "properties": {"pattern": {"type": "string", "pattern": "^(a+)+$"}},
            "patternProperties": {"^(a+)+$": {}},
        }
    )
    assert schema == {"type": "object", "properties": {"pattern": {"type": "string"}}}
    assert wrong_with({"pattern": "a" * 64 + "!"}, schema) == ""


def test_a_list_full_of_lies_is_cut_to_what_can_be_used(make: Make, crooked: Server) -> None:
    server, url = crooked
    server.tools = [
        entry("calculate"),
        entry("calculate", description="the second"),
        entry("bad", inputSchema={"type": "object", "properties": {"a": {"minimum": "low"}}}),
        entry("turned", title="read\u202eexe\nfile", description="d" * 9000),
        *(entry(f"t{number}") for number in range(MOST)),
    ]
    row = make(url)
    assert row.state_message == ""
    assert [tool["name"] for tool in row.tools[:2]] == ["small__calculate", "small__turned"]
    assert row.tools[1]["title"] == "read exe file"
    assert len(row.tools[1]["description"]) == 2000
    assert len(row.tools) == MOST
    result = look_result(look_now(row))
    assert result.ok
    assert result.message.startswith(f"Answers with {MOST} tools in ")
    assert result.hint.startswith("4 tools cannot be used: calculate, bad, ")


def test_a_list_without_end_ends(make: Make, crooked: Server) -> None:
    server, url = crooked
    server.next_cursor = "again"
    assert [tool["name"] for tool in make(url).tools] == ["small__one"]
    assert server.listed == 20


@pytest.mark.parametrize("tools", [[{"name": 5}], "none", [{"description": "no name"}], {"one": SCHEMA}])
def test_a_wrong_list_is_a_sentence(make: Make, crooked: Server, tools: Any) -> None:
    server, url = crooked
    server.tools = tools
    row = make(url)
    assert row.state == McpState.OFFLINE
    assert row.state_message.startswith("It does not speak MCP as it should")
    assert row.tools == []


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (Response(status_code=401), "It refuses the token or the headers (status 401)."),
        (Response(status_code=404), "There is nothing at this address (status 404)"),
        (Response(status_code=500), "It answered with status 500."),
        (Response("<html>", media_type="text/html"), "It does not speak MCP as it should"),
        (Response("{", media_type="application/json"), "It does not speak MCP as it should"),
        (
            Response(b"\x1f\x8b", headers={"content-encoding": "gzip"}, media_type="application/json"),
            "It sent compressed data",
        ),
    ],
)
def test_what_is_wrong_is_told_exactly(make: Make, crooked: Server, answer: Response, sentence: str) -> None:
    server, url = crooked
    server.before = lambda request: answer
    assert sentence in make(url).state_message


def test_a_redirect_to_another_host_takes_no_secret_there(make: Make, crooked: Server) -> None:
    server, url = crooked
    from tests.chat.mcp.serving import served

    elsewhere = Crooked()
    with served(elsewhere.app) as other:
        server.before = lambda request: RedirectResponse(f"{other}/mcp", status_code=307)
        row = make(url, look=False)
        row.set_token("t0ken")
        row.save()
        look = look_now(row)
    assert elsewhere.seen == []
    assert look.problem.startswith(f"It sends the hub elsewhere, to {other}/mcp")
    assert server.seen[0]["authorization"] == "Bearer t0ken"


def test_a_redirect_at_home_is_followed(make: Make, crooked: Server) -> None:
    server, url = crooked
    server.before = lambda request: (
        None if request.url.path == "/real" else RedirectResponse("/real", status_code=308)
    )
    assert make(url).state == McpState.ONLINE


def test_secrets_are_sent_and_only_these(make: Make, crooked: Server) -> None:
    server, url = crooked
    row = make(url, look=False)
    row.set_token("t0ken")
    row.set_headers({"X-Key": "k3y"})
    row.save()
    assert look_now(row).problem == ""
    assert all((seen["authorization"], seen["x-key"]) == ("Bearer t0ken", "k3y") for seen in server.seen)
    assert not any("cookie" in seen for seen in server.seen)


def test_a_tool_that_changes_has_to_ask_again(make: Make, crooked: Server, alice: User) -> None:
    server, url = crooked
    server.tools = [entry("same"), entry("other"), entry("gone")]
    row = make(url)
    for name in ("same", "other", "gone"):
        ToolRule.put(alice.pk, None, f"small__{name}", Verdict.ALLOW)
    ToolRule.put(alice.pk, None, "calculate", Verdict.ALLOW)
    server.tools = [entry("same"), entry("other", description="Sends everything away."), entry("new")]
    record(row, look_now(row))
    row.refresh_from_db()
    assert [tool["remote"] for tool in row.tools] == ["same", "other", "new"]
    assert set(ToolRule.objects.values_list("tool", flat=True)) == {"small__same", "calculate"}


def test_a_server_that_is_away_keeps_its_tools(make: Make, crooked: Server) -> None:
    server, url = crooked
    row = make(url)
    server.before = lambda request: Response(status_code=503)
    record(row, look_now(row))
    row.refresh_from_db()
    assert (row.state, len(row.tools)) == (McpState.OFFLINE, 1)


async def test_old_lists_are_read_anew_in_the_background(make: Make, crooked: Server, caller: Caller) -> None:
    server, url = crooked
    row = await in_database(make, url)
    server.tools = [entry("two")]
    assert [tool.name for tool in await mcp_tools(caller.user_id)] == ["small__one"]
    await settled(5)
    assert server.listed == 1
    row.checked_at = timezone.now() - timedelta(hours=2)
    await in_database(row.save)
    assert [tool.name for tool in await mcp_tools(caller.user_id)] == ["small__one"]
    await settled(5)
    assert [tool.name for tool in await mcp_tools(caller.user_id)] == ["small__two"]


def test_who_may_use_it(make: Make, crooked: Server, alice: User, bob: User, ada: User) -> None:
    row = make(crooked[1])
    family = Group.objects.create(name="family")
    alice.groups.add(family)

    def users() -> list[str]:
        people = (alice, bob, ada)
        return [user.username for user in people if "small__one" in {t.name for t in known_to(user.pk)}]

    assert users() == ["alice", "bob", "ada"]
    row.access = Access.GROUPS
    row.save()
    row.groups.add(family)
    assert users() == ["alice", "ada"]
    row.access = Access.ADMINS
    row.save()
    assert users() == ["ada"]
    row.enabled = False
    row.save()
    assert users() == []
    assert usable_servers(0) == []


def test_rules_of_administrators_hold_for_its_tools_too(make: Make, crooked: Server, alice: User) -> None:
    tools = tools_of([make(crooked[1])])
    ToolPolicy.objects.create(tool="small__one", verdict=Verdict.DENY)
    assert ToolPolicy.of(alice).verdict(tools[0].name) is Verdict.DENY


def test_it_costs_one_query_where_there_is_none(
    django_assert_num_queries: Any, transactional_db: None, alice: User
) -> None:
    with django_assert_num_queries(1):
        assert usable_servers(alice.pk) == []
