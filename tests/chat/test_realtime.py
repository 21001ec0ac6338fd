"""What a watching page hears: its owner only, from wherever the answer is, and nothing twice or never."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from channels.testing import WebsocketCommunicator
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.cached_db import SessionStore
from django.contrib.sessions.models import Session

from backends.adapters import scripted
from backends.adapters.errors import Overloaded
from backends.adapters.events import ReasoningDelta, Restart, TextDelta
from backends.adapters.messages import ChatRequest
from backends.database import in_database
from chat.generation import runtime
from chat.generation.updates import Kind, Update
from chat.markdown import MarkdownStream
from chat.models import Conversation, Generation, Status
from chat.realtime import consumer, live
from chat.realtime.room import rooms
from chat.services import answers
from chat.services import conversations as services
from chat.services.sending import Sent
from privatechathub.accounts.models import User
from privatechathub.asgi import application
from tests.chat.page import Page, read
from tests.conftest import signed_in

pytestmark = pytest.mark.django_db(transaction=True)

Ask = Callable[..., Sent]
HOST = b"hub.local:8000"
ORIGIN = b"http://hub.local:8000"
FORBIDDEN = 4403


class Script:
    """What the demo backend says: a piece when :meth:`say` is called, the end with :meth:`end`."""

    def __init__(self) -> None:
        self.steps: list[Any] = []
        self.ended = False

    def say(self, *steps: Any) -> None:
        self.steps += [TextDelta(step) if isinstance(step, str) else step for step in steps]

    def end(self) -> None:
        self.ended = True

    def __call__(self, request: ChatRequest) -> Iterator[Any]:
        while self.steps or not self.ended:
            yield self.steps.pop(0) if self.steps else 0.003


class Tab:
    """A page's socket."""

    def __init__(self, path: str, cookie: str, origin: bytes = ORIGIN) -> None:
        headers = [(b"host", HOST), (b"origin", origin), (b"cookie", f"sessionid={cookie}".encode())]
        self.socket = WebsocketCommunicator(application, path, headers=headers)
        self.frames: list[str] = []

    async def open(self) -> int | None:
        """Connect; gives the close code where it was refused."""
        accepted, code = await self.socket.connect(timeout=5)
        return None if accepted else code

    async def next(self) -> Page:
        """The next frame."""
        self.frames.append(await self.socket.receive_from(timeout=5))
        return read(self.frames[-1])

    async def until(self, word: str) -> str:
        """Frames up to the one with that word; gives that one."""
        async with asyncio.timeout(5):
            while not self.frames or word not in self.frames[-1]:
                await self.next()
        return self.frames[-1]

    async def silent(self) -> bool:
        return bool(await self.socket.receive_nothing(timeout=0.15, interval=0.02))

    async def close(self) -> None:
        await self.socket.disconnect()


@pytest.fixture
def script() -> Iterator[Script]:
    spoken = Script()
    with scripted.registered("play", spoken):
        yield spoken


@pytest_asyncio.fixture
async def look(hub: runtime.Runtime) -> AsyncIterator[Callable[..., Any]]:
    """Somebody opens a conversation's page."""
    tabs: list[Tab] = []

    async def look(user: User, conversation: Conversation, revision: Any = None, **how: bytes) -> Tab:
        cookie = (await in_database(signed_in, user)).cookies["sessionid"].value
        query = "" if revision is None else f"?revision={revision}"
        tab = Tab(f"/ws/conversations/{conversation.pk}/{query}", cookie, **how)
        assert await tab.open() is None
        tabs.append(tab)
        return tab

    yield look
    for tab in tabs:
        await tab.close()
    left = list(rooms)
    rooms.clear()
    assert not left


async def revision_of(conversation: Conversation) -> int:
    return (await in_database(Conversation.objects.get, pk=conversation.pk)).revision


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.003)


async def finished(sent: Sent) -> Generation:
    async with asyncio.timeout(5):
        while (row := await in_database(Generation.objects.get, pk=sent.generation.pk)).is_active:
            await asyncio.sleep(0.005)
    return row


