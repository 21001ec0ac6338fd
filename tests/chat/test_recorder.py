"""What grew is saved together, the end before it is told, and nothing is lost while the disk refuses."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import Any
from unittest.mock import Mock

import pytest
from django.db import DataError, OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backends.adapters import scripted
from backends.adapters.events import ReasoningDelta, TextDelta
from backends.database import in_database
from chat.generation import queue, recorder, runtime, supervisor
from chat.generation.run import Run
from chat.generation.updates import Kind, Update
from chat.models import Conversation, Generation, Message, Status
from chat.services.sending import Sent

Ask = Callable[..., Sent]
live = pytest.mark.django_db(transaction=True)


def run_of(sent: Sent, text: str = "", reasoning: str = "") -> Run:
    """The answer's run as this process holds it."""
    queue.start(sent.generation)
    run = Run(sent.generation.pk, sent.answer.pk, str(sent.conversation.pk), sent.generation.backend_id)
    if text or reasoning:
        run.grow(text, reasoning)
    return run


def written(answer: Message) -> tuple[str, str]:
    """Text and reasoning in the database."""
    row = Message.objects.get(pk=answer.pk)
    return row.text, row.reasoning


# --- what the functions write -------------------------------------------------------------------------


def test_everything_that_grew_is_saved_in_one_transaction(ask: Ask) -> None:
    sent = [ask(f"question {number}") for number in range(5)]
    runs = [run_of(one, f"text {number}", "hm") for number, one in enumerate(sent)]

    with CaptureQueriesContext(connection) as queries:
        recorder.save_progress(runs)

    assert [written(one.answer) for one in sent] == [(f"text {number}", "hm") for number in range(5)]
    assert len([q for q in queries if q["sql"].startswith(("BEGIN", "SAVEPOINT"))]) == 1
    assert len([q for q in queries if q["sql"].startswith("UPDATE")]) == 6


def test_what_did_not_grow_is_not_written_but_its_lease_is_renewed(ask: Ask) -> None:
    run = run_of(ask(), "text")
    recorder.save_progress([run])
    Generation.objects.update(lease_until=timezone.now())

    with CaptureQueriesContext(connection) as queries:
        recorder.save_progress([run])

    assert not [q for q in queries if 'UPDATE "chat_message"' in q["sql"]]
    lease = Generation.objects.get().lease_until
    assert lease
    assert lease > timezone.now() + queue.LEASE / 2


def test_a_save_that_is_slow_never_overwrites_the_end_with_an_older_text(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on PostgreSQL, where no lock of the database puts the two in order."""
    run = run_of(ask(), "half")
    saved: list[str] = []
    entered, go_on = threading.Event(), threading.Event()

    def save_text(run: Run) -> None:
        text = str(run.text)
        if text == "half":
            entered.set()
            go_on.wait(5)
        saved.append(text)

    monkeypatch.setattr(recorder, "save_text", save_text)
    monkeypatch.setattr(recorder, "write_transaction", nullcontext)
    for name in ("Generation", "Conversation"):
        monkeypatch.setattr(recorder, name, Mock())
    progress = threading.Thread(target=recorder.save_progress, args=[[run]])
    progress.start()
    entered.wait(5)
    run.grow(" and whole", "")
    end = threading.Thread(target=recorder.save_ends, args=[[run]])
    end.start()
    end.join(0.2)
    go_on.set()
    progress.join(5)
    end.join(5)

    assert saved == ["half", "half and whole"]


def test_the_lease_of_a_run_that_another_process_took_is_left_alone(ask: Ask) -> None:
    run = run_of(ask(), "text")
    Generation.objects.update(worker="elsewhere:1:x", lease_until=None)

    recorder.save_progress([run])

    assert Generation.objects.get().lease_until is None


def test_the_end_is_text_state_and_one_more_revision(ask: Ask) -> None:
    sent = ask()
    run = run_of(sent, "all of it")
    run.end(Status.COMPLETED)
    before = Conversation.objects.get().revision

    recorder.save_ends([run])

    row = Generation.objects.get()
    assert (row.status, row.lease_until, row.finished_at) == (Status.COMPLETED, None, run.finished_at)
    assert written(sent.answer)[0] == "all of it"
    assert Conversation.objects.get().revision == before + 1


@pytest.mark.parametrize(
    ("said", "kept"),
    [("a\x00b", "a\ufffdb"), ("half \ud83d of one", "half ? of one"), ("Ünïcödé 🙂", "Ünïcödé 🙂"), ("", "")],
)
def test_what_no_database_can_keep_is_replaced(ask: Ask, said: str, kept: str) -> None:
    sent = ask()
    recorder.save_progress([run_of(sent, said, said)])

    assert written(sent.answer) == (kept, kept)


# --- when the supervisor has it written ---------------------------------------------------------------


class Disk:
    """Counts the saves, and refuses them as long as ``error`` is set."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.error: Exception | None = None
        self.saved: list[int] = []
        self.ended: list[int] = []
        self.refused = 0
        for name, log in (("save_progress", self.saved), ("save_ends", self.ended)):
            monkeypatch.setattr(supervisor, name, self._wrapped(getattr(recorder, name), log))

    def _wrapped(self, save: Callable[[list[Run]], None], log: list[int]) -> Callable[[list[Run]], None]:
        def instead(runs: list[Run]) -> None:
            if self.error is not None:
                self.refused += 1
                raise self.error
            save(runs)
            log.append(len(runs))

        return instead


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    monkeypatch.setattr(supervisor, "SAVE_EVERY", 0.05)
    monkeypatch.setattr(supervisor, "SAVE_AGAIN", 0.05)
    return Disk(monkeypatch)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, disk: Disk, hub: runtime.Runtime) -> list[tuple[Update, str]]:
    """Every update, with the state that the database had when it was told."""
    told: list[tuple[Update, str]] = []
    publish = hub.bus.publish

    async def listen(update: Update) -> None:
        row = await in_database(Generation.objects.filter(message_id=update.message_id).first)
        told.append((update, row.status if row else ""))
        await publish(update)

    monkeypatch.setattr(hub.bus, "publish", listen)
    return told


