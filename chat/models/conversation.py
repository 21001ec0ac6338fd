"""A conversation: a tree of messages that one person owns."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from backends.models import Backend

if TYPE_CHECKING:
    from chat.models.message import Message
    from privatechathub.accounts.models import User

TITLE_LENGTH = 120


class ConversationQuerySet(models.QuerySet["Conversation"]):
    """Finders; the owner filter lives here and nowhere else."""

    def owned_by(self, user: User) -> ConversationQuerySet:
        """This person's own. There is no other way to reach a conversation."""
        return self.filter(owner=user)


class Conversation(models.Model):
    """What a person and models said to each other, with its own prompt and options.

    ``head`` is the last message of the path that is shown. ``revision`` counts changes of what the
    thread consists of, so that a page that was away can tell whether it missed any.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="conversations"
    )
    title = models.CharField(_("title"), max_length=TITLE_LENGTH, blank=True, default="")
    system_prompt = models.TextField(_("system prompt"), blank=True, default="")
    options = models.JSONField(default=dict, blank=True)
    backend = models.ForeignKey(Backend, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    model_id = models.CharField(max_length=250, blank=True, default="")
    head = models.ForeignKey(
        "chat.Message", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    revision = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(db_index=True)

    objects = ConversationQuerySet.as_manager()

    class Meta:
        ordering = ["-updated_at"]
        indexes = [models.Index(fields=["owner", "-updated_at"], name="conversation_by_owner")]

    def __str__(self) -> str:
        return self.title or str(self.pk)

    def get_absolute_url(self) -> str:
        """Where it is; a stranger gets 404 there."""
        return reverse("chat:conversation", args=[self.pk])

    def path(self) -> list[Message]:
        """The messages from the first to the head. Two queries, whatever the length."""
        by_id = {message.pk: message for message in self.messages.all()}
        path: list[Message] = []
        step = by_id.get(self.head_id) if self.head_id else None
        while step is not None:
            path.append(step)
            step = by_id.get(step.parent_id) if step.parent_id else None
        return path[::-1]
