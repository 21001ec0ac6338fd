"""Sends the tokens of all rated streams from one timer, each at its own deadline.

Token *k* of a stream is due at ``start + k / rate``: a late token does not shift the next one, so
that a stream of 50 tokens a second has sent 5,000 tokens after 100 seconds, not 4,900.
"""

from __future__ import annotations

import asyncio
import heapq
from typing import Protocol

SLACK = 0.0005  # deadlines this near are served by the same wake-up


class Paced(Protocol):
    """Something that sends one token at a time."""

    def step(self) -> bool:
        """Send the next token; False when there is none left."""


class Pacer:
    """A heap of deadlines and one timer for the earliest."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._heap: list[tuple[float, int, float, int, float, Paced]] = []
        self._added = 0
        self._timer: asyncio.TimerHandle | None = None

    def add(self, stream: Paced, rate: float) -> None:
        """Send the first token now and the others ``1 / rate`` seconds apart."""
        now = self._loop.time()
        self._added += 1
        heapq.heappush(self._heap, (now, self._added, now, 0, rate, stream))
        self._tick()

    def close(self) -> None:
        """Forget all streams."""
        self._heap.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tick(self) -> None:
        heap = self._heap
        horizon = self._loop.time() + SLACK
        while heap and heap[0][0] <= horizon:
            _, order, start, count, rate, stream = heap[0]
            if stream.step():
                count += 1
                heapq.heapreplace(heap, (start + count / rate, order, start, count, rate, stream))
            else:
                heapq.heappop(heap)
        self._arm()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(self._heap[0][0], self._tick) if self._heap else None
