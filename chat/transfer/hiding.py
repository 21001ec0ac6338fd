"""A conversation as it is told while a vote still hides its model."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from chat.transfer.portable import Run, Talk

#: What would name the model or its server; an error's words and a proxy's headers may, too.
_NAMING: dict[str, Any] = {
    "backend_name": "", "model_id": "", "answered_by": "", "details": {}, "error_message": "", "error_hint": "",
}  # fmt: skip


def hidden(talk: Talk, alias: str) -> Talk:
    """The same with that alias in place of all names; as it is where there is none.

    Everything of a person as JSON keeps the names all the same: a comparison could not go on without its models.
    """
    if not alias:
        return talk
    turns = (replace(turn, runs=tuple(_hidden(run, alias) for run in turn.runs)) for turn in talk.turns)
    return replace(talk, backend="", model_id="", turns=tuple(turns))


def _hidden(run: Run, alias: str) -> Run:
    return replace(run, values={**run.values, **_NAMING, "model_name": alias}, asked={}, sent=None)
