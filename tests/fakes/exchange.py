"""A small HTTP server for fakes of other protocols: one coroutine answers each request."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any

from tests.fakes.http1 import LAST_CHUNK, RequestParser, chunk, head
from tests.fakes.listening import listening
from tests.fakes.records import Request

JSON = "application/json"


class Exchange:
    """A request, and the ways to answer it. ``gone`` is set once the client has hung up."""

    def __init__(self, request: Request, writer: asyncio.StreamWriter) -> None:
        self.request = request
        self.gone = asyncio.Event()
        self._writer = writer

    def reply(self, status: int, payload: Any = b"", kind: str = JSON, **headers: str) -> None:
        """A whole answer: bytes as they are, anything else as JSON."""
        body = payload if isinstance(payload, bytes) else json.dumps(payload, ensure_ascii=False).encode()
        named = [(name.replace("_", "-"), value) for name, value in headers.items()]
        typed = [("Content-Type", kind)] if body else []
        self._write(head(status, [*typed, *named, ("Content-Length", str(len(body)))]) + body)

    def stream(self, kind: str = "text/event-stream") -> None:
        """Begin an answer that comes piece by piece."""
        self._write(head(200, [("Content-Type", kind), ("Transfer-Encoding", "chunked")]))

    def send(self, data: bytes) -> None:
        """One piece."""
        self._write(chunk(data))

    def event(self, payload: Any, name: str = "") -> None:
        """One server-sent event."""
        line = f"event: {name}\n" if name else ""
        self.send(f"{line}data: {json.dumps(payload, ensure_ascii=False)}\n\n".encode())

    def end(self) -> None:
        """The proper end of a stream."""
        self._write(LAST_CHUNK)

    def _write(self, data: bytes) -> None:
        if not self.gone.is_set() and not self._writer.is_closing():
            self._writer.write(data)


class ExchangeServer:
    """Listens on one loopback address. Subclasses answer; ``requests`` is what came."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        self.host, self.port = host, port
        self.requests: list[Request] = []
        self.open = 0
        self._listening = AsyncExitStack()

    @property
    def url(self) -> str:
        """The base URL, without a slash at its end."""
        return f"http://{self.host}:{self.port}"

    async def answer(self, exchange: Exchange) -> None:
        """Answer one request."""
        raise NotImplementedError

    async def start(self) -> None:
        """Listen; ``port`` is known afterwards."""
        self.port = await self._listening.enter_async_context(listening(self._accept, self.host, self.port))

    async def stop(self) -> None:
        """Close everything."""
        await self._listening.aclose()

    async def __aenter__(self) -> Any:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        try:
            await self._serve(reader, writer)
        finally:
            self.open -= 1

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        parser = RequestParser()
        while True:
            while (request := parser.next_request()) is None:
                if not (data := await reader.read(65536)):
                    return
                parser.feed(data)
            self.requests.append(request)
            if not await self._exchange(Exchange(request, writer), reader):
                return

    async def _exchange(self, exchange: Exchange, reader: asyncio.StreamReader) -> bool:
        """Whether the client is still there. Nobody sends a second request before the first is answered."""
        working = asyncio.ensure_future(self.answer(exchange))
        watching = asyncio.ensure_future(_until_eof(reader))
        try:
            await asyncio.wait({working, watching}, return_when=asyncio.FIRST_COMPLETED)
            if watching.done():
                exchange.gone.set()
                await asyncio.wait({working}, timeout=5)
                return False
            working.result()
            return True
        finally:
            working.cancel()
            watching.cancel()
            await asyncio.gather(working, watching, return_exceptions=True)


class Hanging(ExchangeServer):
    """Takes every request and never answers."""

    async def answer(self, exchange: Exchange) -> None:
        await exchange.gone.wait()


async def _until_eof(reader: asyncio.StreamReader) -> None:
    while not reader.at_eof():
        await asyncio.sleep(0.005)


class InThread:
    """A server with an event loop of its own, for tests that block: ``with InThread(server): …``."""

    def __init__(self, server: ExchangeServer) -> None:
        self.server = server
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Any:
        self._thread.start()
        assert self._ready.wait(10)
        return self.server

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        async with self.server:
            self._ready.set()
            await self._stop.wait()


async def until(condition: Callable[[], Any], seconds: float = 5.0) -> None:
    """Wait for something that a fake remembers; TimeoutError if it does not come."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)
