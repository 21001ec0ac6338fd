"""One connection to an MCP server, with the official SDK: opened for one errand and closed after it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, TextIO

from django.utils.translation import gettext as _
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult, Implementation, Tool

from chat.mcp.target import McpProblem, Target
from chat.mcp.wire import MAX_BYTES, Wire, http_client

#: Pages of one list of tools, and tools on them: some servers never end.
PAGES = 20
TOOLS = 1000
#: Characters of what is told about a failure.
LONGEST = 300


async def list_tools(target: Target) -> list[Tool]:
    """Everything the server lists. Raises McpProblem."""
    async with connected(target) as client:
        found: list[Tool] = []
        cursor: str | None = None
        for _page in range(PAGES):
            page = await client.list_tools(cursor=cursor)
            found += page.tools
            cursor = page.next_cursor
            if not cursor or len(found) > TOOLS:
                break
        return found[:TOOLS]


async def call_tool(target: Target, name: str, arguments: Mapping[str, Any]) -> CallToolResult:
    """Call one tool by the server's own name for it. Raises McpProblem."""
    async with connected(target) as client:
        return await client.call_tool(name, dict(arguments))


@asynccontextmanager
async def connected(target: Target) -> AsyncIterator[Client]:
    """A session with the server. Whatever goes wrong inside is an McpProblem."""
    wire = Wire(target)
    try:
        async with AsyncExitStack() as stack:
            transport: Any
            if target.argv:
                transport = stdio_client(parameters(target), stack.enter_context(nowhere()))
            else:
                http = await stack.enter_async_context(http_client(target, wire))
                transport = streamable_http_client(target.url, http_client=http, max_sse_event_size=MAX_BYTES)
            about = Implementation(name="private-chat-hub", version="1")
            client = Client(transport, cache=None, read_timeout_seconds=target.timeout, client_info=about)
            await stack.enter_async_context(client)
            # Results are text for a model, whatever schema they promise; checking would list the tools before
            # each call and run regular expressions that the server wrote.
            client.session.validate_tool_result = unchecked  # type: ignore[method-assign]
            yield client
    except McpProblem:
        raise
    except Exception as error:  # what another program does is never the hub's mistake
        raise McpProblem(sentence(error, wire)) from error


async def unchecked(name: str, result: CallToolResult) -> None:
    """Accept any result."""


def nowhere() -> TextIO:
    """Where programs write what nobody reads."""
    return Path(os.devnull).open("w", encoding="utf-8")


def parameters(target: Target) -> StdioServerParameters:
    """The program, with the few variables of the environment that the SDK thinks harmless."""
    return StdioServerParameters(
        command=target.argv[0], args=list(target.argv[1:]), encoding_error_handler="replace"
    )


def sentence(error: BaseException, wire: Wire) -> str:
    """What went wrong, as exactly as it is known."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if wire.problem:
        return wire.problem[:LONGEST]
    if isinstance(error, FileNotFoundError | PermissionError):
        return _("The program cannot be started: %(error)s") % {"error": error.strerror}
    if isinstance(error, TimeoutError):
        return _("It did not answer in time.")
    # pydantic adds its types and a link after what is wrong
    said = " ".join(str(error).partition(" [type=")[0].split()) or type(error).__name__
    return _("It does not speak MCP as it should: %(error)s") % {"error": said[:LONGEST]}
