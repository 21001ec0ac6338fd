"""Which tools a request carries."""

from __future__ import annotations

from backends.database import in_database
from chat.generation.prompt import Prepared
from chat.models import ToolPolicy, Verdict
from chat.tools.base import Caller, Tool
from chat.tools.registry import tools_for
from chat.tools.switches import in_force, is_on


def caller_of(prepared: Prepared) -> Caller:
    """For whom the tools of this run work."""
    conversation = prepared.generation.message.conversation
    return Caller(conversation.owner_id, conversation.pk, prepared.generation.pk, conversation.project_id)


async def offered(prepared: Prepared, caller: Caller) -> dict[str, Tool]:
    """By name: those that work here, are switched on, and that no administrator forbids."""
    conversation = prepared.generation.message.conversation
    policies = await in_database(ToolPolicy.of, caller.user_id)
    switches = in_force(conversation.owner, conversation)
    found: dict[str, Tool] = {}
    for tool in await tools_for(caller):
        forbidden = policies.verdict(tool.name) is Verdict.DENY
        only = prepared.only_tools
        wanted = is_on(tool, switches) if only is None else tool.name in only
        if wanted and not forbidden:
            found.setdefault(tool.name, tool)
    return found
