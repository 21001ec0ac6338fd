"""Everybody who looks at one conversation, in this process.

The room renders each update once and passes the frame to all its watchers. It exists while somebody
watches; nothing is rendered for a conversation without a room.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Protocol

from django.urls import reverse

from backends.database import in_database, write_transaction
from backends.models import CatalogueModel
from chat.generation import runtime
from chat.generation.updates import Kind, Update
from chat.models import Conversation, Generation
from chat.presenters.message import MessageView
from chat.presenters.thread import ThreadView
from chat.presenters.upcoming import UpcomingListView
from chat.presenting.message import beginning_answer, one_message_view
from chat.presenting.meter import meter_after, meter_view
from chat.presenting.projects import mark, sidebar_projects
from chat.presenting.thread import thread_view
from chat.presenting.upcoming import upcoming_view
from chat.realtime import frames
from chat.realtime.live import LiveAnswer
from chat.tools.project import RenameProject

logger = logging.getLogger(__name__)

rooms: dict[str, Room] = {}


class Watcher(Protocol):
    """One page."""

    async def deliver(self, frame: str) -> None:
        """Send a frame to it. Must not wait for the network."""


class Room:
    """One conversation with its watchers and its running answers."""

    def __init__(self, conversation_id: str) -> None:
        self.id = conversation_id
        self.watchers: set[Watcher] = set()
        self.entering = 0
        self.live: dict[int, LiveAnswer] = {}
        self._lock = asyncio.Lock()

    async def hear(self, update: Update) -> None:
        """Take an update from the bus. What goes wrong here must not reach the run."""
        try:
            async with self._lock:
                if (
                    update.kind is Kind.GREW
                    and (live := self.live.get(update.message_id))
                    and live.fits(update)
                ):
                    await self.send(live.grow(update))
                else:
                    await self._take(update)
        except Exception:
            logger.exception("conversation %s: an update could not be shown", self.id)

    async def _take(self, update: Update) -> None:
        live = self.live.get(update.message_id)
        match update.kind:
            case Kind.GREW | Kind.STARTED:
                await self._ask_for_state()
            case Kind.PHASE:
                await self._phase(live, update)
            case Kind.ACTIVITY | Kind.ASKS:
                await self._cards(live, update)
            case Kind.FULL | Kind.RESTARTED:
                await self._full(live, update)
            case Kind.ENDED | Kind.WAITS:
                await self._end(update)
            case Kind.ADDED:
                await self._added(update)
            case Kind.CHANGED:
                await self._show_thread()
            case Kind.UPCOMING:
                await self._show_upcoming()
            case Kind.SYNC:
                pass

    async def _phase(self, live: LiveAnswer | None, update: Update) -> None:
        if live is not None:
            await self.send(live.phase(update.phase, update.progress))
        else:
            await self.send(frames.phase(update.message_id, update.phase, update.progress))

    async def _cards(self, live: LiveAnswer | None, update: Update) -> None:
        if live is None:
            await self._ask_for_state()
        elif update.kind is Kind.ACTIVITY:
            await self.send(live.show_activities(update))
        else:
            await self.send(live.show_asks(update))

    async def _full(self, live: LiveAnswer | None, update: Update) -> None:
        if live is None:
            view = await in_database(one_message_view, update.message_id)
            if view is None or view.status not in ("queued", "running"):
                return
            live = self.live[update.message_id] = LiveAnswer(view, update)
        else:
            live.reset(update)
        await self.send(live.frame())

    async def _added(self, update: Update) -> None:
        """A question and its answer; one that already runs is live from now on."""
        await self.send(frames.added(update.html) + frames.state(update.revision, True, self.stop_url))
        if update.model_label and update.message_id not in self.live:
            view = beginning_answer(update.message_id, update.model_label)
            self.live[update.message_id] = LiveAnswer(view, update)

    async def _end(self, update: Update) -> None:
        self.live.pop(update.message_id, None)
        view, revision, active, meter = await in_database(ended_answer, update.message_id, self.id)
        article = frames.replaced(view) if view else ""
        await self.send(article + frames.state(revision, active, self.stop_url) + meter)

    async def _show_thread(self) -> None:
        await self.send(await self._thread())
        await self._ask_for_state()

    async def _show_upcoming(self) -> None:
        view, revision, active = await in_database(load_upcoming, self.id)
        if view is not None:
            await self.send(frames.upcoming(view) + frames.state(revision, active, self.stop_url))

    async def _thread(self) -> str:
        """The whole thread anew; nothing where the conversation was deleted."""
        view, meter = await in_database(load_thread, self.id)
        if view is None:
            return ""
        waiting = frames.upcoming(view.upcoming) if view.upcoming else ""
        return frames.thread(view) + frames.state(view.revision, view.active, self.stop_url) + waiting + meter

    async def _ask_for_state(self) -> None:
        """Have the holder of the runs publish their whole state (not from within this update)."""
        if running := runtime.current():
            task = asyncio.get_running_loop().create_task(running.sync(self.id))
            task.add_done_callback(lambda done: done.cancelled() or done.exception())

    @property
    def stop_url(self) -> str:
        """Where stop is posted."""
        return reverse("chat:stop", args=[self.id])

    async def send(self, frame: str) -> None:
        """Pass a frame to all watchers."""
        for watcher in tuple(self.watchers):
            await watcher.deliver(frame)

    async def welcome(self, watcher: Watcher, seen_revision: int) -> None:
        """Bring a new page up to date: the thread if it missed a change, and what is being written."""
        async with self._lock:
            revision, active = await in_database(revision_and_active, self.id)
            frame = "" if revision == seen_revision else await self._thread()
            for gone in self.live.keys() - active:
                del self.live[gone]
            known = "".join(live.frame() for live in self.live.values())
            if frame or known:
                await watcher.deliver(frame + known)
            self.watchers.add(watcher)
            if active - self.live.keys():
                await self._ask_for_state()


def load_thread(conversation_id: str) -> tuple[ThreadView | None, str]:
    """The thread as it is in the database now, and the frame of its meter."""
    conversation = Conversation.objects.filter(pk=conversation_id).first()
    if conversation is None:
        return None, ""
    view = thread_view(conversation)
    if conversation.comparison_id:  # its columns have no meter
        return view, ""
    return view, frames.meter(meter_view(conversation, view, asked_model(conversation)))


def load_upcoming(conversation_id: str) -> tuple[UpcomingListView | None, int, bool]:
    """What is typed ahead there, the count of changes, and whether an answer is written."""
    conversation = Conversation.objects.filter(pk=conversation_id).first()
    revision, active = revision_and_active(conversation_id)
    return upcoming_view(conversation) if conversation else None, revision, bool(active)


def revision_and_active(conversation_id: str) -> tuple[int, set[int]]:
    """The count of changes, and the messages that are being written or wait.

    Whoever asks is looking, so nothing stays unread.
    """
    rows = Conversation.objects.filter(pk=conversation_id).values_list("revision", "unread")
    revision, unread = next(iter(rows), (0, False))
    if unread:
        mark_seen(conversation_id)
    return revision, active_in(conversation_id)


def mark_seen(conversation_id: str) -> None:
    """Nothing of it is unread."""
    with write_transaction():
        Conversation.objects.filter(pk=conversation_id).update(unread=False)


def active_in(conversation_id: str) -> set[int]:
    """The messages that are being written or wait."""
    active = Generation.objects.active().filter(message__conversation_id=conversation_id).order_by()
    return set(active.values_list("message_id", flat=True))


def ended_answer(message_id: int, conversation_id: str) -> tuple[MessageView | None, int, bool, str]:
    """An answer as it was saved, the count of changes, whether another one is being written, and the meter.

    Whoever asks is looking, so nothing stays unread.
    """
    conversation = next(iter(Conversation.objects.filter(pk=conversation_id)), None)
    if conversation is None:
        return None, 0, False, ""
    if conversation.unread:
        mark_seen(conversation_id)
    active = bool(active_in(conversation_id))
    view = one_message_view(message_id)
    meter = ""
    if view and view.context and not conversation.comparison_id:  # the columns of one have no meter
        meter = frames.meter(meter_after(conversation, view, asked_model(conversation)))
    return view, conversation.revision, active, meter + renamed_project(view, conversation_id)


def renamed_project(view: MessageView | None, conversation_id: str) -> str:
    """The frame of a project that the answer has renamed. No query where it did not."""
    if view is None or not any(call.name == RenameProject.name for call in view.activities):
        return ""
    rows = Conversation.objects.select_related("project", "owner").filter(comparison=None)
    conversation = rows.filter(pk=conversation_id).first()
    if conversation is None or conversation.project is None:
        return ""
    return frames.project(mark(conversation.project), sidebar_projects(conversation.owner))


def asked_model(conversation: Conversation) -> CatalogueModel | None:
    """The model that the conversation asked last."""
    rows = CatalogueModel.objects.select_related("backend").order_by()
    return next(iter(rows.filter(backend=conversation.backend_id, model_id=conversation.model_id)), None)


async def enter(conversation_id: str, watcher: Watcher, seen_revision: int) -> Room | None:
    """Begin to watch. None where this process runs no answers (yet)."""
    running = runtime.current()
    if running is None:
        return None
    room = rooms.get(conversation_id)
    if room is None:
        room = rooms[conversation_id] = Room(conversation_id)
        await running.bus.subscribe(conversation_id, room.hear)
    room.entering += 1
    try:
        await room.welcome(watcher, seen_revision)
    except BaseException:
        room.entering -= 1
        await leave(room, watcher)
        raise
    room.entering -= 1
    return room


async def leave(room: Room, watcher: Watcher) -> None:
    """No longer watch; the last one closes the room, unless somebody is just coming in."""
    room.watchers.discard(watcher)
    if room.watchers or room.entering or rooms.get(room.id) is not room:
        return
    del rooms[room.id]
    if running := runtime.current():
        await running.bus.unsubscribe(room.id, room.hear)
