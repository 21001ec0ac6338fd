"""Looks at MCP servers: what they offer, how fast they answer, or what is wrong; and keeping that."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from backends.database import in_database, write_transaction
from chat.mcp.errands import begin, errand, settled
from chat.mcp.listing import Listing, listing
from chat.mcp.reaching import check
from chat.mcp.target import McpProblem, Target, target_of
from chat.models import Internet, McpServer, McpState, ToolRule, Verdict

#: Seconds that a look may take.
PATIENCE = 15.0
#: Seconds for its end: the SDK gives a program 2 s to go, 2 s after SIGTERM, and 2 s after SIGKILL.
GOODBYE = 7.0
#: After this a list of tools is read anew, in the background, when somebody's question could use it.
OLD = timedelta(hours=1)

_looking: set[int] = set()


@dataclass(frozen=True, slots=True)
class McpLook:
    """What one look showed. ``problem`` is empty where all is well."""

    listing: Listing = field(default_factory=Listing)
    latency_ms: float = 0.0
    problem: str = ""


async def look_at(server: McpServer, *, internet: bool) -> McpLook:
    """Ask for the tools. Never raises for what a server does."""
    started = time.perf_counter()
    try:
        found = await errand(listed(server.slug, target_of(server, internet=internet)), seconds=PATIENCE)
    except McpProblem as problem:
        return McpLook(problem=str(problem))
    except TimeoutError:
        return McpLook(problem=_("It did not answer within %(seconds)d seconds.") % {"seconds": PATIENCE})
    return McpLook(found, (time.perf_counter() - started) * 1000)


async def listed(slug: str, target: Target) -> Listing:
    """The server's tools, as they are kept."""
    from chat.mcp.connection import list_tools  # the SDK is heavy

    await check(target)
    return listing(slug, await list_tools(target))


def look_now(server: McpServer) -> McpLook:
    """Look from a view; waits, also until a program that did not answer has ended."""

    internet = Internet.current().allowed

    async def to_the_end() -> McpLook:
        try:
            return await look_at(server, internet=internet)
        finally:
            await settled(GOODBYE)

    return asyncio.run(to_the_end())


def record(server: McpServer, look: McpLook) -> None:
    """Keep what was seen. A tool that is not what it was loses the leave that people gave it for good."""
    with write_transaction():
        row = McpServer.objects.filter(pk=server.pk).first()
        if row is None:
            return
        row.checked_at = timezone.now()
        row.state = McpState.OFFLINE if look.problem else McpState.ONLINE
        row.state_message = look.problem[:400]
        if not look.problem:
            forget_leave(row.tools, look.listing)
            row.tools, row.latency_ms = list(look.listing.tools), look.latency_ms
        row.save(update_fields=["checked_at", "state", "state_message", "tools", "latency_ms"])


def forget_leave(before: list[dict[str, object]], now: Listing) -> None:
    """Take back every “always allow” of tools that changed or are gone: people allowed something else."""
    same = [tool for tool in now.tools if tool in before]
    kept = {tool["name"] for tool in same}
    changed = [str(tool["name"]) for tool in before if tool["name"] not in kept]
    if changed:
        ToolRule.objects.filter(tool__in=changed, verdict=Verdict.ALLOW).delete()


def is_old(server: McpServer) -> bool:
    """Whether its list should be read anew."""
    return server.checked_at is None or timezone.now() - server.checked_at > OLD


def refresh_soon(server: McpServer) -> None:
    """Read its list anew in the background, once at a time."""
    if server.pk not in _looking:
        _looking.add(server.pk)
        begin(refresh(server))


async def refresh(server: McpServer) -> None:
    """Look, and keep what was seen."""
    try:
        internet = await in_database(Internet.current)
        await in_database(record, server, await look_at(server, internet=internet.allowed))
    finally:
        _looking.discard(server.pk)
