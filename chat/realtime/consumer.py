"""The websocket of a page: it only receives; everything a person does is an ordinary POST."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Iterable
from importlib import import_module
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qs

from channels.consumer import get_handler_name
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.contrib.auth import get_user, get_user_model
from django.http import HttpRequest, parse_cookie

from backends.database import in_database
from chat.models import Conversation
from chat.realtime import leaving, room

if TYPE_CHECKING:
    from privatechathub.accounts.models import User

#: Seconds between two looks whether this person may still watch, for what ``leaving`` is not told.
CHECK_AGAIN = 30.0

#: A page's revision, short enough for any integer parser.
_REVISION = re.compile(r"[0-9]{1,18}")

#: Close codes of ours; the page does not reconnect on them.
NOT_ALLOWED = 4403


class ConversationConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    """One page that watches one conversation of its owner."""

    #: No layer: rooms bring the frames, and a page must not close because Redis went away.
    channel_layer_alias = ""
    room: room.Room | None = None
    checks: asyncio.Task[None] | None = None
    accepted = False
    sent_away = False
    #: The session by which this page was opened, and who is signed in by it.
    session_key = ""
    user_id: int | None = None

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Without Channels' look after database connections, a thread's work each time: none is held here."""
        await getattr(self, get_handler_name(message))(message)

    async def websocket_disconnect(self, message: dict[str, Any]) -> None:
        """The same for the end."""
        await self.disconnect(message["code"])
        raise StopConsumer

    async def connect(self) -> None:
        """Let the owner in, nobody else; say nothing about whether the conversation exists."""
        self.id = str(next(iter(self.scope["url_route"]["kwargs"].values())))
        self.session_key = session_key_in(self.scope["headers"])
        leaving.pages.add(self)  # before the look, so that a sign-out during it is not missed
        self.user_id = await in_database(self.whose)
        if self.user_id is None or self.sent_away:
            await self.close(code=NOT_ALLOWED)
            return
        self.accepted = True
        await self.accept()
        await self.enter()
        self.checks = asyncio.create_task(self.check_regularly())

    async def disconnect(self, code: int) -> None:
        """The page went away."""
        leaving.pages.discard(self)
        if self.checks:
            self.checks.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self.checks
        await self.leave()

    async def enter(self) -> None:
        """Begin to watch."""
        self.room = await room.enter(self.id, self, self.seen_revision())

    async def leave(self) -> None:
        """No longer watch."""
        if self.room:
            await room.leave(self.room, self)

    def whose(self) -> int | None:
        """Whose session it is, if what is watched is theirs. From the database."""
        return who_may_watch(self.session_key, self.id)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Pages have nothing to say here."""

    async def deliver(self, frame: str) -> None:
        """Send a frame. The server only buffers it, so nobody waits for a slow page."""
        if not frame or self.sent_away:
            return
        # A page that is just going away: Daphne refuses before it tells that the socket is closed.
        with contextlib.suppress(RuntimeError):
            await self.base_send({"type": "websocket.send", "text": frame})

    async def check_regularly(self) -> None:
        """Close the page's socket when the person signed out, was disabled, or no longer owns this."""
        while not self.sent_away:
            await asyncio.sleep(CHECK_AGAIN)
            await self.look_again()

    async def look_again(self) -> None:
        """Close the page's socket unless its person may still watch."""
        if await in_database(self.whose) != self.user_id:
            await self.send_away()

    async def send_away(self) -> None:
        """Close the page's socket, once; one that is still being let in closes itself."""
        if not self.sent_away:
            self.sent_away = True
            if self.accepted:
                await self.close(code=NOT_ALLOWED)

    def seen_revision(self) -> int:
        """The revision that the page shows, -1 where it does not tell."""
        return next(iter(self.seen()), -1)

    def seen(self) -> list[int]:
        """What the page tells: ``?revision=3``, with several threads ``?revision=3-0-7``."""
        values = parse_qs(self.scope["query_string"].decode("latin-1")).get("revision", [""])
        numbers = values[0].split("-")
        return [int(number) if _REVISION.fullmatch(number) else -1 for number in numbers]


def session_key_in(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """The session's key from the page's cookies; empty where there is none."""
    cookies = "; ".join(value.decode("latin-1") for name, value in headers if name == b"cookie")
    return parse_cookie(cookies).get(settings.SESSION_COOKIE_NAME, "")


def who_may_watch(session_key: str, conversation_id: str) -> int | None:
    """The person whose session it is, if the conversation is theirs. From the database, in one go."""
    user = person_of(session_key)
    return (
        user.pk if user and Conversation.objects.owned_by(user).filter(pk=conversation_id).exists() else None
    )


def person_of(session_key: str) -> User | None:
    """Who is signed in by that session. From the database.

    Django's own ``get_user`` decides: the person is active and the session is not one of an older password.
    """
    store = import_module(settings.SESSION_ENGINE).SessionStore
    if not session_key or not store().exists(session_key):
        return None
    request = SimpleNamespace(session=store(session_key))
    user = get_user(cast(HttpRequest, request))
    return user if isinstance(user, get_user_model()) else None
