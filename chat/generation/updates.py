"""What happens in a conversation while somebody may be looking, and the bus that tells it.

A generation says what happened in plain values; whoever watches the conversation (the realtime
package) turns that into HTML. Where nobody watches, nothing is rendered.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """``ADDED``: messages were added; ``html`` shows them, ``model_label`` names who already answers.
    ``FULL``: the whole state of a running answer. ``GREW``: text or reasoning to append at
    ``offset``. ``RESTARTED``: begin the text anew. ``PHASE``: what the backend is doing.
    ``ACTIVITY``: tool calls that changed. ``ASKS``: all requests that are open now.
    ``STARTED``: a queued answer's turn came. ``ENDED``: it is saved and final. ``WAITS``: it is
    queued again, for its backend is away. ``CHANGED``: the thread must be shown anew. ``SYNC``: a
    watcher asks for FULL. ``UPCOMING``: what is typed ahead has changed.
    """

    ADDED = "added"
    FULL = "full"
    GREW = "grew"
    RESTARTED = "restarted"
    PHASE = "phase"
    ACTIVITY = "activity"
    ASKS = "asks"
    STARTED = "started"
    ENDED = "ended"
    WAITS = "waits"
    CHANGED = "changed"
    SYNC = "sync"
    UPCOMING = "upcoming"


@dataclass(frozen=True, slots=True)
class Update:
    """One thing that happened. ``offset`` and ``reasoning_offset`` count characters before it.

    ``activities`` and ``asks`` hold what ``Activity.shown()`` and ``Ask.shown()`` give.
    """

    kind: Kind
    conversation_id: str
    message_id: int = 0
    text: str = ""
    offset: int = 0
    reasoning: str = ""
    reasoning_offset: int = 0
    thought_seconds: int | None = None
    phase: str = ""
    progress: int | None = None
    html: str = ""
    model_label: str = ""
    revision: int = 0
    activities: Sequence[Mapping[str, Any]] = ()
    asks: Sequence[Mapping[str, Any]] = ()


Listener = Callable[[Update], Awaitable[None]]


class Bus:
    """Tells updates to the watchers of a conversation inside this process."""

    def __init__(self) -> None:
        self._listeners: dict[str, list[Listener]] = defaultdict(list)

    def watched(self, conversation_id: str) -> bool:
        """Whether anybody would hear an update."""
        return conversation_id in self._listeners

    def watched_here(self, conversation_id: str) -> bool:
        """Whether anybody watches at a page of this process."""
        return conversation_id in self._listeners

    @property
    def conversations(self) -> tuple[str, ...]:
        """Those that are watched in this process."""
        return tuple(self._listeners)

    async def subscribe(self, conversation_id: str, listener: Listener) -> None:
        """Tell this listener everything about the conversation from now on."""
        self._listeners[conversation_id].append(listener)

    async def unsubscribe(self, conversation_id: str, listener: Listener) -> None:
        """No longer."""
        listeners = self._listeners.get(conversation_id, [])
        if listener in listeners:
            listeners.remove(listener)
        if not listeners:
            self._listeners.pop(conversation_id, None)

    async def publish(self, update: Update) -> None:
        """Tell all watchers, in order."""
        await self.tell_local(update)

    async def tell_local(self, update: Update) -> None:
        """Tell the watchers of this process."""
        for listener in tuple(self._listeners.get(update.conversation_id, ())):
            await listener(update)
