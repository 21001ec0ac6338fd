"""Questions that were typed ahead."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class UpcomingView:
    """A question that waits for the answer before it. ``trouble``: why it could not be sent."""

    id: int
    text: str
    trouble: str


@dataclass(frozen=True, slots=True)
class UpcomingListView:
    """All of them in their order. ``held``: nothing is being written, so that only the person sends them on."""

    questions: tuple[UpcomingView, ...] = ()
    held: bool = False
