"""A host outside that a tool contacted, or was kept from contacting."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.utils import timezone

if TYPE_CHECKING:
    from privatechathub.accounts.models import User

#: Older rows are thrown away, so that the list cannot grow for ever.
KEPT = timedelta(days=180)
#: Every so many new rows.
_SWEEP = 200


class OutsideContactQuerySet(models.QuerySet["OutsideContact"]):
    """Finders."""

    def visible_to(self, user: User) -> OutsideContactQuerySet:
        """A person's own; an administrator sees everybody's."""
        return self if user.is_staff else self.filter(user=user)

    def note(self, *, user_id: int, tool: str, host: str, port: int, refused: bool) -> OutsideContact:
        """One more, and now and then the old ones go."""
        row = self.create(user_id=user_id, tool=tool[:100], host=host[:255], port=port, refused=refused)
        if row.pk % _SWEEP == 0:
            self.filter(at__lt=timezone.now() - KEPT).delete()
        return row


class OutsideContact(models.Model):
    """``refused``: the guard kept the tool from it, and no packet was sent."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="outside_contacts"
    )
    tool = models.CharField(max_length=100)
    host = models.CharField(max_length=255)
    port = models.PositiveIntegerField()
    refused = models.BooleanField(default=False)
    at = models.DateTimeField(auto_now_add=True, db_index=True)

    objects = OutsideContactQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"
