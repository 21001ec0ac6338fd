"""Whoever signs out, is signed out elsewhere, disabled or deleted hears nothing more, at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio
from channels.layers import get_channel_layer
from channels.testing import WebsocketCommunicator
from django.contrib.sessions.models import Session
from django.db import transaction
from django.test import Client
from django.utils import timezone

from backends.adapters import scripted
from backends.adapters.events import TextDelta
from backends.database import in_database
from chat.generation import runtime
from chat.generation.layer_bus import EVERYONE, LayerBus
from chat.models import Conversation
from chat.realtime import consumer, leaving, room
from privatechathub.accounts.models import User
from privatechathub.asgi import application
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db(transaction=True)

FORBIDDEN = 4403
#: Seconds; far less than the regular look at all pages takes to come round.
AT_ONCE = 5.0


class Tab:
    """A browser's session and the socket of the page that it shows."""

    def __init__(self, browser: Client, conversation: Conversation) -> None:
        self.browser = browser
        cookie = browser.cookies["sessionid"].value
        headers = [
            (b"host", b"hub.local"),
            (b"origin", b"http://hub.local"),
            (b"cookie", f"sessionid={cookie}".encode()),
        ]
        path = f"/ws/conversations/{conversation.pk}/"
        self.socket = WebsocketCommunicator(application, path, headers=headers)

    async def is_let_in(self) -> bool:
        accepted, _code = await self.socket.connect(timeout=AT_ONCE)
        return accepted

    async def is_sent_away(self) -> bool:
        """Whether the next thing but frames is the end, for the right reason."""
        while (message := await self.socket.receive_output(timeout=AT_ONCE))["type"] == "websocket.send":
            pass
        return (message["type"], message["code"]) == ("websocket.close", FORBIDDEN)

    async def still_listens(self) -> bool:
        async with asyncio.timeout(AT_ONCE):
            while not await self.socket.receive_nothing(timeout=0.05, interval=0.01):
                if (await self.socket.receive_output())["type"] == "websocket.close":
                    return False
        return True


@pytest.fixture
def conversation(alice: User) -> Conversation:
    return Conversation.objects.create(owner=alice, title="Alice's", updated_at=timezone.now())


def sign_in(user: User, browser: str = "here") -> Client:
    """Through the form, so that the list of sessions knows this one."""
    client = Client(HTTP_USER_AGENT=browser)
    response = client.post("/accounts/login/", {"login": user.username, "password": PASSWORD})
    assert response.status_code == 302
    return client


Open = Callable[..., Awaitable[Tab]]


@pytest_asyncio.fixture
async def open_tab(hub: runtime.Runtime) -> AsyncIterator[Open]:
    tabs: list[Tab] = []

    async def open_it(conversation: Conversation, browser: Client | None = None) -> Tab:
        owner = await in_database(User.objects.get, pk=conversation.owner_id)
        tab = Tab(browser or await in_database(sign_in, owner), conversation)
        tabs.append(tab)
        assert await tab.is_let_in()
        return tab

    yield open_it
    for tab in tabs:
        await tab.socket.disconnect()
    assert not leaving.pages
    assert not room.rooms


async def test_signing_out_closes_the_pages_of_that_browser_and_no_others(
    conversation: Conversation, open_tab: Open
) -> None:
    phone = await open_tab(conversation)
    second_tab = await open_tab(conversation, phone.browser)
    laptop = await open_tab(conversation)

    await in_database(phone.browser.post, "/accounts/logout/")

    assert await phone.is_sent_away()
    assert await second_tab.is_sent_away()
    assert await laptop.still_listens()


async def test_ending_the_other_sessions_closes_their_pages_and_not_the_own(
    conversation: Conversation, open_tab: Open
) -> None:
    phone, laptop = await open_tab(conversation), await open_tab(conversation)

    await in_database(phone.browser.post, "/accounts/sessions/")

    assert await laptop.is_sent_away()
    assert await phone.still_listens()


async def test_another_password_closes_the_pages_of_all_other_devices(
    conversation: Conversation, open_tab: Open
) -> None:
    phone, laptop = await open_tab(conversation), await open_tab(conversation)
    fields = {"oldpassword": PASSWORD, "password1": "another long phrase", "password2": "another long phrase"}

    response = await in_database(phone.browser.post, "/accounts/password/change/", fields)

    assert response.status_code == 302
    assert await laptop.is_sent_away()
    await open_tab(conversation, phone.browser)


def disable(user: User) -> None:
    user.is_active = False
    user.save()


def disable_in_the_admin(user: User) -> None:
    ada = User.objects.create_superuser("ada", password=PASSWORD)
    fields = {
        "username": user.username,
        "theme": "system",
        "date_joined_0": "2026-01-01",
        "date_joined_1": "0:0",
    }
    response = sign_in(ada).post(f"/admin/accounts/user/{user.pk}/change/", fields)
    assert response.status_code == 302
    assert not User.objects.get(pk=user.pk).is_active


