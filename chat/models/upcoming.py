"""A question that was typed while an answer was being written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models

from chat.models.conversation import Conversation

if TYPE_CHECKING:
    from privatechathub.accounts.models import User


class UpcomingQuerySet(models.QuerySet["UpcomingQuestion"]):
    """Finders."""

    def owned_by(self, user: User) -> UpcomingQuerySet:
        """In this person's own conversations."""
        mine = Conversation.objects.owned_by(user)
        return self.filter(conversation__in=mine).select_related("conversation")


class UpcomingQuestion(models.Model):
    """It is asked when the answers before it have ended, in the order of the ids.

    ``ref`` is the model it goes to, ``BACKEND-SLUG/MODEL-ID``; ``key`` that of the form it came by. ``trouble`` says
    why it could not be sent; one that is ``held`` is sent only when the person says so.
    ``Conversation.upcoming_count`` counts these rows, so that a page need not ask for them.
    """

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="upcoming")
    text = models.TextField()
    ref = models.CharField(max_length=320, blank=True, default="")
    key = models.CharField(max_length=64, blank=True, default="")
    trouble = models.TextField(blank=True, default="")
    held = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = UpcomingQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.text[:60]
