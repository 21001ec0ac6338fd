"""The fields of a run, of a tool call, of a request and of a project that files carry: name -> how its value is read.

Not among them: ``worker`` and its lease, and ``state``, which names things kept on one server that
another person of another hub must not reach by importing their names.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID

from backends.adapters.errors import ErrorKind
from backends.adapters.events import FinishReason
from chat.models import ACTIVE, AT_WORK, ActivityState, AskState, Consent, CutKind, Outcome, Status, Told
from chat.models.project import (
    DESCRIPTION_LENGTH,
    INSTRUCTIONS_LENGTH,
    MEMORY_LENGTH,
    NAME_LENGTH,
    Colour,
    Icon,
)
from chat.transfer import asked, excerpts, values
from chat.transfer.values import Reader

Fields = Mapping[str, Reader]


def ended_status(value: Any) -> str:
    """A run of a file is over, whatever it was when the file was written."""
    status: str = values.one_of(Status, Status.COMPLETED)(value)
    return Status.INTERRUPTED.value if status in ACTIVE else status


def ended_activity(value: Any) -> str:
    """The same for a tool call."""
    state: str = values.one_of(ActivityState, ActivityState.DONE)(value)
    return ActivityState.STOPPED.value if state in AT_WORK else state


def settled(value: Any) -> str:
    """The same for a request: nobody waits for its answer any more."""
    state: str = values.one_of(AskState, AskState.CLOSED)(value)
    return AskState.CLOSED.value if state == AskState.OPEN else state


def flag(value: Any) -> bool:
    """Only ``true`` is true."""
    return value is True


def counted(value: Any) -> int:
    """How many; none where that is not said."""
    return values.whole(value) or 0


def line(length: int) -> Reader:
    """A reader of at most that many characters."""
    return partial(values.text, length=length)


#: A line above which a model does not see.
LINE: Fields = {
    "kind": values.one_of(CutKind, CutKind.DROPPED),
    "left_out": counted,
    "unread": counted,
    "summary": line(20_000),
    "edited": flag,
}

RUN: Fields = {
    "backend_name": line(60),
    "model_id": line(250),
    "model_name": line(250),
    "options": values.options,
    "status": ended_status,
    "continues": flag,
    "finish_reason": values.one_of(FinishReason),
    "error_kind": values.one_of(ErrorKind),
    "error_message": line(10_000),
    "error_hint": line(10_000),
    "input_tokens": values.whole,
    "output_tokens": values.whole,
    "reasoning_tokens": values.whole,
    "cached_tokens": values.whole,
    "tokens_per_second": values.real,
    "ttft_ms": values.whole,
    "load_ms": values.whole,
    "answered_by": line(250),
    "details": values.details,
    "passages": excerpts.read,
    "images_left_out": values.small,
    "context": asked.window,
    "created_at": values.moment,
    "started_at": values.moment,
    "finished_at": values.moment,
}

ACTIVITY: Fields = {
    "call_id": line(200),
    "name": line(200),
    "title": line(500),
    "state": ended_activity,
    "input": line(1_000_000),
    "output": line(1_000_000),
    "output_size": values.whole,
    "consent": values.one_of(Consent),
    "sources": values.sources,
    "images": values.small,
    "started_at": values.moment,
    "finished_at": values.moment,
}

ASK: Fields = {
    "kind": line(20),
    "payload": values.stored_object,
    "state": settled,
    "answer": lambda value: values.stored(values.sequence(value)),
    "asked_at": values.moment,
    "expires_at": values.moment,
    "settled_at": values.moment,
}

STEP: Fields = {
    "text": values.exact,
    "reasoning": values.exact,
    "end": values.whole,
    "calls": values.calls,
    "finished_at": values.moment,
}


PROJECT: Fields = {
    "name": partial(values.name, length=NAME_LENGTH),
    "description": line(DESCRIPTION_LENGTH),
    "colour": values.one_of(Colour, Colour.TEAL),
    "icon": values.one_of(Icon, Icon.FOLDER),
    "instructions": line(INSTRUCTIONS_LENGTH),
    "memory": line(MEMORY_LENGTH),
    "system_prompt": line(INSTRUCTIONS_LENGTH),
    "tools": values.switches,
    "pinned_at": values.moment,
    "archived_at": values.moment,
    "created_at": values.moment,
}

REVISION: Fields = {
    "field": values.one_of(Told),
    "text": line(INSTRUCTIONS_LENGTH),
    "by_model": flag,
    "created_at": values.moment,
}


#: What a person has set for themselves; empty where they have not.
PERSON: Fields = {
    "theme": values.one_of(("light", "dark")),
    "place": partial(values.name, length=200),
    "time_zone": values.zone,
    "tools": values.switches,
    "draft": line(values.LONGEST_QUESTION),
}

VOTE: Fields = {
    "ballot": values.uuid,
    "model_id": line(250),
    "label": line(250),
    "place": line(60),
    "outcome": values.one_of(Outcome),
    "voted_at": values.moment,
}


def read(fields: Fields, source: Mapping[str, Any]) -> dict[str, Any]:
    """Each field as its reader takes it."""
    return {name: reader(source.get(name)) for name, reader in fields.items()}


def written(value: Any) -> Any:
    """A value of a row as JSON has it: moments as ISO 8601 in UTC."""
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat()
        case UUID():
            return str(value)
        case _:
            return value
