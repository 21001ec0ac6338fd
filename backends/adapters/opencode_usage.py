"""What a reply of OpenCode cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from backends.adapters.events import Usage
from backends.adapters.values import as_dict, as_float, as_int


def usage_of(messages: Sequence[Mapping[str, Any]]) -> Usage | None:
    """The tokens of all steps of a reply; OpenCode counts cached ones apart. None where there are none."""
    tokens = [as_dict(message.get("tokens")) for message in messages]
    caches = [as_dict(entry.get("cache")) for entry in tokens]
    cached, written = _sum(caches, "read"), _sum(caches, "write")
    read, output, reasoning = (_sum(tokens, name) for name in ("input", "output", "reasoning"))
    if not (read + cached + written + output + reasoning):
        return None
    return Usage(
        input_tokens=read + cached + written,
        output_tokens=output,
        reasoning_tokens=reasoning,
        cached_tokens=cached,
        total_s=_seconds(messages),
    )


def _sum(entries: list[dict[str, Any]], name: str) -> int:
    return sum(max(0, as_int(entry.get(name)) or 0) for entry in entries)


def _seconds(messages: Sequence[Mapping[str, Any]]) -> float | None:
    """From the first step's beginning to the last one's end; the server's clock counts milliseconds."""
    began = as_float(as_dict(messages[0].get("time")).get("created"))
    ended = as_float(as_dict(messages[-1].get("time")).get("completed"))
    return None if began is None or ended is None or ended < began else (ended - began) / 1000
