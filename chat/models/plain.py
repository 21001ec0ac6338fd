"""Values of rows as they travel between processes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID


def plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """The same with ids as text and moments as Unix time."""
    return {name: _plain(value) for name, value in values.items()}


def _plain(value: Any) -> Any:
    match value:
        case UUID():
            return str(value)
        case datetime():
            return value.timestamp()
        case _:
            return value
