"""A message to a server that is away waits, and goes out by itself when the server is back."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backends.adapters import scripted
from backends.adapters.errors import (
    AuthFailed,
    BackendError,
    BadRequest,
    CannotConnect,
    Overloaded,
    RateLimited,
    TimedOut,
)
from backends.adapters.events import Event, Phase, ReasoningDelta, TextDelta
from backends.adapters.events import Status as BackendStatus
from backends.adapters.messages import ChatRequest
from backends.database import in_database
from backends.models import Backend, CatalogueModel, State
from backends.watch import Seen
from chat.generation import queue, runtime, waiting
from chat.generation.run import Run
from chat.generation.updates import Kind, Update
from chat.health import moment
from chat.models import Conversation, Generation, Message, Status
from chat.presenting.message import one_message_view
from chat.services import answers
from chat.services import waiting as service
from chat.services.refusals import Refused
from chat.services.sending import Sent, start_conversation
from privatechathub.accounts.models import User
from tests.chat.page import faults, read

pytestmark = pytest.mark.django_db(transaction=True)

Ask = Callable[..., Sent]


@pytest.fixture(autouse=True)
def _script() -> Iterator[None]:
    with scripted.registered("play", [TextDelta("here I am")]):
        yield


@pytest.fixture
def unwatched_scripts() -> None:
    """Here they are looked at."""


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses too short to wait for."""
    monkeypatch.setattr(waiting, "PAUSES", (0.01, 0.02, 0.03))


def play(*steps: Any) -> None:
    """What the demo backend does from now on."""
    scripted.register("play", steps)


def away(**values: Any) -> None:
    """What the watch knows of the demo backend: nobody there."""
    known = {"state": State.OFFLINE, "state_error": "connect", "state_since": timezone.now()}
    Backend.objects.filter(slug="demo").update(**(known | values))


def row(sent: Sent) -> Generation:
    """Its generation as it is stored."""
    return Generation.objects.select_related("message").get(pk=sent.generation.pk)


async def comes_to(sent: Sent, condition: Callable[[Generation], bool]) -> Generation:
    """The generation once that is so."""
    async with asyncio.timeout(5):
        while not condition(found := await in_database(row, sent)):
            await asyncio.sleep(0.005)
    return found


def waits(found: Generation) -> bool:
    """Beside the line, for its backend."""
    return found.status == Status.QUEUED and found.awaits_server


def ended(found: Generation) -> bool:
    """No longer active."""
    return not found.is_active


async def no_watch(hub: runtime.Runtime) -> None:
    """The demo's health is always well; here only the test says who is back."""
    await hub.watch.close()


# --- who waits ------------------------------------------------------------------------------------


async def test_a_message_whose_server_refuses_waits_instead_of_failing(
    hub: runtime.Runtime, ask: Ask
) -> None:
    await no_watch(hub)
    play(CannotConnect("connection refused"))

    found = await comes_to(await in_database(ask), waits)

    assert (found.waits, found.worker, found.lease_until, found.finished_at) == (1, "", None, None)
    assert found.retry_at is not None
    assert 2 < (found.retry_at - timezone.now()).total_seconds() <= 3
    async with asyncio.timeout(5):
        while hub.supervisor.runs:
            await asyncio.sleep(0.005)


async def test_it_is_tried_after_each_pause_and_then_left_to_the_watch(
    hub: runtime.Runtime, ask: Ask, at_once: None
) -> None:
    await no_watch(hub)
    tried: list[float] = []

    def script(request: ChatRequest) -> list[Any]:
        tried.append(time.monotonic())
        return [CannotConnect("connection refused")]

    scripted.register("play", script)
    found = await comes_to(await in_database(ask), lambda g: waits(g) and g.retry_at is None)

    assert len(tried) == 1 + len(waiting.PAUSES)
    assert found.waits == 1 + len(waiting.PAUSES)


def test_the_pauses_are_three_ten_and_thirty_seconds() -> None:
    assert list(waiting.PAUSES) == [3, 10, 30]
    assert waiting.next_try(3) is None