@pytest.fixture(autouse=True)
def _original_script() -> Iterator[Any]:
    with scripted.registered("play", [TextDelta("unused")]):
        yield


async def until(condition: Callable[[], Any], seconds: float = 5) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)


async def row_of(sent: Sent) -> Generation:
    return await in_database(Generation.objects.select_related("message").get, pk=sent.generation.pk)


@live
async def test_all_runs_are_saved_by_one_call_at_a_bounded_rate(
    monkeypatch: pytest.MonkeyPatch, disk: Disk, hub: runtime.Runtime, ask: Ask
) -> None:
    monkeypatch.setattr(supervisor, "SAVE_EVERY", 0.2)
    scripted.register("play", [step for _ in range(200) for step in (TextDelta("x"), 0.005)])
    for number in range(4):
        await in_database(ask, f"question {number}")
    await until(lambda: 4 in disk.saved)
    before = len(disk.saved)
    await asyncio.sleep(0.5)

    assert 1 <= len(disk.saved) - before <= 3
    assert set(disk.saved[before:]) == {4}


@live
async def test_the_end_is_saved_before_it_is_told(
    disk: Disk, hub: runtime.Runtime, told: list[tuple[Update, str]], ask: Ask
) -> None:
    scripted.register("play", [ReasoningDelta("Hm."), 0.02, TextDelta("Done.")])
    await in_database(ask)
    await until(lambda: any(update.kind is Kind.ENDED for update, _state in told))

    assert [state for update, state in told if update.kind is Kind.ENDED] == [Status.COMPLETED]


@live
@pytest.mark.parametrize(
    "error", [OperationalError("database or disk is full"), OperationalError("database is locked")], ids=str
)
async def test_a_disk_that_refuses_for_a_while_loses_nothing(
    disk: Disk,
    hub: runtime.Runtime,
    told: list[tuple[Update, str]],
    ask: Ask,
    error: Exception,
    caplog: pytest.LogCaptureFixture,
) -> None:
    scripted.register("play", [TextDelta("first "), 0.2, TextDelta("second "), 0.2, TextDelta("third")])
    sent = await in_database(ask)
    disk.error = error
    await until(lambda: any("keeps the text and tries again" in update.phase for update, _state in told))
    assert not [update for update, _state in told if update.kind is Kind.ENDED]
    assert disk.refused > 3
    disk.error = None
    await until(lambda: any(update.kind is Kind.ENDED for update, _state in told))

    row = await row_of(sent)
    assert (row.status, row.message.text) == (Status.COMPLETED, "first second third")
    assert not hub.supervisor.runs
    assert str(error) in caplog.text


@live
async def test_what_could_not_be_saved_in_the_middle_is_saved_once_it_can(
    disk: Disk, hub: runtime.Runtime, ask: Ask
) -> None:
    scripted.register("play", [TextDelta("only once"), 60.0])
    disk.error = OperationalError("disk is full")
    sent = await in_database(ask)
    await until(lambda: disk.refused > 2)
    assert (await row_of(sent)).message.text == ""
    disk.error = None
    await until(lambda: disk.saved)

    assert (await row_of(sent)).message.text == "only once"


@live
async def test_no_error_ends_the_loop_that_keeps_the_leases(
    disk: Disk, hub: runtime.Runtime, ask: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    scripted.register("play", [TextDelta("kept"), 60.0])
    disk.error = ZeroDivisionError("surprise")
    sent = await in_database(ask)
    await until(lambda: disk.refused > 2)
    disk.error = None
    await until(lambda: disk.saved)

    assert (await row_of(sent)).message.text == "kept"
    assert "surprise" in caplog.text


@live
async def test_an_end_that_the_database_does_not_take_harms_no_other(
    monkeypatch: pytest.MonkeyPatch, disk: Disk, hub: runtime.Runtime, ask: Ask
) -> None:
    save = recorder.save_ends

    def refuse_bad(runs: list[Run]) -> None:
        if any(str(run.text) == "bad" for run in runs):
            raise DataError("not this one")
        save(runs)

    monkeypatch.setattr(supervisor, "save_ends", refuse_bad)

    scripted.register("play", [60.0])
    bad, good = await in_database(ask, "bad"), await in_database(ask, "good")
    runs = [await in_database(run_of, sent, sent.question.text) for sent in (bad, good)]
    for run in runs:
        run.end(Status.COMPLETED)

    saved = await asyncio.gather(*(hub.supervisor._save_end(run) for run in runs))

    assert saved == [False, True]
    assert (await row_of(good)).message.text == "good"
