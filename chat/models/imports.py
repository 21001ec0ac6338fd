"""Files that people import, and what came from where."""

from __future__ import annotations

import uuid
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from chat.models.conversation import Conversation

if TYPE_CHECKING:
    from privatechathub.accounts.models import User

#: An import that says nothing for so long is no longer under way: its process has ended.
LEASE = timedelta(seconds=60)


class ImportStatus(models.TextChoices):
    """``READY``: looked through, and waiting for the person to say yes."""

    READY = "ready", _("ready")
    RUNNING = "running", _("being imported")
    DONE = "done", _("imported")
    FAILED = "failed", _("broken off")


class ImportQuerySet(models.QuerySet["Import"]):
    """Finders."""

    def owned_by(self, user: User) -> ImportQuerySet:
        """This person's own."""
        return self.filter(owner=user)


class Import(models.Model):
    """A file that was sent, what is in it (``report``, see ``transfer.survey``) and how far it is.

    The file itself lies in the data folder until it is imported or dropped.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    file_name = models.CharField(max_length=100)
    status = models.CharField(max_length=8, choices=ImportStatus, default=ImportStatus.READY)
    report = models.JSONField(default=dict)
    error = models.TextField(blank=True, default="")
    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    touched_at = models.DateTimeField(default=timezone.now)

    objects = ImportQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.file_name} {self.status}"

    @property
    def path(self) -> Path:
        """Where the file lies. Its name is the row's id: nothing that a person chose."""
        return Path(settings.MEDIA_ROOT) / "imports" / str(self.pk)

    @property
    def is_running(self) -> bool:
        """Whether it goes on; the process that did it may be gone."""
        return self.status == ImportStatus.RUNNING and timezone.now() - self.touched_at < LEASE

    @property
    def can_begin(self) -> bool:
        """Whether a person can say yes: to one that waits, or again to one that was cut off."""
        return self.status != ImportStatus.DONE and not self.is_running and self.path.is_file()


class Origin(models.Model):
    """Where an imported conversation comes from: what keeps the same file from being imported twice.

    ``digest`` is of what it said then (``Talk.digest``), so a conversation that has gone on there is new.
    """

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="+")
    source = models.CharField(max_length=30)
    source_id = models.CharField(max_length=200)
    digest = models.CharField(max_length=32)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "source", "source_id", "digest"], name="one_import_per_origin"
            )
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.source_id}"
