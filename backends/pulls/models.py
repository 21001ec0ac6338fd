"""Downloads of models: rows that outlive pages, and the process that runs them."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

#: Characters of a model's name.
NAME_LENGTH = 250


class PullStatus(models.TextChoices):
    """Where a download stands."""

    WAITING = "waiting", _("Waiting")
    RUNNING = "running", _("Downloading")
    COMPLETED = "completed", _("Installed")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


ACTIVE = (PullStatus.WAITING, PullStatus.RUNNING)


class PullQuerySet(models.QuerySet["Pull"]):
    """Finders of downloads."""

    def active(self) -> PullQuerySet:
        """Those that run, or will."""
        return self.filter(status__in=ACTIVE)

    def unheld(self) -> PullQuerySet:
        """Those that nobody has, or whose process is gone. Looks only at the rows themselves."""
        lost = models.Q(status=PullStatus.RUNNING, lease_until__lt=timezone.now())
        return self.filter(models.Q(status=PullStatus.WAITING) | lost)

    def due(self) -> PullQuerySet:
        """Those that a process may take now."""
        return self.unheld().filter(backend__enabled=True)


class Pull(models.Model):
    """One download of a model to one backend, for everybody who looks.

    ``layers`` holds objects with ``id``, ``completed`` and ``total``; all sizes are bytes, ``speed`` is
    bytes a second. ``detail`` is the server's own word for what it does, ``error`` a kind of
    BackendError with its ``message`` and ``hint``.
    """

    backend = models.ForeignKey("backends.Backend", on_delete=models.CASCADE, related_name="pulls")
    name = models.CharField(_("model"), max_length=NAME_LENGTH)
    status = models.CharField(max_length=10, choices=PullStatus, default=PullStatus.WAITING)
    cancel_requested = models.BooleanField(default=False)
    detail = models.CharField(max_length=200, blank=True, default="")
    layers = models.JSONField(default=list, blank=True)
    completed = models.BigIntegerField(default=0)
    total = models.BigIntegerField(default=0)
    speed = models.BigIntegerField(null=True, blank=True)
    error = models.CharField(max_length=20, blank=True, default="")
    message = models.CharField(max_length=400, blank=True, default="")
    hint = models.CharField(max_length=400, blank=True, default="")
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    worker = models.CharField(max_length=40, blank=True, default="")
    lease_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = PullQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["backend", "name"],
                condition=models.Q(status__in=ACTIVE),
                name="one_active_pull_per_model",
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_active(self) -> bool:
        """Whether it runs, or will."""
        return self.status in ACTIVE

    @property
    def can_resume(self) -> bool:
        """Whether it ended without the model. The server goes on where it stopped."""
        return self.status in (PullStatus.FAILED, PullStatus.CANCELLED)

    @property
    def percent(self) -> int | None:
        """How much is there, 0 to 100; None before the size is known."""
        return min(100, self.completed * 100 // self.total) if self.total > 0 else None

    @property
    def minutes_left(self) -> int | None:
        """At the speed of late, rounded up; None where that is unknown."""
        return -((self.completed - self.total) // self.speed // 60) if self.speed else None
