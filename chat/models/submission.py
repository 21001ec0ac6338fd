"""What makes a repeated submit harmless."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from chat.models.message import Message


class Submission(models.Model):
    """The key of a form that was sent, and the question it made. A second send finds it."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=64)
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="one_message_per_key")]

    def __str__(self) -> str:
        return self.key
