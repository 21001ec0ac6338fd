"""Deleted conversations: kept for a while, so that a deletion can be undone, then gone with their files."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from backends.database import write_transaction
from chat.models import Comparison, Conversation, Message

#: How long a deleted conversation can be had back.
KEPT_DAYS = 30
KEPT = timedelta(days=KEPT_DAYS)
#: Conversations that one call purges, so that nobody waits long for the database.
_AT_ONCE = 20


def purge() -> int:
    """Delete for good what was deleted long ago; gives how many that were."""
    old = Conversation.objects.filter(deleted_at__lt=timezone.now() - KEPT).order_by("deleted_at")
    return destroy(old[:_AT_ONCE])


def destroy(rows: QuerySet[Conversation]) -> int:
    """Delete these for good, each in a transaction of its own, and gives how many; files go with their last row.

    One whose messages other conversations go on from stays as it is, deleted, for as long as they are there.
    """
    count = 0
    for row in list(rows):
        if not is_needed(row):
            with write_transaction():
                Conversation.objects.filter(pk=row.pk).update(head=None)
                row.delete()
            count += 1
    Comparison.objects.filter(columns=None).delete()
    return count


def is_needed(row: Conversation) -> bool:
    """Whether another conversation shows messages of this one."""
    others = Conversation.objects.exclude(pk=row.pk)
    below = Message.objects.filter(conversation=OuterRef("pk"), parent__conversation=row)
    return others.filter(head__conversation=row).exists() or others.filter(Exists(below)).exists()
