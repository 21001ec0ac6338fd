"""Wakes who waits for a backend: by the clock at first, then when the watch says that it is back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

from django.utils import timezone

from backends.database import in_database
from backends.watch import Seen
from chat.generation import waiting

#: Seconds after the moment at which somebody is to be tried, so that it has come by every clock.
SLACK = 0.05

ServeSoon = Callable[[int | None], None]
LookSoon = Callable[[int], None]


def look_at_nothing(_backend_id: int) -> None:
    """Where there is no watch."""


class Waiters:
    """The clocks of this process. ``serve_soon`` starts whoever's turn it is at a backend."""

    def __init__(self, serve_soon: ServeSoon) -> None:
        self.look_soon: LookSoon = look_at_nothing
        self._serve_soon = serve_soon

    def add(self, backend_id: int | None, retry_at: datetime | None) -> None:
        """Somebody began to wait; on the loop. A first look tells whether the backend is back already."""
        if backend_id is None or retry_at is None:
            return
        seconds = max(0.0, (retry_at - timezone.now()).total_seconds()) + SLACK
        asyncio.get_running_loop().call_later(seconds, self._serve_soon, backend_id)
        self.look_soon(backend_id)

    async def hear(self, seen: Seen) -> bool:
        """What a look at a backend showed. Gives whether somebody still waits for it."""
        let_in, wanted = await in_database(waiting.take_note, seen)
        if let_in:
            self._serve_soon(seen.backend_id)
        return wanted
