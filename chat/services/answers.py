"""What can be done with an answer: stop, retry, continue, delete."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import F
from django.utils.translation import gettext as _

from backends.database import write_transaction
from chat.generation import queue, runtime
from chat.generation.updates import Kind
from chat.models import Conversation, Generation, Message, MessageRole
from chat.services.models import find_model
from chat.services.refusals import Refused
from chat.services.sending import add_answer, begin, new_generation, refuse_while_answering, tell

if TYPE_CHECKING:
    from privatechathub.accounts.models import User


def stop_answers(conversation: Conversation) -> int:
    """Stop everything that runs or waits in the conversation. The text so far stays. Gives their number."""
    generations = list(
        Generation.objects.active().filter(message__conversation=conversation).select_related("message")
    )
    for generation in generations:
        if not leave_queue(conversation, generation):
            stop_running(generation)
    return len(generations)


def leave_queue(conversation: Conversation, generation: Generation) -> bool:
    """End it if it still waits, for its turn or for its backend."""
    if not queue.leave(generation.pk):
        return False
    conversation.refresh_from_db(fields=["revision"])
    tell(Kind.ENDED, conversation, message_id=generation.message_id)
    if running := runtime.current():
        running.supervisor.queue_changed_soon(generation.backend_id)
    return True


def stop_running(generation: Generation) -> None:
    """Ask the process that holds it to stop."""
    if running := runtime.current():
        running.stop_soon(generation.pk)


def retry(user: User, answer: Message, ref: str = "") -> Generation:
    """Ask the same question again, of the same model or another. The old answer stays in the tree.

    Raises Refused while an answer is being written, or where the model is gone.
    """
    question = answer.parent if answer.role == MessageRole.ASSISTANT else answer
    if question is None:
        raise Refused(_("The question of this answer was deleted."))
    with write_transaction():
        conversation = locked(answer)
        refuse_while_answering(conversation)
        model = find_model(user, ref or ref_of(answer))
        _answer, generation = add_answer(conversation, question, model)
    begin(generation)
    tell(Kind.CHANGED, conversation)
    return generation


def continue_answer(user: User, answer: Message) -> Generation:
    """Go on with an answer that was cut off; what comes is appended. Raises Refused."""
    with write_transaction():
        conversation = locked(answer)
        refuse_while_answering(conversation)
        if not (answer.text or answer.has_steps) or answer.role != MessageRole.ASSISTANT:
            raise Refused(_("There is nothing to continue. Try again instead."))
        model = find_model(user, ref_of(answer))
        generation = new_generation(conversation, answer, model, continues=True)
        bump(conversation)
    begin(generation)
    tell(Kind.CHANGED, conversation)
    return generation


def delete_message(message: Message) -> Conversation:
    """Take a message out. What followed it stays and hangs on what was before. Raises Refused while one is written.

    Deleting a question takes its answers along, so that no two turns of the same speaker meet.
    """
    with write_transaction():
        conversation = locked(message)
        refuse_while_answering(conversation)
        doomed = [message, *answers_of(message)] if message.role == MessageRole.USER else [message]
        ids = {row.pk for row in doomed}
        Message.objects.filter(parent_id__in=ids).exclude(pk__in=ids).update(parent_id=message.parent_id)
        if conversation.head_id in ids:
            conversation.head_id = message.parent_id
        Message.objects.filter(pk__in=ids).delete()
        conversation.revision += 1
        conversation.save(update_fields=["head", "revision"])
    tell(Kind.CHANGED, conversation)
    return conversation


def answers_of(question: Message) -> list[Message]:
    """All answers that this question got."""
    return list(question.children.filter(role=MessageRole.ASSISTANT))


def ref_of(answer: Message) -> str:
    """The model that wrote the answer, ``BACKEND-SLUG/MODEL-ID``; the conversation's where there is none."""
    generation = answer.generations.select_related("backend").order_by("-created_at").first()
    if generation and generation.backend:
        return f"{generation.backend.slug}/{generation.model_id}"
    conversation = answer.conversation
    return f"{conversation.backend.slug}/{conversation.model_id}" if conversation.backend else ""


def locked(message: Message) -> Conversation:
    """The message's conversation, held until the transaction ends."""
    return Conversation.objects.select_for_update().get(pk=message.conversation_id)


def bump(conversation: Conversation) -> None:
    """Count a change of the thread."""
    Conversation.objects.filter(pk=conversation.pk).update(revision=F("revision") + 1)
    conversation.refresh_from_db(fields=["revision"])
