"""Visible thinking: told apart from the answer, counted, and kept out of what is sent later."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from backends.adapters import scripted
from backends.adapters.events import (
    Event,
    Finish,
    FinishReason,
    ReasoningDelta,
    Restart,
    TextDelta,
    ToolCall,
    Usage,
)
from backends.adapters.messages import ChatRequest
from backends.adapters.ollama_wire import chat_body
from backends.database import in_database
from backends.models import Backend
from chat.generation import runtime
from chat.generation.prompt import prepare
from chat.generation.steps import with_step
from chat.models import Generation, Message, Status, Step
from chat.presenting.message import one_message_view
from chat.services.sending import Sent
from tests.chat.page import read
from tests.chat.test_running import ended, play

Ask = Callable[..., Sent]


@pytest.fixture(autouse=True)
def _original_script() -> Iterator[None]:
    with scripted.registered("play", [TextDelta("unused")]):
        yield


# --- told apart -----------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("events", "reasoning", "text"),
    [
        ([TextDelta("<thi"), 0.01, TextDelta("nk>Hm."), TextDelta("</think>\n\nYes.")], "Hm.", "Yes."),
        ([TextDelta("<think>Hm.")], "Hm.", ""),
        ([TextDelta("<th")], "", "<th"),
        ([ReasoningDelta("Hm."), TextDelta("<think>x</think>")], "Hm.", "<think>x</think>"),
        ([TextDelta("Say <think>x</think>")], "", "Say <think>x</think>"),
        (
            [TextDelta("Hm. "), 0.01, TextDelta("Well.\n</thi"), TextDelta("nk>\n"), TextDelta("\nYes.")],
            "Hm. Well.",
            "Yes.",
        ),
        ([TextDelta("Hm.\n</think>\n\nYes.\n</think>\n")], "Hm.", "Yes.\n</think>\n"),
        ([TextDelta("A </think> tag\n</think>\nends it.")], "A </think> tag", "ends it."),
        ([TextDelta("The tag </think> ends it.")], "", "The tag </think> ends it."),
        ([TextDelta("```\n</think>\n```\n")], "", "```\n</think>\n```\n"),
        (
            [TextDelta("Between <think>\nand\n</think> it thinks.")],
            "",
            "Between <think>\nand\n</think> it thinks.",
        ),
        ([ReasoningDelta("Hm."), TextDelta("Yes\n</think>\n")], "Hm.", "Yes\n</think>\n"),
        ([TextDelta("par"), 0.01, Restart(), TextDelta("<think>Hm.</think>Yes.")], "Hm.", "Yes."),
    ],
)
async def test_thinking_between_tags_is_told_apart_on_every_kind_of_server(
    hub: runtime.Runtime, ask: Ask, events: list[Any], reasoning: str, text: str
) -> None:
    play(*events, Usage(output_tokens=9))

    row = await ended(await in_database(ask))

    assert (row.message.reasoning, row.message.text) == (reasoning, text)
    assert row.status == Status.COMPLETED


@pytest.mark.django_db(transaction=True)
async def test_tags_stay_text_where_the_server_is_set_up_so(
    hub: runtime.Runtime, ask: Ask, demo: Backend
) -> None:
    await in_database(Backend.objects.update, options={"think_tags": "off"})
    play(TextDelta("<think>Hm.</think>Yes."))

    row = await ended(await in_database(ask))

    assert (row.message.reasoning, row.message.text) == ("", "<think>Hm.</think>Yes.")


@pytest.mark.django_db(transaction=True)
async def test_thinking_that_turns_out_late_is_timed_from_the_first_word(
    hub: runtime.Runtime, ask: Ask
) -> None:
    play(TextDelta("Hm."), 1.1, TextDelta("\n</think>\n"), TextDelta("Yes."))

    row = await ended(await in_database(ask))

    assert (row.message.reasoning, row.message.text) == ("Hm.", "Yes.")
    assert row.message.reasoning_seconds in range(1, 10)  # from its end it would be none


# --- kept out of later prompts --------------------------------------------------------------------


@pytest.mark.django_db
def test_earlier_thinking_is_not_sent_again(ask: Ask) -> None:
    first = ask("One?")
    Message.objects.filter(pk=first.answer.pk).update(text="Two.", reasoning="SECRET THOUGHTS")
    Generation.objects.update(status=Status.COMPLETED)

    request = prepare(ask("And?", first.conversation).generation.pk).request

    assert "SECRET" not in repr(request)
    assert [message.text for message in request.messages] == ["One?", "Two.", "And?"]


@pytest.mark.django_db
def test_a_tool_loop_s_thinking_goes_back_within_the_loop_and_never_after_it(ask: Ask) -> None:
    first = ask("One?")
    Message.objects.filter(pk=first.answer.pk).update(text="Two.", reasoning="SECRET", has_steps=True)
    call = {"id": "1", "name": "calculate", "arguments": {}, "content": "2", "is_error": False}
    step = Step(
        generation=first.generation, position=0, end=0, reasoning="SECRET", calls=[call],
        finished_at=first.conversation.updated_at,
    )  # fmt: skip
    step.save()
    Generation.objects.update(status=Status.COMPLETED)

    later = prepare(ask("And?", first.conversation).generation.pk).request

    assert "SECRET" not in repr(chat_body(later, {}))
    assert "SECRET" in repr(chat_body(within(later, step), {}))


def within(request: ChatRequest, step: Step) -> ChatRequest:
    """The next round of a loop that goes on now."""
    return with_step(request, step)


# --- folded, timed and counted --------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("values", "label"),
    [
        ({"reasoning_tokens": 1234, "output_tokens": 2000}, "Thought for 12 s · 1,234 tokens"),
        ({"reasoning_tokens": 0, "output_tokens": 40}, "Thought for 12 s · about 30 tokens"),
        ({"output_tokens": 40}, "Thought for 12 s · about 30 tokens"),
        ({"output_tokens": 40, "continues": True}, "Thought for 12 s"),
        ({}, "Thought for 12 s"),
    ],
)
def test_the_fold_says_how_long_and_how_many_tokens(
    ask: Ask, as_alice: Any, values: dict[str, Any], label: str
) -> None:
    sent = ask()
    Message.objects.filter(pk=sent.answer.pk).update(text="x" * 25, reasoning="y" * 75, reasoning_seconds=12)
    Generation.objects.update(status=Status.COMPLETED, **values)

    page = read(as_alice.get(sent.conversation.get_absolute_url()))

    assert page.one(id=f"m{sent.answer.pk}-reasoning-label").text == label
    assert "open" not in page.one(id=f"m{sent.answer.pk}-reasoning").attributes


@pytest.mark.django_db
def test_an_answer_without_thinking_has_no_fold(ask: Ask) -> None:
    sent = ask()
    Message.objects.filter(pk=sent.answer.pk).update(text="Yes.")
    Generation.objects.update(status=Status.COMPLETED, output_tokens=3)

    view = one_message_view(sent.answer.pk)

    assert view is not None
    assert (view.reasoning_html, view.reasoning_tokens) == ("", "")


@pytest.mark.django_db(transaction=True)
async def test_the_count_of_a_server_is_kept_and_shown(hub: runtime.Runtime, ask: Ask) -> None:
    events: list[Event] = [
        ReasoningDelta("Hm."),
        TextDelta("Yes."),
        Usage(output_tokens=5, reasoning_tokens=3),
    ]
    play(*events, Finish(FinishReason.STOP))

    row = await ended(await in_database(ask))
    view = await in_database(one_message_view, row.message_id)

    assert view is not None
    assert view.reasoning_tokens == "3 tokens"


@pytest.mark.django_db(transaction=True)
async def test_what_was_held_back_comes_before_a_call(hub: runtime.Runtime, ask: Ask) -> None:
    play(TextDelta("<t"), ToolCall("1", "calculate", {}), Finish(FinishReason.TOOL_CALLS))

    row = await ended(await in_database(ask))

    assert row.message.text == "<t"
