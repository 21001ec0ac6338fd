"""The websocket of a comparison: one page that watches all of its columns.

The rooms of the columns render for any page that watches. What they say of a thread as a whole names
its one place on a page; here each column has a place of its own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from uuid import UUID

from backends.database import in_database
from chat.models import Comparison, Conversation
from chat.realtime import room
from chat.realtime.consumer import ConversationConsumer, person_of

#: What there is one of for each thread. Texts of people and models cannot match: they hold no bare ``<``.
_PLACES = re.compile(r'(<hx-partial hx-target="#|<div id=")(messages|thread-state)"')


def in_column(html: str, column: int) -> str:
    """A thread's HTML or frame as it stands in that column."""
    return _PLACES.sub(rf'\1\2-{column}"', html)


@dataclass(frozen=True, eq=False)
class ColumnWatcher:
    """One column of a page."""

    page: ComparisonConsumer
    column: int

    async def deliver(self, frame: str) -> None:
        """Send a frame to the column."""
        await self.page.deliver(in_column(frame, self.column))


class ComparisonConsumer(ConversationConsumer):
    """One page that watches a comparison of its owner."""

    #: (room, watcher) of each column.
    watched: tuple[tuple[room.Room, ColumnWatcher], ...] = ()

    async def enter(self) -> None:
        """Begin to watch every column."""
        seen = dict(enumerate(self.seen()))
        for column, conversation_id in await in_database(columns_of, self.id):
            watcher = ColumnWatcher(self, column)
            entered = await room.enter(conversation_id, watcher, seen.get(column, -1))
            if entered:
                self.watched = (*self.watched, (entered, watcher))

    async def leave(self) -> None:
        """No longer watch any."""
        for entered, watcher in self.watched:
            await room.leave(entered, watcher)

    def whose(self) -> int | None:
        """Whose session it is, if the comparison is theirs. From the database."""
        user = person_of(self.session_key)
        return user.pk if user and Comparison.objects.owned_by(user).filter(pk=self.id).exists() else None


def columns_of(comparison_id: str) -> list[tuple[int, str]]:
    """(column, conversation id) of each."""
    rows = Conversation.objects.filter(comparison__pk=UUID(comparison_id)).order_by("column")
    return [(column, str(pk)) for column, pk in rows.values_list("column", "pk")]
