"""Text and code."""

from __future__ import annotations

import codecs
import re

from chat.documents.unreadable import LONGEST_TEXT, Reason, Unreadable

#: No text has them: NUL and its like, but for tab, line ends, form feed and escape.
_CONTROL = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def plain_text(data: bytes) -> str:
    """The text, with line ends as Unix has them. Raises Unreadable for what is none, or too long."""
    if len(data) > 4 * LONGEST_TEXT:
        raise Unreadable(Reason.BINARY if b"\0" in data[:4096] and data[:2] not in _UTF16 else Reason.LONG)
    text = decoded(data).replace("\r\n", "\n").replace("\r", "\n")
    if _CONTROL.search(text):
        raise Unreadable(Reason.BINARY)
    if not text.strip():
        raise Unreadable(Reason.EMPTY)
    if len(text) > LONGEST_TEXT:
        raise Unreadable(Reason.LONG)
    return text


def decoded(data: bytes) -> str:
    """UTF-8, UTF-16 by its mark, else what Windows wrote before. Raises Unreadable."""
    for encoding in ("utf-16", "cp1252") if data[:2] in _UTF16 else ("utf-8-sig", "cp1252"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Unreadable(Reason.BINARY)
