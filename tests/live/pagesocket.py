"""The websocket of an open page, read by a thread so that a test can wait for what comes."""

from __future__ import annotations

import base64
import contextlib
import os
import re
import socket
import struct
import threading
from urllib.parse import urlsplit

from tests.bench.websocket import CLOSE, PING, PONG, TEXT, FrameReader, WebSocketError, encode_frame
from tests.live.person import Person
from tests.live.process import PATIENCE, wait_for


class Refused(WebSocketError):
    """The hub did not accept the connection. ``status`` is what it answered, 0 for a closed connection."""

    def __init__(self, status: int) -> None:
        super().__init__(f"refused with {status}")
        self.status = status


class PageSocket:
    """Listens to a conversation as its page does. ``frames`` is everything that came."""

    def __init__(self, person: Person, path: str, *, origin: str | None = None, revision: int = -1) -> None:
        number = path.strip("/").rpartition("/")[2]
        query = f"?revision={revision}" if revision >= 0 else ""
        self.frames: list[str] = []
        self.close_code: int | None = None
        self._ended = threading.Event()
        self._reader = FrameReader()
        self._socket = self._connect(person, f"/ws/conversations/{number}/{query}", origin or person.origin)
        self._thread = threading.Thread(target=self._listen, name="page-socket", daemon=True)
        self._thread.start()

    def __enter__(self) -> PageSocket:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def is_closed(self) -> bool:
        """Whether the hub has ended the connection."""
        return self._ended.is_set()

    @property
    def text(self) -> str:
        """All frames, one after the other."""
        return "".join(list(self.frames))

    def wait_for(self, pattern: str, seconds: float = PATIENCE) -> re.Match[str]:
        """Wait until what has come matches."""
        return wait_for(lambda: re.search(pattern, self.text), f"a frame that matches {pattern!r}", seconds)

    def wait_for_end(self, seconds: float = PATIENCE) -> int | None:
        """Wait until the hub closes the connection; gives the code."""
        wait_for(lambda: self.is_closed, "the end of the websocket", seconds)
        return self.close_code

    def close(self) -> None:
        """Leave, as a tab that is closed."""
        with contextlib.suppress(OSError):
            self._socket.sendall(encode_frame(CLOSE, struct.pack("!H", 1000)))
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(10)
        self._socket.close()

    def say_goodbye(self, seconds: float = PATIENCE) -> bool:
        """Leave with a closing frame, as browsers do; tells whether the hub then closed the connection."""
        self._socket.sendall(encode_frame(CLOSE, struct.pack("!H", 1001)))
        self._thread.join(seconds)
        was_closed = not self._thread.is_alive()
        self.close()
        return was_closed

    def _connect(self, person: Person, target: str, origin: str) -> socket.socket:
        parts = urlsplit(person.origin)
        lines = [
            f"GET {target} HTTP/1.1",
            f"Host: {parts.netloc}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
            "Sec-WebSocket-Version: 13",
            f"Origin: {origin}",
            f"Cookie: {person.cookie_header}",
        ]
        connection = socket.create_connection((parts.hostname, parts.port), timeout=PATIENCE)
        try:
            connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
            head = b""
            while b"\r\n\r\n" not in head:
                data = connection.recv(65536)
                if not data:
                    break
                head += data
            head, _found, rest = head.partition(b"\r\n\r\n")
            status = int(head.split(b" ")[1]) if head else 0
            if status != 101:
                raise Refused(status)
            connection.settimeout(None)
            self._take(self._reader.feed(rest), connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while data := self._socket.recv(65536):
                self._take(self._reader.feed(data), self._socket)
        self._ended.set()

    def _take(self, messages: list[tuple[int, bytes]], connection: socket.socket) -> None:
        for opcode, payload in messages:
            if opcode == TEXT:
                self.frames.append(payload.decode())
            elif opcode == PING:
                connection.sendall(encode_frame(PONG, payload))
            elif opcode == CLOSE:
                self.close_code = int.from_bytes(payload[:2], "big") if payload else None
                self._ended.set()
