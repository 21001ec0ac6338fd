"""Sampling options under a name, by one person."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.db.models.signals import pre_delete
from django.dispatch import receiver
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from privatechathub.accounts.models import User

PRESET_NAME_LENGTH = 60


class SamplingPresetQuerySet(models.QuerySet["SamplingPreset"]):
    """Finders."""

    def owned_by(self, user: User) -> SamplingPresetQuerySet:
        """This person's own."""
        return self.filter(owner=user)


class SamplingPreset(models.Model):
    """``options`` as a conversation has them. Those of the hub itself are in ``chat.presets``."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="sampling_presets"
    )
    name = models.CharField(_("name"), max_length=PRESET_NAME_LENGTH)
    options = models.JSONField(default=dict, blank=True)

    objects = SamplingPresetQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="one_preset_per_name")]

    def __str__(self) -> str:
        return self.name


@receiver(pre_delete, sender=SamplingPreset)
def leave_options(instance: SamplingPreset, **_signal: Any) -> None:
    """Conversations that use it keep its options as their own."""
    for conversation in instance.conversations.all():
        conversation.options = instance.options | conversation.options
        conversation.save(update_fields=["options"])
