"""The websocket of a page: it only receives; everything a person does is an ordinary POST."""

from __future__ import annotations

import asyncio
import contextlib
import re
from urllib.parse import parse_qs

from channels.generic.websocket import AsyncWebsocketConsumer
from django.contrib.auth import HASH_SESSION_KEY, get_user_model
from django.contrib.sessions.backends.base import SessionBase
from django.utils.crypto import constant_time_compare

from backends.database import in_database
from chat.models import Conversation
from chat.realtime import leaving, room

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

    async def connect(self) -> None:
        """Let the owner in, nobody else; say nothing about whether the conversation exists."""
        self.conversation_id = str(self.scope["url_route"]["kwargs"]["conversation_id"])
        leaving.pages.add(self)  # before the look, so that a sign-out during it is not missed
        if not await self.allowed() or self.sent_away:
            await self.close(code=NOT_ALLOWED)
            return
        self.accepted = True
        await self.accept()
        language = self.scope.get("language", "en")
        self.room = await room.enter(self.conversation_id, self, self.seen_revision(), language)
        self.checks = asyncio.create_task(self.check_regularly())

    async def disconnect(self, code: int) -> None:
        """The page went away."""
        leaving.pages.discard(self)
        if self.checks:
            self.checks.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self.checks
        if self.room:
            await room.leave(self.room, self)

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
        if not await self.allowed():
            await self.send_away()

    async def send_away(self) -> None:
        """Close the page's socket, once; one that is still being let in closes itself."""
        if not self.sent_away:
            self.sent_away = True
            if self.accepted:
                await self.close(code=NOT_ALLOWED)

    @property
    def user_id(self) -> int | None:
        """Who is signed in, None for nobody."""
        user = self.scope.get("user")
        return None if user is None else user.pk

    @property
    def session_key(self) -> str | None:
        """The session by which this page was opened."""
        session = self.scope.get("session")
        return None if session is None else session.session_key

    async def allowed(self) -> bool:
        """Whether the session still stands and its person owns the conversation."""
        user, session = self.scope.get("user"), self.scope.get("session")
        if user is None or not user.is_authenticated or session is None:
            return False
        return await in_database(may_watch, user.pk, session.session_key, session, self.conversation_id)

    def seen_revision(self) -> int:
        """The revision that the page shows, -1 where it does not tell."""
        values = parse_qs(self.scope["query_string"].decode("latin-1")).get("revision", [])
        return int(values[0]) if values and _REVISION.fullmatch(values[0]) else -1


def may_watch(user_id: int, session_key: str, session: SessionBase, conversation_id: str) -> bool:
    """From the database, not from what the socket remembers."""
    user = get_user_model().objects.filter(pk=user_id, is_active=True).first()
    if user is None or not session.exists(session_key):
        return False
    if not constant_time_compare(session.get(HASH_SESSION_KEY, ""), user.get_session_auth_hash()):
        return False  # another password: the next page would be refused too
    return Conversation.objects.owned_by(user).filter(pk=conversation_id).exists()
