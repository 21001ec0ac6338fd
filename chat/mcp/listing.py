"""The list of a server's tools, as it is kept: bounded, and only what can be used."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chat.mcp.names import offered_name
from chat.mcp.schemas import usable_schema

if TYPE_CHECKING:
    from mcp_types import Tool

#: Tools of one server.
MOST = 128
#: Characters of a description, of a title, of a tool's own name.
LONGEST_DESCRIPTION = 2000
LONGEST_TITLE = 80
LONGEST_NAME = 128


@dataclass(frozen=True, slots=True)
class Listing:
    """What a server offers. ``left_out`` names tools that cannot be used: a wrong schema, a double, too many."""

    tools: tuple[dict[str, Any], ...] = ()
    left_out: tuple[str, ...] = ()


def listing(slug: str, tools: Iterable[Tool]) -> Listing:
    """Those that can be used, by the names they have here; the first of two with one name."""
    kept: dict[str, dict[str, Any]] = {}
    left_out: list[str] = []
    for tool in tools:
        entry = entry_of(slug, tool)
        if entry is None or entry["name"] in kept or len(kept) >= MOST:
            left_out.append(one_line(tool.name, LONGEST_TITLE))
        else:
            kept[entry["name"]] = entry
    return Listing(tuple(kept.values()), tuple(left_out))


def entry_of(slug: str, tool: Tool) -> dict[str, Any] | None:
    """One tool as it is stored; None where it cannot be used."""
    parameters = usable_schema(tool.input_schema)
    if parameters is None or not tool.name or len(tool.name) > LONGEST_NAME:
        return None
    return {
        "name": offered_name(slug, tool.name),
        "remote": tool.name,
        "title": one_line(tool.title or tool.name, LONGEST_TITLE),
        "description": (tool.description or tool.title or tool.name)[:LONGEST_DESCRIPTION],
        "parameters": parameters,
    }


def one_line(text: str, longest: int) -> str:
    """Without line breaks and what is not printed, such as marks that turn the direction of writing."""
    return "".join(sign if sign.isprintable() else " " for sign in text)[:longest].strip()
