"""Taking messages out of a conversation, and putting them back."""

from __future__ import annotations

from collections.abc import Collection

from django.utils import timezone
from django.utils.translation import gettext as _

from backends.database import write_transaction
from chat.generation.updates import Kind
from chat.models import Conversation, Message, MessageRole
from chat.services.branches import held, move_head
from chat.services.refusals import Refused
from chat.services.sending import refuse_while_answering, tell
from chat.tree.keeping import batches
from chat.tree.nodes import Tree
from chat.tree.reading import tree_of


def delete_message(conversation: Conversation, message: Message) -> None:
    """Take one message out; what followed it stays and hangs on what was before. Raises Refused.

    A question takes its answers along, so that no two turns of the same speaker meet.
    """
    with write_transaction():
        conversation, tree = opened(conversation, message)
        doomed = [message.pk]
        if message.role == MessageRole.USER:
            below = Message.objects.filter(pk__in=tree.children(message.pk), role=MessageRole.ASSISTANT)
            doomed += below.values_list("pk", flat=True)
        hide(conversation, tree, message.pk, doomed, is_gap=True)
    tell(Kind.CHANGED, conversation)


def delete_branch(conversation: Conversation, message: Message) -> None:
    """Take a message out with all that follows it, in all versions. Raises Refused."""
    with write_transaction():
        conversation, tree = opened(conversation, message)
        hide(conversation, tree, message.pk, tree.branch(message.pk), is_gap=False)
    tell(Kind.CHANGED, conversation)


def undo(conversation: Conversation) -> None:
    """Put back what was deleted last. Raises Refused."""
    with write_transaction():
        conversation = held(conversation)
        refuse_while_answering(conversation)
        moment = conversation.last_deletion
        rows = conversation.messages.filter(deleted_at=moment) if moment else Message.objects.none()
        back = sorted(rows.values_list("pk", flat=True))
        if not back:
            raise Refused(_("There is nothing to bring back any more."))
        rows.update(deleted_at=None, is_gap=False)
        tree = tree_of(conversation)
        move_head(conversation, tree, head_with(tree, conversation.head_id, back), last_deletion=None)
    tell(Kind.CHANGED, conversation)


def opened(conversation: Conversation, message: Message) -> tuple[Conversation, Tree]:
    """The conversation, held, and its tree. Raises Refused where this message cannot be deleted now."""
    if message.conversation_id != conversation.pk:
        raise Refused(_("This message belongs to the conversation that this one was forked from."))
    conversation = held(conversation)
    refuse_while_answering(conversation)
    return conversation, tree_of(conversation)


def hide(
    conversation: Conversation, tree: Tree, message_id: int, doomed: Collection[int], *, is_gap: bool
) -> None:
    """Delete these for now, and show what is nearest."""
    moment = timezone.now()
    place, versions = tree.parent(message_id), tree.versions(message_id)
    for ids in batches(doomed):
        conversation.messages.filter(pk__in=ids).update(deleted_at=moment, is_gap=is_gap)
    head = conversation.head_id
    after = tree_of(conversation)
    if head is not None and not after.shows(head):
        head = nearest(after, place, message_id, versions)
    move_head(conversation, after, head, last_deletion=moment)


def nearest(tree: Tree, place: int | None, gone: int, before: list[int]) -> int | None:
    """The end of what is shown where something was deleted: what followed it, the version before it, the one
    after it, else what was above.
    """
    left = tree.children(place)
    if not left:
        return place
    followed = [one for one in left if one not in before]
    older = [one for one in left if one < gone]
    return tree.end_of((followed or older or left)[-1 if followed or older else 0])


def head_with(tree: Tree, head: int | None, back: list[int]) -> int:
    """The end of a path that holds something of what came back: the path that is shown, if it does."""
    if head is not None and not set(back).isdisjoint(tree.path(head)):
        return tree.end_of(head)
    return tree.end_of(back[0])
