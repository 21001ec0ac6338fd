"""Sends pages away in the moment their person signs out, is signed out elsewhere, disabled or deleted.

The database's signals say when a session or a person changed, and every process of the hub looks at
the pages that it serves. What no signal tells, the pages find out themselves (see the consumer).
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any, Protocol
from weakref import WeakSet

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from chat.generation import runtime

#: The word for it among the requests that processes of the hub send each other.
LEAVE = "leave"


class Page(Protocol):
    """A websocket of this process."""

    @property
    def user_id(self) -> int | None:
        """Who is signed in there."""

    @property
    def session_key(self) -> str | None:
        """The session they are signed in by."""

    async def send_away(self) -> None:
        """Close it."""

    async def look_again(self) -> None:
        """Close it unless its person may still watch."""


pages: WeakSet[Page] = WeakSet()


@receiver(post_delete, sender=Session)
def session_ended(instance: Session, **_kwargs: Any) -> None:
    """Signed out here, from another device, or by a new password: a session's row is gone."""
    transaction.on_commit(partial(tell, session=instance.session_key))


@receiver([post_save, post_delete], sender=settings.AUTH_USER_MODEL)
def person_changed(instance: Any, **_kwargs: Any) -> None:
    """Disabled, deleted, or with another password."""
    transaction.on_commit(partial(tell, user=instance.pk))


def tell(**whom: Any) -> None:
    """Have all processes look at the pages of that session or of that person."""
    if running := runtime.current():
        running.ask_soon({"ask": LEAVE, **whom})


async def leave(message: dict[str, Any]) -> None:
    """Send away the pages of this process that the message is about."""
    here = list(pages)
    gone = [
        page.send_away() for page in here if "session" in message and page.session_key == message["session"]
    ]
    doubtful = [page.look_again() for page in here if "user" in message and page.user_id == message["user"]]
    await asyncio.gather(*gone, *doubtful)


runtime.controls[LEAVE] = leave
