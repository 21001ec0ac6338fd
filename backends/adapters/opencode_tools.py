"""The tools that OpenCode runs itself: shown, never run here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from backends.adapters.events import Event, ToolActivity, ToolState
from backends.adapters.opencode_texts import Budget
from backends.adapters.values import as_dict, as_str

#: Characters of a tool's output that are shown.
MAX_OUTPUT = 16_000

_STATES = {
    "pending": ToolState.PENDING,
    "running": ToolState.RUNNING,
    "completed": ToolState.DONE,
    "error": ToolState.ERROR,
}


class Tools:
    """Tells only what changed: OpenCode repeats a whole part for every change of it."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._last: dict[str, ToolActivity] = {}

    @property
    def running(self) -> bool:
        """Whether one works: then nothing else may come for a long time."""
        return any(activity.state is ToolState.RUNNING for activity in self._last.values())

    def part(self, part: Mapping[str, Any]) -> Iterator[Event]:
        """The activity in a part of type ``tool``."""
        state = as_dict(part.get("state"))
        status = _STATES.get(as_str(state.get("status")))
        call_id = as_str(part.get("callID")) or as_str(part.get("id"))
        if status is None or not call_id:
            return
        activity = ToolActivity(
            id=call_id,
            name=as_str(part.get("tool")),
            state=status,
            input=as_dict(state.get("input")) or None,
            output=_output(state),
            title=as_str(state.get("title")) or None,
        )
        if activity != self._last.get(call_id):
            self._budget.spend(len(repr(activity)))
            self._last[call_id] = activity
            yield activity


def _output(state: Mapping[str, Any]) -> str | None:
    """What it printed or why it failed; while it runs, what it has printed so far."""
    running = as_dict(state.get("metadata")).get("output") if state.get("status") == "running" else None
    text = as_str(state.get("output")) or as_str(state.get("error")) or as_str(running)
    return text[:MAX_OUTPUT] or None
