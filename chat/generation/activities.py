"""The tool calls of one running answer, in memory, as far as they are known."""

from __future__ import annotations

from copy import copy
from uuid import UUID

from django.utils import timezone

from backends.adapters.events import ToolActivity, ToolState
from chat.generation.texts import clean, json_text, shortened
from chat.models import AT_WORK, Activity, ActivityState, Generation

#: Calls of one answer that are kept; a model in a loop must not fill the page and the disk.
MOST = 200
#: Characters of a call's arguments, and bytes of its output, that are kept.
INPUT_LIMIT = 8_000
OUTPUT_LIMIT = 64_000

_STATES = {
    ToolState.PENDING: ActivityState.PENDING,
    ToolState.RUNNING: ActivityState.RUNNING,
    ToolState.DONE: ActivityState.DONE,
    ToolState.ERROR: ActivityState.ERROR,
}


class Activities:
    """Turns what is told of calls into rows that are not saved yet.

    A row is never changed, only replaced, since a database thread may just be saving it.
    """

    def __init__(self, generation_id: UUID) -> None:
        self._generation_id = generation_id
        self._rows: dict[str, Activity] = {}
        self._changed: set[str] = set()

    def __len__(self) -> int:
        return len(self._rows)

    def take(self, event: ToolActivity) -> Activity | None:
        """Learn more of a call; gives its row where a card must change, None otherwise."""
        before = self._rows.get(event.id)
        if before is None and len(self._rows) >= MOST:
            return None
        row = self._next(event, before)
        self._keep(event.id, row)
        same = before is not None and _looks(before) == _looks(row)
        return None if same else row

    def note(self, call_id: str, **changes: object) -> None:
        """Keep something of a call that a card does not show while it works."""
        if before := self._rows.get(call_id):
            self._keep(call_id, _copy(before, **changes))

    def end(self) -> None:
        """The answer is over: what still works has been stopped with it."""
        for call_id, row in list(self._rows.items()):
            if row.state in AT_WORK:
                self._keep(call_id, _copy(row, state=ActivityState.STOPPED, finished_at=timezone.now()))

    def all(self) -> list[Activity]:
        """All rows in order."""
        return list(self._rows.values())

    def unsaved(self) -> list[Activity]:
        """What changed since the last time, which counts as saved from now on."""
        changed, self._changed = self._changed, set()
        return [self._rows[call_id] for call_id in list(changed)]

    def save_again(self) -> None:
        """What was given to be saved could not be."""
        self._changed.update(self._rows)

    def _keep(self, call_id: str, row: Activity) -> None:
        self._rows[call_id] = row
        self._changed.add(call_id)

    def _next(self, event: ToolActivity, before: Activity | None) -> Activity:
        """The row with what the event adds; a field that it leaves out stays as it was."""
        row = before or Activity(
            generation_id=self._generation_id,
            position=len(self._rows),
            call_id=shortened(event.id, 200),
            started_at=timezone.now(),
        )
        changes: dict[str, object] = {"state": _STATES[event.state]}
        if event.name:
            changes["name"] = shortened(event.name, 200)
        if event.title:
            changes["title"] = shortened(event.title, 500)
        if event.input:
            changes["input"] = json_text(dict(event.input), INPUT_LIMIT)
        if event.output is not None:
            changes |= _output(event.output)
        ended = row.finished_at is None and changes["state"] not in AT_WORK
        return _copy(row, **changes, **({"finished_at": timezone.now()} if ended else {}))


def save_activities(rows: list[Activity]) -> None:
    """Insert or update rows of one generation; nothing where that was deleted. Inside a transaction."""
    if not rows or not Generation.objects.select_for_update().filter(pk=rows[0].generation_id).exists():
        return
    Activity.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=[
            "name",
            "title",
            "state",
            "input",
            "output",
            "output_size",
            "consent",
            "sources",
            "images",
            "finished_at",
        ],
    )


def _output(text: str) -> dict[str, object]:
    whole = clean(text).encode()
    return {"output": whole[:OUTPUT_LIMIT].decode(errors="ignore"), "output_size": len(whole)}


def _copy(row: Activity, **changes: object) -> Activity:
    other = copy(row)
    for name, value in changes.items():
        setattr(other, name, value)
    return other


def _looks(row: Activity) -> tuple[str, ...]:
    """What a card shows; an output only counts at the end."""
    return (row.state, row.name, row.title, row.input, "" if row.state in AT_WORK else row.output)
