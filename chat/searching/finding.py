"""From a query to conversations with what was found in each, the best first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.models import UUIDField
from django.db.models.functions import Coalesce
from django.utils import timezone

from chat.models import Conversation, Message, SearchEntry
from chat.models.search_entry import Found
from chat.searching import filters
from chat.searching.index import index
from chat.searching.language import Query
from chat.tree.reading import shown_of

if TYPE_CHECKING:
    from privatechathub.accounts.models import User

#: The newest texts with the words that are ranked. More would cost more than their order is worth.
CANDIDATES = 400
#: How much a word counts by where it stands.
WEIGHTS = {
    Found.TITLE: 3.0, Found.NOTE: 1.5, Found.TEXT: 1.0, Found.FILE: 0.9, Found.REASONING: 0.5, Found.TOOL: 0.4,
}  # fmt: skip
#: After so long the same words count half.
HALF_LIFE = timedelta(days=120)


@dataclass(frozen=True, slots=True)
class Hit:
    """A text with the words. ``source`` is the key of its row as text; ``message_id`` is None for titles and notes."""

    kind: Found
    source: str
    message_id: int | None
    score: float


@dataclass(frozen=True, slots=True)
class Group:
    """What was found in one place: a conversation, or the notes of a project. The best hit is the first.

    Of a comparison, ``conversation_id`` is one of its columns, and the hits are those of all.
    """

    conversation_id: UUID | None
    project_id: UUID | None
    hits: tuple[Hit, ...]


def find(user: User | int, query: Query) -> list[Group]:
    """Where it was found, the best first, at most :data:`CANDIDATES`. At most two queries."""
    if query.is_empty:
        return []
    if query.terms:
        return _by_words(user, query)
    return _by_messages(user, query) if query.is_about_messages else _by_conversations(user, query)


def _by_words(user: User | int, query: Query) -> list[Group]:
    entries = SearchEntry.objects.owned_by(user).filter(*filters.of_message(query, "message__", "message_id"))
    if (wanted := filters.conversations(user, query)) is not None:
        entries = entries.filter(conversation__in=wanted.order_by().values("pk"))
    scores = dict(index().hits(entries, query, CANDIDATES))
    best = max(scores.values(), default=0.0) or 1.0
    moment = Coalesce("message__created_at", "conversation__updated_at")
    rows = SearchEntry.objects.filter(pk__in=scores).values_list(
        "pk",
        "kind",
        "source",
        "conversation_id",
        "conversation__comparison",
        "project_id",
        "message_id",
        moment,
    )
    now = timezone.now()
    found: dict[tuple[UUID | None, UUID | None], list[Hit]] = {}
    first: dict[UUID | None, UUID | None] = {}
    for pk, kind, source, conversation_id, comparison_id, project_id, message_id, said in rows:
        worth = weight(Found(kind), said, now)
        hit = Hit(Found(kind), source_of(source, message_id), message_id, scores[pk] / best * worth)
        place = first.setdefault(comparison_id or conversation_id, conversation_id)
        found.setdefault((place, project_id), []).append(hit)
    return ranked(found)


def weight(kind: Found, moment: datetime | None, now: datetime) -> float:
    """How much a hit counts: by its place, and the old never less than half. Notes have no age."""
    age = max(now - moment, timedelta()) if moment else timedelta()
    fresh: float = 0.5 ** (age / HALF_LIFE)
    return WEIGHTS[kind] * (0.5 + fresh / 2)


def ranked(found: dict[tuple[UUID | None, UUID | None], list[Hit]]) -> list[Group]:
    """Groups by their best hit, a little more for more of them; of one message only its best text."""
    groups = []
    for (conversation_id, project_id), hits in found.items():
        best: dict[Any, Hit] = {}
        for hit in sorted(hits, key=lambda hit: -hit.score):
            best.setdefault(hit.message_id or hit.kind, hit)
        groups.append(Group(conversation_id, project_id, tuple(best.values())))
    return sorted(groups, key=lambda group: -sum(hit.score / 4**at for at, hit in enumerate(group.hits[:4])))


def _by_messages(user: User | int, query: Query) -> list[Group]:
    """The newest messages that the filters let through."""
    rows = Message.objects.filter(conversation__owner=user, conversation__deleted_at=None, deleted_at=None)
    if (wanted := filters.conversations(user, query)) is not None:
        rows = rows.filter(conversation__in=wanted.order_by().values("pk"))
    rows = rows.filter(*filters.of_message(query)).order_by("-pk")
    found: dict[UUID, list[Hit]] = {}
    first: dict[UUID, UUID] = {}
    one = Coalesce("conversation__comparison", "conversation", output_field=UUIDField())
    for pk, conversation_id, shown in rows.values_list("pk", "conversation_id", one)[:CANDIDATES]:
        place = first.setdefault(shown, conversation_id)
        found.setdefault(place, []).append(Hit(Found.TEXT, str(pk), pk, 0.0))
    return [Group(conversation_id, None, tuple(hits)) for conversation_id, hits in found.items()]


def _by_conversations(user: User | int, query: Query) -> list[Group]:
    """The newest conversations that the filters let through."""
    rows = filters.conversations(user, query)
    one = Coalesce("comparison", "pk", output_field=UUIDField())
    ids = rows.values_list("pk", one)[:CANDIDATES] if rows is not None else ()
    places = {shown: pk for pk, shown in reversed(list(ids))}
    return [Group(pk, None, ()) for pk in reversed(places.values())]


def find_within(conversation: Conversation, query: Query) -> list[Hit]:
    """What its messages say, on whichever branch, in their order; what it shares as a fork, too.

    One hit for each message, at most :data:`CANDIDATES` of the newest. At most two queries.
    """
    within = shown_of(conversation).order_by().values("pk")
    if query.terms:
        entries = SearchEntry.objects.filter(owner=conversation.owner_id, message__in=within)
        entries = entries.filter(*filters.of_message(query, "message__", "message_id"))
        scores = dict(index().hits(entries, query, CANDIDATES))
        rows = SearchEntry.objects.filter(pk__in=scores).values_list("kind", "source", "message_id")
        hits = [
            Hit(Found(kind), source_of(source, pk), pk, WEIGHTS[Found(kind)]) for kind, source, pk in rows
        ]
    elif query.is_about_messages:
        found = Message.objects.filter(*filters.of_message(query), pk__in=within).order_by("-pk")
        ids = found.values_list("pk", flat=True)[:CANDIDATES]
        hits = [Hit(Found.TEXT, str(pk), pk, 0.0) for pk in ids]
    else:
        return []
    best = {hit.message_id or 0: hit for hit in sorted(hits, key=lambda hit: hit.score)}
    return [best[pk] for pk in sorted(best)]


def source_of(source: str, message_id: int | None) -> str:
    """The key of the row that holds the text, as it is written elsewhere."""
    return source if message_id and str(message_id) == source else str(UUID(source))


def pages(groups: Sequence[Group], page: int, size: int) -> tuple[Sequence[Group], bool]:
    """One page of them, counted from 1, and whether more follow."""
    start = (page - 1) * size
    return groups[start : start + size], len(groups) > start + size
