"""A real HTTP server on the loopback interface that does exactly what a test tells it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.fakes.listening import listening

Handler = Callable[["Connection"], Awaitable[None]]


@dataclass
class Connection:
    """One connection after its request has been read."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    head: str
    body: bytes

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def head_of_stream(self, kind: str = "application/x-ndjson") -> None:
        await self.send(
            f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ntransfer-encoding: chunked\r\n\r\n".encode()
        )

    async def chunk(self, data: bytes) -> None:
        await self.send(b"%x\r\n%s\r\n" % (len(data), data))

    async def end(self) -> None:
        await self.send(b"0\r\n\r\n")

    async def until_closed(self, seconds: float = 10) -> bool:
        """Whether the other side closes in time."""
        try:
            async with asyncio.timeout(seconds):
                return await self.reader.read(1) == b""
        except TimeoutError:
            return False
        except ConnectionError:
            return True


@dataclass
class Server:
    """Counts what it saw."""

    url: str = ""
    connections: int = 0
    requests: int = 0
    open: int = 0


@asynccontextmanager
async def serving(handler: Handler, tls: Path | None = None) -> AsyncIterator[Server]:
    """Serve until the block ends, with TLS if there is a file with a key and a certificate."""
    state = Server()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        state.connections += 1
        state.open += 1
        try:
            while (request := await _request(reader)) is not None:
                state.requests += 1
                await handler(Connection(reader, writer, *request))
        finally:
            state.open -= 1

    context = None
    if tls is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls)
    async with listening(accept, tls=context) as port:
        state.url = f"{'https' if tls else 'http'}://127.0.0.1:{port}"
        yield state


async def _request(reader: asyncio.StreamReader) -> tuple[str, bytes] | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
    except asyncio.IncompleteReadError:
        return None
    length = next(
        (int(line[15:]) for line in head.lower().split("\r\n") if line.startswith("content-length:")), 0
    )
    return head, await reader.readexactly(length)
