"""What a server asks the person in mid-answer: a card on every page, one answer, and nothing that hangs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from backends.adapters import scripted
from backends.adapters.errors import AuthFailed, BackendError, CannotConnect, NotFound
from backends.adapters.events import Ask as AskEvent
from backends.adapters.events import AskAnswer, AskClosed, TextDelta, Verdict
from backends.adapters.messages import ChatRequest
from backends.database import in_database
from chat.generation import asks, recovery, runtime
from chat.generation.ask_rows import open_ask, permission, questions, settle
from chat.models import Ask, AskState, Generation, Status
from chat.services import answers
from chat.services.asks import answer_ask
from chat.services.sending import Sent
from privatechathub.accounts.models import User
from tests.chat.page import faults, read
from tests.chat.test_realtime import Tab
from tests.chat.watching import ended, opened, until

Send = Callable[..., Sent]
live = pytest.mark.django_db(transaction=True)

BASH = AskEvent(
    "permission",
    "per_1",
    {
        "permission": "bash",
        "title": "Run a command",
        "patterns": ["rm -rf /tmp/x"],
        "always": ["rm *"],
        "metadata": {"command": "rm -rf /tmp/x"},
    },
)
COLOUR = AskEvent(
    "question",
    "que_1",
    {
        "questions": [
            {
                "question": "Which colour?",
                "header": "Colour",
                "options": [
                    {"label": "Red", "description": "warm"},
                    {"label": "Blue", "description": "cold"},
                ],
                "multiple": False,
                "custom": True,
            },
            {
                "question": "Which days?",
                "header": "",
                "options": [{"label": "Monday", "description": ""}, {"label": "Friday", "description": ""}],
                "multiple": True,
                "custom": False,
            },
        ]
    },
)


class Asking:
    """A script that asks, waits for the answer like OpenCode, and then says what it was.

    ``elsewhere``: somebody answers at the server itself.
    """

    def __init__(self, *events: AskEvent) -> None:
        self.events = events
        self.elsewhere = False

    def __call__(self, request: ChatRequest) -> Iterator[Any]:
        yield TextDelta("Well. ")
        yield from self.events
        for event in self.events:
            while event.id not in scripted.replies and not self.elsewhere:
                yield 0.005
            yield AskClosed(event.id)
        yield TextDelta(" ".join(str(scripted.replies.get(event.id, "elsewhere")) for event in self.events))


@pytest.fixture(autouse=True)
def _nothing_was_answered() -> Iterator[None]:
    scripted.replies.clear()
    with scripted.registered("play", [TextDelta("unused")]):
        yield
    scripted.replies.clear()


@pytest.fixture
def asking() -> Asking:
    """The demo backend asks for a permission."""
    script = Asking(BASH)
    scripted.register("play", script)
    return script


@pytest_asyncio.fixture
async def look(hub: runtime.Runtime) -> AsyncIterator[Callable[..., Any]]:
    """Opens pages, and closes them at the end."""
    tabs: list[Tab] = []

    async def look(user: User, sent: Sent) -> Tab:
        tabs.append(await opened(user, sent.conversation))
        return tabs[-1]

    yield look
    for tab in tabs:
        await tab.close()


async def waiting() -> Ask:
    """The request once it is open."""
    await until(lambda: Ask.objects.open().exists())
    return await in_database(Ask.objects.open().get)


def address(ask: Ask) -> str:
    return f"/asks/{ask.pk}/answer/"


async def post(browser: Client, ask: Ask, **fields: Any) -> Any:
    return await in_database(browser.post, address(ask), fields)


# --- answers ------------------------------------------------------------------------------------------


@live
@pytest.mark.parametrize(
    ("verdict", "told", "state"),
    [("once", Verdict.ONCE, "once"), ("always", Verdict.ALWAYS, "always"), ("deny", Verdict.DENY, "denied")],
)
async def test_the_person_s_word_reaches_the_server(
    hub: runtime.Runtime,
    ask: Send,
    as_alice: Client,
    asking: Asking,
    verdict: str,
    told: AskAnswer,
    state: str,
) -> None:
    sent = await in_database(ask)

    response = await post(as_alice, await waiting(), verdict=verdict)

    assert (response.status_code, response["Location"]) == (302, sent.conversation.get_absolute_url())
    assert (await ended(sent)).message.text == f"Well. {told}"
    row = await in_database(Ask.objects.get)
    assert (row.state, row.settled_at is not None) == (state, True)


@live
@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"choice-0": "Red", "choice-1": ["Monday", "Friday"]}, (("Red",), ("Monday", "Friday"))),
        ({"choice-0": "Red", "words-0": " Green\x00 "}, (("Green",), ())),
        ({"choice-0": "Pink", "choice-1": "Friday"}, ((), ("Friday",))),
        ({"words-1": "not offered"}, ((), ())),
        ({}, ((), ())),
    ],
)
async def test_questions_are_answered_by_options_or_in_own_words(
    hub: runtime.Runtime, ask: Send, as_alice: Client, fields: dict[str, Any], told: AskAnswer
) -> None:
    scripted.register("play", Asking(COLOUR))
    sent = await in_database(ask)

    await post(as_alice, await waiting(), verdict="answer", **fields)
    await ended(sent)

    assert scripted.replies == {"que_1": told}


@live
async def test_a_question_can_be_left_unanswered(hub: runtime.Runtime, ask: Send, as_alice: Client) -> None:
    scripted.register("play", Asking(COLOUR))
    sent = await in_database(ask)

    await post(as_alice, await waiting(), verdict="deny")
    await ended(sent)

    assert scripted.replies == {"que_1": Verdict.DENY}


@live
async def test_the_first_answer_counts(
    hub: runtime.Runtime, ask: Send, as_alice: Client, asking: Asking
) -> None:
    sent = await in_database(ask)
    row = await waiting()

    assert (await post(as_alice, row, verdict="deny")).status_code == 302
    assert (await post(as_alice, row, verdict="once")).status_code == 302
    await ended(sent)

    assert scripted.replies == {"per_1": Verdict.DENY}
    assert (await in_database(Ask.objects.get)).state == "denied"


@live
async def test_strangers_can_neither_see_nor_answer(
    hub: runtime.Runtime, ask: Send, as_alice: Client, as_bob: Client, as_ada: Client, asking: Asking
) -> None:
    sent = await in_database(ask)
    row = await waiting()

    for stranger in (as_bob, as_ada):
        assert (await post(stranger, row, verdict="always")).status_code == 404
    assert (await post(Client(), row, verdict="always"))["Location"].startswith("/accounts/login/")
    assert (await in_database(Ask.objects.get)).state == "open"
    assert not scripted.replies

    await post(as_alice, row, verdict="once")
    await ended(sent)


@pytest.mark.parametrize(
    ("kind", "verdict"),
    [
        ("permission", ""),
        ("permission", "answer"),
        ("permission", "yes"),
        ("question", "once"),
        ("question", "always"),
    ],
)
def test_words_that_do_not_fit_change_nothing(ask: Send, as_alice: Client, kind: str, verdict: str) -> None:
    now = timezone.now()
    row = Ask.objects.create(generation=ask().generation, kind=kind, asked_at=now, expires_at=now)

    assert as_alice.post(address(row), {"verdict": verdict}).status_code == 400
    assert Ask.objects.get().state == "open"


# --- who does not answer ------------------------------------------------------------------------------


@live
async def test_silence_denies(
    hub: runtime.Runtime, ask: Send, asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asks, "LIMIT", 0.1)

    row = await ended(await in_database(ask))

    assert row.message.text == f"Well. {Verdict.DENY}"
    assert (await in_database(Ask.objects.get)).state == "expired"


@live
async def test_two_minutes_are_the_limit(hub: runtime.Runtime, ask: Send, asking: Asking) -> None:
    sent = await in_database(ask)
    row = await waiting()

    assert row.expires_at - row.asked_at == timedelta(seconds=120)
    await in_database(answers.stop_answers, sent.conversation)
    await ended(sent)


@live
async def test_a_word_that_got_lost_between_processes_is_found_by_looking(
    hub: runtime.Runtime, ask: Send, asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asks, "LOOK_AGAIN", 0.05)
    sent = await in_database(ask)
    row = await waiting()

    await in_database(settle, Ask.objects.filter(pk=row.pk), AskState.ONCE)  # nobody is told

    assert (await ended(sent)).message.text == f"Well. {Verdict.ONCE}"


@live
async def test_whoever_answers_before_the_run_knows_of_the_row_is_heard_at_once(
    hub: runtime.Runtime, ask: Send, asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answered_at_once(*request: Any) -> Ask | None:
        row = open_ask(*request)
        settle(Ask.objects.all(), AskState.ONCE)
        return row

    monkeypatch.setattr("chat.generation.ask_rows.open_ask", answered_at_once)
    monkeypatch.setattr(asks, "LOOK_AGAIN", 60.0)

    assert (await ended(await in_database(ask))).message.text == f"Well. {Verdict.ONCE}"


@live
async def test_another_process_s_word_is_heard(
    hub: runtime.Runtime, ask: Send, asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asks, "LOOK_AGAIN", 60.0)
    sent = await in_database(ask)
    row = await waiting()
    with monkeypatch.context() as elsewhere:  # the other process holds no run
        elsewhere.setattr(hub.supervisor, "look_at_asks_soon", lambda generation_id: None)
        await in_database(answer_ask, row, AskState.ALWAYS)

    await hub._control({"ask": "answered", "generation": str(sent.generation.pk)})

    assert (await ended(sent)).message.text == f"Well. {Verdict.ALWAYS}"


@live
async def test_what_was_answered_at_the_server_is_closed_here(
    hub: runtime.Runtime, ask: Send, asking: Asking, look: Any, alice: User
) -> None:
    sent = await in_database(ask)
    row = await waiting()
    tab = await look(alice, sent)
    await tab.until(f"ask-{row.pk}")

    asking.elsewhere = True

    await tab.until(f'#ask-{row.pk}" hx-swap="delete"')
    assert (await ended(sent)).message.text == "Well. elsewhere"
    assert (await in_database(Ask.objects.get)).state == "closed"
    assert not scripted.replies


@live
async def test_stop_closes_the_request(
    hub: runtime.Runtime, ask: Send, asking: Asking, as_alice: Client
) -> None:
    sent = await in_database(ask)
    row = await waiting()

    await in_database(answers.stop_answers, sent.conversation)

    assert (await ended(sent, 1.0)).status == Status.STOPPED
    assert (await in_database(Ask.objects.get)).state == "closed"
    assert scripted.replies == {"per_1": Verdict.DENY}
    await post(as_alice, row, verdict="once")
    assert (await in_database(Ask.objects.get)).state == "closed"
    assert scripted.replies == {"per_1": Verdict.DENY}


@live
async def test_a_server_that_hangs_does_not_hold_up_the_stop(
    hub: runtime.Runtime, ask: Send, asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(self: Any, *answer: Any) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(scripted.ScriptedAdapter, "reply", never)
    monkeypatch.setattr(asks, "GOODBYE", 0.05)
    sent = await in_database(ask)
    await waiting()

    await in_database(answers.stop_answers, sent.conversation)

    assert (await ended(sent, 1.0)).status == Status.STOPPED


@live
async def test_a_hub_that_ends_leaves_nothing_open(ask: Send, asking: Asking, transactional_db: None) -> None:
    await runtime.start()
    try:
        await in_database(ask)
        await waiting()
    finally:
        await runtime.stop()

    assert (await in_database(Generation.objects.get)).status == Status.INTERRUPTED
    assert (await in_database(Ask.objects.get)).state == "closed"


def test_a_hub_that_died_leaves_nothing_open(ask: Send) -> None:
    sent = ask()
    Generation.objects.update(
        status=Status.RUNNING, worker="gone:1:x", lease_until=timezone.now() - timedelta(seconds=1)
    )
    open_ask(sent.generation.pk, BASH, 120)

    recovery.interrupt_abandoned()

    assert Ask.objects.get().state == "closed"


def test_an_answer_that_is_over_asks_nobody(ask: Send) -> None:
    sent = ask()
    Generation.objects.update(status=Status.STOPPED)

    assert open_ask(sent.generation.pk, BASH, 120) is None
    assert not Ask.objects.exists()


# --- servers that cannot be told ----------------------------------------------------------------------


@pytest.fixture
def refusing(monkeypatch: pytest.MonkeyPatch) -> list[BackendError]:
    """Errors that the next replies end with."""
    errors: list[BackendError] = []
    reply = scripted.ScriptedAdapter.reply

    async def refuse(self: Any, *answer: Any) -> None:
        if errors:
            raise errors.pop(0)
        await reply(self, *answer)

    monkeypatch.setattr(scripted.ScriptedAdapter, "reply", refuse)
    monkeypatch.setattr(asks, "TRY_AGAIN", (0.01, 0.01))
    return errors


@live
async def test_a_short_outage_is_tried_again(
    hub: runtime.Runtime, ask: Send, asking: Asking, as_alice: Client, refusing: list[BackendError]
) -> None:
    refusing += [CannotConnect("away"), CannotConnect("away")]
    sent = await in_database(ask)

    await post(as_alice, await waiting(), verdict="once")

    assert (await ended(sent)).message.text == f"Well. {Verdict.ONCE}"


@live
@pytest.mark.parametrize("error", [CannotConnect, AuthFailed])
async def test_an_answer_that_cannot_be_handed_over_ends_the_run_with_the_reason(
    hub: runtime.Runtime,
    ask: Send,
    asking: Asking,
    as_alice: Client,
    refusing: list[BackendError],
    error: type[BackendError],
) -> None:
    refusing += [error("no way") for _ in range(3)]
    sent = await in_database(ask)

    await post(as_alice, await waiting(), verdict="once")
    row = await ended(sent)

    assert (row.status, row.error_kind, row.error_message) == (Status.FAILED, error.kind.value, "no way")
    assert row.message.text == "Well. "


@live
async def test_a_request_that_the_server_forgot_is_nobody_s_trouble(
    hub: runtime.Runtime, ask: Send, asking: Asking, as_alice: Client, refusing: list[BackendError]
) -> None:
    refusing.append(NotFound("no such request"))
    sent = await in_database(ask)

    await post(as_alice, await waiting(), verdict="once")
    await until(lambda: not refusing)
    asking.elsewhere = True

    assert (await ended(sent)).status == Status.COMPLETED


@live
async def test_a_mistake_of_ours_does_not_let_the_run_hang(
    hub: runtime.Runtime,
    ask: Send,
    asking: Asking,
    as_alice: Client,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def broken(self: Any, *answer: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(scripted.ScriptedAdapter, "reply", broken)
    sent = await in_database(ask)

    await post(as_alice, await waiting(), verdict="once")

    assert (await ended(sent)).error_kind == "internal"
    assert "ZeroDivisionError" in caplog.text


@live
async def test_a_flood_of_requests_is_denied_beyond_a_number(
    hub: runtime.Runtime, ask: Send, as_alice: Client
) -> None:
    flood = [AskEvent("permission", f"per_{n}", BASH.payload) for n in range(asks.MOST_OPEN + 5)]
    scripted.register("play", Asking(*flood))
    sent = await in_database(ask)

    await until(lambda: Ask.objects.open().count() == asks.MOST_OPEN and len(scripted.replies) == 5)

    assert set(scripted.replies.values()) == {Verdict.DENY}
    await in_database(answers.stop_answers, sent.conversation)
    await ended(sent)


# --- cards --------------------------------------------------------------------------------------------


@live
async def test_the_card_is_on_every_page_and_goes_from_every_page(
    hub: runtime.Runtime, ask: Send, asking: Asking, look: Any, alice: User, as_alice: Client
) -> None:
    sent = await in_database(ask)
    row = await waiting()
    tabs = [await look(alice, sent), await look(alice, sent)]
    for tab in tabs:
        frame = await tab.until(f'id="ask-{row.pk}"')
        assert 'csrfmiddlewaretoken"' not in frame  # no token travels over the socket

    await post(as_alice, row, verdict="once")

    for tab in tabs:
        await tab.until(f'#ask-{row.pk}" hx-swap="delete"')
        ending = await tab.until('data-status="completed"')
        assert "/asks/" not in ending


@live
async def test_the_card_works_as_an_ordinary_form(
    hub: runtime.Runtime, ask: Send, asking: Asking, alice: User
) -> None:
    browser = Client(enforce_csrf_checks=True)
    await in_database(browser.force_login, alice, backend="django.contrib.auth.backends.ModelBackend")
    sent = await in_database(ask)
    row = await waiting()

    response = await in_database(browser.get, sent.conversation.get_absolute_url())
    page = read(response)

    assert not faults(response)
    form = page.one("form", action=address(row))
    token = page.tags[page.tags.index(form) + 1].attributes
    assert (token["name"], form.attributes["method"]) == ("csrfmiddlewaretoken", "post")
    buttons = [tag.attributes["value"] for tag in page.all("button", name_="verdict")]
    assert buttons == ["once", "always", "deny"]
    assert [tag.text for tag in page.all("code")] == ["rm -rf /tmp/x", "rm *"]
    assert page.one("meta", http_equiv="refresh").attributes["content"] == "125"
    response = await in_database(
        browser.post, address(row), {"csrfmiddlewaretoken": token["value"], "verdict": "once"}
    )
    assert response.status_code == 302
    await ended(sent)


@live
async def test_htmx_gets_the_thread_where_no_socket_brings_it(
    hub: runtime.Runtime, ask: Send, asking: Asking, as_alice: Client
) -> None:
    sent = await in_database(ask)

    row = await waiting()
    response = await in_database(
        as_alice.post, address(row), {"verdict": "once"}, headers={"HX-Request": "true"}
    )

    assert response.status_code == 200
    assert read(response).one("div", id="messages")
    await ended(sent)


HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)> **b** {{ x }}"


@pytest.mark.parametrize("event", [BASH, COLOUR], ids=["permission", "question"])
def test_nothing_that_a_server_asks_becomes_markup(ask: Send, as_alice: Client, event: AskEvent) -> None:
    def hostile(value: Any) -> Any:
        match value:
            case str():
                return HOSTILE
            case list():
                return [hostile(entry) for entry in value]
            case dict():
                return {name: hostile(entry) for name, entry in value.items()}
        return value

    sent = ask()
    Generation.objects.update(status=Status.RUNNING)
    open_ask(sent.generation.pk, AskEvent(event.kind, "x", hostile(dict(event.payload))), 120)

    response = as_alice.get(sent.conversation.get_absolute_url())

    assert not faults(response)
    page = read(response)
    assert not [tag for tag in page.tags if "onerror" in tag.attributes]
    shown = sum(HOSTILE in tag.text for tag in page.tags)
    assert shown >= (5 if event is BASH else 8)


anything = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
keys = st.sampled_from(
    [
        "permission",
        "title",
        "patterns",
        "always",
        "metadata",
        "questions",
        "question",
        "header",
        "options",
        "label",
    ]
)


@given(st.dictionaries(keys, anything | st.lists(st.dictionaries(keys, anything, max_size=4), max_size=3)))
def test_whatever_a_server_asks_is_plain_and_bounded(payload: dict[str, Any]) -> None:
    for shown in (permission(payload), questions(payload)):
        for text in texts(shown):
            assert "\x00" not in text
            assert len(text.encode()) <= 4 * 8000


def test_arguments_that_are_not_shown_whole_say_so() -> None:
    whole = permission({"metadata": {"text": "x" * 60_000}})["details"]
    cut = permission({"metadata": {"text": "x" * 70_000}})["details"]

    assert whole.endswith('x"\n}')
    assert cut.endswith("xxx\n… (70016 characters in all)")
    assert len(cut) < 65_000


def texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case list():
            for entry in value:
                yield from texts(entry)
        case dict():
            for entry in value.values():
                yield from texts(entry)
        case _:
            assert isinstance(value, bool)
