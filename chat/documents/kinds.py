"""What a file is, by its first bytes; its name counts only where they say nothing."""

from __future__ import annotations

from enum import StrEnum

_IMAGES = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8")
_IMAGE_ENDINGS = (
    ".jpg",
    ".jpeg",
    ".png",
    ".gif",
    ".webp",
    ".heic",
    ".heif",
    ".avif",
    ".bmp",
    ".tif",
    ".tiff",
)


class Kind(StrEnum):
    """How a file is read."""

    IMAGE = "image"
    PDF = "pdf"
    TEXT = "text"


def kind_of(name: str, head: bytes) -> Kind:
    """By at least the first 1,024 bytes: a PDF may have something before its mark (ISO 32000, annex H)."""
    if head.startswith(_IMAGES) or head[4:8] == b"ftyp" or (head[:4] == b"RIFF" and head[8:12] == b"WEBP"):
        return Kind.IMAGE
    if b"%PDF-" in head[:1024] and b"\0" not in head[: head.find(b"%PDF-")]:
        return Kind.PDF
    return Kind.IMAGE if name.lower().endswith(_IMAGE_ENDINGS) else Kind.TEXT
