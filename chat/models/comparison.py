"""Several models asked the same, side by side."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from privatechathub.accounts.models import User

#: Columns of a comparison.
FEWEST, MOST = 2, 4


class ComparisonQuerySet(models.QuerySet["Comparison"]):
    """Finders."""

    def owned_by(self, user: User) -> ComparisonQuerySet:
        """This person's own, without deleted ones."""
        return self.filter(owner=user, columns__column=0, columns__deleted_at=None)


class Comparison(models.Model):
    """Two to four conversations that get the same questions; each is an ordinary one, see ``Conversation.comparison``.

    ``blind``: which model stands in which column is told only after the vote. The columns' order was
    shuffled when it began.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="comparisons")
    blind = models.BooleanField(default=False)
    voted_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ComparisonQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return str(self.pk)

    def get_absolute_url(self) -> str:
        """Where it is; a stranger gets 404 there."""
        return reverse("chat:comparison", args=[self.pk])

    @property
    def wants_vote(self) -> bool:
        """Whether the names are still hidden."""
        return self.blind and self.voted_at is None


class Outcome(models.TextChoices):
    """What a vote said of a model."""

    WON = "won", _("won")
    TIED = "tied", _("tied")
    LOST = "lost", _("lost")


class Vote(models.Model):
    """What one blind vote said of one of its models. It outlives the comparison: the tally counts it.

    ``place`` names the backend as it was called then, ``ballot`` is the same for all models of one vote.
    """

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    ballot = models.UUIDField()
    model_id = models.CharField(max_length=250)
    label = models.CharField(max_length=250)
    place = models.CharField(max_length=60)
    outcome = models.CharField(max_length=4, choices=Outcome)
    voted_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]
        indexes = [models.Index(fields=["owner", "model_id"], name="vote_by_owner")]

    def __str__(self) -> str:
        return f"{self.label} {self.outcome}"