async def begun(hub: runtime.Runtime, text: str) -> None:
    """The run has got that far."""
    await until(lambda: any(str(run.text) == text for run in hub.supervisor.runs.values()))


async def inside(conversation: Conversation, watchers: int) -> None:
    """So many pages have come in."""
    await until(lambda: len(rooms[str(conversation.pk)].watchers) == watchers)


# --- who may listen -------------------------------------------------------------------------------


async def refused(user: User | None, path: str, **how: bytes) -> bool:
    cookie = (await in_database(signed_in, user)).cookies["sessionid"].value if user else ""
    tab = Tab(path, cookie, **how)
    code = await tab.open()
    await tab.close()
    return code == FORBIDDEN


async def test_the_owner_is_let_in_and_nobody_else(
    hub: runtime.Runtime, ask: Ask, script: Script, look: Any, alice: User, bob: User, ada: User
) -> None:
    script.end()
    sent = await in_database(ask)
    path = f"/ws/conversations/{sent.conversation.pk}/"

    await look(alice, sent.conversation)
    assert await refused(bob, path)
    assert await refused(ada, path)
    assert await refused(None, path)
    assert await refused(alice, f"/ws/conversations/{uuid4()}/")


@pytest.mark.parametrize(
    "origin",
    [
        b"http://evil.example",
        b"http://hub.local",
        b"http://hub.local:8000.evil.example",
        b"null",
        b"",
        b"http://[",
    ],
)
async def test_a_page_of_another_host_is_refused(
    hub: runtime.Runtime, ask: Ask, script: Script, alice: User, origin: bytes
) -> None:
    script.end()
    sent = await in_database(ask)

    assert await refused(alice, f"/ws/conversations/{sent.conversation.pk}/", origin=origin)


async def test_a_trusted_origin_is_let_in(
    ask: Ask, script: Script, look: Any, alice: User, settings: Any
) -> None:
    settings.CSRF_TRUSTED_ORIGINS = ["https://chat.example.org"]
    script.end()
    sent = await in_database(ask)

    await look(alice, sent.conversation, origin=b"https://chat.example.org")


async def test_an_address_that_is_no_conversation_is_closed(hub: runtime.Runtime, alice: User) -> None:
    cookie = (await in_database(signed_in, alice)).cookies["sessionid"].value

    for path in ("/ws/conversations/not-a-number/", "/", "/ws/", f"/chat/{uuid4()}/"):
        assert await Tab(path, cookie).open() == 4404


def sign_out(user: User) -> None:
    for session in Session.objects.all():
        if session.get_decoded().get(SESSION_KEY) == str(user.pk):
            SessionStore(session.session_key).delete()


@pytest.mark.parametrize(
    "what",
    [
        sign_out,
        lambda user: User.objects.filter(pk=user.pk).update(is_active=False),
        lambda user: user.delete(),
        lambda user: Conversation.objects.all().delete(),
        lambda user: Conversation.objects.update(owner=User.objects.create_user("carol")),
    ],
    ids=["signed out", "disabled", "deleted", "conversation deleted", "given away"],
)
async def test_whoever_may_no_longer_watch_is_sent_away(
    ask: Ask, script: Script, look: Any, alice: User, monkeypatch: pytest.MonkeyPatch, what: Any
) -> None:
    monkeypatch.setattr(consumer, "CHECK_AGAIN", 0.02)
    script.end()
    sent = await in_database(ask)
    await finished(sent)
    tab = await look(alice, sent.conversation, await revision_of(sent.conversation))
    assert await tab.silent()

    await in_database(what, alice)

    message = await tab.socket.receive_output(timeout=5)
    assert (message["type"], message["code"]) == ("websocket.close", FORBIDDEN)


async def test_what_a_page_says_changes_nothing(ask: Ask, script: Script, look: Any, alice: User) -> None:
    script.end()
    sent = await in_database(ask)
    await finished(sent)
    tab = await look(alice, sent.conversation, await revision_of(sent.conversation))

    await tab.socket.send_to(text_data='{"type": "deliver", "frame": "<b>"}')
    await tab.socket.send_to(bytes_data=b"\x00\xff")

    assert await tab.silent()


