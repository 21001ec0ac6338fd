"""Reading JSON that nobody vouches for: parse it leniently, then take only what has the right type."""

from __future__ import annotations

import json
import math
from typing import Any

_decode = json.JSONDecoder(strict=False).decode
_BIGGEST = 2**63


def parse_json(data: bytes | str) -> Any:
    """The value of one JSON text. Raises ValueError.

    Control characters inside strings and broken UTF-8 are let through (servers send both); lone
    surrogates become U+FFFD, so every string of the result can be encoded.
    """
    text = data.decode("utf-8", "replace") if isinstance(data, bytes) else data
    try:
        value = _decode(text)
        return _encodable(value) if "\\ud" in text or "\\uD" in text else value
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _encodable(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {_encodable(key): _encodable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_encodable(item) for item in value]
    return value


def as_dict(value: Any) -> dict[str, Any]:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def as_list(value: Any) -> list[Any]:
    """The value if it is an array, else an empty one."""
    return value if isinstance(value, list) else []


def as_str(value: Any) -> str:
    """The value if it is a string, else an empty one."""
    return value if isinstance(value, str) else ""


def as_float(value: Any) -> float | None:
    """The value if it is a finite number of a sane size (a bool is none)."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not -_BIGGEST < value < _BIGGEST:
        return None
    return float(value)


def as_int(value: Any) -> int | None:
    """The value as a whole number, or None where it is no number."""
    number = as_float(value)
    if number is None or math.isnan(number):
        return None
    return int(value)