async def test_a_server_that_is_back_by_the_second_try_answers(
    hub: runtime.Runtime, ask: Ask, at_once: None
) -> None:
    await no_watch(hub)
    seen: list[ChatRequest] = []

    def script(request: ChatRequest) -> list[Any]:
        seen.append(request)
        return [CannotConnect("refused")] if len(seen) == 1 else [TextDelta("back")]

    scripted.register("play", script)
    found = await comes_to(await in_database(ask, "are you there?"), ended)

    assert (found.status, found.message.text) == (Status.COMPLETED, "back")
    assert (found.awaits_server, found.retry_at) == (False, None)
    assert [request.messages[-1].text for request in seen] == ["are you there?"] * 2


@pytest.mark.parametrize(
    "error",
    [AuthFailed("no"), BadRequest("no"), RateLimited("slow down"), Overloaded("busy"), TimedOut("slow")],
    ids=lambda error: error.kind.value,
)
async def test_what_a_server_says_while_it_is_there_is_a_failure(
    hub: runtime.Runtime, ask: Ask, error: BackendError
) -> None:
    await no_watch(hub)
    play(error)

    found = await comes_to(await in_database(ask), ended)

    assert (found.status, found.error_kind) == (Status.FAILED, error.kind.value)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Overloaded("busy"), Status.QUEUED),
        (TimedOut("slow"), Status.QUEUED),
        (AuthFailed("no"), Status.FAILED),
    ],
    ids=["overloaded", "timeout", "auth"],
)
async def test_busy_or_silent_means_away_where_the_watch_did_not_reach_it_either(
    hub: runtime.Runtime, ask: Ask, error: BackendError, status: Status
) -> None:
    await no_watch(hub)
    play(0.1, error)
    sent = await in_database(ask)
    await in_database(away)

    assert (await comes_to(sent, lambda g: waits(g) or ended(g))).status == status


@pytest.mark.parametrize("first", [TextDelta("Once"), ReasoningDelta("Hm")])
async def test_nothing_is_tried_again_once_the_server_has_begun(
    hub: runtime.Runtime, ask: Ask, first: Event
) -> None:
    await no_watch(hub)
    play(first, 0.01, CannotConnect("refused"))

    found = await comes_to(await in_database(ask), ended)

    assert (found.status, found.error_kind) == (Status.FAILED, "connect")


async def test_what_a_server_is_said_to_do_is_no_beginning(hub: runtime.Runtime, ask: Ask) -> None:
    await no_watch(hub)
    play(BackendStatus(Phase.RETRYING), 0.01, CannotConnect("refused"))

    await comes_to(await in_database(ask), waits)


async def test_the_built_in_model_never_waits(hub: runtime.Runtime, ask: Ask, demo: Backend) -> None:
    await no_watch(hub)
    assert not waiting.means_away(Backend(managed=True), CannotConnect.kind)
    await in_database(
        lambda: Backend.objects.update(managed=True, state=State.OFFLINE, state_error="connect")
    )
    sent = await in_database(ask)

    assert not sent.generation.awaits_server


# --- known to be away at sending ------------------------------------------------------------------


async def test_a_message_to_a_server_known_to_be_away_waits_at_once(
    hub: runtime.Runtime, ask: Ask, demo: Backend
) -> None:
    await no_watch(hub)
    await in_database(away)

    sent = await in_database(ask)

    assert waits(sent.generation)
    assert sent.generation.waits == 1
    assert not hub.supervisor.runs


async def test_it_asks_for_a_look_and_goes_out_with_it(hub: runtime.Runtime, ask: Ask, demo: Backend) -> None:
    async with asyncio.timeout(5):
        while not await in_database(Backend.objects.filter(state=State.ONLINE).exists):
            await asyncio.sleep(0.01)
    await in_database(away)

    sent = await in_database(ask)

    found = await comes_to(sent, ended)
    assert found.status == Status.COMPLETED
    assert (timezone.now() - found.created_at).total_seconds() < waiting.PAUSES[0]


async def test_a_rejected_key_is_no_reason_to_wait(hub: runtime.Runtime, ask: Ask, demo: Backend) -> None:
    await no_watch(hub)
    await in_database(lambda: away(state_error="auth"))

    assert not (await in_database(ask)).generation.awaits_server