# --- what it hears --------------------------------------------------------------------------------


async def test_a_page_that_comes_in_the_middle_gets_the_article_and_then_pieces(
    hub: runtime.Runtime, ask: Ask, script: Script, look: Any, alice: User
) -> None:
    script.say("One")
    sent = await in_database(ask)
    await begun(hub, "One")

    tab = await look(alice, sent.conversation, await revision_of(sent.conversation))
    article = (await tab.next()).one("article")
    script.say(", two")
    piece = await tab.until(", two")
    script.end()
    last = read(await tab.until('data-status="completed"'))

    assert article.attributes["data-status"] == "running"
    assert "One" in tab.frames[0]
    assert "<article" not in piece
    assert len(piece) < 250
    assert "One, two" in last.one("p").text
    state = last.one(id="thread-state").attributes
    assert state["data-active"] == "false"
    assert int(state["data-revision"]) == await revision_of(sent.conversation)


async def test_every_page_of_the_conversation_gets_the_same(
    hub: runtime.Runtime, ask: Ask, script: Script, look: Any, alice: User
) -> None:
    script.say("One")
    sent = await in_database(ask)
    await begun(hub, "One")
    revision = await revision_of(sent.conversation)
    tabs = [await look(alice, sent.conversation, revision) for _ in range(2)]
    await inside(sent.conversation, 2)
    for tab in tabs:
        await tab.until("One")
        while not await tab.silent():
            await tab.next()
        tab.frames.clear()

    for word in (" two", " three\n\n# four"):
        script.say(word)
        for tab in tabs:
            await tab.until(word[-4:])
    script.end()
    for tab in tabs:
        await tab.until('data-status="completed"')

    assert tabs[0].frames == tabs[1].frames
    assert len(tabs[0].frames) >= 3


async def test_a_new_question_shows_on_the_other_pages(
    hub: runtime.Runtime, ask: Ask, script: Script, look: Any, alice: User
) -> None:
    script.say("One")
    script.end()
    sent = await in_database(ask)
    await finished(sent)
    tab = await look(alice, sent.conversation, await revision_of(sent.conversation))
    browser = await in_database(signed_in, alice)
    fields = {"text": "More?", "model": "demo/play", "key": "k"}

    await in_database(browser.post, f"/chat/{sent.conversation.pk}/messages/", fields)

    added = read(await tab.until("More?"))
    assert added.one("hx-partial", hx_target="#messages").attributes["hx-swap"] == "appendMissing"
    assert added.one(id="thread-state").attributes["data-active"] == "true"
    await tab.until('data-status="completed"')


async def test_reasoning_is_shown_folded_and_with_its_time(
    hub: runtime.Runtime, ask: Ask, script: Script, look: Any, alice: User
) -> None:
    script.say(ReasoningDelta("Hm"))
    sent = await in_database(ask)
    await until(lambda: any(str(run.reasoning) for run in hub.supervisor.runs.values()))
    tab = await look(alice, sent.conversation)
    await tab.until("Hm")

    script.say(ReasoningDelta(", yes"))
    await tab.until(", yes")
    script.say("Done.")
    await tab.until("Done.")

    assert any("Thought for a moment" in frame for frame in tab.frames)
    script.end()
    last = read(await tab.until('data-status="completed"'))
    assert "Hm, yes" in "".join(last.texts())


async def test_a_restart_shows_the_text_anew(
    hub: runtime.Runtime, ask: Ask, script: Script, look: Any, alice: User
) -> None:
    script.say("wrong")
    sent = await in_database(ask)
    await begun(hub, "wrong")
    tab = await look(alice, sent.conversation)
    await tab.until("wrong")

    script.say(Restart(), "right")
    await tab.until("right")
    script.end()

    assert "wrong" not in await tab.until('data-status="completed"')


