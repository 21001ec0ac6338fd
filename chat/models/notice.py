"""A message that a model left for a person, to be read when they come back."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import models
from django.db.models import F

from backends.database import write_transaction
from chat.models.conversation import Conversation

if TYPE_CHECKING:
    from privatechathub.accounts.models import User

TITLE_LIMIT = 120
TEXT_LIMIT = 2000
#: The newest that a person keeps.
KEPT = 200


class NoticeQuerySet(models.QuerySet["Notice"]):
    """Finders and verbs."""

    def owned_by(self, user: User) -> NoticeQuerySet:
        """This person's own."""
        return self.filter(user=user)

    def leave(self, user_id: int, title: str, text: str, conversation_id: UUID | None = None) -> Notice:
        """Leave one, and count it; the count stands with the person, so that a page need not ask for it."""
        with write_transaction():
            row = self.create(
                user_id=user_id,
                title=title[:TITLE_LIMIT],
                text=text[:TEXT_LIMIT],
                conversation=_own(user_id, conversation_id),
            )
            old = self.filter(user_id=user_id).values_list("pk", flat=True)[KEPT:]
            self.filter(pk__in=list(old)).delete()
            get_user_model().objects.filter(pk=user_id).update(unread_notices=F("unread_notices") + 1)
        return row

    def read(self, user: User) -> None:
        """This person has seen them all."""
        with write_transaction():
            self.owned_by(user).filter(read=False).update(read=True)
            get_user_model().objects.filter(pk=user.pk).update(unread_notices=0)

    def clear(self, user: User) -> None:
        """Delete this person's."""
        with write_transaction():
            self.owned_by(user).delete()
            get_user_model().objects.filter(pk=user.pk).update(unread_notices=0)


class Notice(models.Model):
    """``title`` and ``text`` come from a model: plain text, nothing else."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notices")
    conversation = models.ForeignKey(
        Conversation, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    title = models.CharField(max_length=TITLE_LIMIT)
    text = models.TextField()
    read = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.title


def _own(user_id: int, conversation_id: UUID | None) -> Conversation | None:
    if conversation_id is None:
        return None
    return Conversation.objects.filter(pk=conversation_id, owner_id=user_id).first()
