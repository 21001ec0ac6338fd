"""What can be done with a message that waits for its server: send it now, edit it, send it to another model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone
from django.utils.translation import gettext as _

from backends.database import write_transaction
from chat.generation import queue, runtime, waiting
from chat.generation.sampling import options_for
from chat.generation.updates import Kind
from chat.models import Conversation, Generation, Message, Status
from chat.services.answers import answers_of, bump
from chat.services.branches import held
from chat.services.models import find_model
from chat.services.refusals import Refused
from chat.services.sending import begin, checked, tell
from chat.services.titles import title_from

if TYPE_CHECKING:
    from backends.models import CatalogueModel
    from privatechathub.accounts.models import User


def find_waiting(answer: Message) -> Generation:
    """The generation of that answer, held in the caller's transaction, which waits for its server. Raises Refused."""
    rows = Generation.objects.awaiting_server().filter(message=answer, status=Status.QUEUED)
    generation = rows.select_for_update().first()
    if generation is None:
        raise no_longer()
    return generation


def no_longer() -> Refused:
    """What is said where a message waits no more."""
    return Refused(_("This message no longer waits: it was sent or cancelled meanwhile."))


def is_waiting(answer: Message) -> bool:
    """Whether that answer waits for its server."""
    return Generation.objects.awaiting_server().filter(message=answer, status=Status.QUEUED).exists()


def send_now(answer: Message) -> None:
    """Try at once. Raises Refused."""
    with write_transaction():
        generation = find_waiting(answer)
        generation.retry_at = timezone.now()
        generation.save(update_fields=["retry_at"])
    if running := runtime.current():
        running.supervisor.queue_changed_soon(generation.backend_id)


def edit_question(answer: Message, text: str) -> None:
    """Change the question while it waits. Raises Refused."""
    text = checked(text)
    with write_transaction():
        conversation = held(answer.conversation)
        find_waiting(answer)
        question = answer.parent
        if question is None or any(other.text for other in answers_of(question)):
            raise Refused(_("This question has an answer already. Cancel, then ask anew."))
        if conversation.title == title_from(question.text):
            conversation.title = title_from(text)
            conversation.save(update_fields=["title"])
        question.text = text
        question.save(update_fields=["text"])
        bump(conversation)
    tell(Kind.CHANGED, conversation)


def send_elsewhere(user: User, answer: Message, ref: str) -> None:
    """Ask another model. Raises Refused, also where this person may not use it."""
    with write_transaction():
        conversation = held(answer.conversation)
        generation = find_waiting(answer)
        model = find_model(user, ref)
        redirect(generation, conversation, model)
        conversation.backend = model.backend
        conversation.model_id = model.model_id
        conversation.save(update_fields=["backend", "model_id"])
        generation.message = answer
        if runtime.current() is not None and not generation.awaits_server:
            queue.admit(generation)
        bump(conversation)
    begin(generation)
    tell(Kind.CHANGED, conversation)


def redirect(generation: Generation, conversation: Conversation, model: CatalogueModel) -> None:
    """Have it answered by that model; in its line it is the last."""
    is_away = model.backend.is_away
    generation.backend = model.backend
    generation.backend_name = model.backend.name
    generation.model_id = model.model_id
    generation.model_name = str(model)
    generation.options = options_for(conversation, model)
    generation.created_at = timezone.now()
    generation.awaits_server = is_away
    generation.waits = 1 if is_away else 0
    generation.retry_at = waiting.next_try(0) if is_away else None
    generation.save()