async def test_stop_is_seen_by_every_page(
    hub: runtime.Runtime, ask: Ask, script: Script, look: Any, alice: User
) -> None:
    script.say("Once upon")
    sent = await in_database(ask)
    await begun(hub, "Once upon")
    tab = await look(alice, sent.conversation)
    await inside(sent.conversation, 1)

    await in_database(answers.stop_answers, sent.conversation)

    assert "Once upon" in await tab.until('data-status="stopped"')


async def test_a_failure_is_seen_with_its_reason(
    hub: runtime.Runtime, ask: Ask, script: Script, look: Any, alice: User
) -> None:
    script.say("Half")
    sent = await in_database(ask)
    await begun(hub, "Half")
    tab = await look(alice, sent.conversation)
    await inside(sent.conversation, 1)

    script.say(Overloaded("too <b>many"))

    last = await tab.until('data-status="failed"')
    assert "Half" in last
    assert "oo &lt;b&gt;many" in last


async def test_retry_shows_the_thread_anew(
    hub: runtime.Runtime, ask: Ask, script: Script, look: Any, alice: User
) -> None:
    script.say("bad")
    script.end()
    sent = await in_database(ask)
    await finished(sent)
    tab = await look(alice, sent.conversation, await revision_of(sent.conversation))
    await inside(sent.conversation, 1)
    script.ended = False

    await in_database(answers.retry, alice, sent.answer)

    thread = read(await tab.until('id="messages"'))
    assert [tag.attributes["data-role"] for tag in thread.all("article")] == ["user", "assistant"]
    assert f"message-{sent.answer.pk}" not in tab.frames[-1]
    script.say("good")
    await tab.until("good")
    script.end()
    await tab.until('data-status="completed"')


async def test_who_waits_sees_the_place_in_line_and_then_the_answer(
    hub: runtime.Runtime, ask: Ask, script: Script, look: Any, alice: User, demo: Any
) -> None:
    demo.slots = 1
    await in_database(demo.save)
    script.say("first")
    first = await in_database(ask, "1")
    await begun(hub, "first")
    second, third = await in_database(ask, "2"), await in_database(ask, "3")
    tab = await look(alice, third.conversation)
    assert "Number 2 in line" in await tab.until("in line")

    await in_database(answers.stop_answers, second.conversation)
    await tab.until("Next in line")
    await in_database(answers.stop_answers, first.conversation)
    await tab.until('data-status="running"')
    script.say("mine")
    await tab.until("mine")
    script.end()
    await tab.until('data-status="completed"')


# --- what was missed ------------------------------------------------------------------------------


async def test_a_page_that_missed_nothing_is_told_nothing(
    ask: Ask, script: Script, look: Any, alice: User
) -> None:
    script.say("Yes.")
    script.end()
    sent = await in_database(ask)
    await finished(sent)

    tab = await look(alice, sent.conversation, await revision_of(sent.conversation))

    assert await tab.silent()


@pytest.mark.parametrize("revision", ["0", "", "x", "-1", "%C2%B2", "9" * 5000])
async def test_a_page_that_missed_something_gets_the_thread(
    ask: Ask, script: Script, look: Any, alice: User, revision: str
) -> None:
    script.say("Yes.")
    script.end()
    sent = await in_database(ask)
    await finished(sent)

    tab = await look(alice, sent.conversation, revision)

    thread = await tab.next()
    assert thread.one("hx-partial", hx_target="#messages").attributes["hx-swap"] == "outerHTML"
    assert len(thread.all("article")) == 2
    state = thread.one(id="thread-state").attributes
    assert state["data-revision"] == str(await revision_of(sent.conversation))


async def test_a_missed_piece_brings_the_whole_article(
    hub: runtime.Runtime, ask: Ask, script: Script, look: Any, alice: User
) -> None:
    script.say("One, two")
    sent = await in_database(ask)
    await begun(hub, "One, two")
    tab = await look(alice, sent.conversation, await revision_of(sent.conversation))
    await tab.until("One, two")
    tab.frames.clear()

    room = rooms[str(sent.conversation.pk)]
    await room.hear(Update(Kind.GREW, room.id, sent.answer.pk, text="LOST", offset=999))

    article = (await tab.next()).one("article")
    assert article.attributes["id"] == f"message-{sent.answer.pk}"
    assert "One, two" in tab.frames[0]
    script.say(", three")
    await tab.until(", three")
    script.end()
    await tab.until('data-status="completed"')
    assert "LOST" not in "".join(tab.frames)


