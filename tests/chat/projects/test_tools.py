"""The tools of a project: its memory, name and description, in its own conversations only."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client

from backends.adapters import scripted
from backends.adapters.events import TextDelta, ToolCall
from backends.database import close_connections, in_database
from chat.generation import runtime
from chat.models import Activity, Conversation, Generation, Project, ProjectRevision, Status, Told, ToolRule
from chat.models import Ask as AskRow
from chat.models.project import MEMORY_LENGTH
from chat.services.sending import Sent
from chat.tools.base import Caller, Reach, Tool, ToolError
from chat.tools.project import GetProjectMemory, RenameProject, UpdateProjectDescription, UpdateProjectMemory
from chat.tools.registry import TOOLS, tools_for
from privatechathub.accounts.models import User
from tests.chat.tooling import Rounds, call, results
from tests.chat.watching import ended, until

Ask = Callable[..., Sent]
live = pytest.mark.django_db(transaction=True)
DONE = [TextDelta("Done.")]
NAMES = {"get_project_memory", "update_project_memory", "rename_project", "update_project_description"}


@pytest.fixture(autouse=True)
def _original_script() -> Iterator[None]:
    with scripted.registered("play", DONE):
        yield
    close_connections()


@pytest.fixture
def inside(transactional_db: None, planted: Conversation) -> Caller:
    """A run in the project, of nobody who waits."""
    Generation.objects.update(status=Status.COMPLETED)
    return Caller(planted.owner_id, planted.pk, uuid.uuid4(), planted.project_id)


async def stored(garden: Project) -> Project:
    await in_database(garden.refresh_from_db)
    return garden


def test_their_names_and_schemas_are_those_of_the_original_app() -> None:
    found = {tool.name: tool.parameters for tool in TOOLS if tool.name in NAMES}
    assert {
        name: (
            {key: value["type"] for key, value in schema["properties"].items()},
            schema.get("required", []),
        )
        for name, schema in found.items()
    } == {
        "get_project_memory": ({}, []),
        "update_project_memory": ({"instructions": "string"}, ["instructions"]),
        "rename_project": ({"name": "string"}, ["name"]),
        "update_project_description": ({"description": "string"}, ["description"]),
    }
    assert {tool.name: tool.reach for tool in TOOLS if tool.name in NAMES} == {
        "get_project_memory": frozenset(),
        "update_project_memory": frozenset({Reach.CHANGES}),
        "rename_project": frozenset({Reach.CHANGES}),
        "update_project_description": frozenset({Reach.CHANGES}),
    }


async def test_they_are_there_in_a_project_only(inside: Caller) -> None:
    outside = Caller(inside.user_id, inside.conversation_id, inside.generation_id)
    assert {tool.name for tool in await tools_for(inside)} >= NAMES
    assert not {tool.name for tool in await tools_for(outside)} & NAMES


async def test_the_memory_is_read_and_replaced(inside: Caller, garden: Project) -> None:
    assert (await GetProjectMemory().run({}, inside)).text == "The soil is clay."
    result = await UpdateProjectMemory().run({"instructions": " Clay.\r\nSlugs!\x00 "}, inside)
    assert result.text == "The project’s memory was changed."
    assert (await stored(garden)).memory == "Clay.\nSlugs!"
    assert (await UpdateProjectMemory().run({"instructions": "Clay.\nSlugs!"}, inside)).text == (
        "The memory is that already."
    )
    await UpdateProjectMemory().run({"instructions": ""}, inside)
    assert (await GetProjectMemory().run({}, inside)).text == "The memory of the project is empty."
    kept = await in_database(lambda: list(ProjectRevision.objects.values_list("text", "by_model")))
    assert kept == [("Clay.\nSlugs!", True), ("The soil is clay.", True)]


async def test_name_and_description_are_changed(inside: Caller, garden: Project) -> None:
    await RenameProject().run({"name": " Kitchen\n garden "}, inside)
    await UpdateProjectDescription().run({"description": "What we grow."}, inside)
    found = await stored(garden)
    assert (found.name, found.description) == ("Kitchen garden", "What we grow.")


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        (RenameProject(), {"name": " \n"}),
        (RenameProject(), {"name": "x" * 81}),
        (UpdateProjectDescription(), {"description": "x" * 501}),
        (UpdateProjectMemory(), {"instructions": "x" * (MEMORY_LENGTH + 1)}),
    ],
)
async def test_what_does_not_fit_is_refused(
    tool: Tool, arguments: Any, inside: Caller, garden: Project
) -> None:
    with pytest.raises(ToolError):
        await tool.run(arguments, inside)
    assert not await in_database(ProjectRevision.objects.exists)


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        (GetProjectMemory(), {}),
        (UpdateProjectMemory(), {"instructions": "Mine."}),
        (RenameProject(), {"name": "Mine"}),
        (UpdateProjectDescription(), {"description": "Mine."}),
    ],
)
async def test_nobody_else_s_project_is_read_or_changed(
    tool: Tool, arguments: Any, inside: Caller, garden: Project, bob: User
) -> None:
    theirs = await in_database(Conversation.objects.create, owner=bob, updated_at=garden.created_at)
    strangers = (
        Caller(bob.pk, inside.conversation_id, inside.generation_id, garden.pk),
        Caller(bob.pk, theirs.pk, inside.generation_id, garden.pk),
        Caller(inside.user_id, theirs.pk, inside.generation_id, garden.pk),
        Caller(inside.user_id, inside.conversation_id, inside.generation_id, uuid.uuid4()),
    )
    for caller in strangers:
        with pytest.raises(ToolError, match="does not belong"):
            await tool.run(arguments, caller)
    found = await stored(garden)
    assert (found.name, found.description, found.memory) == ("Garden", "", "The soil is clay.")


async def test_a_conversation_that_was_moved_meanwhile_has_no_say(inside: Caller, garden: Project) -> None:
    await in_database(Conversation.objects.update, project=None)
    with pytest.raises(ToolError, match="any more"):
        await RenameProject().run({"name": "Other"}, inside)


# --- whole loops -----------------------------------------------------------------------------------------


async def say(browser: Client, verdict: str) -> AskRow:
    """Answer the one request that is open."""
    await until(lambda: AskRow.objects.open().count() == 1)
    row = await in_database(AskRow.objects.open().get)
    await in_database(browser.post, f"/asks/{row.pk}/answer/", {"verdict": verdict})
    return row


@pytest.fixture
def wants_tools(alice: User) -> None:
    """Alice has switched tools on."""
    alice.tools = {"*": True}
    alice.save()


@live
async def test_a_model_notes_something_down_once_the_person_allows_it(
    wants_tools: None,
    hub: runtime.Runtime,
    ask: Ask,
    garden: Project,
    planted: Conversation,
    as_alice: Client,
) -> None:
    await ended(await in_database(lambda: _first(planted)))
    script = Rounds([call("update_project_memory", "c1", instructions="Peas in March.")], DONE)
    scripted.register("play", script)

    sent = await in_database(ask, "Remember: peas in March.", planted)
    asked = await say(as_alice, "once")
    generation = await ended(sent)

    assert json.loads(asked.payload["details"]) == {"instructions": "Peas in March."}
    assert {tool.name for tool in script.requests[0].tools} >= NAMES
    assert results(script.requests[1]) == ["The project’s memory was changed."]
    assert generation.status == "completed"
    assert (await stored(garden)).memory == "Peas in March."
    kept = await in_database(ProjectRevision.objects.select_related("conversation").get)
    assert (kept.field, kept.text, kept.conversation) == (Told.MEMORY, "The soil is clay.", planted)
    later = await in_database(ask, "When were peas?", planted)
    await ended(later)
    assert "Peas in March." in script.requests[-1].system


@live
async def test_what_follows_tool_output_asks_whatever_the_rules_allow(
    wants_tools: None,
    hub: runtime.Runtime,
    ask: Ask,
    alice: User,
    garden: Project,
    planted: Conversation,
    as_alice: Client,
) -> None:
    await ended(await in_database(lambda: _first(planted)))
    await in_database(ToolRule.put, alice.pk, None, "rename_project", "allow")
    script = Rounds(
        [rename("c1", "Allowed")],
        [call("get_project_memory", "c2")],
        [rename("c3", "Injected")],
        DONE,
    )
    scripted.register("play", script)

    sent = await in_database(ask, "Go on.", planted)
    asked = await say(as_alice, "deny")
    await ended(sent)

    assert asked.payload["once_only"]
    assert (await stored(garden)).name == "Allowed"
    consents = await in_database(
        lambda: list(Activity.objects.order_by("position").values_list("name", "consent"))
    )
    assert consents == [
        ("rename_project", "rule"),
        ("get_project_memory", "harmless"),
        ("rename_project", "denied"),
    ]


@live
async def test_outside_of_a_project_the_model_has_no_such_tools(
    wants_tools: None, hub: runtime.Runtime, ask: Ask, garden: Project
) -> None:
    script = Rounds([rename("c1", "Mine")], DONE)
    scripted.register("play", script)
    await ended(await in_database(ask, "Rename it."))
    assert not NAMES & {tool.name for tool in script.requests[0].tools}
    assert "There is no tool" in results(script.requests[1])[0]
    assert (await stored(garden)).name == "Garden"


@live
async def test_a_project_switches_tools_on_for_its_conversations(
    hub: runtime.Runtime, ask: Ask, garden: Project, planted: Conversation
) -> None:
    await ended(await in_database(lambda: _first(planted)))
    garden.tools = {"*": True, "rename_project": False}
    await in_database(garden.save)
    script = Rounds(DONE)
    scripted.register("play", script)
    await ended(await in_database(ask, "Hello", planted))
    assert NAMES - {tool.name for tool in script.requests[0].tools} == {"rename_project"}


def rename(call_id: str, name: str) -> ToolCall:
    return ToolCall(call_id, "rename_project", {"name": name})


def _first(conversation: Conversation) -> Sent:
    """What was asked when the conversation began."""
    generation = Generation.objects.select_related("message__parent").get(message__conversation=conversation)
    question = generation.message.parent
    assert question is not None
    return Sent(conversation, question, generation.message, generation)
