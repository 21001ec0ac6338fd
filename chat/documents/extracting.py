"""The text of documents that are read elsewhere, in bounds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from chat.documents.kinds import Kind
from chat.documents.unreadable import Reason, Unreadable
from chat.isolated import WORKERS, isolated

READERS: Mapping[Kind, Path] = {
    Kind.PDF: WORKERS / "pdf.py",
    Kind.OFFICE: WORKERS / "office.py",
    Kind.PAGE: WORKERS / "markup.py",
}
#: Seconds for one file.
PATIENCE = 60


def extracted(kind: Kind, data: bytes) -> str:
    """The text, with headings, tables, and numbers of pages where the kind has them.

    Blocks for up to seconds. Raises Unreadable, KeyError for a kind that is no document.
    """
    try:
        found = json.loads(isolated(READERS[kind], data, PATIENCE))
    except ValueError:  # killed by a limit
        raise Unreadable(Reason.LONG) from None
    if "reason" in found:
        raise Unreadable(Reason(found["reason"]))
    return str(found["text"])
