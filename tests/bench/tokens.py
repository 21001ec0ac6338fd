"""Counts stamped tokens (``t17@1732189000.123456``) at their first appearance and keeps their delays."""

from __future__ import annotations

import asyncio
import re
from array import array
from collections.abc import Callable, Mapping

_TOKEN = re.compile(rb"t(\d+)@(\d+\.\d{6})")
_TAG = re.compile(rb"<[^>]*>")
_TAIL = 48  # no token is longer


class TokenCounter:
    """What one answer's reader has seen. Tokens stamped before ``since`` belong to an older answer.

    The quick way looks for the next number only, so that a frame that repeats a long paragraph costs
    one search. Where a number is missing, all of the frame is read.
    """

    def __init__(
        self,
        expected: int,
        *,
        since: float = 0.0,
        through_tags: bool = False,
        at: Mapping[int, Callable[[], None]] | None = None,
    ) -> None:
        self.expected = expected
        self.delays = array("d")
        self.first_at = self.last_at = 0.0
        self.done = asyncio.Event()
        self._next = 0
        self._missing: set[int] = set()
        self._since = since
        self._through_tags = through_tags
        self._at = dict(at or {})

    @property
    def seen(self) -> int:
        """How many different tokens have arrived."""
        return self._next - len(self._missing)

    @property
    def lost(self) -> int:
        """How many have not."""
        return self.expected - self.seen

    def feed(self, data: bytes, now: float) -> None:
        """Read one frame or page that arrived at ``now``."""
        if self._through_tags:
            data = _TAG.sub(b"", data)
        position = 0
        while (position := data.find(b"t%d@" % self._next, position)) >= 0:
            found = _TOKEN.match(data, position)
            if found is None:
                position += 1
                continue
            position = found.end()
            self._take(self._next, float(found.group(2)), now)
        if self._next < self.expected or self._missing:
            self._read_all(data, now)

    def _read_all(self, data: bytes, now: float) -> None:
        """Look for tokens behind a gap, and for those that were missed before."""
        last = data.rfind(b"@")
        newest = _TOKEN.match(data, data.rfind(b"t", 0, last)) if last > 0 else None
        if not self._missing and (newest is None or int(newest.group(1)) < self._next):
            return
        for found in _TOKEN.finditer(data):
            self._take(int(found.group(1)), float(found.group(2)), now)

    def _take(self, number: int, stamp: float, now: float) -> None:
        if stamp < self._since or number >= self.expected:
            return
        if number >= self._next:
            self._missing.update(range(self._next, number))
            self._next = number + 1
        elif number in self._missing:
            self._missing.discard(number)
        else:
            return
        self.delays.append(now - stamp)
        self.first_at = self.first_at or now
        self.last_at = now
        if (call := self._at.pop(number, None)) is not None:
            call()
        if self.seen == self.expected:
            self.done.set()


class StreamFeeder:
    """Feeds a counter from a byte stream whose reads may end inside a token."""

    def __init__(self, counter: TokenCounter) -> None:
        self._counter = counter
        self._tail = b""

    def feed(self, data: bytes, now: float) -> None:
        """Bytes as they were read."""
        data = self._tail + data
        cut = data.rfind(b"}")
        self._counter.feed(data[: cut + 1], now)
        self._tail = data[max(cut + 1, len(data) - 64 * 1024) :]


def percentile(values: array[float] | list[float], share: float) -> float:
    """The value below which that share lies; 0 for nothing."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else 0.0
