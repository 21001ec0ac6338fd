"""Asking: a question is stored together with the empty answer and its queued generation."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import UploadedFile
from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from backends.crypto import CannotDecrypt
from backends.database import write_transaction
from backends.models import Backend, CatalogueModel
from chat.arrivals import Staged
from chat.generation import queue, runtime, waiting
from chat.generation.cutting import DoesNotFit
from chat.generation.prompt import BackendGone, NotAllowed, Prepared, prepare, prepare_from
from chat.generation.sampling import options_for
from chat.generation.updates import Kind, Update
from chat.models import Conversation, Generation, Message, MessageRole, Status, Submission
from chat.services.attaching import attach, received
from chat.services.beginning import Beginning
from chat.services.models import find_model
from chat.services.refusals import Refused
from chat.services.titles import title_from

if TYPE_CHECKING:
    from privatechathub.accounts.models import User

logger = logging.getLogger(__name__)

#: Characters of one question; about 250,000 words.
LONGEST_QUESTION = 1_500_000

NOTHING_CHOSEN = Beginning()


@dataclass(frozen=True, slots=True)
class Sent:
    """A question and the answer that will fill. ``repeated``: this form had been sent before."""

    conversation: Conversation
    question: Message
    answer: Message
    generation: Generation
    repeated: bool = False


def start_conversation(
    user: User,
    text: str,
    ref: str,
    key: str,
    uploads: Sequence[UploadedFile[bytes]] = (),
    beginning: Beginning = NOTHING_CHOSEN,
) -> Sent:
    """A new conversation with its first question. Raises Refused."""
    text = checked(text, may_be_empty=bool(uploads))
    model = find_model(user, ref)
    with received(uploads, model) as files, write_transaction():
        hold(user)
        if earlier := already_sent(user, key, text, files):
            return earlier
        title = title_from(text or files[0].ready.name)
        conversation = Conversation.objects.create(
            owner=user, title=title, updated_at=timezone.now(), **beginning.columns()
        )
        sent = ask(conversation, user, text, model, key, files)
        if user.last_model != model.ref or user.draft:
            user.last_model, user.draft = model.ref, ""
            user.save(update_fields=["last_model", "draft"])
    begin(sent.generation, model)
    return sent


def send_message(
    user: User,
    conversation: Conversation,
    text: str,
    ref: str,
    key: str,
    uploads: Sequence[UploadedFile[bytes]] = (),
) -> Sent:
    """The next question of a conversation. Raises Refused, also while an answer is being written."""
    text = checked(text, may_be_empty=bool(uploads))
    model = find_model(user, ref)
    with received(uploads, model) as files, write_transaction():
        hold(user)
        if earlier := already_sent(user, key, text, files):
            return earlier
        rows = Conversation.objects.select_related("project").select_for_update(of=("self",))
        conversation = rows.get(pk=conversation.pk)
        conversation.owner = user
        refuse_deleted(conversation)
        refuse_while_answering(conversation)
        sent = ask(conversation, user, text, model, key, files)
    begin(sent.generation, model)
    return sent


def checked(text: str, *, may_be_empty: bool = False) -> str:
    """The text as it is stored. Raises Refused where there is none or too much."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "").strip()
    if not text and not may_be_empty:
        raise Refused(_("Write something first."))
    if len(text) > LONGEST_QUESTION:
        raise Refused(
            _("This text is too long. Send it in parts of at most %(count)d characters.")
            % {"count": LONGEST_QUESTION}
        )
    return text


def hold(user: User) -> None:
    """Let a second submit of the same form wait until the first is stored. Inside the caller's transaction.

    On SQLite the transaction itself does that: there is one writer.
    """
    if connection.features.has_select_for_update:
        get_user_model().objects.select_for_update().only("pk").get(pk=user.pk)


def already_sent(user: User, key: str, text: str, files: Sequence[Staged] = ()) -> Sent | None:
    """What an earlier submit of the same form made.

    A browser that goes back shows a form with its old key; another text or file in it is another question.
    """
    question = made_by(user, key) if key else None
    if question is None or question.text != text or not has_these(question, files):
        return None
    answers = Generation.objects.filter(message__parent=question, message__deleted_at=None)
    generation = answers.select_related("message").first()
    if generation is None:
        return None
    return Sent(question.conversation, question, generation.message, generation, repeated=True)


def made_by(user: User, key: str) -> Message | None:
    """The question that this form made last, None where it is gone; a small query where it made none, as mostly."""
    made = Submission.objects.filter(user=user, key=key[:64])
    for message in made.values_list("message_id", flat=True)[:1]:
        there = Message.objects.filter(pk=message, deleted_at=None, conversation__deleted_at=None)
        return there.select_related("conversation").first()
    return None


def has_these(question: Message, files: Sequence[Staged]) -> bool:
    """Whether the question came with exactly these files."""
    if question.attached != len(files):
        return False
    digests = [file.ready.digest for file in files]
    return not files or list(question.attachments.values_list("digest", flat=True)) == digests


