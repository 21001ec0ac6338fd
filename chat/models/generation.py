"""One run of a model that fills one assistant message."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from backends.models import Backend
from chat.models.message import Message
from chat.models.stored_text import StoredText

if TYPE_CHECKING:
    from privatechathub.accounts.models import User


class Status(models.TextChoices):
    """The life of a generation."""

    QUEUED = "queued", _("Waiting")
    RUNNING = "running", _("Answering")
    COMPLETED = "completed", _("Completed")
    FAILED = "failed", _("Failed")
    STOPPED = "stopped", _("Stopped")
    INTERRUPTED = "interrupted", _("Interrupted")


ACTIVE = (Status.QUEUED, Status.RUNNING)


class GenerationQuerySet(models.QuerySet["Generation"]):
    """Finders."""

    def owned_by(self, user: User) -> GenerationQuerySet:
        """Generations in this person's own conversations."""
        return self.filter(message__conversation__owner=user, message__conversation__deleted_at=None)

    def active(self) -> GenerationQuerySet:
        """Queued or running."""
        return self.filter(status__in=ACTIVE)

    def awaiting_server(self) -> GenerationQuerySet:
        """Waiting until their backend is back, or just trying whether it is."""
        return self.active().filter(awaits_server=True)

    def abandoned(self) -> GenerationQuerySet:
        """Running by their row, but nobody renews their lease."""
        return self.filter(status=Status.RUNNING, lease_until__lt=timezone.now())


class Generation(models.Model):
    """A run: who asked which model of which backend, how it went, how long it took.

    ``worker`` names the process that holds it, until ``lease_until``. Times of the answer:
    ``ttft_ms`` from the start of the run to the first piece of text or reasoning.

    ``awaits_server``: the backend was away, and nothing of the answer has arrived since. While it is
    queued, ``retry_at`` is when it joins the line, None for when the backend is back; ``waits``
    counts how often it was set to wait. ``images_left_out`` counts the images that were not sent because
    the model cannot see; ``passages`` tells what it was given of documents that it was not sent whole, see
    ``chat.generation.told``.

    ``receipt`` tells what the model was asked, see ``chat.generation.receipt``; ``system_text`` and ``tools_text``
    belong to it. ``repeats`` is the id of the generation whose request was sent again; that row may be gone.
    the model cannot see. ``context`` tells what filled the model's window, see ``chat.generation.fit``.

    ``after``: another one whose end comes first, so that times can be compared. ``alias`` is what pages call the
    model while its name is hidden.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="generations")
    backend = models.ForeignKey(Backend, on_delete=models.SET_NULL, null=True, related_name="+")
    backend_name = models.CharField(max_length=60)
    model_id = models.CharField(max_length=250)
    model_name = models.CharField(max_length=250, blank=True, default="")
    options = models.JSONField(default=dict, blank=True)
    status = models.CharField(max_length=12, choices=Status, default=Status.QUEUED)
    continues = models.BooleanField(default=False)
    images_left_out = models.PositiveSmallIntegerField(default=0)
    passages = models.JSONField(default=dict, blank=True)

    after = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    alias = models.CharField(max_length=20, blank=True, default="")

    worker = models.CharField(max_length=60, blank=True, default="")
    lease_until = models.DateTimeField(null=True, blank=True)

    awaits_server = models.BooleanField(default=False)
    waits = models.PositiveIntegerField(default=0)
    retry_at = models.DateTimeField(null=True, blank=True)

    finish_reason = models.CharField(max_length=16, blank=True, default="")
    error_kind = models.CharField(max_length=20, blank=True, default="")
    error_message = models.TextField(blank=True, default="")
    error_hint = models.TextField(blank=True, default="")

    input_tokens = models.PositiveIntegerField(null=True, blank=True)
    output_tokens = models.PositiveIntegerField(null=True, blank=True)
    reasoning_tokens = models.PositiveIntegerField(null=True, blank=True)
    cached_tokens = models.PositiveIntegerField(null=True, blank=True)
    tokens_per_second = models.FloatField(null=True, blank=True)
    ttft_ms = models.PositiveIntegerField(null=True, blank=True)
    load_ms = models.PositiveIntegerField(null=True, blank=True)
    answered_by = models.CharField(max_length=250, blank=True, default="")
    details = models.JSONField(default=dict, blank=True)
    state = models.JSONField(default=dict, blank=True)
    context = models.JSONField(default=dict, blank=True)

    receipt = models.JSONField(default=dict, blank=True)
    system_text = models.ForeignKey(
        StoredText, on_delete=models.SET_NULL, null=True, related_name="system_of", db_index=False
    )
    tools_text = models.ForeignKey(
        StoredText, on_delete=models.SET_NULL, null=True, related_name="tools_of", db_index=False
    )
    repeats = models.UUIDField(null=True, blank=True)

    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = GenerationQuerySet.as_manager()

    class Meta:
        ordering = ["created_at"]
        indexes = [
            models.Index(fields=["status", "backend", "created_at"], name="generation_queue"),
            models.Index(
                fields=["system_text"],
                name="generation_by_system_text",
                condition=models.Q(system_text__isnull=False),
            ),
            models.Index(
                fields=["tools_text"],
                name="generation_by_tools_text",
                condition=models.Q(tools_text__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.model_id} {self.status}"

    @property
    def is_active(self) -> bool:
        """Queued or running."""
        return self.status in ACTIVE
