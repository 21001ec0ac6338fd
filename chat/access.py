"""The only doors to a person's rows: owned, or 404. Whether it exists is nobody else's business."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.http import Http404
from django.shortcuts import get_object_or_404

from chat.models import (
    Activity,
    Ask,
    Attachment,
    Comparison,
    Conversation,
    Cut,
    Generation,
    Import,
    Message,
    Project,
    ProjectRevision,
    SamplingPreset,
    SystemPrompt,
    UpcomingQuestion,
)

if TYPE_CHECKING:
    from privatechathub.accounts.models import User


#: The greatest key of a row.
MOST_ID = 2**63 - 1


def own_conversation(user: User, conversation_id: UUID) -> Conversation:
    """This person's conversation. Raises Http404."""
    return get_object_or_404(
        Conversation.objects.owned_by(user).select_related("backend", "project"), pk=conversation_id
    )


def own_comparison(user: User, comparison_id: UUID) -> Comparison:
    """This person's comparison. Raises Http404."""
    return get_object_or_404(Comparison.objects.owned_by(user), pk=comparison_id)


def own_message(user: User, message_id: int) -> Message:
    """A message of this person's conversation. Raises Http404, also where it was deleted."""
    return get_object_or_404(Message.objects.owned_by(user), pk=message_id, deleted_at=None)


def own_generation(user: User, generation_id: UUID) -> Generation:
    """A run whose answer this person sees, with what its receipt names.

    Raises Http404, also while its model is hidden until a vote.
    """
    rows = Generation.objects.filter(message__conversation__owner=user, alias="").select_related(
        "message__conversation__owner", "message__parent", "backend", "system_text", "tools_text"
    )
    found = get_object_or_404(rows, pk=generation_id)
    refuse_unseen(user, found.message)
    return found


def own_place(user: User, message_id: int, conversation_id: str = "") -> tuple[Message, Conversation]:
    """A message of this person and the conversation that shows it: its own, or a fork that shares it.

    Raises Http404, also where the message was deleted from its own. A fork shows it even then.
    """
    if conversation_id:
        found = own_conversation(user, as_uuid(conversation_id))
        if message_id <= MOST_ID and found.shares(message_id):
            return Message.objects.select_related("conversation").get(pk=message_id), found
    message = own_message(user, message_id)
    if conversation_id not in ("", str(message.conversation_id)):
        raise Http404
    return message, message.conversation


def as_uuid(text: str) -> UUID:
    """What an address or a form names. Raises Http404."""
    try:
        return UUID(text)
    except ValueError:
        raise Http404 from None


def own_upcoming(user: User, upcoming_id: int) -> UpcomingQuestion:
    """A question that waits in this person's conversation. Raises Http404."""
    return get_object_or_404(UpcomingQuestion.objects.owned_by(user), pk=upcoming_id)


def own_ask(user: User, ask_id: UUID) -> Ask:
    """What was asked in this person's conversation. Raises Http404."""
    return get_object_or_404(
        Ask.objects.owned_by(user).select_related("generation__message__conversation"), pk=ask_id
    )


def own_activity(user: User, activity_id: UUID) -> Activity:
    """A tool call of an answer that this person sees. Raises Http404."""
    rows = Activity.objects.filter(generation__message__conversation__owner=user)
    found = get_object_or_404(rows.select_related("generation__message__conversation"), pk=activity_id)
    refuse_unseen(user, found.generation.message)
    return found


def own_attachment(user: User, attachment_id: UUID) -> Attachment:
    """A file in this person's conversation. Raises Http404, also where what it came with was deleted.

    A fork shows it even then.
    """
    rows = Attachment.objects.owned_by(user).select_related("message__conversation", "project")
    found = get_object_or_404(rows, pk=attachment_id)
    if found.message:
        refuse_unseen(user, found.message)
    return found


def refuse_unseen(user: User, message: Message) -> None:
    """Raises Http404 where a message of this person was deleted, or its conversation, and no fork shows it.

    Forks are looked through only where it was.
    """
    if is_deleted(message) and not is_shared(user, message):
        raise Http404


def is_deleted(message: Message) -> bool:
    """Whether it was, or its conversation."""
    return message.deleted_at is not None or message.conversation.deleted_at is not None


def is_shared(user: User, message: Message) -> bool:
    """Whether a fork of this person shows it."""
    forks = Conversation.objects.owned_by(user).filter(forked_from__isnull=False)
    return any(fork.shares(message.pk) for fork in forks)


def own_project_file(user: User, file_id: UUID) -> Attachment:
    """A file of this person's project. Raises Http404."""
    return get_object_or_404(Attachment.objects.filter(project__owner=user), pk=file_id)


def own_import(user: User, import_id: UUID) -> Import:
    """A file that this person sent. Raises Http404."""
    return get_object_or_404(Import.objects.owned_by(user), pk=import_id)


def own_project(user: User, project_id: UUID) -> Project:
    """This person's project, archived or not. Raises Http404."""
    return get_object_or_404(Project.objects.owned_by(user).select_related("backend", "owner"), pk=project_id)


def own_revision(user: User, revision_id: int) -> ProjectRevision:
    """What this person's project said before. Raises Http404."""
    return get_object_or_404(ProjectRevision.objects.owned_by(user), pk=revision_id)


def usable_prompt(user: User, prompt_id: UUID) -> SystemPrompt:
    """An entry of the library that this person may use. Raises Http404."""
    return get_object_or_404(SystemPrompt.objects.usable_by(user), pk=prompt_id)


def editable_prompt(user: User, prompt_id: UUID) -> SystemPrompt:
    """An entry that this person may change. Raises Http404."""
    return get_object_or_404(SystemPrompt.objects.editable_by(user), pk=prompt_id)


def own_preset(user: User, preset_id: UUID) -> SamplingPreset:
    """This person's preset. Raises Http404."""
    return get_object_or_404(SamplingPreset.objects.owned_by(user), pk=preset_id)


def own_cut(user: User, cut_id: UUID) -> Cut:
    """A line in this person's conversation. Raises Http404."""
    rows = Cut.objects.select_related("conversation").filter(
        conversation__in=Conversation.objects.owned_by(user)
    )
    return get_object_or_404(rows, pk=cut_id)
