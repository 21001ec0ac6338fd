"""Temporary conversations: asked, answered and gone, and not a word of them in any row."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from threading import Event
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.core import serializers
from django.db import connection
from django.test import Client

from backends.adapters import scripted
from backends.adapters.errors import BadRequest
from backends.adapters.events import Finish, FinishReason, ReasoningDelta, TextDelta, Usage
from backends.adapters.messages import ChatRequest
from backends.database import in_database
from backends.models import Backend, CatalogueModel
from chat.generation import queue, runtime, temporary
from chat.models import Conversation, Generation, Message
from chat.realtime import temporary_chat
from chat.realtime.temporary import values_in
from privatechathub.accounts.models import User
from tests.chat.page import faults, read
from tests.chat.test_realtime import FORBIDDEN, Tab
from tests.conftest import signed_in

pytestmark = pytest.mark.django_db(transaction=True)

SECRET = "zebra-in-the-moonlight"


@pytest.fixture(autouse=True)
def _script(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(temporary_chat, "GRACE", 0.05)
    monkeypatch.setattr(temporary, "LOOK_AGAIN", 0.02)
    with scripted.registered("play", [TextDelta("yes")]):
        yield
    temporary_chat.chats.clear()


async def opened(user: User, chat_id: object, revision: int = 0) -> tuple[Tab, int | None]:
    cookie = (await in_database(signed_in, user)).cookies["sessionid"].value
    tab = Tab(f"/ws/temporary/{chat_id}/?revision={revision}", cookie)
    return tab, await tab.open()


async def say(tab: Tab, text: str = SECRET, model: str = "demo/play") -> None:
    await tab.socket.send_to(json.dumps({"text": text, "model": model, "headers": {}}))


async def ended(chat_id: object, turns: int = 2) -> temporary_chat.TemporaryChat:
    """The conversation once nothing is being written in it."""
    async with asyncio.timeout(10):
        while True:
            chat = temporary_chat.chats.get(str(chat_id))
            if chat and len(chat.turns) == turns and chat.run is None:
                return chat
            await asyncio.sleep(0.01)


async def gone(chat_id: object) -> None:
    async with asyncio.timeout(10):
        while str(chat_id) in temporary_chat.chats:
            await asyncio.sleep(0.01)


def everything_stored() -> str:
    """All rows of all tables, as text."""
    rows = [row for model in apps.get_models() for row in model._default_manager.all()]
    with connection.cursor() as cursor:
        names = connection.introspection.table_names(cursor)
        raw = []
        for name in names:
            cursor.execute(f'SELECT * FROM "{name}"')  # noqa: S608 - names of our own tables
            raw.append(repr(cursor.fetchall()))
    return serializers.serialize("json", rows) + "".join(raw)


async def test_nothing_of_it_is_stored_or_logged(
    hub: runtime.Runtime, demo: Backend, alice: User, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")

    def script(request: ChatRequest) -> Iterator[Any]:
        yield ReasoningDelta(f"they said {request.messages[-1].text}")
        yield TextDelta(f"You said {request.messages[-1].text}.")
        yield Usage(input_tokens=3, output_tokens=4)
        yield Finish(FinishReason.STOP)

    scripted.register("play", script)
    chat_id = uuid4()
    tab, _refused = await opened(alice, chat_id)
    await say(tab)
    chat = await ended(chat_id)
    shown = await tab.until('class="facts"')

    assert f"You said {SECRET}." in chat.turns[-1].text
    assert SECRET in shown
    assert "4 tokens" in shown
    assert SECRET not in await in_database(everything_stored)
    assert SECRET not in caplog.text
    for model in (Conversation, Message, Generation):
        assert not await in_database(model.objects.exists)
    await tab.socket.disconnect()
    await gone(chat_id)


async def test_the_model_is_told_what_was_said_before(
    hub: runtime.Runtime, demo: Backend, alice: User
) -> None:
    seen: list[list[str]] = []

    def script(request: ChatRequest) -> Iterator[Any]:
        seen.append([message.text for message in request.messages])
        assert (request.conversation_id, request.title, dict(request.state)) == ("", "", {})
        yield TextDelta("fine")

    scripted.register("play", script)
    chat_id = uuid4()
    tab, _refused = await opened(alice, chat_id)
    for number, text in enumerate(("one", "two"), start=1):
        await say(tab, text)
        await ended(chat_id, turns=2 * number)

    assert seen == [["one"], ["one", "fine", "two"]]
    await tab.socket.disconnect()


async def test_a_stranger_is_refused_and_a_page_of_ones_own_sees_it_all(
    hub: runtime.Runtime, demo: Backend, alice: User, bob: User
) -> None:
    chat_id = uuid4()
    tab, _refused = await opened(alice, chat_id)
    await say(tab)
    await ended(chat_id)

    theirs, code = await opened(bob, chat_id)
    if code is None:  # let in by the session, sent away by the conversation
        assert (await theirs.socket.receive_output(timeout=5))["code"] == FORBIDDEN
    assert await Tab(f"/ws/temporary/{uuid4()}/", "nobody").open() == FORBIDDEN
    again, _refused = await opened(alice, chat_id)
    assert SECRET in await again.socket.receive_from(timeout=5)
    await tab.socket.disconnect()
    await again.socket.disconnect()


async def test_it_goes_with_the_last_page_after_its_answer(
    hub: runtime.Runtime, demo: Backend, alice: User
) -> None:
    gate = {"open": False}

    def script(_request: ChatRequest) -> Iterator[Any]:
        yield TextDelta("…")
        while not gate["open"]:
            yield 0.01

    scripted.register("play", script)
    chat_id = uuid4()
    tab, _refused = await opened(alice, chat_id)
    await say(tab)
    await tab.until("…")
    await tab.socket.disconnect()
    await asyncio.sleep(0.2)
    assert str(chat_id) in temporary_chat.chats, "the answer is still being written"

    gate["open"] = True

    await gone(chat_id)
    back, _refused = await opened(alice, chat_id, revision=3)
    assert "This conversation is gone" in await back.socket.receive_from(timeout=5)
    await back.socket.disconnect()


async def test_stop_keeps_what_was_said(hub: runtime.Runtime, demo: Backend, alice: User) -> None:
    def script(_request: ChatRequest) -> Iterator[Any]:
        yield TextDelta("so far")
        while True:
            yield 0.01

    scripted.register("play", script)
    chat_id = uuid4()
    tab, _refused = await opened(alice, chat_id)
    await say(tab)
    await tab.until("so far")
    await say(tab, "too early")
    assert "still being written" in await tab.until("given-back")

    await tab.socket.send_to(json.dumps({"stop": "1"}))

    chat = await ended(chat_id)
    assert (chat.turns[-1].status, chat.turns[-1].text) == ("stopped", "so far")
    await tab.socket.disconnect()


async def test_a_failure_is_told_and_not_logged(
    hub: runtime.Runtime, demo: Backend, alice: User, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")

    def broken(_request: ChatRequest) -> Iterator[Any]:
        raise ValueError(SECRET)
        yield

    for script, kind in (([BadRequest("no such model")], "bad_request"), (broken, "internal")):
        scripted.register("play", script)
        chat_id = uuid4()
        tab, _refused = await opened(alice, chat_id)
        await say(tab)
        chat = await ended(chat_id)
        assert chat.turns[-1].error
        assert chat.turns[-1].error.kind == kind
        await tab.socket.disconnect()
    assert SECRET not in caplog.text


async def test_what_it_may_not_ask_is_refused(
    hub: runtime.Runtime, demo: Backend, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper = await in_database(
        lambda: Backend.objects.create(name="Code", kind="opencode", base_url="http://127.0.0.1:9")
    )
    await in_database(lambda: CatalogueModel.objects.create(backend=keeper, model_id="m"))
    tab, _refused = await opened(alice, uuid4())

    for values, why in (
        ({"text": "x", "model": "demo/nobody"}, "not available"),
        ({"text": "x", "model": "code/m"}, "keeps every conversation"),
        ({"text": " ", "model": "demo/play"}, "Write something"),
    ):
        await tab.socket.send_to(json.dumps(values))
        assert why in await tab.socket.receive_from(timeout=5)
    monkeypatch.setattr(temporary_chat, "LONGEST", 3)
    await say(tab)
    assert "too long" in await tab.socket.receive_from(timeout=5)
    for nonsense in ("[]", "null", "3", '{"text": 3}', "{"):
        await tab.socket.send_to(nonsense)
    assert await tab.socket.receive_nothing(timeout=0.1)
    await tab.socket.disconnect()


async def test_there_are_only_so_many_at_once(
    hub: runtime.Runtime, demo: Backend, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(temporary_chat, "MOST", 1)
    tab, _refused = await opened(alice, uuid4())
    other, _refused = await opened(alice, uuid4())
    assert (await other.socket.receive_output(timeout=20))["code"] == FORBIDDEN
    await tab.socket.disconnect()


async def test_it_takes_a_slot_like_any_other_answer(
    hub: runtime.Runtime, demo: Backend, alice: User
) -> None:
    demo.slots = 1
    await in_database(demo.save)
    gate = {"open": False}

    def script(_request: ChatRequest) -> Iterator[Any]:
        yield TextDelta("…")
        while not gate["open"]:
            yield 0.01

    scripted.register("play", script)
    first, second = uuid4(), uuid4()
    tab, _refused = await opened(alice, first)
    await say(tab)
    await tab.until("…")
    other, _refused = await opened(alice, second)
    await say(other)
    await other.until("Waiting for its turn")
    assert not await in_database(queue.has_free_slot, demo.pk)

    gate["open"] = True

    await ended(first)
    assert (await ended(second)).turns[-1].text == "…"
    assert queue.unrecorded[demo.pk] == 0
    await tab.socket.disconnect()
    await other.socket.disconnect()


async def test_who_is_stopped_while_a_slot_is_asked_for_gives_it_back(
    demo: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim, asked, may_go_on = queue.claim_unrecorded, Event(), Event()

    def slowly(backend_id: int) -> bool:
        asked.set()
        may_go_on.wait(5)
        return claim(backend_id)

    monkeypatch.setattr(queue, "claim_unrecorded", slowly)
    waiting = asyncio.create_task(temporary.claimed(demo.pk))
    await asyncio.to_thread(asked.wait, 5)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    may_go_on.set()
    monkeypatch.undo()

    assert await temporary.claimed(demo.pk)
    await in_database(str)
    await asyncio.sleep(0.05)
    assert queue.unrecorded[demo.pk] == 1, "what nobody wanted was given back"
    queue.release_unrecorded(demo.pk)


def test_the_page_says_what_it_is(as_alice: Client, demo: Backend) -> None:
    keeper = Backend.objects.create(name="Code", kind="opencode", base_url="http://127.0.0.1:9")
    CatalogueModel.objects.create(backend=keeper, model_id="keeps-all")

    response = as_alice.get("/temporary/")

    assert not faults(response)
    page = response.content.decode()
    assert "Nothing of this conversation is stored" in page
    assert "keeps-all" not in page
    assert "no-store" in response["Cache-Control"]
    first = read(response).one(id="thread").attributes["data-conversation"]
    assert read(as_alice.get("/temporary/")).one(id="thread").attributes["data-conversation"] != first
    assert as_alice.get("/temporary/", headers={"HX-Request": "true"}).status_code == 204


@pytest.mark.parametrize("frame", ["[" * 200_000, '{"text": ' + "[" * 200_000, "{", "null", None])
def test_a_frame_that_is_no_form_says_nothing(frame: str | None) -> None:
    assert values_in(frame) == {}


def test_half_a_character_is_no_text() -> None:
    assert values_in('{"text": "a \\ud83d b", "model": "demo/play"}') == {
        "text": "a ? b",
        "model": "demo/play",
    }
