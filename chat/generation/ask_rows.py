"""The rows of what is asked while an answer is written: the truth for all processes of the hub."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from backends.adapters.events import Ask as AskEvent
from backends.adapters.events import AskAnswer, Verdict
from backends.database import write_transaction
from chat.generation.texts import json_text, shortened
from chat.models import Ask, AskState, Generation, Status

#: Patterns, questions and options of each that are shown.
MOST = 20
#: Characters of a call's arguments that are shown: whoever allows it should see all of them.
DETAILS = 64_000

_VERDICTS = {AskState.ONCE: Verdict.ONCE, AskState.ALWAYS: Verdict.ALWAYS}


def open_ask(generation_id: UUID, event: AskEvent, seconds: float) -> Ask | None:
    """A row for the request; None where the answer is no longer being written."""
    with write_transaction():
        running = Generation.objects.select_for_update().filter(pk=generation_id, status=Status.RUNNING)
        if not running.exists():
            return None
        now = timezone.now()
        return Ask.objects.create(
            generation_id=generation_id,
            kind=shortened(event.kind, 20),
            payload=_PAYLOADS.get(event.kind, permission)(event.payload),
            asked_at=now,
            expires_at=now + timedelta(seconds=seconds),
        )


def settle(rows: QuerySet[Ask], state: AskState, answer: list[list[str]] | None = None) -> int:
    """Give those that are still open another state; the first word counts. Gives their number."""
    with write_transaction():
        return rows.filter(state=AskState.OPEN).update(
            state=state, answer=answer or [], settled_at=timezone.now()
        )


def close_asks_of(generation_ids: list[UUID]) -> int:
    """Nothing is open in answers that are over."""
    return settle(Ask.objects.filter(generation_id__in=generation_ids), AskState.CLOSED)


def settled(ask_id: UUID) -> Ask | None:
    """The row once it is no longer open; an Ask that is closed where it was deleted."""
    row = Ask.objects.filter(pk=ask_id).first() or Ask(pk=ask_id, state=AskState.CLOSED)
    return None if row.state == AskState.OPEN else row


def expire(ask_id: UUID) -> Ask | None:
    """Deny it unless somebody has just answered."""
    settle(Ask.objects.filter(pk=ask_id), AskState.EXPIRED)
    return settled(ask_id)


def answer_in(row: Ask) -> AskAnswer:
    """What the server is told; for a tool of the hub the state itself."""
    if row.kind == "tool":
        return ((row.state,),)
    if row.state == AskState.ANSWERED:
        return tuple(tuple(labels) for labels in row.answer)
    return _VERDICTS.get(AskState(row.state), Verdict.DENY)


def permission(payload: Mapping[str, Any]) -> dict[str, Any]:
    """What is shown of a request for permission."""
    return {
        "permission": shortened(payload.get("permission"), 200),
        "title": shortened(payload.get("title"), 500),
        "patterns": _texts(payload.get("patterns"), 1000),
        "always": _texts(payload.get("always"), 1000),
        "details": json_text(payload.get("metadata"), DETAILS),
    }


def tool_permission(payload: Mapping[str, Any]) -> dict[str, Any]:
    """What is shown of a call of one of the hub's tools."""
    return permission(payload) | {"once_only": payload.get("once_only") is True}


def questions(payload: Mapping[str, Any]) -> dict[str, Any]:
    """What is shown of questions."""
    return {"questions": [_question(entry) for entry in _dicts(payload.get("questions"))]}


#: What is kept, by the kind of request.
_PAYLOADS = {"question": questions, "tool": tool_permission}


def _question(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "header": shortened(entry.get("header"), 200),
        "question": shortened(entry.get("question"), 2000),
        "options": [
            {
                "label": shortened(option.get("label"), 500),
                "description": shortened(option.get("description"), 1000),
            }
            for option in _dicts(entry.get("options"))
        ],
        "multiple": entry.get("multiple") is True,
        "custom": entry.get("custom") is not False,
    }


def _dicts(values: Any) -> list[Mapping[str, Any]]:
    entries = values if isinstance(values, list | tuple) else []
    return [entry for entry in entries if isinstance(entry, Mapping)][:MOST]


def _texts(values: Any, length: int) -> list[str]:
    entries = values if isinstance(values, list | tuple) else []
    return [text for entry in entries[:MOST] if (text := shortened(entry, length))]
