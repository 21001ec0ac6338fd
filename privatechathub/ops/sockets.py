"""Websocket frames go out at once.

Twisted only marks a connection as wanting to write and writes in the next round of the loop, which
costs two changes of the selector and one round for every frame. A frame of a running answer is small
and the socket's buffer is nearly always empty, so writing right away nearly always finishes the job;
where it does not, Twisted's own way takes over.
"""

from __future__ import annotations

import struct
from typing import Any


def send_at_once() -> None:
    """Let Daphne's websocket connections write without waiting. Call once, before the server runs."""
    from daphne.ws_protocol import WebSocketProtocol

    original, by_autobahn = WebSocketProtocol.makeConnection, WebSocketProtocol.serverSend

    def make_connection(self: Any, transport: Any) -> None:
        """As before, with a transport that tries first."""
        make_eager(transport)
        original(self, transport)

    def server_send(self: Any, content: str | bytes, binary: bool = False) -> None:
        """A text in one frame, without the layers that could cut, compress or log it."""
        if binary or self.state != self.STATE_OPEN or self.send_queue:
            by_autobahn(self, content, binary)
        else:
            self.transport.write(text_frame(content if isinstance(content, bytes) else content.encode()))

    WebSocketProtocol.makeConnection = make_connection
    WebSocketProtocol.serverSend = server_send


def text_frame(payload: bytes) -> bytes:
    """One whole, unmasked text frame (RFC 6455, section 5.2)."""
    length = len(payload)
    if length < 126:
        return bytes((0x81, length)) + payload
    if length < 65_536:
        return struct.pack("!BBH", 0x81, 126, length) + payload
    return struct.pack("!BBQ", 0x81, 127, length) + payload


def make_eager(transport: Any) -> None:
    """Have this one TCP transport try to write before it asks the reactor to, until it is to be closed."""
    wait_for_turn = transport.startWriting
    close = transport.loseConnection

    def start_writing() -> None:
        """Write what the socket takes; the reactor gets the rest, and any error."""
        if transport.doWrite() is not None or transport.dataBuffer or transport._tempDataBuffer:  # noqa: SLF001
            wait_for_turn()

    def lose_connection(*reason: Any) -> None:
        """The reactor closes a connection in its turn to write, so it must get one."""
        transport.startWriting = wait_for_turn
        close(*reason)

    transport.startWriting = start_writing
    transport.loseConnection = lose_connection
