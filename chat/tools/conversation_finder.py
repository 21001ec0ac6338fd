"""How messages are found by their words. A full-text index can take this place without the tool's notice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils import timezone

from chat.models import Message

#: Words of a question that count, and characters around the first of them that are shown.
_WORDS = 8
_AROUND = 150


@dataclass(frozen=True, slots=True)
class Found:
    """One message."""

    conversation_id: UUID
    title: str
    role: str
    when: datetime
    excerpt: str


def find(user_id: int, query: str, count: int, *, without: UUID) -> list[Found]:
    """The newest messages of this person's own conversations that hold all the words, in any case."""
    words = query.split()[:_WORDS]
    rows = Message.objects.filter(conversation__owner_id=user_id).exclude(conversation_id=without)
    for word in words:
        rows = rows.filter(text__icontains=word)
    newest = rows.select_related("conversation").order_by("-pk")[:count]
    return [
        Found(
            row.conversation_id,
            row.conversation.title or "Untitled",
            row.role,
            timezone.localtime(row.created_at),
            excerpt(row.text, words[0]),
        )
        for row in newest
    ]


def excerpt(text: str, word: str) -> str:
    """What stands around the word, in one line."""
    place = max(text.casefold().find(word.casefold()), 0)
    start, end = max(place - _AROUND, 0), place + len(word) + _AROUND
    line = " ".join(text[start:end].split())
    return f"{'…' if start else ''}{line}{'…' if end < len(text) else ''}"
