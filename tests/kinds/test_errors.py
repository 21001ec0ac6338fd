"""What can go wrong is said with what to do, on the answer and on the server's page; a stall ends by a timer."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from backends.adapters import scripted
from backends.adapters.base import Health
from backends.adapters.errors import ERRORS, BackendError, CannotConnect, ErrorKind
from backends.adapters.events import TextDelta
from backends.adapters.registry import KINDS
from backends.database import in_database
from backends.models import Backend, State
from backends.presenting import problem
from backends.service import Look, hint_for, record_look, refresh_now
from chat.generation import runtime
from chat.models import Status
from privatechathub.accounts.models import User
from tests.chat.page import faults, read
from tests.conftest import signed_in
from tests.fakes.exchange import Exchange, ExchangeServer, until
from tests.fakes.thread import FakeServerThread
from tests.kinds.asking import add, answered, ask
from tests.kinds.test_stopping import WIRES, Endless

PUBLIC = [kind for kind, facts in KINDS.items() if facts.public]


@pytest.fixture
def _script() -> Iterator[None]:
    with scripted.registered("play", [TextDelta("unused")]):
        yield


def words_of(html: str) -> str:
    return " ".join(" ".join(read(html).texts()).split())


def page_of(user: User, path: str) -> str:
    response = signed_in(user).get(path)
    assert (response.status_code, faults(response)) == (200, [])
    return words_of(response.content.decode())


def test_every_kind_of_error_has_a_class_a_name_and_a_next_step() -> None:
    assert set(ERRORS) == set(ErrorKind)
    assert len({problem(kind, "") for kind in ErrorKind}) == len(ErrorKind)
    for kind in PUBLIC:
        for cls in ERRORS.values():
            assert hint_for(kind, cls("no")).endswith((".", "?"))


# --- on the answer --------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_script")
@pytest.mark.parametrize(
    ("cls", "partial"),
    # A message whose server cannot be reached at all does not fail: it waits until it can.
    [
        (cls, partial)
        for cls in ERRORS.values()
        for partial in (False, True)
        if partial or cls is not CannotConnect
    ],
    ids=lambda value: value.kind.value if isinstance(value, type) else ("at once", "in the middle")[value],
)
async def test_the_answer_says_what_happened_and_what_to_do(
    hub: runtime.Runtime, alice: User, demo: Backend, cls: type[BackendError], partial: bool
) -> None:
    beginning = [TextDelta("Once upon")] if partial else []
    scripted.register("play", [*beginning, cls("these words", partial=partial)])
    sent = await ask(alice, None, "Hello", "demo/play")
    row = await answered(sent)

    assert (row.status, row.error_kind) == (Status.FAILED, cls.kind.value)
    page = await in_database(page_of, alice, f"/chat/{sent.conversation.pk}/")
    assert "These words" in page
    assert hint_for("scripted", cls("these words")) in page
    assert ("Once upon" in page) is partial


class Breaking(ExchangeServer):
    """Begins an answer on any wire and breaks it off in the given way."""

    def __init__(self, kind: str, end: str) -> None:
        super().__init__()
        self.options, self.path, self.type, self.beginning = WIRES[kind]
        self.last = end
        self.asked = 0

    async def answer(self, exchange: Exchange) -> None:
        if (exchange.request.method, exchange.request.path) != ("POST", self.path):
            exchange.reply(404, {"error": {"message": "not here"}})
            return
        self.asked += 1
        exchange.stream(self.type)
        exchange.send(self.beginning)
        if self.last == "error":
            end = b'{"error":"boom"}\n'
            exchange.send(
                end if "ndjson" in self.type else b'event: error\ndata: {"error":{"message":"boom"}}\n\n'
            )
            exchange.end()
        elif self.last == "garbage":
            exchange.send(b"data: {]\n\n")
            exchange.end()
        else:
            raise ConnectionError


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("end", ["error", "garbage", "reset"])
@pytest.mark.parametrize("kind", WIRES)
async def test_nothing_is_asked_again_after_the_first_word(
    hub: runtime.Runtime, alice: User, kind: str, end: str
) -> None:
    async with Breaking(kind, end) as server:
        await in_database(add, "Box", kind, server.url, "m", options=server.options)
        sent = await ask(alice, None, "Tell me", "box/m")
        row = await answered(sent)
        assert (row.status, row.message.text) == (Status.FAILED, "Once"), row.error_message
        assert row.error_hint
        await in_database(Backend.objects.update, state=State.OFFLINE)
        assert server.asked == 1
    page = await in_database(page_of, alice, f"/chat/{sent.conversation.pk}/")
    assert row.error_hint in page


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("stage", "error"),
    [
        ("in the middle", ErrorKind.STALL),
        ("before its first word", ErrorKind.TIMEOUT),
        ("before its headers", ErrorKind.TIMEOUT),
    ],
)
@pytest.mark.parametrize("kind", WIRES)
async def test_silence_ends_by_a_timer_and_the_connection_with_it(
    hub: runtime.Runtime, alice: User, kind: str, stage: str, error: ErrorKind
) -> None:
    limits = {"first_byte_timeout": 0.4, "stall_timeout": 0.3}
    async with Endless(kind, stage) as server:
        await hub.watch.close()  # it would call the server away, and the message would wait for it
        await in_database(add, "Box", kind, server.url, "m", options=server.options, **limits)
        began = time.monotonic()
        row = await answered(await ask(alice, None, "Tell me", "box/m"))
        await until(lambda: server.left_at)

    assert (row.status, row.error_kind) == (Status.FAILED, error)
    assert row.message.text == ("Once" if stage == "in the middle" else "")
    assert server.asked == 1
    assert time.monotonic() - began < 5


# --- on the server's page -------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("kind", PUBLIC)
@pytest.mark.parametrize("cls", ERRORS.values(), ids=lambda cls: cls.kind.value)
def test_the_server_s_page_says_what_is_wrong_and_what_to_do(
    ada: User, cls: type[BackendError], kind: str
) -> None:
    backend = Backend.objects.create(name="Box", kind=kind, base_url="http://127.0.0.1:9")
    record_look(backend, Look(error=cls("<b>these words</b>")))

    for path in ("/backends/", "/backends/box/"):
        page = page_of(ada, path)
        assert problem(cls.kind.value, "") in page
        assert hint_for(kind, cls("these words")) in page
    record_look(backend, Look(health=Health()))
    for path in ("/backends/", "/backends/box/"):
        assert hint_for(kind, cls("these words")) not in page_of(ada, path)


@pytest.mark.django_db
def test_a_more_exact_hint_is_kept_for_the_page(ada: User) -> None:
    backend = Backend.objects.create(name="Box", kind="ollama", base_url="http://127.0.0.1:9")
    record_look(backend, Look(error=CannotConnect("TLS failed", hint="The secure connection failed.")))

    assert "The secure connection failed." in page_of(ada, "/backends/box/")


@pytest.mark.django_db
def test_what_a_failing_server_says_stands_beside_our_word(ada: User) -> None:
    backend = Backend.objects.create(name="Box", kind="ollama", base_url="http://127.0.0.1:9")
    record_look(backend, Look(error=ERRORS[ErrorKind.SERVER]("llama runner process has terminated")))

    assert "Reports a failure of its own: llama runner process has terminated" in page_of(ada, "/backends/")


@pytest.mark.django_db
def test_a_wrong_key_is_told_as_one_on_the_page(ada: User) -> None:
    with FakeServerThread(api_key="right") as fake:
        refresh_now(Backend.objects.create(name="Box", kind="ollama", base_url=fake.url))
        page = page_of(ada, "/backends/box/")

    assert "The key or password was rejected." in page
    assert "Ask an administrator to enter it again." in page
