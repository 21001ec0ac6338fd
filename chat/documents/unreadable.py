"""Why there is no text."""

from __future__ import annotations

from enum import StrEnum

from chat.workers import answers

#: Characters of one file; the same for all kinds.
LONGEST_TEXT = answers.LONGEST_TEXT


class Reason(StrEnum):
    """What is the matter with the file."""

    BINARY = "binary"
    BROKEN = "broken"
    EMPTY = "empty"
    LONG = "long"
    LOCKED = "locked"
    OLD = "old"
    SCANNED = "scanned"


class Unreadable(Exception):
    """``reason`` says why."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason
