"""Every tool of the hub's own: a literal list. Tools of MCP servers come beside it."""

from __future__ import annotations

from chat.tools.base import Caller, Tool
from chat.tools.current_datetime import CurrentDatetime

TOOLS: tuple[Tool, ...] = (CurrentDatetime(),)


def known_to(user_id: int) -> list[Tool]:
    """All that this person could have somewhere, for pages with switches. May read rows."""
    return list(TOOLS)


async def tools_for(caller: Caller) -> list[Tool]:
    """The tools that can work for this person in this conversation.

    Whether somebody wants them (``on_by_default``, switches, consent) is for the caller to ask.
    """
    return [tool for tool in TOOLS if await tool.available(caller)]
