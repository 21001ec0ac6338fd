"""What a person wants of a model."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class ModelPreference(models.Model):
    """A person's favourite, or a model that they do not want to be offered."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="model_preferences"
    )
    model = models.ForeignKey("backends.CatalogueModel", on_delete=models.CASCADE, related_name="preferences")
    favourite = models.BooleanField(default=False)
    hidden = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "model"], name="one_preference_per_model")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.model_id}"
