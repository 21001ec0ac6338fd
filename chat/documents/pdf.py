"""The text of a PDF, page by page."""

from __future__ import annotations

import json
from pathlib import Path

from chat.documents.unreadable import LONGEST_TEXT, Reason, Unreadable
from chat.isolated import isolated

WORKER = Path(__file__).with_name("pdf_worker.py")
#: Seconds for one file.
PATIENCE = 45


def pdf_text(data: bytes) -> str:
    """The text, each page under its number. Blocks for up to seconds. Raises Unreadable."""
    try:
        found = json.loads(isolated(WORKER, data, PATIENCE))
    except ValueError:  # killed by a limit
        raise Unreadable(Reason.LONG) from None
    if "reason" in found:
        raise Unreadable(Reason(found["reason"]))
    pages = [page.strip() for page in found["pages"]]
    if not any(pages):
        raise Unreadable(Reason.SCANNED)
    text = "\n\n".join(f"[Page {number}]\n{page}" for number, page in enumerate(pages, 1) if page)
    if len(text) > LONGEST_TEXT:
        raise Unreadable(Reason.LONG)
    return text.replace("\x00", "")
