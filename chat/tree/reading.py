"""From rows to the tree. For what changes the view of a conversation, not for showing it."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Q, QuerySet

from chat.models import Conversation, Message
from chat.models.path import way_up
from chat.tree.nodes import Node, Tree


def tree_of(conversation: Conversation) -> Tree:
    """All messages that the conversation shows in one way or another. One query, two of a fork; no texts."""
    return Tree([*_shared(conversation), *_own(conversation)])


def messages_of(conversation: Conversation) -> QuerySet[Message]:
    """The rows behind that tree, deleted ones too."""
    rows = Message.objects.all()
    if conversation.forked_from_id is None:
        return rows.filter(conversation=conversation)
    way = way_up(conversation, conversation.forked_from_id, with_hidden=True)
    return rows.filter(Q(conversation=conversation) | Q(pk__in=way))


def shown_of(conversation: Conversation) -> QuerySet[Message]:
    """Those of them that are not deleted there, see :func:`is_hidden`."""
    own = Q(conversation=conversation)
    hidden = (own & Q(deleted_at__isnull=False)) | (~own & Q(pk__in=conversation.forked_without))
    return messages_of(conversation).exclude(hidden)


def is_hidden(row: Message, conversation: Conversation) -> bool:
    """Whether it is deleted there. A fork goes on showing what is deleted from its origin later."""
    if row.conversation_id == conversation.pk:
        return row.deleted_at is not None
    return row.pk in conversation.forked_without


def _own(conversation: Conversation) -> Iterator[Node]:
    rows = conversation.messages.order_by("pk")
    for pk, parent, chosen, deleted_at, is_gap in rows.values_list(
        "pk", "parent_id", "chosen_id", "deleted_at", "is_gap"
    ):
        yield Node(pk, parent, chosen, deleted_at is not None, is_gap)


def _shared(conversation: Conversation) -> Iterator[Node]:
    """What it shares with the conversation that it was forked from, deleted or not when that happened."""
    if conversation.forked_from_id is None:
        return
    way = way_up(conversation, conversation.forked_from_id, with_hidden=True)
    rows = Message.objects.filter(pk__in=way).exclude(conversation=conversation).order_by("pk")
    for pk, parent in rows.values_list("pk", "parent_id"):
        hidden = pk in conversation.forked_without
        yield Node(pk, parent, None, hidden, is_gap=hidden)
