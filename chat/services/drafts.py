"""What somebody has typed and not sent: kept on the server, so that another device shows it too."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.contrib.auth import get_user_model

from chat.models import Conversation, Submission, UpcomingQuestion

if TYPE_CHECKING:
    from privatechathub.accounts.models import User

#: Characters, as many as the page's field takes.
LONGEST = 200_000


def keep_draft(user: User, conversation_id: UUID | None, text: str) -> bool:
    """Keep it with that conversation, or with the person as the beginning of a new one.

    False where this person has no such conversation.
    """
    text = text.replace("\r\n", "\n")[:LONGEST]
    if conversation_id is None:
        return bool(get_user_model().objects.filter(pk=user.pk).update(draft=text))
    return bool(Conversation.objects.owned_by(user).filter(pk=conversation_id).update(draft=text))


def was_sent(user: User, key: str) -> bool:
    """Whether that form was sent already: what was typed in it before may arrive after it."""
    key = key[:64]
    return bool(key) and (
        Submission.objects.filter(user=user, key=key).exists()
        or UpcomingQuestion.objects.filter(conversation__owner=user, key=key).exists()
    )


def add_to_draft(conversation: Conversation, text: str) -> None:
    """Keep what has no other place any more below what is typed there already."""
    text = "\n\n".join(part for part in (conversation.draft, text.strip()) if part)
    keep_draft(conversation.owner, conversation.pk, text)