async def test_a_late_word_about_an_ended_answer_does_not_bring_it_back(
    hub: runtime.Runtime, ask: Ask, script: Script, look: Any, alice: User
) -> None:
    script.say("Yes.")
    script.end()
    sent = await in_database(ask)
    await finished(sent)
    tab = await look(alice, sent.conversation, await revision_of(sent.conversation))
    await inside(sent.conversation, 1)

    room = rooms[str(sent.conversation.pk)]
    await room.hear(Update(Kind.FULL, room.id, sent.answer.pk, text="Ye"))

    assert await tab.silent()


# --- rooms ----------------------------------------------------------------------------------------


async def test_a_room_closes_with_its_last_page_and_nothing_is_rendered_any_more(
    hub: runtime.Runtime,
    ask: Ask,
    script: Script,
    look: Any,
    alice: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    script.say("One")
    sent = await in_database(ask)
    await begun(hub, "One")
    tabs = [await look(alice, sent.conversation) for _ in range(2)]
    await inside(sent.conversation, 2)
    await tabs[0].close()
    assert hub.bus.watched(str(sent.conversation.pk))
    await tabs[1].close()

    await until(lambda: not rooms)
    assert not hub.bus.watched(str(sent.conversation.pk))

    def forbidden(*_args: object) -> str:
        raise AssertionError("rendered for nobody")

    for name in ("feed", "reset", "flush"):
        monkeypatch.setattr(MarkdownStream, name, forbidden)
    script.say(" two")
    await begun(hub, "One two")
    script.end()
    assert (await finished(sent)).status == Status.COMPLETED


async def test_a_page_that_is_reloaded_goes_on_hearing(
    hub: runtime.Runtime, ask: Ask, script: Script, look: Any, alice: User
) -> None:
    script.say("One")
    sent = await in_database(ask)
    await begun(hub, "One")
    old = await look(alice, sent.conversation)
    await old.until("One")

    new = await look(alice, sent.conversation, await revision_of(sent.conversation))
    await old.close()
    script.say(", two")
    script.end()

    assert "One, two" in await new.until('data-status="completed"')


async def test_a_mistake_while_rendering_harms_neither_the_run_nor_the_end(
    hub: runtime.Runtime,
    ask: Ask,
    script: Script,
    look: Any,
    alice: User,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(*_args: object) -> str:
        raise ZeroDivisionError

    script.say("One")
    sent = await in_database(ask)
    await begun(hub, "One")
    tab = await look(alice, sent.conversation)
    await tab.until("One")
    monkeypatch.setattr(live.LiveAnswer, "grow", broken)

    script.say(", two")
    script.end()

    assert "One, two" in await tab.until('data-status="completed"')
    assert (await finished(sent)).status == Status.COMPLETED
    assert "ZeroDivisionError" in caplog.text


async def test_a_deleted_conversation_ends_its_run_and_breaks_nothing(
    hub: runtime.Runtime, ask: Ask, script: Script, look: Any, alice: User
) -> None:
    script.say("One")
    sent = await in_database(ask)
    await begun(hub, "One")
    tab = await look(alice, sent.conversation)
    await tab.until("message-")

    await in_database(services.delete, sent.conversation)

    await until(lambda: not hub.supervisor.runs)
    assert (await finished(sent)).status == Status.STOPPED


async def test_whoever_waits_behind_a_deleted_conversation_is_served_at_once(
    hub: runtime.Runtime, ask: Ask, script: Script, demo: Any
) -> None:
    demo.slots = 1
    await in_database(demo.save)
    script.say("first")
    first = await in_database(ask, "1")
    await begun(hub, "first")
    second = await in_database(ask, "2")

    await in_database(services.delete, first.conversation)
    script.end()

    async with asyncio.timeout(2):
        assert (await finished(second)).status == Status.COMPLETED
