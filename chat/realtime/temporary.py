"""The websocket of a temporary conversation: its questions come by it too, so that one process has all of it."""

from __future__ import annotations

import json
from typing import Any

from django.utils.translation import gettext as _

from backends.database import in_database
from chat.generation.texts import clean
from chat.realtime import frames, temporary_chat
from chat.realtime.consumer import ConversationConsumer, person_of
from chat.realtime.temporary_chat import TemporaryChat


class TemporaryConsumer(ConversationConsumer):
    """One page of one temporary conversation."""

    chat: TemporaryChat | None = None

    def whose(self) -> int | None:
        """Who is signed in; the conversation itself is no row."""
        user = person_of(self.session_key)
        return user.pk if user else None

    async def enter(self) -> None:
        """Begin, or come back. A page that shows more than there is learns that it is gone."""
        user = await in_database(person_of, self.session_key)
        if user is None:
            return
        self.chat = temporary_chat.enter(self.id, user, self)
        if self.chat is None:
            await self.send_away()
        elif self.seen_revision() > self.chat.revision:
            await self.deliver(frames.partial("temporary-gone", "innerHTML", gone()))
        elif self.chat.live or self.seen_revision() != self.chat.revision:
            await self.deliver(self.chat.whole())

    async def leave(self) -> None:
        """The page went away."""
        if self.chat:
            temporary_chat.leave(self.chat, self)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """A question, or the wish to stop."""
        values = values_in(text_data)
        if self.chat is None or self.sent_away:
            return
        if "stop" in values:
            self.chat.stop()
        elif "text" in values:
            await self.chat.ask(values["text"], values.get("model", ""))


def values_in(text_data: str | None) -> dict[str, str]:
    """The texts of a form as the page sends it, without halves of characters; nothing where it is no such form."""
    try:
        found: Any = json.loads(text_data or "")
    except (ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {str(name): clean(value) for name, value in found.items() if isinstance(value, str)}


def gone() -> str:
    """What a page is told whose conversation is no more."""
    return _(
        "This conversation is gone: the hub was restarted, or the page was away for too long. "
        "What you still see here is on your screen only."
    )
