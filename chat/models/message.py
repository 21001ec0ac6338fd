"""One turn of a conversation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models

from chat.models.conversation import Conversation

if TYPE_CHECKING:
    from privatechathub.accounts.models import User


class MessageRole(models.TextChoices):
    """Who speaks. The system prompt is no message: it belongs to the conversation."""

    USER = "user", "user"
    ASSISTANT = "assistant", "assistant"
    TOOL = "tool", "tool"


class MessageQuerySet(models.QuerySet["Message"]):
    """Finders."""

    def owned_by(self, user: User) -> MessageQuerySet:
        """Messages of this person's own conversations."""
        return self.filter(conversation__owner=user).select_related("conversation")


class Message(models.Model):
    """Text of one turn; messages of a conversation form a tree by ``parent``.

    ``reasoning`` is the model's visible thinking, ``reasoning_seconds`` how long it took. ``has_steps``: tools
    were called on the way to it, see ``Step``.
    """

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="messages")
    parent = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="children"
    )
    role = models.CharField(max_length=10, choices=MessageRole)
    text = models.TextField(blank=True, default="")
    reasoning = models.TextField(blank=True, default="")
    reasoning_seconds = models.PositiveIntegerField(null=True, blank=True)
    has_steps = models.BooleanField(default=False)
    attached = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = MessageQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.role} #{self.pk}"
