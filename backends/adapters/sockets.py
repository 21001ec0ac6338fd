"""Sockets for httpx that hand the body of a stream over without detours.

httpx parses a chunked body piece by piece: every token that a server writes is an HTTP chunk, and
each costs about 100 µs before it is seen. A :class:`Socket` therefore gives the HTTP parser the head
of a response only, and keeps what follows for whoever reads the body: :meth:`Socket.receive` returns
everything that has gathered since the last call, at the price of one read.

Nothing is read ahead. Between two reads the transport is paused, so that a slow reader slows the
server down and an idle one costs no wake-ups.
"""

from __future__ import annotations

import asyncio
import re
import select
import socket
import ssl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, cast

import httpcore

#: Bytes that may come before the end of the head; the HTTP parser has its own, smaller limit.
_MAX_HEAD = 256 * 1024
#: Bytes that the kernel keeps for us between two reads. A token in a packet of its own takes a kilobyte and
#: more of it, so the usual 128 KiB are full after some hundred tokens. Where less is allowed, Linux gives that.
RECEIVE_BUFFER = 1024 * 1024
_HEAD_END = re.compile(rb"\n\r?\n")
_EXTRAS = {
    "client_addr": "sockname",
    "server_addr": "peername",
    "ssl_object": "ssl_object",
    "socket": "socket",
}


