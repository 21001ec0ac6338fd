"""An answer belongs to the server: it runs, stops, fails and survives without any browser."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from backends.adapters import scripted
from backends.adapters.errors import Overloaded, Truncated
from backends.adapters.events import Finish, FinishReason, ReasoningDelta, Restart, TextDelta, Usage
from backends.adapters.messages import ChatRequest, Role
from backends.database import in_database
from backends.models import Access, Backend
from chat.generation import queue, runtime
from chat.generation.updates import Kind, Update
from chat.models import Conversation, Generation, Message, Status
from chat.services import answers
from chat.services.sending import Sent

pytestmark = pytest.mark.django_db(transaction=True)

Ask = Callable[..., Sent]


async def ended(sent: Sent, seconds: float = 5) -> Generation:
    """The generation once it is no longer active."""
    async with asyncio.timeout(seconds):
        while True:
            row = await in_database(Generation.objects.select_related("message").get, pk=sent.generation.pk)
            if not row.is_active:
                return row
            await asyncio.sleep(0.01)


async def until(condition: Callable[[], bool], seconds: float = 5) -> None:
    """Wait for something to become true."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)


def play(*steps: Any) -> None:
    """What the demo backend answers from now on."""
    scripted.register("play", steps)


@pytest.fixture(autouse=True)
def _original_script() -> Any:
    with scripted.registered("play", [TextDelta("unused")]):
        yield


@pytest.mark.parametrize("known", [None, ["completion"]])
async def test_the_adapter_learns_what_the_catalogue_knows_of_the_model(
    hub: runtime.Runtime, ask: Ask, demo: Backend, known: list[str] | None
) -> None:
    await hub.watch.close()  # it would learn the capabilities anew
    await in_database(demo.models.update, capabilities=known)
    seen: list[ChatRequest] = []

    def script(request: ChatRequest) -> list[Any]:
        seen.append(request)
        return [TextDelta("answer")]

    scripted.register("play", script)
    await ended(await in_database(ask, "Hello"))
    assert [request.capabilities for request in seen] == [None if known is None else frozenset(known)]


async def test_an_answer_is_written_and_measured(hub: runtime.Runtime, ask: Ask) -> None:
    play(
        TextDelta("Paris"),
        0.1,
        TextDelta("."),
        Usage(input_tokens=5, output_tokens=2),
        Finish(FinishReason.STOP),
    )

    row = await ended(await in_database(ask, "Capital?"))

    assert row.status == Status.COMPLETED
    assert row.message.text == "Paris."
    assert (row.input_tokens, row.output_tokens, row.finish_reason) == (5, 2, "stop")
    assert row.ttft_ms is not None
    assert row.tokens_per_second == pytest.approx(10, rel=0.5)


async def test_reasoning_is_kept_apart_and_timed(hub: runtime.Runtime, ask: Ask) -> None:
    play(ReasoningDelta("Hm. "), ReasoningDelta("Yes."), 0.01, TextDelta("Done."))

    row = await ended(await in_database(ask))

    assert (row.message.reasoning, row.message.text) == ("Hm. Yes.", "Done.")
    assert row.message.reasoning_seconds in range(10)


async def test_a_restart_drops_what_the_failed_attempt_said(hub: runtime.Runtime, ask: Ask) -> None:
    play(TextDelta("par"), 0.01, Restart(), TextDelta("full"))

    assert (await ended(await in_database(ask))).message.text == "full"


async def test_the_whole_history_and_the_system_prompt_go_along(hub: runtime.Runtime, ask: Ask) -> None:
    seen: list[ChatRequest] = []

    def script(request: ChatRequest) -> list[Any]:
        seen.append(request)
        return [TextDelta(f"answer {len(seen)}")]

    scripted.register("play", script)
    first = await in_database(ask, "one")
    await ended(first)
    await in_database(
        lambda: Conversation.objects.update(
            system_prompt="Be brief.", options={"temperature": 0.2, "stop": ["END"]}
        )
    )
    conversation = await in_database(Conversation.objects.get)
    await ended(await in_database(ask, "two", conversation))

    request = seen[1]
    assert request.system == "Be brief."
    assert request.sampling.temperature == 0.2
    assert request.sampling.stop == ("END",)
    assert [(m.role, m.text) for m in request.messages] == [
        (Role.USER, "one"),
        (Role.ASSISTANT, "answer 1"),
        (Role.USER, "two"),
    ]


