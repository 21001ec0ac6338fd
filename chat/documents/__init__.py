"""Files that a model reads as text."""

from __future__ import annotations

from chat.documents.extracting import extracted
from chat.documents.kinds import Kind, kind_of, media_type_of
from chat.documents.plain import plain_text
from chat.documents.unreadable import Reason, Unreadable

__all__ = ["Kind", "Reason", "Unreadable", "document_text", "kind_of", "media_type_of"]


def document_text(kind: Kind, data: bytes) -> str:
    """The text of a file of that kind, no image. Blocks for up to seconds. Raises Unreadable."""
    return plain_text(data) if kind is Kind.TEXT else extracted(kind, data)
