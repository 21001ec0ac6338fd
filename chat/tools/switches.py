"""Which tools are on: what a person wants everywhere, what differs in a project, and in one conversation.

All are kept as ``{tool's name: bool}`` with the rows that every question reads anyway, so that
tools that nobody switched on cost nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from chat.tools.base import Tool

if TYPE_CHECKING:
    from chat.models import Conversation, Project
    from privatechathub.accounts.models import User

#: The switch for tools at all; off where nobody chose.
ANY = "*"

Switches = Mapping[str, object]


def in_force(
    user: User, conversation: Conversation | None = None, project: Project | None = None
) -> Switches:
    """What holds in the conversation, or in a new one of the project: the more particular choice wins."""
    project = conversation.project if conversation else project
    return {
        **user.tools,
        **(project.tools if project else {}),
        **(conversation.tools if conversation else {}),
    }


def wanted(switches: Switches) -> bool:
    """Whether models may call tools at all."""
    return bool(switches.get(ANY, False))


def is_on(tool: Tool, switches: Switches) -> bool:
    """Whether this one is offered where tools are wanted."""
    return bool(switches.get(tool.name, tool.on_by_default))