class Sockets(httpcore.AsyncNetworkBackend):
    """Opens sockets on the running event loop."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the signature is httpcore's
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> Socket:
        """Try the addresses of a host one after the other; each has its share of the time."""
        loop = asyncio.get_running_loop()
        with _errors(httpcore.ConnectError, httpcore.ConnectTimeout):
            async with asyncio.timeout(timeout):
                found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
                return await _first_that_answers([info[4] for info in found], timeout)

    async def sleep(self, seconds: float) -> None:
        """Only between attempts to connect, of which we make one."""
        await asyncio.sleep(seconds)


async def _first_that_answers(addresses: list[Any], timeout: float | None) -> Socket:  # noqa: ASYNC109
    share = timeout and max(timeout / len(addresses), 1.0)
    failure: OSError = OSError("the name has no address")
    for address in dict.fromkeys(addresses):
        try:
            async with asyncio.timeout(share):
                return await _connect(address)
        except OSError as error:
            failure = error
    raise failure


async def _connect(address: tuple[Any, ...]) -> Socket:
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_connection(Inbox, address[0], address[1])
    connection = transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
    return Socket(transport, protocol)


class Inbox(asyncio.Protocol):
    """What has arrived, and the one reader and the one writer that may wait."""

    def __init__(self) -> None:
        self.data: list[bytes] = []
        self.ended = False
        self.error: Exception | None = None
        self.transport: asyncio.Transport
        self._loop = asyncio.get_running_loop()
        self._reader: asyncio.Future[None] | None = None
        self._writer: asyncio.Future[None] | None = None
        self._full = False
        self._deadline = 0.0
        self._watchdog: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.take_over(cast(asyncio.Transport, transport))

    def take_over(self, transport: asyncio.Transport) -> None:
        """Read from this transport from now on (again, once it speaks TLS)."""
        self.transport = transport
        transport.pause_reading()

    def data_received(self, data: bytes) -> None:
        self.data.append(data)
        self.transport.pause_reading()
        _wake(self._reader)

    def eof_received(self) -> None:
        self.ended = True
        _wake(self._reader)

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended = True
        self.error = exc
        _wake(self._reader)
        _wake(self._writer)
        if self._watchdog is not None:
            self._watchdog.cancel()

    def pause_writing(self) -> None:
        self._full = True

    def resume_writing(self) -> None:
        self._full = False
        _wake(self._writer)

    async def fill(self, seconds: float | None) -> None:
        """Wait until something has arrived. Raises TimeoutError."""
        if self.data or self.ended:
            return
        self._reader = self._loop.create_future()
        self._watch(seconds)
        self.transport.resume_reading()
        try:
            await self._reader
        finally:
            self._reader = None
            self.transport.pause_reading()

    async def drain(self) -> None:
        """Wait until the transport takes more. Raises ConnectionError where it is gone."""
        while self._full and not self.ended:
            self._writer = self._loop.create_future()
            await self._writer
        if self.ended and self.error is not None:
            raise ConnectionResetError

    def _watch(self, seconds: float | None) -> None:
        """One timer watches over many reads: it looks at the deadline only when it fires."""
        if seconds is None:
            self._deadline = float("inf")
            return
        self._deadline = self._loop.time() + seconds
        if self._watchdog is None or self._watchdog.when() > self._deadline:
            if self._watchdog is not None:
                self._watchdog.cancel()
            self._watchdog = self._loop.call_at(self._deadline, self._look)

    def _look(self) -> None:
        self._watchdog = None
        if self._reader is None or self._reader.done() or self._deadline == float("inf"):
            return
        if self._loop.time() >= self._deadline:
            self._reader.set_exception(TimeoutError())
        else:
            self._watchdog = self._loop.call_at(self._deadline, self._look)


def _wake(waiter: asyncio.Future[None] | None) -> None:
    if waiter is not None and not waiter.done():
        waiter.set_result(None)


class Socket(httpcore.AsyncNetworkStream):
    """One connection. The HTTP parser uses ``read`` and ``write``, the reader of a body ``receive``."""

    def __init__(self, transport: asyncio.Transport, inbox: Inbox) -> None:
        self._transport = transport
        self._inbox = inbox
        self._head = bytearray()
        self._in_head = True
        self._kept = b""

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        """For the HTTP parser: never more than the rest of the head in one piece."""
        with _errors(httpcore.ReadError, httpcore.ReadTimeout):
            data = await self.receive(timeout)
        if self._in_head:
            return self._until_body(data)
        self._kept = data[max_bytes:]
        return data[:max_bytes]

    async def receive(self, timeout: float | None) -> bytes:  # noqa: ASYNC109
        """All bytes that are there, after a wait where there are none; ``b""`` at the end.

        Raises TimeoutError after ``timeout`` seconds, and OSError where the connection broke.
        """
        if self._kept:
            data, self._kept = self._kept, b""
            return data
        inbox = self._inbox
        await inbox.fill(timeout)
        if not inbox.data:
            if inbox.error is not None:
                raise ConnectionResetError from inbox.error
            return b""
        data = inbox.data[0] if len(inbox.data) == 1 else b"".join(inbox.data)
        inbox.data.clear()
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        """Send; the next bytes to read are the head of a response."""
        self._in_head = True
        self._head.clear()
        with _errors(httpcore.WriteError, httpcore.WriteTimeout):
            self._transport.write(buffer)
            async with asyncio.timeout(timeout):
                await self._inbox.drain()

    async def aclose(self) -> None:
        """Close at once: what is unsent or unread is of no use to anybody."""
        self._transport.abort()
        await asyncio.sleep(0)

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> Socket:
        """The same connection, encrypted."""
        loop = asyncio.get_running_loop()
        try:
            with _errors(httpcore.ConnectError, httpcore.ConnectTimeout):
                async with asyncio.timeout(timeout):
                    transport = await loop.start_tls(
                        self._transport, self._inbox, ssl_context, server_hostname=server_hostname
                    )
        except BaseException:
            await self.aclose()
            raise
        if transport is None:
            raise httpcore.ConnectError("the connection was closed during the handshake")
        self._transport = transport
        self._inbox.take_over(transport)
        return self

    def get_extra_info(self, info: str) -> Any:
        """What httpcore asks for: addresses, the TLS object, and whether an idle connection has ended."""
        if info == "is_readable":
            return self._is_readable()
        return self._transport.get_extra_info(_EXTRAS.get(info, info))

    def _until_body(self, data: bytes) -> bytes:
        """Cut after the head; a head that only informs (1xx) is followed by another one."""
        seen = len(self._head)
        self._head += data
        end = _HEAD_END.search(self._head, max(0, seen - 3))
        if end is None:
            self._in_head = len(self._head) < _MAX_HEAD
            return data
        head = bytes(self._head[: end.end()])
        self._kept = bytes(self._head[end.end() :])
        self._head.clear()
        self._in_head = re.match(rb"HTTP/1\.[01] 1\d\d", head) is not None
        return head[seen:]

    def _is_readable(self) -> bool:
        if self._inbox.ended or self._kept or self._inbox.data:
            return True
        sock = self._transport.get_extra_info("socket")
        if sock is None or sock.fileno() < 0:
            return True
        return _readable(sock.fileno())


def _readable(descriptor: int) -> bool:
    """Whether there is something to read, or the other side has closed."""
    if not hasattr(select, "poll"):
        return bool(select.select([descriptor], [], [], 0)[0])
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))


@contextmanager
def _errors(broken: type[Exception], late: type[Exception]) -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise late(str(error)) from error
    except OSError as error:
        raise broken(str(error)) from error
