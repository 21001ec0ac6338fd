"""A search for AI servers: a row that any process can show, written by the one that searches."""

from __future__ import annotations

import uuid
from datetime import timedelta

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

#: A search that says nothing for so long is no longer under way.
LEASE = timedelta(seconds=15)


class SearchStatus(models.TextChoices):
    """How far it is."""

    RUNNING = "running", _("Searching")
    COMPLETED = "completed", _("Searched")
    CANCELLED = "cancelled", _("Cancelled")
    OUT_OF_TIME = "late", _("Not finished in time")
    FAILED = "failed", _("Broken off")


class Search(models.Model):
    """One search. ``total`` and ``tried`` count ports of addresses.

    ``found`` holds objects with ``kind``, ``software``, ``host``, ``url``, ``model_count`` and
    ``version``; ``unknown`` the names that stand for nothing on this network.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    places = models.TextField()
    ports = models.JSONField(default=list)
    status = models.CharField(max_length=10, choices=SearchStatus, default=SearchStatus.RUNNING)
    cancel_requested = models.BooleanField(default=False)
    total = models.PositiveIntegerField(default=0)
    tried = models.PositiveIntegerField(default=0)
    found = models.JSONField(default=list)
    unknown = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    touched_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.created_at:%Y-%m-%d %H:%M} {self.status}"

    @property
    def is_active(self) -> bool:
        """Whether it still goes on; the process that did it may be gone."""
        return self.status == SearchStatus.RUNNING and timezone.now() - self.touched_at < LEASE

    @property
    def state_label(self) -> str:
        """How far it is, in words."""
        lost = self.status == SearchStatus.RUNNING and not self.is_active
        return str((SearchStatus.FAILED if lost else SearchStatus(self.status)).label)

    @property
    def percent(self) -> int:
        """How much of it is done."""
        return 100 * self.tried // self.total if self.total else 0
