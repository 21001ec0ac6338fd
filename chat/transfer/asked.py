"""What was known of model and server when an answer was asked for, and what filled the model's window, in files.

Of a receipt (see ``chat.generation.receipt``) these are the facts; the request itself is in ``chat.transfer.sent``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chat.generation.receipt import LASTING, SETTINGS
from chat.generation.window import Source
from chat.transfer import values

_TEXTS = LASTING | SETTINGS | {"digest", "family", "parameter_size", "quantization"}
_NUMBERS = ("size_bytes", "context_length")
_SERVER = SETTINGS | {"kind", "version", "truncate", "shift"}
_COUNTS = ("window", "reserve", "input", "output", "needed")
#: Parts of a window that are told of; there are about ten.
_MOST_PARTS = 30


def outward(receipt: Mapping[str, Any]) -> dict[str, Any]:
    """What an export tells of a receipt; empty where none was kept."""
    return read(receipt) if receipt else {}


def read(value: Any) -> dict[str, Any]:
    """The same from a file nobody vouches for, as the column of an imported run keeps it."""
    told = values.mapping(value)
    model, server = values.mapping(told.get("model")), values.mapping(told.get("server"))
    found = {
        "model": _plain(model, _TEXTS) | {n: model[n] for n in _NUMBERS if values.whole_large(model.get(n))},
        "server": _plain(server, _SERVER),
        "options": values.options(told.get("options")),
        "retried": values.text(told.get("retried"), 500),
    }
    return {name: each for name, each in found.items() if each}


def _plain(told: Mapping[str, Any], names: frozenset[str]) -> dict[str, Any]:
    """Short texts, numbers and flags by their known names."""
    found = {name: _scalar(told[name]) for name in sorted(names & told.keys())}
    return {name: value for name, value in found.items() if value is not None}


def _scalar(value: Any) -> Any:
    if isinstance(value, str):
        return values.text(value, 250)
    return values.stored(value) if isinstance(value, int | float) else None


def window(value: Any) -> dict[str, Any]:
    """What filled the window of a model, see ``chat.generation.fit``; empty where nothing is said of it.

    ``first`` is the id of a message within the file.
    """
    told = values.mapping(value)
    if not told:
        return {}
    found: dict[str, Any] = {name: values.whole(told[name]) for name in _COUNTS if name in told}
    kept = {name: count for name, count in found.items() if count is not None}
    if "window" in told:
        kept["window"] = found["window"]
    if source := values.one_of(Source)(told.get("source")):
        kept["source"] = source
    if parts := values.mapping(told.get("parts")):
        counts = {values.text(name, 40): values.whole(count) for name, count in parts.items()}
        sizes = {name: count for name, count in counts.items() if count is not None}
        kept["parts"] = dict(list(sizes.items())[:_MOST_PARTS])
    first = told.get("first")
    return kept | ({"first": values.name(first, 100)} if isinstance(first, str) else {})


def placed(told: Mapping[str, Any], names: Mapping[Any, Any]) -> dict[str, Any]:
    """The same with another name for the message ``first``; without it where it has none."""
    found = {name: value for name, value in told.items() if name != "first"}
    first = names.get(told.get("first"))
    return found if first is None else found | {"first": first}