# --- the server is back ---------------------------------------------------------------------------


async def test_when_the_watch_sees_the_server_all_go_out_in_order_within_its_slots(
    hub: runtime.Runtime, ask: Ask, demo: Backend
) -> None:
    await no_watch(hub)
    await in_database(lambda: away(slots=1))
    sent = [await in_database(ask, name) for name in ("first", "second", "third")]
    await in_database(lambda: Generation.objects.update(retry_at=None))
    order: list[str] = []

    def script(request: ChatRequest) -> list[Any]:
        order.append(request.messages[-1].text)
        return [0.02, TextDelta("x")]

    scripted.register("play", script)
    assert await hub.supervisor.waiters.hear(Seen(demo.pk, there=False, returned=False))
    assert not await hub.supervisor.waiters.hear(Seen(demo.pk, there=True, returned=True))

    for one in sent:
        assert (await comes_to(one, ended)).status == Status.COMPLETED
    assert order == ["first", "second", "third"]


async def test_a_look_at_a_server_that_was_there_all_along_hurries_nobody(
    hub: runtime.Runtime, ask: Ask, demo: Backend
) -> None:
    await no_watch(hub)
    await in_database(away)
    timed, untimed = await in_database(ask, "timed"), await in_database(ask, "untimed")
    await in_database(lambda: Generation.objects.filter(pk=untimed.generation.pk).update(retry_at=None))

    await hub.supervisor.waiters.hear(Seen(demo.pk, there=True, returned=False))

    assert (await comes_to(untimed, ended)).status == Status.COMPLETED
    assert waits(await in_database(row, timed))


async def test_who_waits_takes_no_slot_and_no_place(hub: runtime.Runtime, ask: Ask, demo: Backend) -> None:
    await no_watch(hub)
    await in_database(lambda: away(slots=1))
    stuck = await in_database(ask, "stuck")
    await in_database(lambda: Backend.objects.update(state=State.ONLINE, state_error=""))

    passed = await in_database(ask, "passes")

    assert (await comes_to(passed, ended)).status == Status.COMPLETED
    assert await in_database(queue.places, demo.pk) == {}
    assert waits(await in_database(row, stuck))


async def test_other_servers_are_not_held_up(
    hub: runtime.Runtime, ask: Ask, alice: User, demo: Backend
) -> None:
    await no_watch(hub)
    other = await in_database(
        lambda: Backend.objects.create(name="Other", kind="scripted", base_url="scripted:play")
    )
    await in_database(lambda: CatalogueModel.objects.create(backend=other, model_id="play"))
    await in_database(away)
    await in_database(ask, "stuck")

    sent = await in_database(start_conversation, alice, "quick", "other/play", "k")

    assert (await comes_to(sent, ended)).status == Status.COMPLETED


# --- restart, removal, cancel ---------------------------------------------------------------------


async def test_who_waits_survives_a_restart(ask: Ask, hub: runtime.Runtime, demo: Backend) -> None:
    await no_watch(hub)
    await in_database(away)
    sent = await in_database(ask)
    await runtime.stop()
    assert waits(await in_database(row, sent))
    await in_database(lambda: Generation.objects.update(retry_at=timezone.now() - timedelta(seconds=1)))

    await runtime.start()

    assert (await comes_to(sent, ended)).status == Status.COMPLETED


async def test_a_try_that_an_orderly_end_cuts_off_goes_on_waiting(
    hub: runtime.Runtime, ask: Ask, demo: Backend
) -> None:
    await no_watch(hub)
    await in_database(away)
    sent = await in_database(ask)
    play(60.0)
    await in_database(lambda: Generation.objects.update(retry_at=timezone.now()))
    await hub.supervisor.serve_queue(demo.pk)
    await comes_to(sent, lambda g: g.status == Status.RUNNING)

    await runtime.stop()

    assert waits(await in_database(row, sent))


