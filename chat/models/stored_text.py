"""Long texts that many receipts name: stored once for each person."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import Self

from django.conf import settings
from django.db import models
from django.utils import timezone


class StoredText(models.Model):
    """A system text or the tools on offer, as they were sent, under the digest of owner and text.

    The owner is part of the key: texts are shared by the receipts of one person, never by two.
    """

    key = models.CharField(primary_key=True, max_length=64)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    text = models.TextField()
    used_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.key

    @classmethod
    def of(cls, owner_id: int, text: str) -> Self:
        """The row for that text, not saved yet."""
        key = sha256(f"{owner_id}\0{text}".encode("utf-8", "replace")).hexdigest()
        return cls(key=key, owner_id=owner_id, text=text, used_at=timezone.now())

    @classmethod
    def keep(cls, rows: Iterable[Self]) -> None:
        """Save those that are not there yet, and have the others spared by whoever tidies up. At most one query."""
        found = {row.key: row for row in rows}
        if found:
            cls.objects.bulk_create(
                found.values(), update_conflicts=True, unique_fields=["key"], update_fields=["used_at"]
            )
