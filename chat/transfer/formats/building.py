"""What the readers of other programs' files share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from chat.generation.texts import json_text
from chat.models import TITLE_LENGTH, ActivityState, MessageRole, Status
from chat.services.titles import title_from
from chat.transfer import fields, values
from chat.transfer.arranging import arranged, last_of, without
from chat.transfer.portable import LeftOut, Run, Talk, Turn, Unreadable


def finished_run(
    program: str, model: str, created: datetime | None, activities: Iterable[Mapping[str, Any]] = ()
) -> tuple[Run, ...]:
    """The run of an answer of which only the program and the model are known."""
    known = {"backend_name": program, "model_id": model or program, "status": Status.COMPLETED}
    moments = {name: created.isoformat() for name in ("created_at", "finished_at")} if created else {}
    calls = tuple(fields.read(fields.ACTIVITY, call) for call in activities)
    return (Run(fields.read(fields.RUN, known | moments), calls),)


def call(name: Any, given: Any, result: Any, created: datetime | None) -> dict[str, Any]:
    """A tool call that another program made; what was given and what came back as text."""
    output = result if isinstance(result, str) else as_text(result)
    return {
        "name": name,
        "state": ActivityState.DONE,
        "input": given if isinstance(given, str) else as_text(given),
        "output": output,
        "output_size": len(output.encode("utf-8", "replace")),
        "started_at": created.isoformat() if created else None,
    }


def as_text(value: Any) -> str:
    """Any JSON value to read."""
    return json_text(value, 1_000_000)


def built(
    *,
    source: str,
    source_id: str,
    title: Any,
    turns: list[Turn],
    head: str | None = None,
    hidden: Iterable[str] = (),
    parents: Mapping[str, str | None] | None = None,
    left_out: Counter[LeftOut],
    **more: Any,
) -> Talk:
    """A conversation of the turns that say something. ``hidden``: nodes of the tree that are no turns.

    Raises Unreadable where nothing is left.
    """
    silent = {turn.id for turn in turns if not (turn.text.strip() or turn.reasoning or _has_calls(turn))}
    left_out[LeftOut.EMPTY] += len(silent)
    dropped = silent | set(hidden)
    above = {turn.id: turn.parent for turn in turns} | dict(parents or {})
    kept = without((turn for turn in turns if turn.id not in silent), dropped, above)
    found = arranged(kept, left_out)
    if not found:
        raise Unreadable
    while head in dropped:
        dropped.discard(str(head))
        head = above.get(str(head))
    first = next((turn.text for turn in found if turn.role == MessageRole.USER), found[0].text)
    dates = [turn.created_at for turn in found if turn.created_at]
    created = more.pop("created_at", None) or (min(dates) if dates else None)
    updated = more.pop("updated_at", None) or (max(dates) if dates else created)
    return Talk(
        source=source,
        source_id=values.name(source_id, 200),
        title=values.name(title, TITLE_LENGTH) or title_from(first),
        turns=found,
        head=last_of(found, head),
        created_at=created,
        updated_at=updated,
        left_out=+left_out,
        **more,
    )


def _has_calls(turn: Turn) -> bool:
    return any(run.activities for run in turn.runs)
