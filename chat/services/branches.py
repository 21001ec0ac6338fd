"""Which branch of a conversation is shown, and what can be forked off it."""

from __future__ import annotations

from uuid import uuid4

from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from backends.database import write_transaction
from chat.generation.updates import Kind
from chat.models import TITLE_LENGTH, Conversation, Cut, CutKind, Generation, Message
from chat.services.refusals import Refused
from chat.services.sending import refuse_deleted, refuse_while_answering, tell
from chat.tree.nodes import Tree
from chat.tree.reading import tree_of

#: Fields of a conversation that its fork takes over.
COPIED = (
    "owner_id", "project_id", "system_prompt", "prompt_id", "prompt_values", "options", "preset_id",
    "builtin_preset", "tools", "backend_id", "model_id", "overflow",
)  # fmt: skip


def is_shown(conversation: Conversation, message_id: int) -> bool:
    """Whether the message is on the path that is shown now."""
    return conversation.ids_up_from(conversation.head_id, until=message_id, first=1) == [message_id]


def show(conversation: Conversation, message_id: int) -> None:
    """Show the branch with that message, as far down as it was shown last.

    Raises Message.DoesNotExist, and Refused while an answer is being written, which must stay in view.
    """
    with write_transaction():
        conversation = held(conversation)
        tree = tree_of(conversation)
        if not tree.shows(message_id):
            raise Message.DoesNotExist
        refuse_while_answering(conversation)
        move_head(conversation, tree, tree.end_of(message_id))
    tell(Kind.CHANGED, conversation)


def held(conversation: Conversation) -> Conversation:
    """The conversation as it is now, held until the transaction ends. Raises Refused where it was deleted, and
    Conversation.DoesNotExist where it is gone for good (see ``chat.gone``).
    """
    found = Conversation.objects.select_for_update().get(pk=conversation.pk)
    refuse_deleted(found)
    return found


def move_head(conversation: Conversation, tree: Tree, head: int | None, **changes: object) -> None:
    """Show the path to that message from now on, and remember it. Inside the caller's transaction."""
    for parent, child in tree.choices(head).items():
        # What is shared with another conversation keeps what was chosen there.
        Message.objects.filter(pk=parent, conversation=conversation).update(chosen=child)
    Conversation.objects.filter(pk=conversation.pk).update(head=head, revision=F("revision") + 1, **changes)
    conversation.refresh_from_db(fields=["head", "revision", *changes])


def fork(conversation: Conversation, message: Message) -> Conversation:
    """A new conversation that begins with everything up to that message, which is not copied. Raises Refused."""
    refuse_before_vote(conversation)
    if Generation.objects.active().filter(message=message).exists():
        raise Refused(_("This answer is still being written. Wait for it or stop it, then fork."))
    with write_transaction():
        conversation = held(conversation)
        made = Conversation.objects.create(
            **{name: getattr(conversation, name) for name in COPIED},
            title=title_of_fork(conversation.title),
            head=message,
            forked_from=message,
            forked_without=tree_of(conversation).gaps_above(message.pk),
            has_cuts=conversation.has_cuts,
            updated_at=timezone.now(),
        )
        copy_lines(conversation, made)
    return made


def refuse_before_vote(conversation: Conversation) -> None:
    """A copy of a column would name the model that is hidden until a vote. Raises Refused."""
    if conversation.alias:
        raise Refused(_("Vote first: then you learn the model, and can go on from here."))


def copy_lines(conversation: Conversation, fork: Conversation) -> None:
    """What a model does not see of the shared messages, it does not see in the fork either. No query without lines."""
    if not conversation.has_cuts:
        return
    lines = list(conversation.cuts.exclude(kind=CutKind.PROPOSED))
    for line in lines:
        line.pk, line.conversation = uuid4(), fork
    Cut.objects.bulk_create(lines)


def title_of_fork(title: str) -> str:
    """The title with a word that it is a fork, once."""
    mark = _("(fork)")
    title = title.removesuffix(mark).rstrip()
    return f"{title[: TITLE_LENGTH - len(mark) - 1]} {mark}".lstrip()
