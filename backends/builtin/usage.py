"""Who uses the server, and since when nobody does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Usage:
    """Counts users. ``on_release`` is called when the last one leaves. Safe to use from all threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.on_release: Callable[[], None] = lambda: None
        self._clock = clock
        self._lock = threading.Lock()
        self._users = 0
        self._last = clock()

    @contextmanager
    def hold(self) -> Iterator[None]:
        """One user, as long as this lasts."""
        with self._lock:
            self._users += 1
        try:
            yield
        finally:
            with self._lock:
                self._users -= 1
                self._last = self._clock()
                free = self._users == 0
            if free:
                self.on_release()

    def touch(self) -> None:
        """Used just now."""
        with self._lock:
            self._last = self._clock()

    def idle_for(self) -> float | None:
        """Seconds without use; ``None`` while it is in use."""
        with self._lock:
            return None if self._users else self._clock() - self._last
