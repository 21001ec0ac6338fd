"""What the server of one running answer wants to know from the person, until it has been told.

The row of a request holds its answer, so that any process can take it. The process that holds the run
is told to look at the row, and looks now and then by itself, since what processes tell each other can
get lost.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from django.db import Error
from django.utils.translation import gettext as _

from backends.adapters.errors import BackendError, NotFound
from backends.adapters.events import Ask as AskEvent
from backends.adapters.events import AskAnswer, Verdict
from backends.database import in_database
from chat.generation import ask_rows
from chat.models import Ask, AskState

logger = logging.getLogger(__name__)

#: Seconds after which a request that nobody answered is denied.
LIMIT = 120.0
#: Seconds between two looks at the row without being told.
LOOK_AGAIN = 5.0
#: Seconds that denying may take when the answer is over.
GOODBYE = 2.0
#: Requests of one answer that may be open at a time; more are denied at once.
MOST_OPEN = 20
#: Seconds before the next try to hand an answer over; after the last one the run fails.
TRY_AGAIN = (0.5, 2.0)


class Asker(Protocol):
    """Whoever wants to know: an adapter, for its server, or the hub itself."""

    async def reply(self, ask: AskEvent, answer: AskAnswer, message: str = "") -> None: ...


@dataclass(slots=True)
class Open:
    """One request that waits: its row, what wakes its task up, and whether it has been answered here."""

    event: AskEvent
    row: Ask
    look: asyncio.Event = field(default_factory=asyncio.Event)
    settled: bool = False
    task: asyncio.Task[None] | None = None


class Asks:
    """The open requests of a run. Make it in the task that reads the stream.

    ``changed`` is called when the list of open ones is another. ``failure`` is why an answer could not
    be handed over: the stream would wait for ever, so its task is cancelled.
    """

    def __init__(self, generation_id: UUID, asker: Asker, changed: Callable[[], Awaitable[None]]) -> None:
        self.failure: BaseException | None = None
        self._generation_id = generation_id
        self._asker = asker
        self._changed = changed
        self._open: dict[str, Open] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._stream = asyncio.current_task()

    @property
    def open(self) -> list[Ask]:
        """The rows of those that wait, the oldest first."""
        return [one.row for one in self._open.values() if not one.settled]

    async def ask(self, event: AskEvent) -> None:
        """Ask the person; whoever cannot be asked has denied."""
        row = await self._row(event) if len(self._open) < MOST_OPEN else None
        if row is None:
            self._spawn(self._tell(event, Verdict.DENY, _("Nobody could be asked.")))
            return
        one = self._open[event.id] = Open(event, row)
        one.task = self._spawn(self._settle(one))
        await self._changed()

    async def answered_elsewhere(self, ask_id: str) -> None:
        """It needs no answer from here any more."""
        one = self._open.pop(ask_id, None)
        if one is None or one.settled:
            return
        if one.task:
            one.task.cancel()
        await in_database(ask_rows.settle, Ask.objects.filter(pk=one.row.pk), AskState.CLOSED)
        await self._changed()

    def look(self) -> None:
        """Somebody answered something: the rows tell what."""
        for one in self._open.values():
            one.look.set()

    def take_back_cancellation(self) -> None:
        """The stream's task lives on, to say why it ended."""
        if task := asyncio.current_task():
            task.uncancel()

    async def close(self) -> None:
        """Nobody waits for an answer any more. The rows are closed with the run.

        OpenCode keeps a request even when its session is aborted, so the open ones are denied.
        """
        self._stream = None
        left = [one.event for one in self._open.values() if not one.settled]
        self._open.clear()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*map(self._deny_quietly, left))

    async def _deny_quietly(self, event: AskEvent) -> None:
        try:
            async with asyncio.timeout(GOODBYE):
                await self._reply(event, Verdict.DENY, _("The answer was stopped."))
        except (BackendError, TimeoutError) as error:
            logger.info("a request could not be denied: %r", error)

    async def _row(self, event: AskEvent) -> Ask | None:
        try:
            return await in_database(ask_rows.open_ask, self._generation_id, event, LIMIT)
        except Error:
            logger.exception("generation %s: a request could not be kept", self._generation_id)
            return None

    async def _settle(self, one: Open) -> None:
        row = await self._answer(one)
        one.settled = True
        await self._changed()
        answer = ask_rows.answer_in(row) if row else Verdict.DENY
        expired = row is None or row.state == AskState.EXPIRED
        reason = _("Nobody answered in time.") if expired else _("The person denied this.")
        await self._tell(one.event, answer, reason)
        self._open.pop(one.event.id, None)

    async def _answer(self, one: Open) -> Ask | None:
        """The row once somebody answered or the time is over; None where the database cannot tell."""
        loop = asyncio.get_running_loop()
        until = loop.time() + LIMIT
        while (left := until - loop.time()) > 0:
            one.look.clear()
            if row := await self._read(ask_rows.settled, one):  # it may have been answered before we knew it
                return row
            with suppress(TimeoutError):
                async with asyncio.timeout(min(left, LOOK_AGAIN)):
                    await one.look.wait()
        return await self._read(ask_rows.expire, one)

    async def _read(self, read: Callable[[UUID], Ask | None], one: Open) -> Ask | None:
        try:
            return await in_database(read, one.row.pk)
        except Error:
            logger.exception("generation %s: a request could not be read", self._generation_id)
            return None

    async def _tell(self, event: AskEvent, answer: AskAnswer, reason: str) -> None:
        """Hand the answer over. Raises BackendError where that cannot be done."""
        for pause in TRY_AGAIN:
            try:
                return await self._reply(event, answer, reason)
            except BackendError as error:
                if not error.retryable:
                    raise
            await asyncio.sleep(pause)
        return await self._reply(event, answer, reason)

    async def _reply(self, event: AskEvent, answer: AskAnswer, reason: str) -> None:
        with suppress(NotFound):  # somebody answered elsewhere
            await self._asker.reply(event, answer, reason)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) and self._stream:
            self.failure = error
            self._stream.cancel()
