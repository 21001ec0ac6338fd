"""One TCP connection to the fake server: requests in, one response at a time out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from tests.fakes.http1 import BadRequestError, RequestParser, head
from tests.fakes.records import Request
from tests.fakes.stream import Stream


class Responder(Protocol):
    """What answers the requests of all connections."""

    connections: set[Connection]

    def respond(self, connection: Connection, request: Request) -> None:
        """Answer with :meth:`Connection.reply` or :meth:`Connection.begin`."""


class Connection(asyncio.Protocol):
    """Keeps the connection open between requests and notices when the client goes away."""

    transport: asyncio.Transport

    def __init__(self, responder: Responder) -> None:
        self._responder = responder
        self._parser = RequestParser()
        self._close_after = False
        self._busy = False
        self._continued = False
        self._stream: Stream | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client came."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._responder.connections.add(self)

    def data_received(self, data: bytes) -> None:
        """Bytes of a request, or of the one after it."""
        self._parser.feed(data)
        self._serve()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client went away, or this side closed."""
        self._responder.connections.discard(self)
        if self._stream is not None:
            self._stream.hang_up()

    def pause_writing(self) -> None:
        """The socket is full."""
        if self._stream is not None:
            self._stream.pause()

    def resume_writing(self) -> None:
        """The socket takes more."""
        if self._stream is not None:
            self._stream.resume()

    def reply(self, data: bytes) -> None:
        """A whole response."""
        if not self.transport.is_closing():
            self.transport.write(data)
        self.done()

    def begin(self, make: Callable[[], Stream]) -> None:
        """A streamed response; the stream calls :meth:`done` at its proper end."""
        self._stream = make()
        self._stream.start()

    def done(self) -> None:
        """The response is over: the next request may be served."""
        self._busy = False
        self._stream = None
        if self._close_after:
            self.transport.close()
        else:
            self._serve()

    def _serve(self) -> None:
        while not self._busy:
            try:
                request = self._parser.next_request()
            except ValueError as error:
                kind = "bad request" if isinstance(error, BadRequestError) else "bad number"
                self.transport.write(
                    head(400, [("Content-Length", "0"), ("X-Why", kind), ("Connection", "close")])
                )
                self.transport.close()
                return
            if request is None:
                self._say_continue()
                return
            self._busy, self._continued = True, False
            self._close_after = request.headers.get("connection", "").lower() == "close"
            self._responder.respond(self, request)

    def _say_continue(self) -> None:
        if not self._continued and self._parser.wants_continue:
            self._continued = True
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
