"""Which other messages could stand in a message's place."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Case, Exists, OuterRef, Q, QuerySet, When

from chat.models import Conversation, Message
from chat.presenters import VersionsView
from chat.tree.reading import tree_of


def with_versions_flag() -> QuerySet[Message]:
    """Messages that know whether it is worth looking for other versions of them. No query more."""
    elsewhere = ~Q(conversation=OuterRef("conversation_id"))  # deleted there, it may still be shown here
    others = Message.objects.exclude(pk=OuterRef("pk")).filter(
        Q(deleted_at=None) | Q(is_gap=True) | elsewhere
    )
    above = Message.objects.filter(pk=OuterRef("parent_id"), is_gap=True)
    return Message.objects.annotate(
        may_vary=Case(
            When(
                parent=None,
                then=Exists(others.filter(conversation=OuterRef("conversation_id"), parent=None)),
            ),
            default=Q(Exists(others.filter(parent=OuterRef("parent_id"))) | Exists(above)),
        )
    )


def versions_of(rows: Iterable[Message], conversation: Conversation) -> dict[int, VersionsView]:
    """Message id -> its versions, of those that have others. No query where none may, mostly one where some do."""
    candidates = [row for row in rows if may_vary(row, conversation)]
    if not candidates:
        return {}
    simple = simple_versions(candidates, conversation)
    if simple is None:
        tree = tree_of(conversation)
        simple = {row.pk: tree.versions(row.pk) for row in candidates if tree.shows(row.pk)}
    return {
        row.pk: versions_view(row, simple[row.pk]) for row in candidates if len(simple.get(row.pk, ())) > 1
    }


def may_vary(row: Message, conversation: Conversation) -> bool:
    """Whether it is worth looking. A fork may have begun anew instead of the first message that it shares."""
    begins_fork = row.parent_id is None and conversation.forked_from_id is not None
    return bool(getattr(row, "may_vary", False)) or begins_fork


def simple_versions(candidates: list[Message], conversation: Conversation) -> dict[int, list[int]] | None:
    """The versions by what hangs on the same message; None where gaps or a fork's border make it less simple."""
    if conversation.forked_from_id is not None:
        return None
    parents = {row.parent_id for row in candidates}
    places = Q(parent__in=parents - {None})
    if None in parents:
        places |= Q(parent=None)
    found: dict[int | None, list[int]] = {}
    rows = Message.objects.filter(places, Q(deleted_at=None) | Q(is_gap=True), conversation=conversation)
    above = Message.objects.filter(pk=OuterRef("parent_id"), is_gap=True)
    for pk, parent, is_gap, below_gap in (
        rows.order_by("pk")
        .annotate(below_gap=Exists(above))
        .values_list("pk", "parent_id", "is_gap", "below_gap")
    ):
        if is_gap or below_gap:
            return None
        found.setdefault(parent, []).append(pk)
    return {row.pk: found.get(row.parent_id, []) for row in candidates}


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
