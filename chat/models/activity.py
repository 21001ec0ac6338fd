"""A tool at work while an answer is written."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import F
from django.db.models.functions import Left
from django.utils.translation import gettext_lazy as _

from chat.models.generation import Generation
from chat.models.plain import plain

if TYPE_CHECKING:
    from privatechathub.accounts.models import User

#: Characters of a result that a page shows at once; the rest is behind a link.
PREVIEW = 2000


class ActivityState(models.TextChoices):
    """The life of a call. ``STOPPED``: the answer ended before the tool did."""

    PENDING = "pending", _("waiting")
    RUNNING = "running", _("running")
    DONE = "done", _("done")
    ERROR = "error", _("failed")
    STOPPED = "stopped", _("stopped")


class Consent(models.TextChoices):
    """Who let the hub run a call, or did not."""

    HARMLESS = "harmless", _("needs no permission")
    RULE = "rule", _("allowed by a rule")
    ONCE = "once", _("allowed once")
    HERE = "here", _("allowed in this conversation")
    ALWAYS = "always", _("allowed always")
    FORBIDDEN = "forbidden", _("denied by a rule")
    DENIED = "denied", _("denied")
    EXPIRED = "expired", _("nobody answered in time")


AT_WORK = (ActivityState.PENDING, ActivityState.RUNNING)


class ActivityQuerySet(models.QuerySet["Activity"]):
    """Finders."""

    def owned_by(self, user: User) -> ActivityQuerySet:
        """Calls within this person's own conversations."""
        return self.filter(
            generation__message__conversation__owner=user, generation__message__conversation__deleted_at=None
        )

    def at_work(self) -> ActivityQuerySet:
        """Not ended yet."""
        return self.filter(state__in=AT_WORK)


class Activity(models.Model):
    """One call of a tool, wherever the tool runs.

    ``call_id`` is the caller's name for it, ``position`` its place among the calls of the generation.
    ``input`` is JSON as text, ``output`` plain text; both are bounded (see ``generation.activities``) and
    come from outside. ``output_size`` counts the bytes of the whole output. ``consent`` says who let the hub run
    it, empty for a tool that the server runs. Each of ``sources`` has ``url``, ``title`` and ``site``, and
    ``number`` where the model was told of it by one. ``images`` counts those of its result, which its step holds.
    ``imported``: a file says that it was called, not this hub.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    generation = models.ForeignKey(Generation, on_delete=models.CASCADE, related_name="activities")
    position = models.PositiveIntegerField()
    call_id = models.CharField(max_length=200)
    name = models.CharField(max_length=200)
    title = models.CharField(max_length=500, blank=True, default="")
    state = models.CharField(max_length=8, choices=ActivityState)
    input = models.TextField(blank=True, default="")
    output = models.TextField(blank=True, default="")
    output_size = models.PositiveIntegerField(default=0)
    consent = models.CharField(max_length=12, choices=Consent, blank=True, default="")
    sources = models.JSONField(default=list, blank=True)
    images = models.PositiveSmallIntegerField(default=0)
    imported = models.BooleanField(default=False)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = ActivityQuerySet.as_manager()

    class Meta:
        ordering = ["started_at", "position"]
        constraints = [
            models.UniqueConstraint(fields=["generation", "position"], name="one_activity_per_position")
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.state}"

    def shown(self) -> dict[str, Any]:
        """What a card shows, as plain values. Images come once the step that holds them is kept."""
        values = {name: getattr(self, name) for name in _SHOWN}
        return plain(values | {"preview": self.output[:PREVIEW], "images": 0})

    @classmethod
    def shown_of(cls, message_ids: list[int]) -> dict[int, list[dict[str, Any]]]:
        """Message id -> its calls in order, without the long outputs. One query."""
        rows = cls.objects.filter(generation__message_id__in=message_ids)
        found: dict[int, list[dict[str, Any]]] = {}
        for values in rows.values(
            *_SHOWN, preview=Left("output", PREVIEW), message_id=F("generation__message_id")
        ):
            found.setdefault(values.pop("message_id"), []).append(plain(values))
        return found


_SHOWN = (
    "id",
    "name",
    "title",
    "state",
    "input",
    "output_size",
    "sources",
    "images",
    "started_at",
    "finished_at",
)
