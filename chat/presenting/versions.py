"""Which other messages could stand in a message's place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from django.db.models import Q

from chat.models import Conversation, Message
from chat.presenters.message import VersionsView
from chat.tree.reading import tree_of


class Neighbour(NamedTuple):
    """A message that hangs where a shown one does, or above it. ``is_there``: not deleted, or a gap in the tree."""

    pk: int
    parent_id: int | None
    conversation_id: UUID
    is_gap: bool
    is_there: bool


def neighbours(rows: Sequence[Message]) -> list[Neighbour]:
    """What hangs where these messages do, they themselves too, and what they hang on; by age, in one query."""
    above = {row.parent_id for row in rows} - {None}
    places = Q(parent__in=above) | Q(pk__in=above)
    if first := {row.conversation_id for row in rows if row.parent_id is None}:
        places |= Q(parent=None, conversation__in=first)
    columns = ("pk", "parent_id", "conversation_id", "is_gap", "deleted_at")
    found = Message.objects.filter(places).order_by("pk").values_list(*columns)
    return [
        Neighbour(pk, parent, conversation, is_gap, is_gap or deleted is None)
        for pk, parent, conversation, is_gap, deleted in found
    ]


def that_may_vary(rows: Sequence[Message], around: Sequence[Neighbour]) -> list[Message]:
    """Those of which there may be other versions. Deleted where it was written, one may still be shown elsewhere."""
    gaps = gaps_in(around)
    beside: dict[int | None, list[Neighbour]] = {}
    for other in around:
        beside.setdefault(other.parent_id, []).append(other)
    return [
        row
        for row in rows
        if row.parent_id in gaps or any(is_version_of(row, each) for each in beside.get(row.parent_id, ()))
    ]


def gaps_in(around: Sequence[Neighbour]) -> set[int]:
    """Those that are only a place in the tree."""
    return {other.pk for other in around if other.is_gap}


def is_version_of(row: Message, other: Neighbour) -> bool:
    """Whether that one of the same place may be shown instead."""
    elsewhere = other.conversation_id != row.conversation_id
    if row.parent_id is None and elsewhere:
        return False
    return other.pk != row.pk and (other.is_there or elsewhere)


def versions_of(rows: Sequence[Message], conversation: Conversation | None) -> dict[int, VersionsView]:
    """Message id -> its versions, of those that have others. One query, more where it is not simple.

    ``conversation`` is the one that shows them, without it that of the messages.
    """
    around = neighbours(rows)
    varying = that_may_vary(rows, around)
    if conversation is None:
        if not varying:
            return {}
        conversation = rows[0].conversation
    # A fork may have begun anew instead of the first message that it shares.
    if conversation.forked_from_id is not None:
        varying = [row for row in rows if row in varying or row.parent_id is None]
    if not varying:
        return {}
    found = simple_versions(varying, around, conversation)
    if found is None:
        tree = tree_of(conversation)
        found = {row.pk: tree.versions(row.pk) for row in varying if tree.shows(row.pk)}
    return {row.pk: versions_view(row, found[row.pk]) for row in varying if len(found.get(row.pk, ())) > 1}


def simple_versions(
    varying: Sequence[Message], around: Sequence[Neighbour], conversation: Conversation
) -> dict[int, list[int]] | None:
    """The versions by what hangs on the same message; None where gaps or a fork's border make it less simple."""
    if conversation.forked_from_id is not None:
        return None
    gaps = gaps_in(around)
    parents = {row.parent_id for row in varying}
    found: dict[int | None, list[int]] = {}
    for other in around:
        if other.parent_id in parents and other.conversation_id == conversation.pk and other.is_there:
            if other.is_gap or other.parent_id in gaps:
                return None
            found.setdefault(other.parent_id, []).append(other.pk)
    return {row.pk: found.get(row.parent_id, []) for row in varying}


def versions_view(row: Message, ids: list[int]) -> VersionsView:
    """The arrows."""
    place = ids.index(row.pk)
    return VersionsView(
        place=row.parent_id or 0,
        number=place + 1,
        count=len(ids),
        previous_id=ids[place - 1] if place else None,
        next_id=ids[place + 1] if place + 1 < len(ids) else None,
    )
