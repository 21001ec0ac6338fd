"""MCP servers as pages show them."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backends.presenting import Result
from chat.mcp.looking import McpLook
from chat.models import McpKind, McpServer, McpState

#: Names of tools that were left out, as they are told.
NAMED = 5


@dataclass(frozen=True, slots=True)
class McpRow:
    """One line of the list. ``status``: ok, error, off, unknown."""

    slug: str
    name: str
    where: str
    status: str
    status_text: str


def row(server: McpServer) -> McpRow:
    """One server."""
    where = server.command if server.kind == McpKind.STDIO else server.url
    return McpRow(server.slug, server.name, where, status(server), status_text(server))


def status(server: McpServer) -> str:
    """The colour of the dot."""
    if not server.enabled:
        return "off"
    return {McpState.ONLINE: "ok", McpState.OFFLINE: "error"}.get(McpState(server.state), "unknown")


def status_text(server: McpServer) -> str:
    """The sentence beside the dot."""
    if not server.enabled:
        return _("Switched off")
    if server.state == McpState.ONLINE:
        return answers(len(server.tools), server.latency_ms or 0)
    return server.state_message or _("Not looked at yet")


def answers(tools: int, latency_ms: float) -> str:
    """A server that is well."""
    text = ngettext(
        "Answers with %(tools)d tool in %(ms)d ms", "Answers with %(tools)d tools in %(ms)d ms", tools
    )
    return text % {"tools": tools, "ms": round(latency_ms)}


def look_result(look: McpLook) -> Result:
    """What a test showed."""
    if look.problem:
        return Result(False, look.problem)
    left_out = look.listing.left_out
    hint = ""
    if left_out:
        names = ", ".join(left_out[:NAMED])
        text = ngettext(
            "%(count)d tool cannot be used: %(names)s",
            "%(count)d tools cannot be used: %(names)s",
            len(left_out),
        )
        hint = text % {"count": len(left_out), "names": names}
    return Result(True, answers(len(look.listing.tools), look.latency_ms), hint)
