"""What can be done with an answer: stop, retry, continue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import F
from django.utils.translation import gettext as _

from backends.database import write_transaction
from chat.generation import queue, runtime
from chat.generation.updates import Kind
from chat.models import Conversation, Generation, Message, MessageRole
from chat.services.branches import held
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


def retry(user: User, answer: Message, ref: str = "", *, within: Conversation | None = None) -> Generation:
    """Ask the same question again, of the same model or another. The old answer stays in the tree.

    ``within`` is the conversation that shows the answer, where that is a fork which shares it.
    Raises Refused while an answer is being written, or where the model is gone.
    """
    question = answer.parent if answer.role == MessageRole.ASSISTANT else answer
    if question is None:
        raise Refused(_("The question of this answer was deleted."))
    with write_transaction():
        conversation = held(within or answer.conversation)
        refuse_while_answering(conversation)
        model = find_model(user, ref or ref_of(answer))
        _answer, generation = add_answer(conversation, question, model)
    begin(generation)
    tell(Kind.CHANGED, conversation)
    return generation


def continue_answer(user: User, answer: Message, *, within: Conversation | None = None) -> Generation:
    """Go on with an answer that was cut off; what comes is appended. Raises Refused, also for one that is shared."""
    if within is not None and within.pk != answer.conversation_id:
        raise Refused(_("This answer belongs to the conversation that this one was forked from."))
    with write_transaction():
        conversation = held(answer.conversation)
        refuse_while_answering(conversation)
        if not (answer.text or answer.has_steps) or answer.role != MessageRole.ASSISTANT:
            raise Refused(_("There is nothing to continue. Try again instead."))
        model = find_model(user, ref_of(answer))
        generation = new_generation(conversation, answer, model, continues=True)
        bump(conversation)
    begin(generation)
    tell(Kind.CHANGED, conversation)
    return generation


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


def bump(conversation: Conversation) -> None:
    """Count a change of the thread."""
    Conversation.objects.filter(pk=conversation.pk).update(revision=F("revision") + 1)
    conversation.refresh_from_db(fields=["revision"])
