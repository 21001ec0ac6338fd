"""Columns of comparisons that were imported one by one, and stand side by side again at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backends.database import write_transaction
from chat.models import FEWEST, Comparison, Conversation, Generation
from chat.services.comparing import alias_of
from chat.transfer.portable import Column

if TYPE_CHECKING:
    from privatechathub.accounts.models import User


def told_of(conversation: Conversation) -> Column | None:
    """What an export tells of its place in a comparison. No query where it has none."""
    found = conversation.comparison
    if found is None:
        return None
    return Column(
        str(found.pk), conversation.column, found.blind, voted_at=found.voted_at, created_at=found.created_at
    )


class Columns:
    """What one import brought of comparisons. Until :meth:`join` each column is an ordinary conversation."""

    def __init__(self, owner: User) -> None:
        self._owner = owner
        self._found: dict[str, dict[int, tuple[Conversation, Column]]] = {}

    def add(self, conversation: Conversation, place: Column | None) -> None:
        """A conversation that was made; the first one of a place has it."""
        if place is not None:
            self._found.setdefault(place.id, {}).setdefault(place.number, (conversation, place))

    def join(self) -> None:
        """Make comparisons where enough columns arrived; the others stay ordinary conversations."""
        for places in self._found.values():
            if len(places) >= FEWEST:
                with write_transaction():
                    self._join([places[number] for number in sorted(places)])
        self._found.clear()

    def _join(self, columns: list[tuple[Conversation, Column]]) -> None:
        told = columns[0][1]
        made = Comparison.objects.create(owner=self._owner, blind=told.blind, voted_at=told.voted_at)
        if told.created_at:
            Comparison.objects.filter(pk=made.pk).update(created_at=told.created_at)
        for number, (conversation, _column) in enumerate(columns):
            alias = alias_of(number) if made.wants_vote else ""
            mine = Conversation.objects.owned_by(self._owner).filter(pk=conversation.pk)
            mine.update(comparison=made, column=number, alias=alias)
            Generation.objects.filter(message__conversation=conversation).update(alias=alias)