async def test_stop_keeps_the_text_so_far(hub: runtime.Runtime, ask: Ask) -> None:
    play(TextDelta("Once upon"), 60.0, TextDelta("never"))
    sent = await in_database(ask)
    await until(lambda: any(str(run.text) for run in hub.supervisor.runs.values()))

    await in_database(answers.stop_answers, sent.conversation)
    row = await ended(sent, 1.0)

    assert row.status == Status.STOPPED
    assert row.message.text == "Once upon"
    assert row.finish_reason == "cancelled"


async def test_a_failure_keeps_the_text_and_says_what_to_do(hub: runtime.Runtime, ask: Ask) -> None:
    play(TextDelta("Half"), 0.01, Truncated("connection reset"))

    row = await ended(await in_database(ask))

    assert row.status == Status.FAILED
    assert row.message.text == "Half"
    assert row.error_kind == "truncated"
    assert "connection reset" in row.error_message
    assert row.error_hint


async def test_a_mistake_of_ours_ends_the_run_and_no_other(
    hub: runtime.Runtime, ask: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    def script(request: ChatRequest) -> list[Any]:
        if "boom" in request.messages[-1].text:
            raise ZeroDivisionError
        return [0.05, TextDelta("fine")]

    scripted.register("play", script)
    bad, good = await in_database(ask, "boom"), await in_database(ask, "hello")

    assert (await ended(bad)).status == Status.FAILED
    assert (await ended(good)).message.text == "fine"
    assert "ZeroDivisionError" in caplog.text


async def test_a_model_that_was_forbidden_meanwhile_is_not_asked(
    hub: runtime.Runtime, ask: Ask, demo: Backend
) -> None:
    asked: list[ChatRequest] = []
    play(TextDelta("x"))
    sent = await in_database(ask)
    await ended(sent)

    def script(request: ChatRequest) -> list[Any]:
        asked.append(request)
        return []

    scripted.register("play", script)
    await in_database(lambda: Generation.objects.update(status=Status.QUEUED))
    await in_database(lambda: demo.models.update(access=Access.ADMINS))
    await hub.supervisor.serve_queue(demo.pk)

    row = await ended(sent)
    assert (row.status, row.error_kind) == (Status.FAILED, "forbidden")
    assert row.error_message == "You may not use this model any more."
    assert "administrator" in row.error_hint
    assert not asked


async def test_a_deleted_backend_is_a_clear_failure(hub: runtime.Runtime, ask: Ask, demo: Backend) -> None:
    play(TextDelta("x"))
    sent = await in_database(ask)
    await ended(sent)
    await in_database(lambda: Generation.objects.update(status=Status.QUEUED, backend=demo))
    await in_database(lambda: Backend.objects.update(enabled=False))
    await hub.supervisor.serve_queue(demo.pk)

    row = await ended(sent)
    assert (row.status, row.error_kind) == (Status.FAILED, "gone")


async def test_runs_beyond_the_slots_wait_in_order(hub: runtime.Runtime, ask: Ask, demo: Backend) -> None:
    order: list[str] = []

    def script(request: ChatRequest) -> list[Any]:
        order.append(request.messages[-1].text)
        return [0.1, TextDelta("x")]

    scripted.register("play", script)
    await in_database(lambda: Backend.objects.update(slots=1))
    sent = [await in_database(ask, name) for name in ("first", "second", "third")]

    places = await in_database(queue.places, demo.pk)
    assert [places[s.answer.pk][1] for s in sent[1:]] == [1, 2]
    rows = [await ended(s) for s in sent]

    assert order == ["first", "second", "third"]
    assert {row.status for row in rows} == {Status.COMPLETED}


async def test_a_waiting_answer_can_be_cancelled_and_never_runs(
    hub: runtime.Runtime, ask: Ask, demo: Backend
) -> None:
    play(0.2, TextDelta("x"))
    await in_database(lambda: Backend.objects.update(slots=1))
    first, second, third = [await in_database(ask, name) for name in ("first", "second", "third")]

    await in_database(answers.stop_answers, second.conversation)

    assert (await in_database(queue.places, demo.pk))[third.answer.pk][1] == 1
    assert (await ended(second)).status == Status.STOPPED
    assert (await ended(first)).status == Status.COMPLETED
    assert (await ended(third)).status == Status.COMPLETED
    assert (await in_database(Message.objects.get, pk=second.answer.pk)).text == ""


async def test_text_is_saved_about_once_a_second_while_it_grows(hub: runtime.Runtime, ask: Ask) -> None:
    play(TextDelta("saved so far"), 60.0)
    sent = await in_database(ask)

    async with asyncio.timeout(3):
        while not (await in_database(Message.objects.get, pk=sent.answer.pk)).text:
            await asyncio.sleep(0.05)
    row = await in_database(Generation.objects.get, pk=sent.generation.pk)
    assert row.status == Status.RUNNING
    assert row.lease_until > timezone.now()


async def test_an_orderly_end_of_the_hub_marks_running_answers_interrupted(
    hub: runtime.Runtime, ask: Ask
) -> None:
    play(TextDelta("as far as it got"), 60.0)
    sent = await in_database(ask)
    await until(lambda: any(str(run.text) for run in hub.supervisor.runs.values()))

    await runtime.stop()

    row = await ended(sent)
    assert (row.status, row.message.text) == (Status.INTERRUPTED, "as far as it got")


async def test_a_lease_that_nobody_renews_turns_into_interrupted(hub: runtime.Runtime, ask: Ask) -> None:
    play(TextDelta("x"))
    sent = await in_database(ask)
    await ended(sent)
    past = timezone.now() - timedelta(seconds=1)
    await in_database(
        lambda: Generation.objects.update(status=Status.RUNNING, worker="elsewhere:1:x", lease_until=past)
    )

    await hub.supervisor.sweep()

    assert (await ended(sent)).status == Status.INTERRUPTED


async def test_a_dead_process_of_this_machine_is_noticed_before_its_lease_ends(
    hub: runtime.Runtime, ask: Ask
) -> None:
    play(TextDelta("x"))
    sent = await in_database(ask)
    await ended(sent)
    host, pid, _mark = queue.WORKER.split(":")
    later = timezone.now() + timedelta(minutes=5)
    await in_database(
        lambda: Generation.objects.update(
            status=Status.RUNNING, worker=f"{host}:{pid}:earlier", lease_until=later
        )
    )

    await hub.supervisor.recover()

    assert (await ended(sent)).status == Status.INTERRUPTED


async def test_who_waited_through_a_restart_is_served_after_it(
    hub: runtime.Runtime, ask: Ask, demo: Backend
) -> None:
    play(TextDelta("late but there"))
    sent = await in_database(ask)
    await ended(sent)
    await in_database(lambda: Generation.objects.update(status=Status.QUEUED, worker=""))

    await hub.supervisor.recover()

    assert (await ended(sent)).status == Status.COMPLETED


async def test_retry_adds_a_second_answer_and_keeps_the_first(
    hub: runtime.Runtime, ask: Ask, alice: Any
) -> None:
    play(TextDelta("bad"), Overloaded("busy"))
    sent = await in_database(ask, "question")
    await ended(sent)
    play(TextDelta("good"))

    generation = await in_database(answers.retry, alice, sent.answer)
    await ended(Sent(sent.conversation, sent.question, sent.answer, generation))

    conversation = await in_database(Conversation.objects.get)
    path = await in_database(conversation.path)
    assert [row.text for row in path] == ["question", "good"]
    assert await in_database(Message.objects.filter(parent=sent.question).count) == 2


async def test_continue_appends_to_the_answer(hub: runtime.Runtime, ask: Ask, alice: Any) -> None:
    play(TextDelta("One, two"), Finish(FinishReason.LENGTH))
    sent = await in_database(ask, "count")
    await ended(sent)
    play(TextDelta(", three."))

    answer = await in_database(Message.objects.select_related("conversation").get, pk=sent.answer.pk)
    generation = await in_database(answers.continue_answer, alice, answer)
    row = await ended(Sent(sent.conversation, sent.question, sent.answer, generation))

    assert row.message.text == "One, two, three."
    assert await in_database(Message.objects.count) == 2


async def test_nobody_watching_means_nothing_is_published_per_piece(hub: runtime.Runtime, ask: Ask) -> None:
    heard: list[Update] = []
    original = hub.bus.publish

    async def listen(update: Update) -> None:
        heard.append(update)
        await original(update)

    hub.bus.publish = listen  # type: ignore[method-assign]
    play(TextDelta("a"), 0.01, TextDelta("b"))

    await ended(await in_database(ask))

    assert Kind.GREW not in {update.kind for update in heard}


async def test_a_question_after_one_that_failed_goes_out_as_one_turn(hub: runtime.Runtime, ask: Ask) -> None:
    seen: list[ChatRequest] = []

    def script(request: ChatRequest) -> list[Any]:
        seen.append(request)
        return [Overloaded("busy")] if len(seen) == 1 else [TextDelta("yes")]

    scripted.register("play", script)
    first = await in_database(ask, "one")
    await ended(first)
    await ended(await in_database(ask, "two", first.conversation))

    assert [(turn.role, turn.text) for turn in seen[1].messages] == [(Role.USER, "one\n\ntwo")]
