"""Deleted conversations: kept for a while, so that a deletion can be undone, then gone with their files."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import QuerySet
from django.utils import timezone

from backends.database import write_transaction
from chat.models import Comparison, Conversation

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

    What forks share of them stays with these.
    """
    count = 0
    for row in list(rows):
        with write_transaction():
            Conversation.objects.filter(pk=row.pk).update(head=None)
            row.delete()
        count += 1
    Comparison.objects.filter(columns=None).delete()
    return count
