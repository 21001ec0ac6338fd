"""Tools that a server runs: rows, cards while they work and afterwards, on every page and after a reload."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from backends.adapters import scripted
from backends.adapters.events import Phase, TextDelta, ToolActivity, ToolState
from backends.adapters.events import Status as BackendStatus
from backends.adapters.messages import ChatRequest
from backends.database import in_database
from chat.generation import recovery, runtime
from chat.generation.activities import INPUT_LIMIT, MOST, OUTPUT_LIMIT, Activities, save_activities
from chat.models import Activity, Conversation, Generation, Message, Status
from chat.models.activity import PREVIEW
from chat.presenting.thread import thread_view
from chat.services import answers
from chat.services.sending import Sent
from privatechathub.accounts.models import User
from tests.chat.page import faults, read
from tests.chat.watching import ended, opened, until

Ask = Callable[..., Sent]
live = pytest.mark.django_db(transaction=True)
PENDING, RUNNING, DONE, ERROR = ToolState.PENDING, ToolState.RUNNING, ToolState.DONE, ToolState.ERROR


def call(state: ToolState, call_id: str = "c1", name: str = "ls", **more: Any) -> ToolActivity:
    return ToolActivity(call_id, name, state, **more)


class Hold:
    """A script that waits in the middle until it is let go on."""

    def __init__(self, *steps: Any, then: tuple[Any, ...] = ()) -> None:
        self.steps, self.then = steps, then
        self.go_on = False

    def __call__(self, request: ChatRequest) -> Iterator[Any]:
        yield from self.steps
        while not self.go_on:
            yield 0.005
        yield from self.then


@pytest.fixture(autouse=True)
def _original_script() -> Iterator[None]:
    with scripted.registered("play", [TextDelta("unused")]):
        yield


# --- what is kept of a call --------------------------------------------------------------------------


def test_a_call_is_one_row_that_learns_more(ask: Ask) -> None:
    calls = Activities(ask().generation.pk)

    calls.take(call(PENDING))
    calls.take(call(RUNNING, input={"path": "/etc"}, title="List /etc"))
    calls.take(call(DONE, name="", output="hosts"))
    save_activities(calls.unsaved())

    row = Activity.objects.get()
    assert (row.call_id, row.name, row.title, row.state) == ("c1", "ls", "List /etc", "done")
    assert (row.input, row.output, row.output_size) == ('{\n  "path": "/etc"\n}', "hosts", 5)
    assert row.finished_at is not None
    assert row.started_at <= row.finished_at


def test_a_card_changes_only_where_it_shows_something_else() -> None:
    calls = Activities(uuid4())

    assert calls.take(call(RUNNING)) is not None
    assert calls.take(call(RUNNING)) is None
    assert calls.take(call(RUNNING, output="so far")) is None
    assert calls.take(call(RUNNING, title="Now")) is not None
    assert calls.take(call(DONE, output="all")) is not None


JSON_AROUND = '{\n  "content": ""\n}'


def test_an_output_is_bounded_without_breaking_a_character(ask: Ask) -> None:
    calls = Activities(ask().generation.pk)
    text = "a" + "ü" * OUTPUT_LIMIT

    calls.take(call(DONE, output=text, input={"content": "x" * (2 * INPUT_LIMIT)}))
    save_activities(calls.unsaved())

    row = Activity.objects.get()
    assert row.output == "a" + "ü" * ((OUTPUT_LIMIT - 1) // 2)
    assert row.output_size == len(text.encode())
    assert row.input[: INPUT_LIMIT + 1].endswith("x\n")
    assert row.input[INPUT_LIMIT:] == f"\n… ({2 * INPUT_LIMIT + len(JSON_AROUND)} characters in all)"


def test_a_model_that_never_stops_calling_fills_neither_page_nor_disk() -> None:
    calls = Activities(uuid4())

    for number in range(MOST + 50):
        calls.take(call(RUNNING, call_id=str(number)))

    assert len(calls) == MOST
    assert calls.take(call(DONE, call_id="0")) is not None


@given(st.text(), st.text(), st.dictionaries(st.text(), st.floats() | st.text() | st.none()))
@pytest.mark.django_db
def test_whatever_a_server_says_can_be_kept(name: str, output: str, arguments: dict[str, Any]) -> None:
    user, _new = User.objects.get_or_create(username="carol")
    conversation = Conversation.objects.create(owner=user, updated_at=timezone.now())
    message = Message.objects.create(conversation=conversation, role="assistant")
    generation = Generation.objects.create(message=message, backend_name="b", model_id="m")
    calls = Activities(generation.pk)

    calls.take(call(DONE, call_id=name, name=name, title=output, output=output, input=arguments))
    save_activities(calls.unsaved())

    assert Activity.objects.filter(generation=generation).count() == 1


def test_what_could_not_be_saved_is_saved_with_the_next(ask: Ask) -> None:
    calls = Activities(ask().generation.pk)
    calls.take(call(RUNNING))
    calls.unsaved()  # the disk refused

    calls.save_again()
    save_activities(calls.unsaved())

    assert Activity.objects.count() == 1
    assert calls.unsaved() == []


def test_calls_of_an_answer_that_was_deleted_meanwhile_harm_nobody(ask: Ask) -> None:
    sent = ask()
    calls = Activities(sent.generation.pk)
    calls.take(call(RUNNING))
    Message.objects.filter(pk=sent.answer.pk).delete()

    save_activities(calls.unsaved())

    assert not Activity.objects.exists()


# --- a run --------------------------------------------------------------------------------------------


@live
async def test_calls_are_saved_with_their_answer_in_order(hub: runtime.Runtime, ask: Ask) -> None:
    scripted.register(
        "play",
        [
            call(RUNNING, call_id="a", name="first"),
            call(RUNNING, call_id="b", name="second"),
            0.01,
            call(DONE, call_id="b", name="second", output="2"),
            call(ERROR, call_id="a", name="first", output="no such file"),
            TextDelta("Done."),
        ],
    )
    await ended(await in_database(ask))

    rows = await in_database(lambda: list(Activity.objects.values_list("name", "state", "output")))
    assert rows == [("first", "error", "no such file"), ("second", "done", "2")]


@live
async def test_a_call_that_works_for_long_is_saved_before_the_end(hub: runtime.Runtime, ask: Ask) -> None:
    script = Hold(call(RUNNING))
    scripted.register("play", script)
    sent = await in_database(ask)

    await until(lambda: Activity.objects.filter(state="running").exists())

    script.go_on = True
    await ended(sent)
    assert (await in_database(Activity.objects.get)).state == "stopped"


@live
async def test_stop_ends_the_calls_too(hub: runtime.Runtime, ask: Ask) -> None:
    scripted.register("play", Hold(call(RUNNING)))
    sent = await in_database(ask)
    await until(lambda: Activity.objects.exists())

    await in_database(answers.stop_answers, sent.conversation)

    assert (await ended(sent, 1.0)).status == Status.STOPPED
    row = await in_database(Activity.objects.get)
    assert (row.state, row.finished_at is not None) == ("stopped", True)


def test_after_a_crash_no_call_stays_at_work(ask: Ask) -> None:
    sent = ask()
    Generation.objects.update(
        status=Status.RUNNING, worker="gone:1:x", lease_until=timezone.now() - timedelta(seconds=1)
    )
    calls = Activities(sent.generation.pk)
    calls.take(call(RUNNING))
    calls.take(call(DONE, call_id="c2"))
    save_activities(calls.unsaved())

    recovery.interrupt_abandoned()

    assert [row.state for row in Activity.objects.all()] == ["stopped", "done"]


# --- cards --------------------------------------------------------------------------------------------


@live
async def test_a_card_appears_changes_and_stays(
    hub: runtime.Runtime, ask: Ask, alice: User, as_alice: Client
) -> None:
    script = Hold(call(RUNNING, input={"path": "/etc"}), then=(call(DONE, output="hosts"), TextDelta("One.")))
    scripted.register("play", script)
    sent = await in_database(ask)
    tab, other = await opened(alice, sent.conversation), None
    try:
        running = await tab.until('data-state="running"')
        assert "/etc" in read(running).one("pre").text
        other = await opened(alice, sent.conversation)
        await other.until('data-state="running"')
        script.go_on = True
        for page in (tab, other):
            done = await page.until('data-state="done"')
            assert "hosts" in done
            await page.until('data-status="completed"')
            assert 'data-state="done"' in page.frames[-1]
    finally:
        await tab.close()
        if other:
            await other.close()
    reloaded = await in_database(as_alice.get, sent.conversation.get_absolute_url())
    assert not faults(reloaded)
    assert read(reloaded).one("li", class_="activity").attributes["data-state"] == "done"


@live
async def test_a_sentence_of_waiting_goes_when_a_card_comes(
    hub: runtime.Runtime, ask: Ask, alice: User
) -> None:
    script = Hold(BackendStatus(Phase.PROMPT), then=(call(RUNNING), 30.0))
    scripted.register("play", script)
    sent = await in_database(ask)
    tab = await opened(alice, sent.conversation)
    await tab.until("Reading the conversation")

    script.go_on = True
    frame = await tab.until('class="activity"')

    assert f'#m{sent.answer.pk}-status" hx-swap="innerHTML"></hx-partial>' in frame
    await tab.close()
    await in_database(answers.stop_answers, sent.conversation)
    await ended(sent)


def activity(sent: Sent, **values: Any) -> Activity:
    """A call that ended, as a row."""
    defaults = {"name": "ls", "state": "done", "started_at": timezone.now(), "finished_at": timezone.now()}
    count = Activity.objects.count()
    return Activity.objects.create(generation=sent.generation, position=count, **defaults | values)


def finished(sent: Sent) -> None:
    Generation.objects.filter(pk=sent.generation.pk).update(status=Status.COMPLETED)


HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(1)> **bold** [a](javascript:alert(1)) {{ x }} </pre>"
)


@pytest.mark.parametrize("state", ["done", "error", "running"])
def test_nothing_that_a_tool_says_becomes_markup(ask: Ask, as_alice: Client, state: str) -> None:
    sent = ask()
    finished(sent)
    text = {"name": HOSTILE, "title": HOSTILE, "input": HOSTILE, "output": HOSTILE}
    activity(sent, state=state, output_size=len(HOSTILE), **text)

    response = as_alice.get(sent.conversation.get_absolute_url())

    assert not faults(response)
    page = read(response)
    card = next(tag for tag in page.tags if tag.attributes.get("class") == "activity")
    after = page.tags[page.tags.index(card) :]
    inside = after[
        : next(i for i, tag in enumerate(after) if "message-body" in tag.attributes.get("class", ""))
    ]
    assert {tag.name for tag in inside} <= {"li", "details", "summary", "span", "dl", "dt", "dd", "pre", "p"}
    assert sum(HOSTILE in tag.text for tag in inside) == (3 if state == "running" else 4)


def test_a_long_output_is_shown_from_its_beginning_and_whole_behind_a_link(
    ask: Ask, as_alice: Client, as_bob: Client, as_ada: Client
) -> None:
    sent = ask()
    finished(sent)
    text = "<b>" + "x" * (2 * PREVIEW)
    row = activity(sent, output=text, output_size=len(text))

    page = read(as_alice.get(sent.conversation.get_absolute_url()))
    link = next(tag for tag in page.all("a") if "/activities/" in tag.attributes["href"])
    whole = as_alice.get(link.attributes["href"])

    assert text[:PREVIEW] in [tag.text for tag in page.all("pre")]
    assert whole.content.decode() == row.output
    assert whole["Content-Type"] == "text/plain; charset=utf-8"
    assert whole["X-Content-Type-Options"] == "nosniff"
    for stranger in (as_bob, as_ada):
        assert stranger.get(link.attributes["href"]).status_code == 404


def test_an_error_is_plain_and_not_folded(ask: Ask, as_alice: Client) -> None:
    sent = ask()
    finished(sent)
    activity(sent, state="error", output="no such file", output_size=12)

    page = read(as_alice.get(sent.conversation.get_absolute_url()))

    error = page.one(class_="activity-error")
    assert error.text.strip() == "no such file"
    assert "details" not in error.inside


def test_a_thread_without_calls_costs_no_query_and_with_many_one(ask: Ask) -> None:
    sent = ask()
    finished(sent)
    plain = counted(sent.conversation)
    for number in range(5):
        activity(sent, name=f"tool {number}")
    with_calls = counted(sent.conversation)
    second = ask("again", sent.conversation)
    finished(second)
    for number in range(5):
        activity(second, name=f"tool {number}")

    assert with_calls == plain + 1
    assert counted(sent.conversation) == with_calls
    names = [[one.name for one in message.activities] for message in thread_view(fresh(sent)).messages]
    assert names == [[], [f"tool {n}" for n in range(5)], [], [f"tool {n}" for n in range(5)]]


def fresh(sent: Sent) -> Conversation:
    return Conversation.objects.get(pk=sent.conversation.pk)


def counted(conversation: Conversation) -> int:
    conversation = Conversation.objects.get(pk=conversation.pk)
    with CaptureQueriesContext(connection) as queries:
        thread_view(conversation)
    return len(queries)


@live
async def test_an_answer_without_calls_asks_the_database_nothing_more(
    hub: runtime.Runtime, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved: list[int] = []
    monkeypatch.setattr("chat.generation.recorder.save_activities", lambda rows: saved.append(len(rows)))
    scripted.register("play", [TextDelta("a"), 0.01, TextDelta("b")])

    await ended(await in_database(ask))

    assert set(saved) == {0}


def test_saving_no_calls_is_no_query() -> None:
    save_activities([])  # without the database: a query would fail the test
