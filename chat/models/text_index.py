"""What was counted of a long document, so that passages of it are found without reading it again."""

from __future__ import annotations

from django.db import models


class TextIndex(models.Model):
    """One for all files of that content. ``data`` is ``chat.passages.index.Index.packed``.

    ``characters`` of the text that was counted: a reader of documents that has learned something reads another.
    """

    digest = models.CharField(max_length=64, primary_key=True)
    characters = models.PositiveIntegerField()
    data = models.BinaryField()

    def __str__(self) -> str:
        return self.digest
