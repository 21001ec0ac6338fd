"""What becomes of messages that are deleted for good: what a fork shows stays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice

from django.db.models import QuerySet
from django.utils import timezone

from backends.database import write_transaction
from chat.models import Conversation, Message, SearchEntry
from chat.models.path import way_up

#: How long deleted messages can be brought back.
KEPT = timedelta(days=7)
#: Ids that one statement names.
BATCH = 500


def hand_over(conversation: Conversation) -> None:
    """Give what forks show of this conversation to the oldest of them. Inside the caller's transaction."""
    for fork in forks_beside(conversation):
        way = way_up(fork, fork.forked_from_id, with_hidden=True)
        found = list(conversation.messages.filter(pk__in=way).values_list("pk", flat=True))
        hidden = set(found) & set(fork.forked_without)
        for ids in batches(found):
            SearchEntry.objects.filter(conversation=conversation, message__in=ids).update(conversation=fork)
        for ids in batches(pk for pk in found if pk not in hidden):
            Message.objects.filter(pk__in=ids).update(conversation=fork, deleted_at=None, is_gap=False)
        for ids in batches(hidden):
            Message.objects.filter(pk__in=ids).update(
                conversation=fork, deleted_at=timezone.now(), is_gap=True
            )


def forks_beside(conversation: Conversation) -> QuerySet[Conversation]:
    """Other conversations of the person that share messages with any, the oldest first."""
    forks = Conversation.objects.filter(owner_id=conversation.owner_id, forked_from__isnull=False)
    return forks.exclude(pk=conversation.pk).order_by("created_at")


def purge_deleted() -> int:
    """Delete for good what was deleted long ago and no fork shows. Gives the number of messages."""
    before = timezone.now() - KEPT
    having = Message.objects.filter(deleted_at__lt=before).order_by()
    count = 0
    for conversation in Conversation.objects.filter(pk__in=having.values("conversation_id").distinct()):
        with write_transaction():
            count += purge(conversation, before)
    return count


def purge(conversation: Conversation, before: datetime) -> int:
    """The same for one conversation. Inside the caller's transaction."""
    rows = conversation.messages.filter(deleted_at__lt=before).order_by("pk")
    parents: dict[int, int | None] = dict(rows.values_list("pk", "parent_id"))
    for fork in forks_beside(conversation):
        shown = Message.objects.filter(pk__in=way_up(fork, fork.forked_from_id))
        for pk in shown.filter(conversation=conversation, deleted_at__lt=before).values_list("pk", flat=True):
            parents.pop(pk, None)
    close_gaps(parents)
    for ids in batches(parents):
        Message.objects.filter(pk__in=ids).delete()
    Conversation.objects.filter(pk=conversation.pk, last_deletion__lt=before).update(last_deletion=None)
    return len(parents)


def close_gaps(parents: dict[int, int | None]) -> None:
    """Hang what follows the messages that go, by id with their parents, on the next one above that stays."""
    for ids in batches(parents):
        following = Message.objects.filter(parent_id__in=ids).order_by()
        for pk, above in list(following.values_list("pk", "parent_id")):
            if pk not in parents:
                stays: int | None = above
                while stays in parents:
                    stays = parents[stays]
                Message.objects.filter(pk=pk).update(parent=stays)


def batches(ids: Iterable[int]) -> Iterator[list[int]]:
    """As many as one statement takes."""
    rest = iter(ids)
    while batch := list(islice(rest, BATCH)):
        yield batch