@pytest.mark.parametrize("tried", [True, False], ids=["a try", "an answer that had begun"])
async def test_after_a_crash_only_a_try_is_made_again(
    hub: runtime.Runtime, ask: Ask, demo: Backend, tried: bool
) -> None:
    await no_watch(hub)
    sent = await in_database(ask)
    await comes_to(sent, ended)
    past = timezone.now() - timedelta(seconds=1)
    await in_database(
        lambda: Generation.objects.update(
            status=Status.RUNNING, worker="elsewhere:1:x", lease_until=past, awaits_server=tried
        )
    )

    await hub.supervisor.sweep()

    expected = Status.COMPLETED if tried else Status.INTERRUPTED
    assert (await comes_to(sent, ended)).status == expected


async def test_the_first_word_of_a_try_is_marked_before_it_is_shown(
    hub: runtime.Runtime, ask: Ask, demo: Backend
) -> None:
    await no_watch(hub)
    await in_database(away)
    sent = await in_database(ask)
    play(TextDelta("begun"), 60.0)
    await in_database(lambda: Generation.objects.update(retry_at=timezone.now()))

    await hub.supervisor.serve_queue(demo.pk)

    found = await comes_to(sent, lambda g: not g.awaits_server)
    assert found.status == Status.RUNNING


async def test_a_server_that_is_switched_off_is_not_waited_for(
    hub: runtime.Runtime, ask: Ask, demo: Backend
) -> None:
    await no_watch(hub)
    await in_database(away)
    sent = await in_database(ask)
    await in_database(lambda: Generation.objects.update(retry_at=None))
    await in_database(lambda: Backend.objects.update(enabled=False))

    await hub.supervisor.sweep()

    found = await comes_to(sent, ended)
    assert (found.status, found.error_kind) == (Status.FAILED, "gone")


async def test_cancelling_ends_the_wait_for_good(hub: runtime.Runtime, ask: Ask, demo: Backend) -> None:
    await no_watch(hub)
    await in_database(away)
    sent = await in_database(ask)

    await in_database(answers.stop_answers, sent.conversation)
    await hub.supervisor.waiters.hear(Seen(demo.pk, there=True, returned=True))
    await hub.supervisor.serve_queue(demo.pk)

    found = await in_database(row, sent)
    assert (found.status, found.awaits_server, found.retry_at) == (Status.STOPPED, False, None)


async def test_a_stop_that_comes_while_the_try_fails_is_not_lost(
    hub: runtime.Runtime, ask: Ask, demo: Backend
) -> None:
    await no_watch(hub)
    heard: list[Update] = []
    original = hub.bus.publish

    async def listen(update: Update) -> None:
        heard.append(update)
        if update.kind is Kind.WAITS:
            hub.supervisor._stop(sent.generation.pk)
        await original(update)

    hub.bus.publish = listen  # type: ignore[method-assign]
    play(0.05, CannotConnect("refused"))
    sent = await in_database(ask)

    assert (await comes_to(sent, ended)).status == Status.STOPPED
    async with asyncio.timeout(5):
        while heard[-1].kind is not Kind.ENDED:
            await asyncio.sleep(0.01)


# --- at most fifty --------------------------------------------------------------------------------


def many_waiting(ask: Ask, count: int) -> list[Sent]:
    """So many messages of Alice, each in a conversation of its own."""
    away()
    return [ask(f"question {number}") for number in range(count)]


def test_the_message_after_the_fiftieth_is_refused_and_leaves_nothing_behind(
    ask: Ask, bob: User, demo: Backend
) -> None:
    assert waiting.LIMIT == 50
    sent = many_waiting(ask, waiting.LIMIT)

    with pytest.raises(Refused, match="“Demo” does not answer, and 50 of your messages are waiting"):
        ask("one too many")

    assert Conversation.objects.count() == waiting.LIMIT
    assert start_conversation(bob, "mine", "demo/play", "k").generation.awaits_server
    answers.stop_answers(sent[0].conversation)
    assert ask("now there is room").generation.awaits_server


def test_the_fifty_first_that_finds_out_itself_fails_with_its_reason(ask: Ask, demo: Backend) -> None:
    sent = many_waiting(ask, waiting.LIMIT)
    Backend.objects.update(state=State.ONLINE)
    more = ask("one more")

    assert not waiting.should_wait(more.generation.pk, demo, CannotConnect.kind)
    assert waiting.should_wait(sent[0].generation.pk, demo, CannotConnect.kind)


