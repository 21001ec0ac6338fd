"""What a file is, by its first bytes; its name counts only where they say nothing."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import PurePath

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
#: A zip, and a file of Office before 2007 ([MS-CFB]).
_OFFICE = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
_OFFICE_ENDINGS = {
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ".odt": "application/vnd.oasis.opendocument.text",
    ".ods": "application/vnd.oasis.opendocument.spreadsheet",
    ".odp": "application/vnd.oasis.opendocument.presentation",
    ".epub": "application/epub+zip",
    ".xls": "application/vnd.ms-excel",
}
#: A whole page that somebody saved. Pieces of HTML are code, and are sent to the letter. A remark ends at its first
#: mark: could it go on, many of them would be read in two to the power of as many ways.
_PAGE = re.compile(
    rb"\s*(?:<\?xml[^>]*>\s*)?(?:<!--(?:(?!-->).){0,800}-->\s*)*<(?:!doctype\s+html|html)\b",
    re.IGNORECASE | re.DOTALL,
)


class Kind(StrEnum):
    """How a file is read. ``OFFICE``: texts, workbooks, presentations and books; ``PAGE``: a saved web page."""

    IMAGE = "image"
    PDF = "pdf"
    OFFICE = "office"
    PAGE = "page"
    TEXT = "text"


def kind_of(name: str, head: bytes) -> Kind:
    """By at least the first 1,024 bytes: a PDF may have something before its mark (ISO 32000, annex H)."""
    if head.startswith(_IMAGES) or head[4:8] == b"ftyp" or (head[:4] == b"RIFF" and head[8:12] == b"WEBP"):
        return Kind.IMAGE
    if head.startswith(_OFFICE):
        return Kind.OFFICE
    if b"%PDF-" in head[:1024] and b"\0" not in head[: head.find(b"%PDF-")]:
        return Kind.PDF
    if name.lower().endswith(_IMAGE_ENDINGS):
        return Kind.IMAGE
    return Kind.PAGE if _PAGE.match(head.lstrip(b"\xef\xbb\xbf\xff\xfe").replace(b"\0", b"")) else Kind.TEXT


def media_type_of(kind: Kind, name: str) -> str:
    """What a document is served as, always to be saved. Never a type that a browser would show as a page."""
    match kind:
        case Kind.PDF:
            return "application/pdf"
        case Kind.OFFICE:
            return _OFFICE_ENDINGS.get(PurePath(name).suffix.lower(), "application/octet-stream")
        case _:
            return "text/plain"
