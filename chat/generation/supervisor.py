"""Starts, holds, stops and saves the runs of this process.

It belongs to one event loop. Views call :meth:`Supervisor.start_soon` and :meth:`Supervisor.stop_soon`
from their own threads; everything else happens on the loop.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from typing import Any
from uuid import UUID

from django.db import Error, OperationalError
from django.utils import timezone
from django.utils.translation import gettext as _

from backends.adapters.http import Http
from backends.database import in_database
from chat import trash
from chat.generation import queue, recovery, waiting
from chat.generation.pacing import Pacer
from chat.generation.prompt import Prepared
from chat.generation.recorder import save_ends, save_progress
from chat.generation.run import Run
from chat.generation.runner import INTERNAL, OpenEndpoint, Runner
from chat.generation.tidying import forget_unused_texts
from chat.generation.updates import Bus, Kind, Update
from chat.generation.waiters import Waiters
from chat.models import Generation, Status
from chat.tree.keeping import purge_deleted

logger = logging.getLogger(__name__)

#: Seconds between two saves of everything that grew.
SAVE_EVERY = 1.0
#: Seconds before an end that could not be saved is tried again.
SAVE_AGAIN = 2.0
#: Saves between two looks for runs that a dead process left behind and for forgotten waiting ones.
SWEEP_EVERY = 5
#: Saves between two looks for texts that no receipt names any more, and for messages deleted long ago.
TIDY_EVERY = 3600
#: Saves between two looks for what was deleted long ago.
PURGE_EVERY = 600

#: A run that is over, and who waits until that is saved.
Ending = tuple[Run, asyncio.Future[None]]


class Supervisor:
    """The runs of this process. Make it on the event loop that it shall use."""

    def __init__(
        self,
        http: Http,
        bus: Bus,
        open_endpoint: OpenEndpoint,
        after_end: Sequence[Callable[[str], object]] = (),
        sweeps: Sequence[Callable[[], object]] = (),
    ) -> None:
        """``after_end`` are done with the conversation's id when an answer has ended, ``sweeps`` now and then."""
        self.loop = asyncio.get_running_loop()
        self.bus = bus
        self.pacer = Pacer()
        self.runner = Runner(bus, http, self.pacer, open_endpoint)
        self.runs: dict[UUID, Run] = {}
        self._tasks: dict[UUID, asyncio.Task[None]] = {}
        self._others: set[asyncio.Task[Any]] = set()
        self._ending: list[Ending] = []
        self._closing = False
        self._after_end, self._sweeps = after_end, sweeps
        self.waiters = Waiters(self.queue_changed_soon)
        self._save_loop = self.loop.create_task(self._save_regularly())

    # --- called from any thread -------------------------------------------------------------------

    def start_soon(self, generation: Generation, prepared: Prepared | None) -> None:
        """Run what :mod:`chat.generation.queue` has given to this process."""
        self.loop.call_soon_threadsafe(self._start, recovery.new_run(generation), prepared)

    def waits_soon(self, generation: Generation) -> None:
        """This one waits for its backend."""
        self.loop.call_soon_threadsafe(self.waiters.add, generation.backend_id, generation.retry_at)

    def stop_soon(self, generation_id: UUID) -> None:
        """Stop it if it runs here. The partial answer stays."""
        self.loop.call_soon_threadsafe(self._stop, generation_id)

    def queue_changed_soon(self, backend_id: int | None) -> None:
        """Somebody joined or left the line of that backend."""
        self.loop.call_soon_threadsafe(lambda: self._spawn(self.serve_queue(backend_id)))

    def publish_soon(self, update: Update) -> None:
        """Tell the watchers of a conversation."""
        self.loop.call_soon_threadsafe(lambda: self._spawn(self.bus.publish(update)))

    def look_at_asks_soon(self, generation_id: UUID) -> None:
        """Somebody answered what the server of that run had asked, if it runs here."""
        self.loop.call_soon_threadsafe(self._look_at_asks, generation_id)

    # --- on the loop --------------------------------------------------------------------------------

    async def tell_state(self, conversation_id: str) -> None:
        """Publish the whole state of every run in that conversation (somebody begins to watch)."""
        for run in [run for run in self.runs.values() if run.conversation_id == conversation_id]:
            await self.runner.tell_all(run)

    def _start(self, run: Run, prepared: Prepared | None = None) -> None:
        if self._closing:
            return
        if held := self._tasks.get(run.generation_id):
            if self.runs[run.generation_id].status is Status.QUEUED:  # given up; its end is just being told
                held.add_done_callback(lambda _task: self._start(run, prepared))
            return
        self.runs[run.generation_id] = run
        task = self.loop.create_task(self._hold(run, prepared), name=f"generation {run.generation_id}")
        self._tasks[run.generation_id] = task

    def _stop(self, generation_id: UUID) -> None:
        if run := self.runs.get(generation_id):
            run.stop_requested = True
            self._tasks[generation_id].cancel()
        else:  # it may have gone back to the queue meanwhile
            self._spawn(self._leave_queue(generation_id))

    async def _leave_queue(self, generation_id: UUID) -> None:
        if await in_database(queue.leave, generation_id):
            run = await in_database(recovery.run_of, generation_id)
            await self.bus.publish(Update(Kind.ENDED, run.conversation_id, run.message_id))

    def _look_at_asks(self, generation_id: UUID) -> None:
        if (run := self.runs.get(generation_id)) and run.asks:
            run.asks.look()

    async def _hold(self, run: Run, prepared: Prepared | None) -> None:
        """One run from start to announced end; nothing it does can harm another."""
        try:
            await self.runner.execute(run, prepared)
        except asyncio.CancelledError:
            self._cut_off(run)
        except Exception:
            logger.exception("generation %s failed", run.generation_id)
            run.fail(
                INTERNAL,
                _("The hub made a mistake while answering."),
                _("Try again; the hub's log has the details."),
            )
        await asyncio.shield(self.loop.create_task(self._finish(run)))

    def _cut_off(self, run: Run) -> None:
        if run.stop_requested:
            run.end(Status.STOPPED)
        elif run.awaits_server:
            run.wait_for_server(timezone.now())
        else:
            run.end(Status.INTERRUPTED)

    async def _finish(self, run: Run) -> None:
        """Save first, announce then, let the next one in."""
        if run.stop_requested and run.status is Status.QUEUED:
            run.end(Status.STOPPED)
        run.unseen = not self.bus.watched_here(run.conversation_id)
        saved = await self._save_end(run)
        while not saved and not self._closing:
            refused = Update(Kind.PHASE, run.conversation_id, run.message_id, phase=disk_sentence())
            await self.bus.publish(refused)
            await asyncio.sleep(SAVE_AGAIN)
            saved = await self._save_end(run)
        self.runs.pop(run.generation_id, None)
        self._tasks.pop(run.generation_id, None)
        if saved and not self._closing:
            waits = run.status is Status.QUEUED
            kind = Kind.WAITS if waits else Kind.ENDED
            await self.bus.publish(Update(kind, run.conversation_id, run.message_id))
            if waits:
                self.waiters.add(run.backend_id, run.retry_at)
            if waits and run.stop_requested:
                await self._leave_queue(run.generation_id)
            if not waits:
                await self._follow_up(run.conversation_id)
            await self.serve_queue(run.backend_id)

    async def _follow_up(self, conversation_id: str) -> None:
        """What comes after an answer; whatever goes wrong there is no matter of the run."""
        for work in self._after_end:
            try:
                await in_database(work, conversation_id)
            except Exception:
                logger.exception("conversation %s: what follows the answer failed", conversation_id)

    async def _save_end(self, run: Run) -> bool:
        """Save the end together with whatever else ends now. False where the disk refuses."""
        future: asyncio.Future[None] = self.loop.create_future()
        self._ending.append((run, future))
        if len(self._ending) == 1:
            self._spawn(self._flush_ends())
        try:
            await future
        except Error:
            logger.exception("generation %s could not be saved", run.generation_id)
            return False
        return True

    async def _flush_ends(self) -> None:
        await asyncio.sleep(0)
        batch, self._ending = self._ending, []
        await self._save_ends(batch)

    async def _save_ends(self, batch: list[Ending]) -> None:
        """Save them together; where that fails for a reason of one of them, each alone."""
        error: Exception | None = None
        try:
            await in_database(save_ends, [run for run, _future in batch])
        except Exception as problem:
            if len(batch) > 1 and not isinstance(problem, OperationalError):
                for ending in batch:
                    await self._save_ends([ending])
                return
            error = problem
        for _run, future in batch:
            if not future.done():
                future.set_exception(error) if error else future.set_result(None)

    async def serve_queue(self, backend_id: int | None) -> None:
        """Start whoever's turn it is, and tell the others their place."""
        line: dict[int, tuple[str, int]] = {}
        while not self._closing:
            line = await in_database(queue.places, backend_id)
            generation_id = await in_database(queue.claim_next, backend_id) if line else None
            if generation_id is None:
                break
            run = await in_database(recovery.run_of, generation_id)
            self._start(run)
            await self.bus.publish(Update(Kind.STARTED, run.conversation_id, run.message_id))
        for message_id, (conversation_id, place) in line.items():
            if self.bus.watched(conversation_id):
                await self.bus.publish(
                    Update(Kind.PHASE, conversation_id, message_id, phase=waiting_sentence(place))
                )

    async def _save_regularly(self) -> None:
        """Save what grew and renew the leases; now and then look for what others left behind."""
        count = 0
        while True:
            await asyncio.sleep(SAVE_EVERY)
            try:
                if self.runs:
                    await in_database(save_progress, list(self.runs.values()))
                count += 1
                if count % SWEEP_EVERY == 0:
                    await self.sweep()
                if count % TIDY_EVERY == 0:
                    await in_database(forget_unused_texts)
                if count % PURGE_EVERY == 0:
                    await in_database(trash.purge)
                    await in_database(purge_deleted)
            except Exception:  # whatever it is: the leases of all runs hang on this loop
                logger.exception("could not save; trying again")
                for run in self.runs.values():
                    run.save_again()

    async def sweep(self) -> None:
        """End what a dead process left running, serve forgotten lines."""
        for conversation_id, message_id in await in_database(recovery.interrupt_abandoned):
            await self.bus.publish(Update(Kind.ENDED, conversation_id, message_id))
        await in_database(waiting.release_orphans)
        for look in self._sweeps:
            await in_database(look)
        for backend_id in await in_database(queue.backends_with_waiting):
            await self.serve_queue(backend_id)

    async def recover(self) -> None:
        """At the start: nothing of a dead process stays running, whoever waited goes on waiting."""
        await in_database(recovery.interrupt_dead_workers)
        await in_database(forget_unused_texts)
        await in_database(purge_deleted)
        await self.sweep()

    async def close(self) -> None:
        """End all runs as interrupted, saved; at most a few seconds."""
        self._closing = True
        self._save_loop.cancel()
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=5) if tasks else None
        others = list(self._others)
        for other in others:
            other.cancel()
        await asyncio.gather(self._save_loop, *others, return_exceptions=True)

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        task = self.loop.create_task(work)
        self._others.add(task)
        task.add_done_callback(self._others.discard)


def waiting_sentence(place: int) -> str:
    """The place in line, in words."""
    if place == 1:
        return _("Next in line")
    return _("Number %(place)d in line") % {"place": place}


def disk_sentence() -> str:
    """What the page says while the database refuses to save."""
    return _("The hub cannot save this answer (is the disk full?). It keeps the text and tries again…")
