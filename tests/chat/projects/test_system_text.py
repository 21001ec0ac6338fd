"""What a project says reaches the model at once, and costs those nothing who have none."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backends.adapters import scripted
from backends.adapters.events import TextDelta
from chat.generation.estimate import USUAL
from chat.generation.prompt import prepare
from chat.generation.system import MEMORY, PROJECT, PROMPT, system_parts
from chat.models import Conversation, Generation, Project, Status
from chat.presenting.meter import filled
from chat.services.sending import Sent

Ask = Callable[..., Sent]


@pytest.fixture(autouse=True)
def _original_script() -> Iterator[None]:
    with scripted.registered("play", [TextDelta("unused")]):
        yield


def told(conversation: Conversation) -> dict[str, str]:
    """Part -> text, as read anew."""
    row = Conversation.objects.select_related("project").get(pk=conversation.pk)
    return {part.name: part.text for part in system_parts(row)}


def ended() -> None:
    """No answer is waited for."""
    Generation.objects.update(status=Status.COMPLETED)


def test_instructions_and_memory_are_parts_of_their_own(planted: Conversation) -> None:
    assert told(planted) == {
        PROJECT: "Instructions for the project “Garden”:\nAnswer as a gardener.",
        MEMORY: "Memory of the project “Garden”:\nThe soil is clay.",
    }


def test_a_change_holds_from_the_next_answer_on(planted: Conversation, garden: Project, ask: Ask) -> None:
    ended()
    garden.instructions, garden.memory = "Answer in rhyme.", " "
    garden.save()

    sent = ask("And beans?", planted)

    assert prepare(sent.generation.pk).request.system == (
        "Instructions for the project “Garden”:\nAnswer in rhyme."
    )


def test_the_projects_prompt_is_for_conversations_without_their_own(
    planted: Conversation, garden: Project
) -> None:
    garden.system_prompt = "You are kind."
    garden.save()
    assert told(planted)[PROMPT] == "You are kind."

    planted.system_prompt = "You are brief."
    planted.save()
    assert told(planted)[PROMPT] == "You are brief."


def test_variables_of_its_instructions_are_filled(planted: Conversation, garden: Project) -> None:
    garden.instructions = "You talk with {{name}}."
    garden.memory = "Keep {{name}}."
    garden.save()
    assert told(planted)[PROJECT].endswith("\nYou talk with alice.")
    assert told(planted)[MEMORY].endswith("\nKeep {{name}}.")


def test_outside_of_a_project_nothing_of_it_is_told(planted: Conversation) -> None:
    planted.project = None
    planted.save()
    assert told(planted) == {}


def test_a_question_asks_nothing_of_projects(ask: Ask) -> None:
    first = ask()
    ended()
    with CaptureQueriesContext(connection) as queries:
        sent = ask("And?", first.conversation)
        prepare(sent.generation.pk)
    assert not [query["sql"] for query in queries if 'FROM "chat_project"' in query["sql"]]


def test_a_question_in_a_project_takes_no_query_more(planted: Conversation, ask: Ask) -> None:
    other = ask().conversation
    ended()
    counts = []
    for conversation in (other, planted):
        with CaptureQueriesContext(connection) as queries:
            sent = ask("And?", conversation)
            prepare(sent.generation.pk)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_the_meter_counts_them_before_an_answer_has(planted: Conversation, garden: Project) -> None:
    def size() -> int:
        row = Conversation.objects.select_related("project").get(pk=planted.pk)
        return filled(row, (), USUAL, whole=True).tokens

    before = size()
    Project.objects.update(memory="The soil is clay. " * 100)
    assert size() > before + 300
