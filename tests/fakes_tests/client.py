"""A client that sees the bytes: raw requests, raw responses, frames."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

from tests.fakes.server import FakeServer


def chat_request(path: str, message: str, *, model: str = "fast", headers: str = "", **more: Any) -> bytes:
    """A streamed chat request that asks to close afterwards."""
    body = json.dumps(
        {"model": model, "stream": True, "messages": [{"role": "user", "content": message}]} | more
    )
    length = f"Content-Length: {len(body.encode())}"
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}{length}"
    return f"{head}\r\n\r\n{body}".encode()


def get_request(path: str, headers: str = "") -> bytes:
    """A GET that asks to close afterwards."""
    return f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n".encode()


async def exchange(fake: FakeServer, request: bytes) -> bytes:
    """Everything that comes back until the connection ends."""
    reader, writer = await asyncio.open_connection(fake.host, fake.port)
    writer.write(request)
    try:
        return await reader.read()
    finally:
        writer.close()


def split_response(raw: bytes) -> tuple[list[str], bytes]:
    """The lines of the head and the body with its chunks joined."""
    head, _, rest = raw.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    if "Transfer-Encoding: chunked" not in lines:
        return lines, rest
    body = b""
    while (found := re.match(rb"([0-9a-f]+)\r\n", rest)) and (size := int(found.group(1), 16)):
        body += rest[found.end() : found.end() + size]
        rest = rest[found.end() + size + 2 :]
    return lines, body


def sse_frames(body: bytes) -> list[Any]:
    """The JSON of each event, without ``[DONE]``."""
    events = body.decode().split("\n\n")
    return [json.loads(event.removeprefix("data: ")) for event in events if event and "[DONE]" not in event]


def ndjson_frames(body: bytes) -> list[Any]:
    """The JSON of each line."""
    return [json.loads(line) for line in body.decode().splitlines()]


def shape(value: Any) -> Any:
    """Keys in their order and types of values, so that two frames can be compared."""
    if isinstance(value, dict):
        return [(key, shape(item)) for key, item in value.items()]
    if isinstance(value, list):
        return [shape(item) for item in value]
    return type(value).__name__