def set_password(user: User) -> None:
    user.set_password("chosen by the administrator")
    user.save()


@pytest.mark.parametrize("what", [disable, disable_in_the_admin, set_password, lambda user: user.delete()])
async def test_what_is_done_to_a_person_closes_all_their_pages_and_nobody_elses(
    alice: User, bob: User, conversation: Conversation, open_tab: Open, what: Callable[[User], Any]
) -> None:
    bobs = await in_database(Conversation.objects.create, owner=bob, updated_at=timezone.now())
    phone, laptop, stranger = (
        await open_tab(conversation),
        await open_tab(conversation),
        await open_tab(bobs),
    )

    await in_database(what, alice)

    assert await phone.is_sent_away()
    assert await laptop.is_sent_away()
    assert await stranger.still_listens()


async def test_a_change_that_takes_nothing_away_closes_nothing(
    alice: User, conversation: Conversation, open_tab: Open
) -> None:
    tab = await open_tab(conversation)

    alice.first_name = "Alice"
    await in_database(alice.save)
    await in_database(sign_in, alice)

    assert await tab.still_listens()


async def test_what_is_taken_back_closes_nothing(
    alice: User, conversation: Conversation, open_tab: Open
) -> None:
    tab = await open_tab(conversation)

    def disable_and_fail() -> None:
        with transaction.atomic():
            disable(alice)
            transaction.set_rollback(True)

    await in_database(disable_and_fail)

    assert await tab.still_listens()


async def test_a_running_answer_is_not_heard_after_signing_out(
    conversation: Conversation, open_tab: Open, ask: Any
) -> None:
    word = iter(range(10_000))

    def talk(_request: Any) -> Any:
        while True:
            yield TextDelta(f"w{next(word)} ")
            yield 0.005

    with scripted.registered("play", talk):
        sent = await in_database(ask, "Talk", conversation)
        tab = await open_tab(conversation)
        assert (await tab.socket.receive_output(timeout=AT_ONCE))["type"] == "websocket.send"

        await in_database(tab.browser.post, "/accounts/logout/")

        assert await tab.is_sent_away()
        assert await tab.socket.receive_nothing(timeout=0.2), await tab.socket.receive_output()
        runtime.current().stop_soon(sent.generation.pk)  # type: ignore[union-attr]


async def test_signing_out_while_the_page_comes_in_is_not_missed(
    conversation: Conversation, alice: User, hub: runtime.Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = consumer.who_may_watch

    def look_then_sign_out(*about: Any) -> int | None:
        found = looked(*about)
        Session.objects.all().delete()
        time.sleep(0.05)  # this process is told meanwhile
        return found

    monkeypatch.setattr(consumer, "who_may_watch", look_then_sign_out)
    tab = Tab(await in_database(sign_in, alice), conversation)

    assert not await tab.is_let_in()

    await tab.socket.disconnect()
    assert not leaving.pages


# --- several processes ----------------------------------------------------------------------------


@pytest.fixture
def shared_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    """The processes of the hub share a layer; requested before ``hub``."""
    monkeypatch.setattr(runtime, "shared_layer", lambda: True)


@pytest_asyncio.fixture
async def other_process(shared_layer: None) -> AsyncIterator[list[dict[str, Any]]]:
    """What another process of the hub is asked for."""
    heard: list[dict[str, Any]] = []

    async def hear(message: dict[str, Any]) -> None:
        heard.append(message)

    bus = LayerBus(get_channel_layer(), hear)
    await bus.open()
    yield heard
    await bus.close()


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(AT_ONCE):
        while not condition():
            await asyncio.sleep(0.005)


async def test_other_processes_are_told(
    other_process: list[dict[str, Any]], conversation: Conversation, open_tab: Open, alice: User
) -> None:
    tab = await open_tab(conversation)
    other_process.clear()
    key = tab.browser.cookies["sessionid"].value

    await in_database(tab.browser.post, "/accounts/logout/")
    await in_database(disable, alice)

    assert await tab.is_sent_away()
    await until(lambda: any(message.get("session") == key for message in other_process))
    await until(lambda: any(message.get("user") == alice.pk for message in other_process))


async def test_what_another_process_tells_is_heard(
    other_process: list[dict[str, Any]], conversation: Conversation, open_tab: Open, alice: User
) -> None:
    phone, laptop = await open_tab(conversation), await open_tab(conversation)
    layer, request = get_channel_layer(), {"type": "hub.control", "ask": "leave"}
    key = phone.browser.cookies["sessionid"].value

    await layer.group_send(EVERYONE, request | {"session": key})
    assert await phone.is_sent_away()
    assert await laptop.still_listens()

    await in_database(User.objects.filter(pk=alice.pk).update, is_active=False)  # no signal in this process
    await layer.group_send(EVERYONE, request | {"user": alice.pk})
    assert await laptop.is_sent_away()
