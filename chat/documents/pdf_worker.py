"""Read the text of an untrusted PDF. Run as a process of its own; imports nothing of the hub.

Reads the file from standard input, writes one JSON object: ``{"pages": [TEXT, …]}``, or ``{"reason": WORD}``
(the words of ``unreadable.Reason``). Runs nothing that the file holds and fetches nothing it names.
"""

from __future__ import annotations

import io
import json
import sys
from typing import Any

from pypdf import PdfReader
from pypdf.errors import LimitReachedError

#: Bytes of address space, and seconds of processor time.
MEMORY = 768 * 1024 * 1024
PROCESSOR_SECONDS = 30
MOST_PAGES = 500
#: Characters after which it is too long anyway.
ENOUGH = 500_000


def main() -> None:
    """Standard input to standard output."""
    limit()
    sys.stdout.write(json.dumps(answer(sys.stdin.buffer.read())))


def limit() -> None:
    """Memory and processor time, where the system can bound them."""
    try:
        import resource
    except ImportError:  # Windows; the parent's timer still ends us
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR_SECONDS, PROCESSOR_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def answer(data: bytes) -> dict[str, Any]:
    """The pages, or why not."""
    try:
        return read(PdfReader(io.BytesIO(data)))
    except (MemoryError, LimitReachedError):
        return {"reason": "long"}
    except Exception:  # hostile files fail in many ways
        return {"reason": "broken"}


def read(reader: PdfReader) -> dict[str, Any]:
    """Page by page, as long as it is not too much."""
    if reader.is_encrypted and not reader.decrypt(""):
        return {"reason": "locked"}
    if len(reader.pages) > MOST_PAGES:
        return {"reason": "long"}
    pages: list[str] = []
    length = 0
    for page in reader.pages:
        pages.append(page.extract_text())
        length += len(pages[-1])
        if length > ENOUGH:
            return {"reason": "long"}
    return {"pages": pages}


if __name__ == "__main__":
    main()