async def test_who_is_claimed_again_before_the_failed_try_has_been_told_runs_after_it(
    hub: runtime.Runtime, ask: Ask, alice: User, demo: Backend
) -> None:
    await no_watch(hub)
    save = hub.supervisor._save_end

    async def save_and_dawdle(run: Run) -> bool:
        saved = await save(run)
        if run.status is Status.QUEUED:
            play(TextDelta("at once"))
            await in_database(service.send_elsewhere, alice, sent.answer, "demo/play")
            await asyncio.sleep(0.05)
        return saved

    hub.supervisor._save_end = save_and_dawdle  # type: ignore[method-assign]
    play(0.05, CannotConnect("refused"))
    sent = await in_database(ask)

    assert (await comes_to(sent, ended)).message.text == "at once"


# --- what a person does meanwhile -----------------------------------------------------------------


@pytest.fixture
def stuck(ask: Ask, demo: Backend) -> Sent:
    """A message that waits, with nobody to send it."""
    away()
    return ask("Are you there?")


@pytest.fixture
def other(demo: Backend) -> Backend:
    """A server that is there."""
    backend = Backend.objects.create(name="Other", kind="scripted", base_url="scripted:play")
    CatalogueModel.objects.create(backend=backend, model_id="play", name="Other play")
    return backend


def post(browser: Client, sent: Sent, what: str, htmx: bool = False, **data: str) -> Any:
    """Press a button of the waiting message."""
    headers = {"HX-Request": "true"} if htmx else {}
    return browser.post(f"/messages/{sent.answer.pk}/waiting/{what}/", data, headers=headers)


def test_the_answer_says_why_it_waits_and_what_can_be_done(
    stuck: Sent, other: Backend, as_alice: Client
) -> None:
    response = as_alice.get(stuck.conversation.get_absolute_url())
    page = response.content.decode()

    assert faults(response) == []
    assert "“Demo” does not answer. Your message is sent when it is back. Next try in 3 s." in page
    assert "Offline since " in page
    actions = {tag.attributes.get("formaction") for tag in read(page).all("button", form="actions")}
    number = stuck.answer.pk
    assert {f"/messages/{number}/waiting/send/", f"/messages/{number}/waiting/model/"} <= actions
    assert read(page).all("a", href=f"/messages/{number}/waiting/edit/")
    assert [tag.attributes["value"] for tag in read(page).all("option") if "other" in tag.attributes["value"]]


def test_without_a_time_there_is_none_in_the_sentence(stuck: Sent, as_alice: Client) -> None:
    Generation.objects.update(retry_at=None)

    page = as_alice.get(stuck.conversation.get_absolute_url()).content.decode()

    assert "Your message is sent when it is back." in page
    assert "Next try" not in page


def test_what_it_could_be_sent_to_are_models_that_are_there(
    stuck: Sent, other: Backend, as_alice: Client
) -> None:
    page = as_alice.get(stuck.conversation.get_absolute_url())
    view = one_message_view(stuck.answer.pk)

    assert read(page).one("select", name_="other").attributes["form"] == "actions"
    assert view is not None
    assert view.waiting is not None
    assert [(model.value, model.selected) for model in view.waiting.models] == [("other/play", True)]

    Backend.objects.filter(slug="other").update(state=State.OFFLINE, state_error="connect")
    page = as_alice.get(stuck.conversation.get_absolute_url())
    assert not read(page).all("select", name_="other")


@pytest.mark.parametrize("htmx", [False, True])
def test_send_now_puts_it_into_the_line(stuck: Sent, as_alice: Client, htmx: bool) -> None:
    response = post(as_alice, stuck, "send", htmx)

    assert response.status_code == (200 if htmx else 302)
    assert queue.line(stuck.generation.backend_id).get() == stuck.generation


