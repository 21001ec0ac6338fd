"""What a model said and called before it went on: one round of a tool loop."""

from __future__ import annotations

import uuid

from django.db import models

from chat.models.generation import Generation


class Step(models.Model):
    """One finished round, so that the conversation can be told to a model as it was.

    ``text`` and ``reasoning`` are what the model said in this round alone; ``end`` counts the characters
    that the whole answer had after it. Each of ``calls`` has ``id``, ``name``, ``arguments``, ``content``
    (what the tool gave back, as it came), ``is_error``, and where there are any ``images``, each with
    ``media_type`` and ``data`` (base64).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    generation = models.ForeignKey(Generation, on_delete=models.CASCADE, related_name="steps")
    position = models.PositiveIntegerField()
    text = models.TextField(blank=True, default="")
    reasoning = models.TextField(blank=True, default="")
    end = models.PositiveIntegerField()
    calls = models.JSONField(default=list)
    finished_at = models.DateTimeField()

    class Meta:
        ordering = ["finished_at", "position"]
        constraints = [
            models.UniqueConstraint(fields=["generation", "position"], name="one_step_per_position")
        ]

    def __str__(self) -> str:
        return f"step {self.position} of {self.generation_id}"

    @classmethod
    def images_of(cls, generation_id: uuid.UUID, call_id: str) -> list[dict[str, str]]:
        """What a call of that generation gave back to look at. One query."""
        rounds = cls.objects.filter(generation=generation_id).values_list("calls", flat=True)
        calls = (call for each in rounds for call in each if call["id"][:200] == call_id)
        return [image for call in calls for image in call.get("images", ())]

    @classmethod
    def of_messages(cls, message_ids: list[int]) -> dict[int, list[Step]]:
        """Message id -> its rounds in order, over all generations that filled it. One query."""
        found: dict[int, list[Step]] = {}
        rows = cls.objects.filter(generation__message_id__in=message_ids).select_related("generation")
        for row in rows:
            found.setdefault(row.generation.message_id, []).append(row)
        return found
