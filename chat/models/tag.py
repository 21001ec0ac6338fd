"""A word that a person puts on conversations to find them again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower

if TYPE_CHECKING:
    from privatechathub.accounts.models import User

TAG_LENGTH = 40


class TagQuerySet(models.QuerySet["Tag"]):
    """Finders."""

    def owned_by(self, user: User | int) -> TagQuerySet:
        """This person's own."""
        return self.filter(owner=user)


class Tag(models.Model):
    """The same word in another case is the same tag."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=TAG_LENGTH)

    objects = TagQuerySet.as_manager()

    class Meta:
        ordering = [Lower("name")]
        constraints = [models.UniqueConstraint("owner", Lower("name"), name="one_tag_per_name")]

    def __str__(self) -> str:
        return self.name
