"""Which tools are on: what a person wants everywhere, and what differs in one conversation.

Both are kept as ``{tool's name: bool}`` with the rows that every question reads anyway, so that
tools that nobody switched on cost nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

from chat.tools.base import Tool

#: The switch for tools at all; off where nobody chose.
ANY = "*"

Switches = Mapping[str, object]


def wanted(person: Switches, conversation: Switches) -> bool:
    """Whether models may call tools at all."""
    return bool(conversation.get(ANY, person.get(ANY, False)))


def is_on(tool: Tool, person: Switches, conversation: Switches) -> bool:
    """Whether this one is offered where tools are wanted."""
    return bool(conversation.get(tool.name, person.get(tool.name, tool.on_by_default)))
