"""Worker: the text of a PDF, page by page. Runs nothing that the file holds and fetches nothing it names."""

from __future__ import annotations

import io
from collections.abc import Iterator

from pypdf import PdfReader
from pypdf.errors import LimitReachedError

from chat.workers.answers import NoText, answered

MEMORY = 1024 * 1024 * 1024
PROCESSOR_SECONDS = 50
MOST_PAGES = 2_000


def answer(data: bytes) -> bytes:
    """The text, or why there is none."""
    return answered(read, data, nothing="scanned")


def read(data: bytes) -> Iterator[str]:
    """Each page that has text, under its number. Raises NoText."""
    try:
        reader = PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise NoText("locked")
        if len(reader.pages) > MOST_PAGES:
            raise NoText("long")
        for number, page in enumerate(reader.pages, 1):
            if text := page.extract_text().strip():
                yield f"[Page {number}]\n{text}"
    except LimitReachedError:
        raise NoText("long") from None
