"""What somebody else's server asks the person while it writes an answer."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from django.db import models

from chat.models.generation import Generation
from chat.models.plain import plain

if TYPE_CHECKING:
    from privatechathub.accounts.models import User


class AskState(models.TextChoices):
    """``OPEN`` waits for the person. ``HERE`` is for the hub's own tools. ``EXPIRED``: nobody answered in time,
    which denies. ``CLOSED``: needs no answer any more, because one was given elsewhere or the answer ended.
    """

    OPEN = "open", "open"
    ONCE = "once", "allowed once"
    HERE = "here", "allowed in this conversation"
    ALWAYS = "always", "allowed always"
    ANSWERED = "answered", "answered"
    DENIED = "denied", "denied"
    EXPIRED = "expired", "expired"
    CLOSED = "closed", "closed"


class AskQuerySet(models.QuerySet["Ask"]):
    """Finders."""

    def owned_by(self, user: User) -> AskQuerySet:
        """Asked within this person's own conversations."""
        return self.filter(
            generation__message__conversation__owner=user, generation__message__conversation__deleted_at=None
        )

    def open(self) -> AskQuerySet:
        """Those that wait for an answer."""
        return self.filter(state=AskState.OPEN)


class Ask(models.Model):
    """A permission that is asked for, or questions, and what the person said.

    ``payload`` is bounded and holds text only: for a ``permission`` its ``permission``, ``title``,
    ``patterns``, ``always`` and ``details``; for a ``tool`` of the hub its ``permission`` (the name), ``title``,
    ``details`` and ``once_only``; for a ``question`` its ``questions``. ``answer`` holds the
    chosen words for each question.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    generation = models.ForeignKey(Generation, on_delete=models.CASCADE, related_name="asks")
    kind = models.CharField(max_length=20)
    payload = models.JSONField(default=dict)
    state = models.CharField(max_length=8, choices=AskState, default=AskState.OPEN)
    answer = models.JSONField(default=list, blank=True)
    asked_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, blank=True)

    objects = AskQuerySet.as_manager()

    class Meta:
        ordering = ["asked_at"]

    def __str__(self) -> str:
        return f"{self.kind} {self.state}"

    def shown(self) -> dict[str, Any]:
        """What a card shows, as plain values."""
        return plain(
            {"id": self.pk, "kind": self.kind, "payload": self.payload, "expires_at": self.expires_at}
        )

    @classmethod
    def shown_of(cls, message_ids: list[int]) -> dict[int, list[dict[str, Any]]]:
        """Message id -> what is open there. One query."""
        rows = cls.objects.open().filter(generation__message_id__in=message_ids)
        found: dict[int, list[dict[str, Any]]] = {}
        for row in rows.select_related("generation"):
            found.setdefault(row.generation.message_id, []).append(row.shown())
        return found