def test_editing_changes_question_and_title(stuck: Sent, as_alice: Client) -> None:
    form = as_alice.get(f"/messages/{stuck.answer.pk}/waiting/edit/")
    assert faults(form) == []
    assert read(form).one("textarea").text.strip() == "Are you there?"

    response = post(as_alice, stuck, "edit", text="Is anybody there?\r\nHello?")

    assert response["Location"] == stuck.conversation.get_absolute_url()
    stuck.question.refresh_from_db()
    assert stuck.question.text == "Is anybody there?\nHello?"
    conversation = Conversation.objects.get()
    assert conversation.title == "Is anybody there?"
    assert conversation.revision > stuck.conversation.revision
    assert waits(row(stuck))


def test_a_title_that_was_given_stays(stuck: Sent, as_alice: Client) -> None:
    Conversation.objects.update(title="My own")

    post(as_alice, stuck, "edit", text="Else")

    assert Conversation.objects.get().title == "My own"


@pytest.mark.parametrize("text", ["", "  ", "x" * 1_500_001], ids=["empty", "blank", "long"])
def test_a_text_that_cannot_be_sent_is_refused_and_kept_in_the_form(
    stuck: Sent, as_alice: Client, text: str
) -> None:
    response = post(as_alice, stuck, "edit", text=text)

    assert response.status_code == 422
    assert read(response).one("textarea").text.strip("\n") == text
    assert read(response).one(id="waiting-error").attributes["role"] == "alert"
    stuck.question.refresh_from_db()
    assert stuck.question.text == "Are you there?"


def test_a_text_that_comes_too_late_is_not_lost(stuck: Sent, as_alice: Client) -> None:
    Generation.objects.update(status=Status.RUNNING)

    response = post(as_alice, stuck, "edit", text="Too late")

    assert response.status_code == 422
    assert "no longer waits" in response.content.decode()
    assert read(response).one("textarea").text.strip() == "Too late"
    assert as_alice.get(f"/messages/{stuck.answer.pk}/waiting/edit/").status_code == 302


def test_a_question_with_an_answer_is_not_rewritten(stuck: Sent, as_alice: Client) -> None:
    Message.objects.create(
        conversation=stuck.conversation, parent=stuck.question, role="assistant", text="An earlier answer"
    )

    assert post(as_alice, stuck, "edit", text="Else").status_code == 422
    stuck.question.refresh_from_db()
    assert stuck.question.text == "Are you there?"


def test_sending_it_to_another_model(stuck: Sent, other: Backend, as_alice: Client) -> None:
    response = post(as_alice, stuck, "model", other="other/play")

    assert response.status_code == 302
    found = row(stuck)
    assert (found.backend, found.backend_name, found.model_name) == (other, "Other", "Other play")
    assert (found.status, found.awaits_server, found.retry_at) == (Status.QUEUED, False, None)
    conversation = Conversation.objects.get()
    assert (conversation.backend, conversation.model_id) == (other, "play")
    assert queue.line(other.pk).get() == found


def test_another_model_that_is_away_too_is_waited_for(stuck: Sent, other: Backend, as_alice: Client) -> None:
    Backend.objects.update(state=State.OFFLINE, state_error="connect")

    post(as_alice, stuck, "model", other="other/play")

    found = row(stuck)
    assert (found.backend, found.awaits_server, found.waits) == (other, True, 1)


@pytest.mark.parametrize("htmx", [False, True])
def test_a_model_that_this_person_may_not_use_is_refused(
    stuck: Sent, other: Backend, as_alice: Client, htmx: bool
) -> None:
    Backend.objects.filter(pk=other.pk).update(access="admins")

    assert post(as_alice, stuck, "model", htmx, other="other/play").status_code == 422
    assert row(stuck).backend_name == "Demo"


@pytest.mark.parametrize("what", ["send", "model"])
def test_what_no_longer_waits_is_said_so(stuck: Sent, as_alice: Client, what: str) -> None:
    answers.stop_answers(stuck.conversation)

    response = post(as_alice, stuck, what, other="demo/play")

    assert response.status_code == 422
    assert "no longer waits" in response.content.decode()


