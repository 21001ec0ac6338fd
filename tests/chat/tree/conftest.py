"""Conversations with many turns."""

from __future__ import annotations

import pytest
from django.utils import timezone

from chat.models import Conversation, Message
from privatechathub.accounts.models import User


@pytest.fixture
def talk(alice: User) -> Conversation:
    """Alice's, still empty."""
    return Conversation.objects.create(owner=alice, updated_at=timezone.now())


def chain(conversation: Conversation, count: int, below: Message | None = None) -> list[Message]:
    """So many turns in a row; the last one is the head."""
    rows: list[Message] = []
    first = Message.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    for place in range(count):
        role = "assistant" if place % 2 else "user"
        parent = rows[-1].pk if rows else below and below.pk
        pk = first + 1 + place
        rows.append(
            Message(pk=pk, conversation=conversation, parent_id=parent, role=role, text=f"turn {place}")
        )
    Message.objects.bulk_create(rows, batch_size=500)
    conversation.head = rows[-1]
    conversation.save(update_fields=["head"])
    return rows


def add(conversation: Conversation, parent: Message | None, text: str = "", role: str = "user") -> Message:
    """One more turn, not shown."""
    return Message.objects.create(conversation=conversation, parent=parent, role=role, text=text)
