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
        return self.filter(conversation__owner=user, conversation__deleted_at=None).select_related(
            "conversation"
        )


class Message(models.Model):
    """Text of one turn; messages of a conversation form a tree by ``parent``.

    ``reasoning`` is the model's visible thinking, ``reasoning_seconds`` how long it took. ``has_steps``: tools
    were called on the way to it, see ``Step``. ``edited``: an answer in the person's own words.

    ``chosen`` is the child that was chosen to be shown last; without one, the newest is. ``deleted_at`` hides a
    message until it is purged; those with the same moment were deleted together. ``is_gap``: it was deleted
    without what follows it, which hangs on what was before.
    """

    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, related_name="messages", db_index=False
    )
    parent = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="children"
    )
    role = models.CharField(max_length=10, choices=MessageRole)
    text = models.TextField(blank=True, default="")
    reasoning = models.TextField(blank=True, default="")
    reasoning_seconds = models.PositiveIntegerField(null=True, blank=True)
    has_steps = models.BooleanField(default=False)
    attached = models.PositiveSmallIntegerField(default=0)
    edited = models.BooleanField(default=False)
    chosen = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    deleted_at = models.DateTimeField(null=True, blank=True)
    is_gap = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = MessageQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        indexes = [
            models.Index(fields=["conversation", "parent"], name="message_by_place"),
            models.Index(
                fields=["deleted_at"], name="message_deleted", condition=models.Q(deleted_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.role} #{self.pk}"
