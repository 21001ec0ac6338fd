"""Somebody watches a conversation while its answer is written by a script."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from backends.database import in_database
from chat.models import Conversation, Generation
from chat.services.sending import Sent
from privatechathub.accounts.models import User
from tests.chat.test_realtime import Tab
from tests.conftest import signed_in

#: Seconds; for what takes a moment on an idle machine and long on a busy one.
PATIENCE = 20.0


async def opened(user: User, conversation: Conversation) -> Tab:
    """A page of that person, with its socket."""
    cookie = (await in_database(signed_in, user)).cookies["sessionid"].value
    tab = Tab(f"/ws/conversations/{conversation.pk}/", cookie)
    assert await tab.open() is None
    return tab


async def until(condition: Callable[[], Any], seconds: float = PATIENCE) -> None:
    """Wait for something to become true, which may be asked of the database."""
    async with asyncio.timeout(seconds):
        while not await in_database(condition):
            await asyncio.sleep(0.01)


async def ended(sent: Sent, seconds: float = PATIENCE) -> Generation:
    """The generation once it is no longer active."""
    rows = Generation.objects.select_related("message")
    await until(lambda: not rows.get(pk=sent.generation.pk).is_active, seconds)
    return await in_database(rows.get, pk=sent.generation.pk)
