"""The only doors to a person's rows: owned, or 404. Whether it exists is nobody else's business."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.shortcuts import get_object_or_404

from chat.models import Activity, Ask, Attachment, Conversation, Import, Message

if TYPE_CHECKING:
    from privatechathub.accounts.models import User


def own_conversation(user: User, conversation_id: UUID) -> Conversation:
    """This person's conversation. Raises Http404."""
    return get_object_or_404(
        Conversation.objects.owned_by(user).select_related("backend"), pk=conversation_id
    )


def own_message(user: User, message_id: int) -> Message:
    """A message of this person's conversation. Raises Http404."""
    return get_object_or_404(Message.objects.owned_by(user), pk=message_id)


def own_ask(user: User, ask_id: UUID) -> Ask:
    """What was asked in this person's conversation. Raises Http404."""
    return get_object_or_404(
        Ask.objects.owned_by(user).select_related("generation__message__conversation"), pk=ask_id
    )


def own_activity(user: User, activity_id: UUID) -> Activity:
    """A tool call in this person's conversation. Raises Http404."""
    return get_object_or_404(Activity.objects.owned_by(user), pk=activity_id)


def own_attachment(user: User, attachment_id: UUID) -> Attachment:
    """A file in this person's conversation. Raises Http404."""
    return get_object_or_404(Attachment.objects.owned_by(user), pk=attachment_id)


def own_import(user: User, import_id: UUID) -> Import:
    """A file that this person sent. Raises Http404."""
    return get_object_or_404(Import.objects.owned_by(user), pk=import_id)
