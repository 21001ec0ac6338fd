"""Calls of tools of real servers, over HTTP and over stdio, and what is left of them afterwards."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from backends.adapters.events import ToolCall
from backends.database import in_database
from chat.generation.tool_calls import run_tool
from chat.mcp.errands import settled
from chat.mcp.looking import look_at
from chat.mcp.tools import mcp_tools
from chat.models import Internet, McpKind, McpServer, McpState, OutsideContact
from chat.tools.base import Caller, Reach, Tool, ToolError
from chat.tools.registry import TOOLS, tools_for
from tests.chat.mcp.conftest import Make
from tests.chat.mcp.serving import Crooked, endless
from tests.chat.mcp.small_server import PIXEL
from tests.chat.outbound.world import Names


async def tool(caller: Caller, name: str) -> Tool:
    return {tool.name: tool for tool in await mcp_tools(caller.user_id)}[name]


async def test_tools_come_beside_the_hubs_own(make: Make, small_url: str, caller: Caller) -> None:
    server = await in_database(make, small_url)
    assert server.state == McpState.ONLINE
    offered = await tools_for(caller)
    assert [tool.name for tool in offered[-6:]] == [
        f"small__{name}" for name in ("add", "calculate", "fail", "wait", "flood", "mixed")
    ]
    add = offered[-6]
    assert (str(add.label), add.description, add.timeout) == ("Small: Add two numbers", "Add a and b.", 10)
    assert add.spec.parameters["required"] == ["a", "b"]
    assert add.reach == {Reach.UNKNOWN}
    assert [tool for tool in offered if tool.name == "calculate"] == [
        tool for tool in TOOLS if tool.name == "calculate"
    ]


async def test_a_tool_answers_over_http(make: Make, small_url: str, caller: Caller) -> None:
    await in_database(make, small_url)
    result = await (await tool(caller, "small__add")).run({"a": 2, "b": 3}, caller)
    assert (result.text, result.is_error) == ("5", False)


async def contacts() -> list[tuple[int, str, str, int, bool]]:
    """What the page of contacts lists, first to last."""
    rows = OutsideContact.objects.order_by("pk").values_list("user", "tool", "host", "port", "refused")
    return await in_database(list, rows)


async def test_every_call_over_http_is_among_what_was_contacted(
    make: Make, small_url: str, caller: Caller
) -> None:
    await in_database(make, small_url)
    assert not await contacts()
    await (await tool(caller, "small__add")).run({"a": 2, "b": 3}, caller)
    port = int(small_url.split(":")[2].partition("/")[0])
    assert await contacts() == [(caller.user_id, "small__add", "127.0.0.1", port, False)]


@pytest.mark.parametrize("addresses", [["93.184.215.14"], ["192.168.1.4", "2606:4700::1"]])
async def test_a_server_on_the_internet_needs_the_internet(
    addresses: list[str],
    make: Make,
    crooked: tuple[Crooked, str],
    caller: Caller,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server, url = crooked
    row = await in_database(make, url)
    one = await tool(caller, "small__one")
    names = Names(**{"127.0.0.1": addresses})
    monkeypatch.setattr("chat.outbound.sockets.system_resolver", names)
    before = len(server.seen)

    with pytest.raises(ToolError, match="It is on the internet, which this hub does not use"):
        await one.run({}, caller)
    await in_database(row.refresh_from_db)
    look = await look_at(row, internet=False)

    assert "on the internet" in look.problem
    assert len(server.seen) == before
    assert [contact[-1] for contact in await contacts()] == [True]

    await in_database(Internet.objects.create, pk=1, allowed=True)
    assert not (await look_at(row, internet=True)).problem
    await one.run({}, caller)
    assert [contact[-1] for contact in await contacts()] == [True, False]


async def test_parallel_calls_do_not_mix(make: Make, small_url: str, caller: Caller) -> None:
    await in_database(make, small_url)
    add = await tool(caller, "small__add")
    results = await asyncio.gather(*(add.run({"a": number, "b": 0}, caller) for number in range(4)))
    assert [result.text for result in results] == ["0", "1", "2", "3"]


async def test_parts_of_all_kinds_become_text_and_images(make: Make, small_url: str, caller: Caller) -> None:
    await in_database(make, small_url)
    result = await (await tool(caller, "small__mixed")).run({}, caller)
    assert [(image.media_type, image.data) for image in result.images] == [("image/png", PIXEL)]
    assert result.text.split("\n\n") == [
        "<b>words</b>",
        "[image of type image/png]",
        "[image of type image/png was left out]",
        "[audio of type audio/wav was left out]",
        "[resource plan: file:///plan.txt]",
        "[resource memo://1]\nremember",
        "[resource memo://2 of type image/png was left out]",
    ]


async def test_what_fails_there_is_an_error_here(make: Make, small_url: str, caller: Caller) -> None:
    await in_database(make, small_url)
    result = await (await tool(caller, "small__fail")).run({}, caller)
    assert result.is_error
    assert "no such city" in result.text or "fail" in result.text


async def test_a_server_that_is_gone_is_a_sentence(make: Make, caller: Caller, small_url: str) -> None:
    server = await in_database(make, small_url)
    server.url = "http://127.0.0.1:9/mcp"
    await in_database(server.save)
    with pytest.raises(ToolError, match=r"The server “Small” could not do it\. It cannot be reached"):
        await (await tool(caller, "small__add")).run({"a": 1, "b": 1}, caller)


async def test_a_server_that_was_switched_off_meanwhile_is_not_called(
    make: Make, small_url: str, caller: Caller
) -> None:
    server = await in_database(make, small_url)
    add = await tool(caller, "small__add")
    server.enabled = False
    await in_database(server.save)
    with pytest.raises(ToolError, match="removed or switched off"):
        await add.run({"a": 1, "b": 1}, caller)
    assert await mcp_tools(caller.user_id) == []


async def test_too_much_is_refused(make: Make, small_url: str, caller: Caller) -> None:
    await in_database(make, small_url)
    flood = await tool(caller, "small__flood")
    assert len((await flood.run({"megabytes": 1}, caller)).text) == 200_000
    with pytest.raises(ToolError, match="more than 8 MB"):
        await flood.run({"megabytes": 9}, caller)


async def test_an_endless_answer_ends(make: Make, crooked: tuple[Crooked, str], caller: Caller) -> None:
    server, url = crooked
    await in_database(make, url, timeout=2.0)
    one = await tool(caller, "small__one")
    for body in (
        endless("application/json", b" " * 65536),
        endless("text/event-stream", b"data: " + b"x" * 65536 + b"\n\n"),
    ):
        server.result = lambda body=body: body
        outcome = await run_tool(one, ToolCall("1", "small__one", {}), caller)
        assert outcome.result.is_error
    server.result = lambda: endless("text/event-stream", b": still here\n\n", pause=0.05)
    begun = time.monotonic()
    outcome = await run_tool(one, ToolCall("1", "small__one", {}), caller)
    assert (outcome.result.is_error, outcome.sentence) == (True, "The tool did not answer within 2 seconds.")
    assert time.monotonic() - begun < 15  # it has no end


@pytest.mark.parametrize(
    "result",
    [
        {"content": "no list"},
        {"content": [{"type": "text"}]},
        {"content": [{"type": "hologram", "data": "x"}]},
        {},
        {"content": [{"type": "resource", "resource": {}}]},
    ],
)
async def test_a_wrong_result_is_a_sentence(
    make: Make, crooked: tuple[Crooked, str], caller: Caller, result: dict[str, Any]
) -> None:
    server, url = crooked
    await in_database(make, url)
    server.result = lambda: result
    outcome = await run_tool(await tool(caller, "small__one"), ToolCall("1", "small__one", {}), caller)
    assert outcome.result.is_error or outcome.result.text == "[no content]"
    assert "mistake" not in outcome.sentence


async def test_stopping_ends_a_call_over_http(make: Make, small_url: str, caller: Caller) -> None:
    await in_database(make, small_url, timeout=30.0)
    task = asyncio.create_task((await tool(caller, "small__wait")).run({}, caller))
    await asyncio.sleep(0.5)
    begun = time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert time.monotonic() - begun < 15  # the tool itself takes its whole time-out
    await settled(5)
    assert len(asyncio.all_tasks()) == 1


async def test_a_program_answers_and_is_gone(make: Make, commands: Path, caller: Caller) -> None:
    server = await in_database(make, kind=McpKind.STDIO, command="small")
    assert server.state == McpState.ONLINE, server.state_message
    result = await (await tool(caller, "small__add")).run({"a": 20, "b": 22}, caller)
    assert result.text == "42"


async def test_stopping_ends_the_program(make: Make, commands: Path, caller: Caller) -> None:
    await in_database(make, kind=McpKind.STDIO, command="small", timeout=60.0)
    task = asyncio.create_task((await tool(caller, "small__wait")).run({}, caller))
    number = commands / "mcp.pid"
    while not (number.exists() and number.read_text()):
        assert not task.done()
        await asyncio.sleep(0.05)
    begun = time.monotonic()
    task.cancel()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert time.monotonic() - begun < 15  # the tool itself takes its whole time-out
    await settled(10)
    with pytest.raises(ProcessLookupError):
        os.kill(int(number.read_text()), 0)


async def test_a_program_that_is_not_listed_is_not_started(
    make: Make, commands: Path, settings: Settings, caller: Caller
) -> None:
    await in_database(make, kind=McpKind.STDIO, command="small")
    add = await tool(caller, "small__add")
    settings.MCP_COMMANDS = {"other": ("/bin/false",)}
    with pytest.raises(ToolError, match="not among those"):
        await add.run({"a": 1, "b": 1}, caller)
    settings.MCP_COMMANDS = {}
    with pytest.raises(ToolError, match="starts no programs"):
        await add.run({"a": 1, "b": 1}, caller)


@pytest.mark.parametrize(
    ("argv", "problem"), [("/nonexistent/mcp", "cannot be started"), ("/bin/false", "does not speak MCP")]
)
async def test_a_program_that_is_none_is_a_sentence(
    make: Make, settings: Settings, argv: str, problem: str
) -> None:
    settings.MCP_COMMANDS = {"bad": (argv,)}
    server = await in_database(make, kind=McpKind.STDIO, command="bad")
    assert server.state == McpState.OFFLINE
    assert problem in server.state_message
    assert McpServer.objects is not None
