"""Worker: what a web page says that somebody saved. Its scripts and styles are not read, its addresses not asked."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

from chat.workers.answers import answered
from chat.workers.web_page import read_page

MEMORY = 768 * 1024 * 1024
PROCESSOR_SECONDS = 20
_CHARSET = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?([\w-]{2,40})", re.IGNORECASE)


def answer(data: bytes) -> bytes:
    """The text, or why there is none."""
    return answered(read, data)


def read(data: bytes) -> Iterator[str]:
    """The title where the text does not begin with it, then everything."""
    page = read_page(decoded(data), whole=True)
    if page.title and page.title not in page.text[:500]:
        yield f"# {page.title}"
    yield page.text


def decoded(data: bytes) -> str:
    """By its mark or by what it says of itself, else UTF-8."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace")
    said = _CHARSET.search(data[:2048])
    try:
        encoding = codecs.lookup(said[1].decode()).name if said else "utf-8"
        return data.decode(encoding if encoding != "utf-8" else "utf-8-sig", "replace")
    except LookupError:  # none that Python knows as one of text
        return data.decode("utf-8", "replace")
