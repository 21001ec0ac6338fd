"""How often a run may read: each delta at once while there is time, fewer and larger reads under load.

Reading less often is all it takes. What a backend sends in the meantime gathers in the socket and
comes out in one read, so decoding, rendering and sending happen once for many tokens, and a backend
that is too fast is slowed down by TCP itself.
"""

from __future__ import annotations

import time

#: Seconds between two reads of one run that is watched, at the least. More frames than a screen
#: shows would only cost the browser.
SHORTEST = 0.012
#: Seconds between two reads at the most, so that text never comes in jerks.
LONGEST = 0.110
#: Seconds between two reads of a run that nobody watches.
UNWATCHED = 0.250
#: The share of one processor that all watched runs together may take.
BUDGET = 0.42
#: Seconds that one read costs beyond what is measured: the socket, the HTTP parser, the scheduler.
OVERHEAD = 0.00025


class Pacer:
    """Shared by all runs of a process; knows how many are watched and what a read costs."""

    def __init__(self) -> None:
        #: Runs that somebody watches and that have begun to answer. Pages that only show what is there cost nothing.
        self.watched = 0
        self._cost = 0.0003

    def measured(self, seconds: float) -> None:
        """Learn what handling one read cost; slowly, so that one long block changes little."""
        self._cost += (min(seconds, 0.02) - self._cost) * 0.05

    @property
    def interval(self) -> float:
        """Seconds that one watched run should leave between two reads."""
        wanted = self.watched * (self._cost + OVERHEAD) / BUDGET
        return min(max(wanted, SHORTEST), LONGEST)


class Pace:
    """The rhythm of one run, from its first read to :meth:`end`. A run that is slower than the rhythm never waits."""

    __slots__ = ("_last", "_pacer", "_watched")

    def __init__(self, pacer: Pacer) -> None:
        self._pacer = pacer
        self._last = 0.0
        self._watched = False

    def _count(self, watched: bool) -> None:
        self._pacer.watched += watched - self._watched
        self._watched = watched

    def end(self) -> None:
        """The run reads no more."""
        self._count(False)

    def pause(self, watched: bool) -> float:
        """Seconds to wait before the next read; zero where enough time has passed since the last."""
        self._count(watched)
        now = time.monotonic()
        interval = self._pacer.interval if watched else UNWATCHED
        elapsed, self._last = now - self._last, now
        wait = interval - elapsed
        if wait <= 0:
            return 0.0
        self._last += wait
        return wait