def refuse_deleted(conversation: Conversation) -> None:
    """Another tab may have deleted it meanwhile: nothing is asked where nobody can read the answer. Raises Refused."""
    if conversation.deleted_at is not None:
        raise Refused(_("This conversation was deleted. Bring it back first."))


class StillAnswering(Refused):
    """Another answer has to end first."""


def refuse_while_answering(conversation: Conversation) -> None:
    """One answer at a time in a conversation. Raises StillAnswering."""
    if Generation.objects.active().filter(message__conversation=conversation).exists():
        raise StillAnswering(_("An answer is still being written. Wait for it or stop it, then send."))


def ask(
    conversation: Conversation,
    user: User,
    text: str,
    model: CatalogueModel,
    key: str,
    files: Sequence[Staged] = (),
    **values: Any,
) -> Sent:
    """Store question, answer and generation, which gets ``values``. Inside the caller's transaction."""
    question = Message.objects.create(
        conversation=conversation,
        parent_id=conversation.head_id,
        role=MessageRole.USER,
        text=text,
        attached=len(files),
    )
    if key:
        remember(user, key[:64], question)
    conversation.draft = ""
    answer, generation = add_answer(conversation, question, model, **values)
    if files:
        attach(user, question, files)
    return Sent(conversation, question, answer, generation)


def remember(user: User, key: str, question: Message) -> None:
    """What this form made last. Inside the caller's transaction, which no other of this person passes."""
    Submission.objects.bulk_create(
        [Submission(user=user, key=key, message=question)],
        update_conflicts=True,
        unique_fields=["user", "key"],
        update_fields=["message"],
    )


def add_answer(
    conversation: Conversation, question: Message, model: CatalogueModel, **values: Any
) -> tuple[Message, Generation]:
    """An empty answer below the question, shown from now on. Inside the caller's transaction.

    ``values`` are those of its generation.
    """
    answer = Message.objects.create(conversation=conversation, parent=question, role=MessageRole.ASSISTANT)
    generation = new_generation(conversation, answer, model, **values)
    if question.chosen_id and question.conversation_id == conversation.pk:  # now the newest is
        Message.objects.filter(pk=question.pk).update(chosen=None)
    conversation.head = answer
    conversation.last_deletion = None
    conversation.backend = model.backend
    conversation.model_id = model.model_id
    conversation.updated_at = timezone.now()
    conversation.revision += 1
    conversation.archived_at = None
    changed = (
        "head",
        "last_deletion",
        "backend",
        "model_id",
        "updated_at",
        "archived_at",
        "revision",
        "draft",
    )
    conversation.save(update_fields=changed)
    return answer, generation


def new_generation(
    conversation: Conversation, answer: Message, model: CatalogueModel, **values: Any
) -> Generation:
    """A generation for that answer, running at once where a slot is free and this process can run it."""
    backend = model.backend
    if backend.is_away:
        refuse_too_many(conversation, backend)
        values |= {"awaits_server": True, "waits": 1, "retry_at": waiting.next_try(0)}
    generation = Generation(
        message=answer,
        backend=backend,
        backend_name=backend.name,
        model_id=model.model_id,
        model_name=str(model),
        alias=conversation.alias,
        **({"options": options_for(conversation, model)} | values),
    )
    if runtime.current() is not None and not generation.awaits_server:
        queue.admit(generation)
    generation.save(force_insert=True)
    return generation


def refuse_too_many(conversation: Conversation, backend: Backend) -> None:
    """Only so many messages of a person wait for servers that are away. Raises Refused."""
    if waiting.is_full(conversation.owner_id):
        raise Refused(
            _(
                "“%(name)s” does not answer, and %(count)d of your messages are waiting already. "
                "Wait until a server is back, cancel one, or pick another model."
            )
            % {"name": conversation.alias or backend.name, "count": waiting.LIMIT}
        )


def begin(generation: Generation, model: CatalogueModel | None = None) -> None:
    """After the transaction: run it, or tell those who wait. ``model`` where its row is at hand."""
    running = runtime.current()
    if running is None:
        return
    if generation.status == Status.RUNNING:
        running.supervisor.start_soon(generation, prepared_here(generation, model))
    elif generation.awaits_server:
        running.supervisor.waits_soon(generation)
    else:
        running.supervisor.queue_changed_soon(generation.backend_id)


def prepared_here(generation: Generation, model: CatalogueModel | None) -> Prepared | None:
    """What the run needs, read in this thread; None where the run will find out itself what is wrong."""
    try:
        return prepare_from(generation, model) if model else prepare(generation.pk)
    except (BackendGone, NotAllowed, CannotDecrypt, DoesNotFit):
        return None


def tell(kind: Kind, conversation: Conversation, **values: Any) -> None:
    """Tell whoever watches the conversation."""
    if running := runtime.current():
        running.supervisor.publish_soon(
            Update(kind, str(conversation.pk), revision=conversation.revision, **values)
        )
