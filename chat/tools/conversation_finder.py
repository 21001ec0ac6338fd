"""What was said before, as a model is told of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils import timezone

from chat.models import Conversation, Message
from chat.searching.excerpts import as_text, excerpt
from chat.searching.finding import Hit, find
from chat.searching.language import parse
from chat.searching.texts import texts_of


@dataclass(frozen=True, slots=True)
class Told:
    """One message, or what came with it."""

    conversation_id: UUID
    title: str
    role: str
    when: datetime
    excerpt: str


def told(user_id: int, text: str, count: int, *, without: UUID) -> list[Told]:
    """Messages of this person's own conversations that fit, the best first. A fixed number of queries."""
    query = parse(text)
    found: list[tuple[UUID, Hit]] = [
        (group.conversation_id, hit)
        for group in find(user_id, query)
        if group.conversation_id and group.conversation_id != without
        for hit in group.hits
        if hit.message_id
    ]
    found = sorted(found, key=lambda pair: -pair[1].score)[:count]
    texts = texts_of(hit for _conversation, hit in found)
    talks = Conversation.objects.in_bulk([conversation for conversation, _hit in found])
    said = Message.objects.only("role", "created_at").in_bulk(
        [hit.message_id for _conversation, hit in found]
    )
    return [
        Told(
            conversation_id,
            talks[conversation_id].title or "Untitled",
            said[hit.message_id].role,
            timezone.localtime(said[hit.message_id].created_at),
            as_text(excerpt(texts.get((hit.kind, hit.source), ""), query)),
        )
        for conversation_id, hit in found
        if conversation_id in talks and hit.message_id in said
    ]
