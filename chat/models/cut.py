"""Where a conversation was cut because it outgrew a model's window."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from chat.models.conversation import Conversation
from chat.models.message import Message


class CutKind(models.TextChoices):
    """``PROPOSED``: shown, but nothing is left out yet. ``DROPPED``: what is above is not sent any more.
    ``SUMMARISED``: a summary is sent in its place.
    """

    PROPOSED = "proposed", _("Proposed")
    DROPPED = "dropped", _("Dropped")
    SUMMARISED = "summarised", _("Summarised")


class Cut(models.Model):
    """A line in a conversation, below the message ``after``; None for one above its first message.

    On a path the lowest line counts. ``summary`` stands for everything up to ``covers``, written by a model and
    perhaps ``edited``; empty while it is not written yet. ``left_out`` counts the messages above the line,
    ``unread`` those of them that no model could read for the summary, because they were too many.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="cuts")
    after = models.ForeignKey(Message, on_delete=models.CASCADE, null=True, related_name="+")
    covers = models.ForeignKey(Message, on_delete=models.SET_NULL, null=True, related_name="+")
    kind = models.CharField(max_length=10, choices=CutKind)
    left_out = models.PositiveIntegerField(default=0)
    unread = models.PositiveIntegerField(default=0)
    summary = models.TextField(blank=True, default="")
    edited = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    #: Drawn a moment ago: pages do not show it yet.
    is_new = False

    class Meta:
        ordering = ["created_at"]
        constraints = [models.UniqueConstraint(fields=["conversation", "after"], name="one_cut_per_place")]

    def __str__(self) -> str:
        return f"{self.kind} after #{self.after_id}"

    @property
    def awaits_summary(self) -> bool:
        """Whether a model has to write it before the next answer."""
        return self.kind == CutKind.SUMMARISED and not self.summary

    @classmethod
    def of(cls, conversation: Conversation) -> dict[int | None, Cut]:
        """Message id -> the line below it. No query where the conversation never had any."""
        if not conversation.has_cuts:
            return {}
        return {cut.after_id: cut for cut in conversation.cuts.all()}
