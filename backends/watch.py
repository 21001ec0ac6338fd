"""Looks at every enabled backend in the background, so that no page ever waits for one."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from django.db import DatabaseError

from backends.adapters.http import Http
from backends.crypto import CannotDecrypt
from backends.database import in_database
from backends.models import Backend
from backends.service import look_at, record_look

logger = logging.getLogger(__name__)

#: Seconds between two looks at a server that answers.
EVERY = 60.0
#: Seconds after the first, second … failure in a row; the last one repeats.
BACK_OFF = (5.0, 10.0, 20.0, 40.0, 60.0, 120.0)
#: Seconds at most between two looks at a server that somebody waits for.
WANTED = 20.0
#: Looks under way at the same time.
AT_ONCE = 4


@dataclass(slots=True)
class Next:
    """When a backend's turn comes, and how often in a row it failed."""

    due: float = 0.0
    failures: int = 0


@dataclass(frozen=True, slots=True)
class Seen:
    """What a look showed. ``returned``: the server is there (again), and was not before."""

    backend_id: int
    there: bool
    returned: bool


#: Hears of every look, and says whether somebody waits for that server.
Listener = Callable[[Seen], Awaitable[bool]]


async def nobody_waits(_seen: Seen) -> bool:
    """For a watch on its own."""
    return False


class Watch:
    """The loop that keeps the catalogue fresh. One slow server delays no other."""

    def __init__(self, http: Http, tell: Listener = nobody_waits) -> None:
        self.http = http
        self._tell = tell
        self._next: dict[int, Next] = {}
        self._busy: dict[int, asyncio.Task[None]] = {}
        self._limit = asyncio.Semaphore(AT_ONCE)
        self._wake = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._task = self._loop.create_task(self._run())

    def look_soon(self, backend_id: int) -> None:
        """Look at this backend now. Callable from any thread."""

        def now() -> None:
            self._next[backend_id] = Next()
            self._wake.set()

        self._loop.call_soon_threadsafe(now)

    async def close(self) -> None:
        """Stop looking."""
        tasks = [task for task in (self._task, *self._busy.values()) if task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            try:
                await self._start_due()
            except DatabaseError:
                logger.exception("could not read the backends")
            self._wake.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(2.0):
                    await self._wake.wait()

    async def _start_due(self) -> None:
        now = time.monotonic()
        for backend in await in_database(watched_backends):
            turn = self._next.setdefault(backend.pk, Next())
            if turn.due <= now and backend.pk not in self._busy:
                task = self._loop.create_task(self._look(backend, turn))
                self._busy[backend.pk] = task
                task.add_done_callback(partial(self._forget, backend.pk))

    def _forget(self, backend_id: int, _task: asyncio.Task[None]) -> None:
        self._busy.pop(backend_id, None)

    async def _look(self, backend: Backend, turn: Next) -> None:
        wanted = False
        try:
            was_there = not backend.is_away
            async with self._limit:
                look = await look_at(backend.kind, backend.endpoint(), self.http)
            await in_database(record_look, backend, look)
            turn.failures = 0 if look.ok else turn.failures + 1
            there = not backend.is_away
            wanted = await self._tell(Seen(backend.pk, there, returned=there and not was_there))
        except (CannotDecrypt, DatabaseError) as error:
            logger.warning("backend %s: %s", backend.slug, type(error).__name__)
            turn.failures += 1
        pause = back_off(turn.failures) if turn.failures else EVERY
        turn.due = time.monotonic() + (min(pause, WANTED) if wanted else pause)


def back_off(failures: int) -> float:
    """Seconds to wait after that many failures in a row."""
    return BACK_OFF[min(failures, len(BACK_OFF)) - 1]


def watched_backends() -> list[Backend]:
    """Backends that are looked at: enabled ones that the hub does not run itself."""
    return list(Backend.objects.enabled().filter(managed=False))
