"""What a person decides about tools: which are on, and which may run without asking."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from backends.database import write_transaction
from chat.models import Conversation, Project, ToolRule

if TYPE_CHECKING:
    from privatechathub.accounts.models import User


def change_tools(
    user: User,
    where: Conversation | Project | None,
    switches: Mapping[str, bool],
    rules: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Switches and standing words, everywhere or in one conversation; an empty word takes one back.

    A project has switches only. Those that are not named go back to what they are without a choice.
    """
    with write_transaction():
        chooser = where or user
        chooser.tools = dict(switches)
        chooser.save(update_fields=["tools"])
        if not isinstance(where, Project):
            for tool, verdict in rules.items():
                ToolRule.put(user.pk, where.pk if where else None, tool, verdict)
