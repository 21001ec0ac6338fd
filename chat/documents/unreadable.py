"""Why there is no text."""

from __future__ import annotations

from enum import StrEnum

#: Characters of one file that a model is sent; about 100,000 tokens, more than most windows hold.
LONGEST_TEXT = 400_000


class Reason(StrEnum):
    """What is the matter with the file."""

    BINARY = "binary"
    BROKEN = "broken"
    EMPTY = "empty"
    LONG = "long"
    LOCKED = "locked"
    SCANNED = "scanned"


class Unreadable(Exception):
    """``reason`` says why."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason
