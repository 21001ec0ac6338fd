"""A minimal RFC 6455 client for measuring: frames reach the handler in the callback that read them."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import struct
import time
from collections.abc import Callable
from urllib.parse import urlsplit

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10

Handler = Callable[[bytes, float], None]
"""Takes the payload of a message and the time (``time.time()``) at which it was read."""


class WebSocketError(ConnectionError):
    """The handshake was refused, or the server broke the protocol."""


def mask(payload: bytes, key: bytes) -> bytes:
    """XOR with the key, as one big number."""
    if not payload:
        return b""
    repeated = (key * (len(payload) // 4 + 1))[: len(payload)]
    number = int.from_bytes(payload, "little") ^ int.from_bytes(repeated, "little")
    return number.to_bytes(len(payload), "little")


def encode_frame(opcode: int, payload: bytes, key: bytes | None = None) -> bytes:
    """One final frame, masked as clients must; with an empty key as servers send it."""
    key = os.urandom(4) if key is None else key
    bit = 0x80 if key else 0
    size = len(payload)
    if size < 126:
        head = struct.pack("!BB", 0x80 | opcode, bit | size)
    elif size < 65536:
        head = struct.pack("!BBH", 0x80 | opcode, bit | 126, size)
    else:
        head = struct.pack("!BBQ", 0x80 | opcode, bit | 127, size)
    return head + key + (mask(payload, key) if key else payload)


class FrameReader:
    """Cuts bytes into messages: ``(opcode, payload)``, continuations joined."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._parts: list[bytes] = []
        self._opcode = 0

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """Add bytes; gives the messages that are complete now."""
        self._buffer += data
        found: list[tuple[int, bytes]] = []
        at = 0
        while (frame := self._frame_at(at)) is not None:
            first, start, at = frame
            payload = bytes(self._buffer[start:at])
            message = self._join(first, payload)
            if message is not None:
                found.append(message)
        if at:
            del self._buffer[:at]
        return found

    def _frame_at(self, at: int) -> tuple[int, int, int] | None:
        buffer = self._buffer
        if len(buffer) < at + 2:
            return None
        if buffer[at + 1] & 0x80 or buffer[at] & 0x70:
            raise WebSocketError("a masked or compressed frame came from the server")
        size, start = buffer[at + 1], at + 2
        if size >= 126:
            extra = 2 if size == 126 else 8
            if len(buffer) < start + extra:
                return None
            size, start = int.from_bytes(buffer[start : start + extra], "big"), start + extra
        return (buffer[at], start, start + size) if len(buffer) >= start + size else None

    def _join(self, first: int, payload: bytes) -> tuple[int, bytes] | None:
        opcode, final = first & 0x0F, first & 0x80
        if opcode >= CLOSE:
            return opcode, payload
        self._opcode = opcode or self._opcode
        self._parts.append(payload)
        if not final:
            return None
        whole = b"".join(self._parts)
        self._parts.clear()
        return self._opcode, whole


class WebSocket(asyncio.Protocol):
    """A connection whose handshake and messages are handled as the bytes come in."""

    def __init__(self, request: bytes, accept: bytes, handler: Handler) -> None:
        loop = asyncio.get_running_loop()
        self.opened: asyncio.Future[None] = loop.create_future()
        self.closed: asyncio.Future[None] = loop.create_future()
        self.handler = handler
        self.close_code: int | None = None
        self._request, self._accept = request, accept
        self._head: bytearray | None = bytearray()
        self._frames = FrameReader()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the upgrade."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Handshake first, then frames."""
        now = time.time()
        try:
            if self._head is not None:
                data = self._shake(data)
            for opcode, payload in self._frames.feed(data):
                self._take(opcode, payload, now)
        except WebSocketError as error:
            self._fail(error)

    def connection_lost(self, exc: Exception | None) -> None:
        """The server went away."""
        if not self.opened.done():
            self.opened.set_exception(WebSocketError("closed during the handshake"))
        if not self.closed.done():
            self.closed.set_result(None)

    def send(self, text: str) -> None:
        """Send one text message."""
        self._write(encode_frame(TEXT, text.encode()))

    async def close(self) -> None:
        """Say goodbye and wait for the end, not for long."""
        self._write(encode_frame(CLOSE, struct.pack("!H", 1000)))
        try:
            await asyncio.wait_for(asyncio.shield(self.closed), 2)
        except TimeoutError:
            if self._transport is not None:
                self._transport.abort()

    def _shake(self, data: bytes) -> bytes:
        assert self._head is not None
        self._head += data
        head, found, rest = bytes(self._head).partition(b"\r\n\r\n")
        if not found:
            return b""
        lines = head.split(b"\r\n")
        if lines[0].split(b" ")[1] != b"101":
            raise WebSocketError(f"refused: {lines[0].decode('latin-1')}")
        headers = dict(line.lower().split(b":", 1) for line in lines[1:])
        if headers.get(b"sec-websocket-accept", b"").strip() != self._accept.lower():
            raise WebSocketError("the server answered with a wrong key")
        self._head = None
        self.opened.set_result(None)
        return rest

    def _take(self, opcode: int, payload: bytes, now: float) -> None:
        if opcode in (TEXT, BINARY):
            self.handler(payload, now)
        elif opcode == PING:
            self._write(encode_frame(PONG, payload))
        elif opcode == CLOSE:
            self.close_code = int.from_bytes(payload[:2], "big") if payload else 1005
            self._write(encode_frame(CLOSE, payload[:2]))
            if self._transport is not None:
                self._transport.close()

    def _write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def _fail(self, error: WebSocketError) -> None:
        if not self.opened.done():
            self.opened.set_exception(error)
        if self._transport is not None:
            self._transport.abort()


async def connect(url: str, handler: Handler, *, cookie: str = "", origin: str = "") -> WebSocket:
    """Open ``ws://host:port/path`` and return when the server has accepted."""
    parts = urlsplit(url)
    key = base64.b64encode(os.urandom(16))
    accept = base64.b64encode(hashlib.sha1(key + GUID).digest())  # noqa: S324
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines = [
        f"GET {path} HTTP/1.1",
        f"Host: {parts.netloc}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {key.decode()}",
        "Sec-WebSocket-Version: 13",
        *([f"Origin: {origin}"] if origin else []),
        *([f"Cookie: {cookie}"] if cookie else []),
    ]
    request = ("\r\n".join(lines) + "\r\n\r\n").encode()
    loop = asyncio.get_running_loop()
    _, socket = await loop.create_connection(
        lambda: WebSocket(request, accept, handler), parts.hostname, parts.port or 80
    )
    await asyncio.wait_for(asyncio.shield(socket.opened), 30)
    return socket
