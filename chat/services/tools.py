"""What a person decides about tools: which are on, and which may run without asking."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from backends.database import write_transaction
from chat.models import Conversation, ToolRule

if TYPE_CHECKING:
    from privatechathub.accounts.models import User


def change_tools(
    user: User, conversation: Conversation | None, switches: Mapping[str, bool], rules: Mapping[str, str]
) -> None:
    """Switches and standing words, everywhere or in one conversation; an empty word takes one back.

    Switches that are not named go back to what they are without a choice.
    """
    with write_transaction():
        if conversation is None:
            user.tools = dict(switches)
            user.save(update_fields=["tools"])
        else:
            conversation.tools = dict(switches)
            conversation.save(update_fields=["tools"])
        for tool, verdict in rules.items():
            ToolRule.put(user.pk, conversation.pk if conversation else None, tool, verdict)
