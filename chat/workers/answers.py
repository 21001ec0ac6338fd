"""The answer of workers that read documents: ``{"text": TEXT}``, or ``{"reason": WORD}`` where there is none.

The words are those of ``chat.documents.unreadable.Reason``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable

#: Characters that are kept of one document; about half a million tokens. Longer ones are refused.
LONGEST_TEXT = 2_000_000


class NoText(Exception):
    """There is no text, or none that can be sent; ``reason`` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def answered(read: Callable[[bytes], Iterable[str]], data: bytes, *, nothing: str = "empty") -> bytes:
    """What ``read`` finds, an empty line between its parts; ``nothing`` is why there would be none."""
    try:
        found = {"text": joined(read(data), nothing)}
    except NoText as none:
        found = {"reason": none.reason}
    except MemoryError:
        found = {"reason": "long"}
    except Exception:  # hostile files fail in many ways
        found = {"reason": "broken"}
    return json.dumps(found).encode()


def joined(parts: Iterable[str], nothing: str) -> str:
    """One text of all parts that say something. Raises NoText."""
    kept: list[str] = []
    length = 0
    for part in parts:
        if part := part.strip():
            kept.append(part)
            length += len(part) + 2
        if length > LONGEST_TEXT:
            raise NoText("long")
    if not kept:
        raise NoText(nothing)
    return "\n\n".join(kept).replace("\x00", "")
