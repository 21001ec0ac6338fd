"""A server in memory: our real sockets and HTTP client on top, bytes cut wherever a test wants below."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Callable, Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpcore

from backends.adapters.base import Adapter, Endpoint, Timeouts
from backends.adapters.errors import BackendError
from backends.adapters.events import Event, Started
from backends.adapters.frames import merged
from backends.adapters.http import Http, Transport
from backends.adapters.messages import ChatMessage, ChatRequest, Role
from backends.adapters.sockets import Inbox, Socket

TRANSCRIPTS = Path(__file__).parents[2] / "transcripts"
HELLO = ChatRequest(model="m", messages=(ChatMessage.of(Role.USER, "Hello"),))
FAST = Timeouts(connect=10, first_byte=10, stall=10, request=10)


def recorded(name: str) -> bytes:
    """All bytes of one recorded response."""
    return (TRANSCRIPTS / f"{name}.raw").read_bytes()


@dataclass(frozen=True)
class Script:
    """What a connection receives: pieces, each by a read of its own, then how it ends."""

    pieces: tuple[bytes, ...]
    end: str = "eof"  # or "reset", or "silence"

    def recut(self, cuts: Iterable[int]) -> Script:
        """The same bytes, cut at these positions."""
        whole = b"".join(self.pieces)
        edges = [0, *sorted({cut for cut in cuts if 0 < cut < len(whole)}), len(whole)]
        pieces = tuple(whole[a:b] for a, b in pairwise(edges))
        return Script(pieces, self.end)


def response(
    *pieces: bytes | str,
    status: int = 200,
    kind: str = "application/json",
    headers: Mapping[str, str] | None = None,
    end: str = "eof",
) -> Script:
    """A response in chunked coding, one chunk and one read for each piece of its body."""
    lines = {"content-type": kind, "connection": "close", "transfer-encoding": "chunked", **(headers or {})}
    head = f"HTTP/1.1 {status} X\r\n" + "".join(f"{k}: {v}\r\n" for k, v in lines.items() if v) + "\r\n"
    chunks = [_chunk(piece if isinstance(piece, bytes) else piece.encode()) for piece in pieces]
    last = (b"0\r\n\r\n",) if end == "eof" else ()
    return Script((head.encode(), *filter(None, chunks), *last), end)


def _chunk(piece: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(piece), piece) if piece else b""


def ndjson(*pieces: bytes | str, end: str = "eof") -> Script:
    return response(*pieces, kind="application/x-ndjson", end=end)


def sse(*pieces: bytes | str, end: str = "eof") -> Script:
    return response(*pieces, kind="text/event-stream", end=end)


def answer(payload: Any, status: int = 200) -> Script:
    return response(json.dumps(payload), status=status)


@dataclass(frozen=True)
class Sent:
    """One request as the server saw it."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any


Responder = Callable[[Sent], Script]


class Memory(httpcore.AsyncNetworkBackend):
    """Every connection goes to the responder. ``requests`` and ``closed`` are for asserts."""

    def __init__(self, responder: Responder) -> None:
        self.responder = responder
        self.requests: list[Sent] = []
        self.transports: list[MemoryTransport] = []

    async def connect_tcp(self, *args: Any, **kwargs: Any) -> Socket:
        inbox = Inbox()
        transport = MemoryTransport(self, inbox)
        inbox.connection_made(transport)
        self.transports.append(transport)
        return Socket(transport, inbox)

    @property
    def open(self) -> int:
        return sum(not transport.closed for transport in self.transports)


class MemoryTransport(asyncio.Transport):
    """Delivers one piece each time the reader asks, through the event loop like a real one."""

    def __init__(self, server: Memory, inbox: Inbox) -> None:
        super().__init__()
        self.server = server
        self.inbox = inbox
        self.sent = bytearray()
        self.closed = False
        self.delivered = 0
        self.reading = False
        self.script: Script | None = None
        self.pieces: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.sent += data

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True
        asyncio.get_running_loop().call_soon(self.deliver)

    def deliver(self) -> None:
        if not self.reading or self.closed:
            return
        if self.script is None:
            sent = parse_request(bytes(self.sent))
            self.server.requests.append(sent)
            self.script = self.server.responder(sent)
            self.pieces = list(reversed(self.script.pieces))
        if self.pieces:
            piece = self.pieces.pop()
            self.delivered += len(piece)
            self.inbox.data_received(piece)
        elif self.script.end == "reset":
            self.inbox.connection_lost(ConnectionResetError())
        elif self.script.end == "eof":
            self.inbox.eof_received()

    def abort(self) -> None:
        self.closed = True

    def close(self) -> None:
        self.closed = True

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default


def parse_request(data: bytes) -> Sent:
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    method, path, _ = first.split(" ")
    headers = {key.lower(): value for key, _, value in (line.partition(": ") for line in lines)}
    return Sent(method, path, headers, json.loads(body) if body else None)


def memory_http(server: Memory) -> Http:
    return Http(Transport(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), server))


@dataclass
class Played:
    """What came out of one run."""

    batches: list[list[Event]] = field(default_factory=list)
    error: BackendError | None = None
    server: Memory | None = None

    @property
    def raw(self) -> list[Event]:
        return [event for batch in self.batches for event in batch]

    @property
    def events(self) -> list[Event]:
        """Merged, and without the start."""
        return merged(event for event in self.raw if not isinstance(event, Started))


async def played(
    adapter: type[Adapter],
    *scripts: Script,
    request: ChatRequest = HELLO,
    base: str = "http://server.test",
    run: Callable[[Any], Any] | None = None,
    respond: Responder | None = None,
    http: Http | None = None,
    **endpoint: Any,
) -> Played:
    """Run one answer against a responder, or against responses in turn; the last one stays.

    With an ``http`` of its own it goes to the server at ``base`` instead.
    """
    left = list(scripts)
    server = Memory(respond or (lambda sent: left.pop(0) if len(left) > 1 else left[0]))
    result = Played(server=server)
    http = http or memory_http(server)
    speaker = adapter(Endpoint(base, **{"timeouts": FAST, **endpoint}), http)
    try:
        async with aclosing(run(speaker) if run else speaker.batches(request)) as batches:
            async for batch in batches:
                result.batches.append(batch)
    except BackendError as error:
        result.error = error
    finally:
        await http.aclose()
    return result


def play(*args: Any, **kwargs: Any) -> Played:
    """The same, from a test that is not a coroutine."""
    return asyncio.run(played(*args, **kwargs))


def routes(table: Mapping[str, Script]) -> Responder:
    """Answer by method and path; everything else is a 404."""

    def respond(sent: Sent) -> Script:
        return table.get(
            f"{sent.method} {sent.path}", response("404 page not found", status=404, kind="text/plain")
        )

    return respond


async def asked(
    adapter: type[Adapter], responder: Responder, call: Callable[[Any], Any], base: str = "http://server.test"
) -> tuple[Any, Memory]:
    """The result of one call of an adapter, and the server that answered."""
    server = Memory(responder)
    http = memory_http(server)
    try:
        return await call(adapter(Endpoint(base, timeouts=FAST), http)), server
    finally:
        await http.aclose()
