"""The backend without the hub: the same requests, read over a bare socket by the same counter."""

from __future__ import annotations

import asyncio
import json
import time
from urllib.parse import urlsplit

from tests.bench.tokens import StreamFeeder, TokenCounter


class _Reader(asyncio.Protocol):
    def __init__(self, request: bytes, counter: TokenCounter) -> None:
        self._request = request
        self._feeder = StreamFeeder(counter)
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._feeder.feed(data, time.time())

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.closed.done():
            self.closed.set_result(None)


async def read_answer(url: str, message: str, counter: TokenCounter, *, model: str = "fast") -> None:
    """Ask the backend and count until its end."""
    parts = urlsplit(url)
    body = json.dumps({"model": model, "stream": True, "messages": [{"role": "user", "content": message}]})
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body.encode())}\r\n\r\n"
    )
    loop = asyncio.get_running_loop()
    _, reader = await loop.create_connection(
        lambda: _Reader((head + body).encode(), counter), parts.hostname, parts.port
    )
    try:
        await reader.closed
    finally:
        if reader.transport is not None:
            reader.transport.abort()
