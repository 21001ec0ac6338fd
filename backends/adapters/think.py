"""Takes ``<think>…</think>`` at the start of an answer for what it is: reasoning."""

from __future__ import annotations

from enum import Enum, auto

from backends.adapters.errors import gettext_noop
from backends.adapters.events import ReasoningDelta, TextDelta
from backends.adapters.options import choice

OPEN, CLOSE = "<think>", "</think>"

#: For servers that may give a model's thinking as part of its text.
THINK_TAGS = choice(
    "think_tags",
    gettext_noop("<think> tags in the text"),
    {"off": gettext_noop("Leave them as text")},
    unset=gettext_noop("Show what is inside as thinking"),
)


class _At(Enum):
    START = auto()
    INSIDE = auto()
    AFTER = auto()
    TEXT = auto()


class ThinkSplitter:
    """Splits text that comes in pieces; a tag may be cut anywhere. Later tags are plain text."""

    def __init__(self, *, on: bool = True) -> None:
        self._at = _At.START if on else _At.TEXT
        self._held = ""

    @classmethod
    def after_thinking(cls) -> ThinkSplitter:
        """For what follows a closing tag."""
        splitter = cls()
        splitter._at = _At.AFTER
        return splitter

    @property
    def is_done(self) -> bool:
        """Whether everything that comes is text."""
        return self._at is _At.TEXT

    def feed(self, text: str) -> list[TextDelta | ReasoningDelta]:
        """What is certain after this piece."""
        if self._at is _At.TEXT:
            return [TextDelta(text)]
        held, self._held = self._held + text, ""
        match self._at:
            case _At.START:
                return self._start(held)
            case _At.INSIDE:
                return self._inside(held)
            case _:
                return self._after(held)

    def close(self) -> list[TextDelta | ReasoningDelta]:
        """What was held back in case it was a tag."""
        held, self._held = self._held, ""
        if not held or self._at is _At.AFTER:
            return []
        return [ReasoningDelta(held) if self._at is _At.INSIDE else TextDelta(held)]

    def skip(self) -> list[TextDelta | ReasoningDelta]:
        """The answer begins otherwise (the server splits by itself): look for no tag."""
        held, self._held = self._held, ""
        self._at = _At.TEXT
        return [TextDelta(held)] if held.strip() else []

    def _start(self, held: str) -> list[TextDelta | ReasoningDelta]:
        begun = held.lstrip()
        if begun.startswith(OPEN):
            self._at = _At.INSIDE
            return self.feed(begun[len(OPEN) :])
        if OPEN.startswith(begun):
            self._held = held
            return []
        self._at = _At.TEXT
        return [TextDelta(held)]

    def _inside(self, held: str) -> list[TextDelta | ReasoningDelta]:
        thought, tag, rest = held.partition(CLOSE)
        if tag:
            self._at = _At.AFTER
            return [*_reasoning(thought), *self._after(rest)]
        cut = _beginning(held)
        self._held = held[cut:]
        return _reasoning(held[:cut])

    def _after(self, held: str) -> list[TextDelta | ReasoningDelta]:
        """The blank lines between the thinking and the answer belong to neither."""
        text = held.lstrip()
        if not text:
            return []
        self._at = _At.TEXT
        return [TextDelta(text)]


def _reasoning(text: str) -> list[TextDelta | ReasoningDelta]:
    return [ReasoningDelta(text)] if text else []


def _beginning(text: str) -> int:
    """Where a closing tag that is cut off by the end of the text begins; the end if there is none."""
    start = text.rfind("<", -len(CLOSE))
    return start if start >= 0 and CLOSE.startswith(text[start:]) else len(text)
