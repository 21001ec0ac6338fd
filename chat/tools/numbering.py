"""Numbers for the sources of an answer, so that ``[3]`` says exactly which one is meant."""

from __future__ import annotations

from collections.abc import Mapping


class Numbering:
    """Counts on from ``after`` through all results of an answer. A page that has a number keeps it.

    ``known`` are addresses and numbers of results that the model has read already.
    """

    def __init__(self, known: Mapping[str, int] | None = None, *, after: int = 0) -> None:
        known = known or {}
        self._known = {url: number for url, number in known.items() if number > after}
        self._last = max(after, *known.values(), 0)

    def of(self, url: str) -> int:
        """The number of the page at that address."""
        if url not in self._known:
            self._last += 1
            self._known[url] = self._last
        return self._known[url]
