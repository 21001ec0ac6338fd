"""Tools of MCP servers beside the hub's own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from django.contrib.auth import get_user_model
from django.utils.translation import gettext as _

from backends.database import in_database
from chat.mcp.errands import errand
from chat.mcp.looking import is_old, refresh_soon
from chat.mcp.reaching import check_and_note
from chat.mcp.results import tool_result
from chat.mcp.target import McpProblem, Target, target_of
from chat.models import Internet, McpServer
from chat.outbound.service import Errand
from chat.tools.base import Caller, Reach, Tool, ToolError, ToolResult


class McpTool(Tool):
    """One tool of one server. What it does is not known here, so it asks."""

    reach: ClassVar[frozenset[Reach]] = frozenset({Reach.UNKNOWN})

    def __init__(self, server: McpServer, entry: Mapping[str, Any]) -> None:
        self._server = server
        self._remote = str(entry["remote"])
        # The hub's own tools have these on their classes.
        vars(self).update(
            name=entry["name"],
            label=f"{server.name}: {entry['title']}",
            description=entry["description"],
            parameters=entry["parameters"],
            timeout=server.timeout,
        )

    async def run(self, arguments: Mapping[str, Any], caller: Caller) -> ToolResult:
        """Call it over a connection of its own. Raises ToolError."""
        try:
            target = await in_database(self._current, caller.user_id)
            await check_and_note(target, Errand(caller.user_id, self.name))
            return await errand(self._call(target, arguments), seconds=self.timeout)
        except McpProblem as problem:
            sentence = _("The server “%(server)s” could not do it. %(problem)s")
            raise ToolError(sentence % {"server": self._server.name, "problem": problem}) from problem

    async def _call(self, target: Target, arguments: Mapping[str, Any]) -> ToolResult:
        from chat.mcp.connection import call_tool  # the SDK is heavy

        return tool_result(await call_tool(target, self._remote, arguments))

    def _current(self, user_id: int) -> Target:
        """The server as it is now: a person may have thought for long. Raises McpProblem."""
        server = next((row for row in usable_servers(user_id) if row.pk == self._server.pk), None)
        if server is None:
            raise McpProblem(_("It was removed or switched off."))
        return target_of(server, internet=Internet.current().allowed)


def usable_servers(user_id: int) -> list[McpServer]:
    """The servers whose tools this person's models may call. One query where there are none."""
    if not (rows := list(McpServer.objects.enabled())):
        return []
    user = get_user_model().objects.filter(pk=user_id, is_active=True).first()
    return [row for row in rows if user is not None and row.is_open_to(user)]


def tools_of(servers: Iterable[McpServer]) -> list[Tool]:
    """What these servers listed last."""
    return [McpTool(server, entry) for server in servers for entry in server.tools]


async def mcp_tools(user_id: int) -> list[Tool]:
    """The tools for this person; old lists are read anew meanwhile."""
    servers = await in_database(usable_servers, user_id)
    for server in servers:
        if is_old(server):
            refresh_soon(server)
    return tools_of(servers)
