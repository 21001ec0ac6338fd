"""How far a download is: layers, bytes and speed, from what the server says line by line."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from backends.adapters.management import PullProgress

#: Layers that are kept; real models have fewer than ten.
MAX_LAYERS = 100
#: Bytes of a layer that are believed; the sum of all still fits a column.
MOST = 2**53
#: Seconds over which the speed is measured.
WINDOW = 10.0


@dataclass(frozen=True, slots=True)
class Layer:
    """One file of a download; bytes."""

    id: str
    completed: int
    total: int


class Tally:
    """Adds up one download. Times are seconds of any clock that only goes forward."""

    def __init__(self) -> None:
        self.status = ""
        self._layers: dict[str, Layer] = {}
        self._seen: deque[tuple[float, int]] = deque(maxlen=1000)

    def add(self, progress: PullProgress, now: float) -> None:
        """One line of the server. What it says of bytes is believed only where it makes sense."""
        self.status = _clean(progress.status)
        if progress.total is None and progress.completed is None:
            return
        layer = _layer(progress)
        if layer.id in self._layers or len(self._layers) < MAX_LAYERS:
            self._layers[layer.id] = layer
        self._seen.append((now, self.completed))
        while self._seen[0][0] < now - WINDOW:
            self._seen.popleft()

    @property
    def layers(self) -> list[Layer]:
        """All layers that were named, in the server's order."""
        return list(self._layers.values())

    @property
    def completed(self) -> int:
        """Bytes that are there."""
        return sum(layer.completed for layer in self._layers.values())

    @property
    def total(self) -> int:
        """Bytes of all layers named so far; it grows while new ones are named."""
        return sum(layer.total for layer in self._layers.values())

    def speed(self, now: float) -> int | None:
        """Bytes a second of late; None before two measurements.

        Layers that were there before arrive all at once and are no download, but leave the window soon.
        """
        if len(self._seen) < 2:
            return None
        began, first = self._seen[0]
        seconds = now - began
        return min(MOST, round(max(0, self.completed - first) / seconds)) if seconds > 0 else None


def _layer(progress: PullProgress) -> Layer:
    total = min(MOST, max(0, progress.total or 0))
    completed = min(total or MOST, max(0, progress.completed or 0))
    return Layer(_clean(progress.layer), completed, total)


def _clean(text: str) -> str:
    """Without NUL, which PostgreSQL does not keep."""
    return text.replace("\x00", "")
