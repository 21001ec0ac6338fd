"""What stands beside the messages of a conversation in its file: what was typed and not sent, and a comparison."""

from __future__ import annotations

from typing import Any

from chat.models import MOST
from chat.transfer import fields, values
from chat.transfer.portable import Column, Talk, Upcoming


def written(talk: Talk) -> dict[str, Any]:
    """All of it as JSON values."""
    return {
        "draft": talk.draft,
        "upcoming": [
            {"text": each.text, "backend": each.backend, "model_id": each.model_id} for each in talk.upcoming
        ],
        "comparison": _written_column(talk.column) if talk.column else None,
    }


def _written_column(column: Column) -> dict[str, Any]:
    return {
        "id": column.id,
        "column": column.number,
        "blind": column.blind,
        "voted_at": fields.written(column.voted_at),
        "created_at": fields.written(column.created_at),
    }


def read_upcoming(value: Any) -> tuple[Upcoming, ...]:
    """Questions typed ahead from JSON values, as many as may wait."""
    found = (
        Upcoming(
            values.text(each.get("text"), values.LONGEST_QUESTION),
            values.name(each.get("backend"), 60),
            values.text(each.get("model_id"), 250),
        )
        for each in values.objects(value)
    )
    return tuple(each for each in found if each.text.strip())[: values.MOST_UPCOMING]


def read_column(value: Any) -> Column | None:
    """The place in a comparison from JSON values, None where it says nothing."""
    source = values.mapping(value)
    number, found = values.whole(source.get("column")), values.name(source.get("id"), 100)
    if not found or number is None or number >= MOST:
        return None
    return Column(
        found,
        number,
        source.get("blind") is True,
        values.moment(source.get("voted_at")),
        values.moment(source.get("created_at")),
    )
