"""Another version of a message in the person's own words. What stood there stays, one arrow away."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from backends.database import write_transaction
from chat import files
from chat.generation.updates import Kind
from chat.models import Attachment, Conversation, Message, MessageRole
from chat.picker import ref_of_conversation
from chat.services.branches import held, move_head
from chat.services.models import find_model
from chat.services.sending import add_answer, begin, checked, refuse_while_answering, tell
from chat.services.titles import title_from
from chat.tree.reading import tree_of

if TYPE_CHECKING:
    from privatechathub.accounts.models import User


def edit(
    user: User, conversation: Conversation, message: Message, text: str, ref: str, kept: Collection[UUID]
) -> None:
    """Show another version instead: a question is asked anew, an answer is taken as it was written.

    ``ref`` names the model that is asked, without it the conversation's is; ``kept`` the files that the question
    keeps. Raises Refused, also while an answer is being written.
    """
    if message.role == MessageRole.USER:
        ask_anew(user, conversation, message, text, ref, kept)
    else:
        put_answer(conversation, message, text)


def ask_anew(
    user: User, conversation: Conversation, message: Message, text: str, ref: str, kept: Collection[UUID]
) -> None:
    """The question with another text, and an answer to that."""
    attached = [row for row in message.attachments.all() if row.pk in kept] if message.attached else []
    text = checked(text, may_be_empty=bool(attached))
    model = find_model(user, ref or ref_of_conversation(conversation))
    with write_transaction():
        conversation = held(conversation)
        refuse_while_answering(conversation)
        question = beside(conversation, message, text=text, attached=len(attached))
        attach_again(question, attached)
        if question.parent_id is None and conversation.title == title_from(message.text):
            conversation.title = title_from(text or attached[0].name)
            conversation.save(update_fields=["title"])
        _answer, generation = add_answer(conversation, question, model)
    begin(generation, model)
    tell(Kind.CHANGED, conversation)


def put_answer(conversation: Conversation, message: Message, text: str) -> None:
    """The answer in the person's words."""
    text = checked(text)
    with write_transaction():
        conversation = held(conversation)
        refuse_while_answering(conversation)
        answer = beside(conversation, message, text=text, edited=True)
        move_head(conversation, tree_of(conversation), answer.pk, last_deletion=None)
    tell(Kind.CHANGED, conversation)


def beside(conversation: Conversation, message: Message, **values: object) -> Message:
    """A new message in the same place. Being the newest there, it is the one that is shown."""
    row = Message.objects.create(
        conversation=conversation, parent_id=message.parent_id, role=message.role, **values
    )
    conversation.messages.filter(children=row).update(chosen=None)
    return row


def attach_again(question: Message, attached: list[Attachment]) -> None:
    """The same files with another message; their bytes are kept once."""
    for digest in sorted({row.digest for row in attached}):  # in one order: no two wait for each other
        files.hold(digest)
    for position, row in enumerate(attached):
        row.pk, row.message, row.position = uuid4(), question, position
    Attachment.objects.bulk_create(attached)
