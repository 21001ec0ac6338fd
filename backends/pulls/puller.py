"""Runs downloads in the background, so that no page has to stay open for one."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from contextlib import aclosing
from functools import partial
from uuid import uuid4

from django.db import DatabaseError

from backends.adapters.errors import AuthFailed, BackendError, ServerError, Unsupported
from backends.adapters.http import Http
from backends.adapters.management import ManagesModels
from backends.adapters.registry import make_adapter
from backends.crypto import CannotDecrypt
from backends.database import in_database
from backends.pulls import rows
from backends.pulls.models import Pull, PullStatus
from backends.pulls.rows import Word
from backends.pulls.tally import Tally
from backends.service import hint_for

logger = logging.getLogger(__name__)

#: Seconds between two saves of a download, which is also how soon it hears of a cancel.
SAVE_EVERY = 1.0
#: Seconds between two looks for downloads that nobody runs.
LOOK_EVERY = 5.0
#: Downloads that one process runs at the same time.
AT_ONCE = 3


class Puller:
    """The downloads of this process. Make it on the event loop that it shall use.

    ``on_change`` is called with the id of a backend whose list of models changed.
    """

    def __init__(self, http: Http, on_change: Callable[[int], None]) -> None:
        self.http = http
        self.on_change = on_change
        self.worker = uuid4().hex
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._wake = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, with what an earlier process left."""
        self._task = self._loop.create_task(self._run())

    def wake_soon(self) -> None:
        """There is something new. Callable from any thread."""
        self._loop.call_soon_threadsafe(self._wake.set)

    async def close(self) -> None:
        """Stop; downloads under way wait for the next process."""
        tasks = [task for task in (self._task, *self._tasks.values()) if task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            try:
                await self._start_due()
            except DatabaseError:
                logger.exception("could not read the downloads")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY):
                    await self._wake.wait()

    async def _start_due(self) -> None:
        room = AT_ONCE - len(self._tasks)
        for pull in await in_database(rows.claim, self.worker, room) if room > 0 else []:
            task = self._loop.create_task(self._hold(pull), name=f"pull {pull.pk}")
            self._tasks[pull.pk] = task
            task.add_done_callback(partial(self._forget, pull.pk))

    def _forget(self, pull_id: int, _task: asyncio.Task[None]) -> None:
        self._tasks.pop(pull_id, None)
        self._wake.set()

    async def _hold(self, pull: Pull) -> None:
        """One download from start to end; nothing it does can harm another."""
        try:
            await self._end(pull, await self._outcome(pull))
        except asyncio.CancelledError:
            await asyncio.shield(in_database(rows.release, pull))
            raise
        except DatabaseError:
            logger.exception("download %s could not be saved", pull.pk)

    async def _end(self, pull: Pull, outcome: PullStatus | BackendError | None) -> None:
        if isinstance(outcome, BackendError):
            hint = hint_for(pull.backend.kind, outcome)
            await in_database(rows.finish, pull, PullStatus.FAILED, outcome, hint)
        elif outcome is not None:
            await in_database(rows.finish, pull, outcome)
        if outcome is PullStatus.COMPLETED:
            self.on_change(pull.backend_id)

    async def _outcome(self, pull: Pull) -> PullStatus | BackendError | None:
        """How it ended; None where the row is another process's by now, or gone."""
        tally = Tally()
        reader = self._loop.create_task(self._read(pull, tally))
        try:
            while not (await asyncio.wait({reader}, timeout=SAVE_EVERY))[0]:
                if (word := await self._save(pull, tally)) is not Word.GO_ON:
                    return PullStatus.CANCELLED if word is Word.CANCEL else None
            await self._save(pull, tally)
            return reader.result()
        finally:
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)

    async def _save(self, pull: Pull, tally: Tally) -> Word:
        return await in_database(rows.save_progress, pull, tally, tally.speed(time.monotonic()))

    async def _read(self, pull: Pull, tally: Tally) -> PullStatus | BackendError:
        """Everything that the server says."""
        try:
            adapter = make_adapter(pull.backend.kind, pull.backend.endpoint(), self.http)
            if not isinstance(adapter, ManagesModels):
                return Unsupported("this server has no downloads")
            async with aclosing(adapter.pull(pull.name)) as progress:
                async for step in progress:
                    tally.add(step, time.monotonic())
        except CannotDecrypt:
            return AuthFailed("the stored key or password cannot be read")
        except BackendError as error:
            return error
        except Exception:
            logger.exception("download %s failed", pull.pk)
            return ServerError("the hub made a mistake")
        return PullStatus.COMPLETED