@pytest.mark.parametrize("what", ["send", "model", "edit"])
def test_a_stranger_finds_no_waiting_message(stuck: Sent, as_bob: Client, as_ada: Client, what: str) -> None:
    for stranger in (as_bob, as_ada):
        assert post(stranger, stuck, what, text="Mine", other="demo/play").status_code == 404
    found = row(stuck)
    stuck.question.refresh_from_db()
    assert (stuck.question.text, found.retry_at) == ("Are you there?", stuck.generation.retry_at)


def test_the_fifty_first_is_refused_on_the_page_with_its_text(
    ask: Ask, demo: Backend, as_alice: Client
) -> None:
    many_waiting(ask, waiting.LIMIT)

    response = as_alice.post("/chat/", {"text": "My long letter", "model": "demo/play", "key": "k"})

    assert response.status_code == 422
    assert read(response).one("textarea").text == "My long letter"
    assert "50 of your messages are waiting already" in response.content.decode()


# --- how a server is ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "state", "sentence"),
    [
        ({"state": State.UNKNOWN}, "checking", "Being checked"),
        ({"state": State.ONLINE}, "online", "Online"),
        ({"state": State.OFFLINE}, "offline", "Offline since "),
        ({"state": State.OFFLINE, "managed": True}, "online", "Runs in this hub"),
    ],
)
def test_the_picker_tells_how_the_server_is(
    demo: Backend, as_alice: Client, as_bob: Client, values: dict[str, Any], state: str, sentence: str
) -> None:
    Backend.objects.update(state_since=timezone.now(), **values)

    for html in (as_alice.get("/"), as_bob.get("/models/health/?model=demo/play")):
        page = read(html)
        status = page.one(id="composer-health")
        assert status.attributes["title"].startswith(sentence)
        assert sentence in "".join(page.texts())
        assert [tag.attributes["data-state"] for tag in page.all("span", class_="dot")] == [state]


def test_of_a_server_that_is_not_for_somebody_nothing_is_told(demo: Backend, as_bob: Client) -> None:
    Backend.objects.update(access="admins", state=State.OFFLINE, state_since=timezone.now())

    for ref in ("demo/play", "nowhere/x", "", "\x00"):
        response = as_bob.get("/models/health/", {"model": ref})
        assert response.status_code == 200
        assert "dot" not in response.content.decode()


def test_an_older_state_is_told_with_its_date() -> None:
    old = timezone.now() - timedelta(days=400)

    assert str(old.year) in moment(old)
    assert str(old.year) not in moment(timezone.now())


# --- dead servers slow nothing --------------------------------------------------------------------


def queries_of(browser: Client, *paths: str) -> dict[str, int]:
    """How many queries each page takes."""
    counts = {}
    for path in paths:
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(path).status_code == 200
        counts[path] = len(queries)
    return counts


def test_pages_ask_no_server_and_take_no_more_queries_with_dead_ones(
    ask: Ask, demo: Backend, as_alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = ask("Hello")
    Generation.objects.update(status=Status.COMPLETED)
    paths = ("/", sent.conversation.get_absolute_url(), "/models/health/?model=demo/play")
    few = queries_of(as_alice, *paths)

    for name, kind in (("Silent", "timeout"), ("Refusing", "connect")):
        dead = Backend.objects.create(
            name=name, kind="ollama", base_url="http://127.0.0.1:9", state=State.OFFLINE, state_error=kind
        )
        CatalogueModel.objects.create(backend=dead, model_id="m")

    def forbidden(*_args: Any) -> None:
        raise AssertionError("a page asked a server")

    monkeypatch.setattr(socket.socket, "connect", forbidden)
    assert queries_of(as_alice, *paths) == few


def test_sending_takes_as_many_queries_to_a_server_that_is_there_as_before(ask: Ask, demo: Backend) -> None:
    counts = []
    for number, state in enumerate([State.UNKNOWN, State.ONLINE]):
        Backend.objects.update(state=state)
        with CaptureQueriesContext(connection) as queries:
            ask(f"question {number}")
        counts.append([query["sql"] for query in queries if "awaits_server" in query["sql"]])
    assert [len(found) for found in counts] == [1, 1], "the row itself, and nothing else"
