"""Server-sent events (WHATWG HTML, section 9.2): bytes in, events out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from backends.adapters.errors import ProtocolError
from backends.adapters.ndjson import BOM, MAX_FRAME
from backends.adapters.values import as_dict, parse_json


class ServerEvent(NamedTuple):
    """One dispatched event. ``event`` is empty where the server named none."""

    event: str
    data: str


def object_in(data: str) -> dict[str, Any]:
    """The object that an event carries; anything else that is JSON says nothing. Raises ProtocolError."""
    try:
        return as_dict(parse_json(data))
    except ValueError:
        raise ProtocolError("a frame is not JSON") from None


class SSEDecoder:
    """Cuts a byte stream into events, wherever the network cut it.

    LF, CRLF and a lone CR end a line. Two deviations from the standard, because servers need them:
    an event still open at the end of the stream counts, and a field ``error: X`` (llama.cpp before
    autumn 2025) reads as ``data: {"error": X}``. ``id`` and ``retry`` mean nothing here.
    """

    def __init__(self, max_frame: int = MAX_FRAME) -> None:
        self._max = max_frame
        self._rest = bytearray()
        self._cr = False
        self._first = True
        self._event = b""
        self._data: list[bytes] = []
        self._size = 0

    def feed(self, chunk: bytes) -> Iterator[ServerEvent]:
        """All events that this chunk completes. Consume it to the end.

        Raises ProtocolError for an event larger than the limit, after the events before it.
        """
        lines = self._newlines(chunk).split(b"\n")
        rest = lines.pop()
        for line in lines:
            if self._rest:
                self._keep(line)
                line = self._take()
            if line:
                self._field(line)
            elif self._data or self._event:
                yield from self._dispatch()
        self._keep(rest)

    def close(self) -> Iterator[ServerEvent]:
        """The event that was open when the stream ended."""
        if self._rest:
            self._field(self._take())
        yield from self._dispatch()

    def _newlines(self, chunk: bytes) -> bytes:
        """The chunk with LF only. A CR at its end waits: an LF may follow."""
        if self._cr:
            chunk = b"\r" + chunk
            self._cr = False
        if b"\r" not in chunk:
            return chunk
        if chunk.endswith(b"\r"):
            self._cr = True
            chunk = chunk[:-1]
        return chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _keep(self, piece: bytes) -> None:
        self._rest += piece
        self._check(len(self._rest))

    def _take(self) -> bytes:
        line = bytes(self._rest)
        self._rest.clear()
        return line

    def _field(self, line: bytes) -> None:
        if self._first:
            self._first = False
            line = line.removeprefix(BOM)
        name, _, value = line.partition(b":")
        if value.startswith(b" "):
            value = value[1:]
        if name == b"data":
            self._append(value)
        elif name == b"event":
            self._event = value
        elif name == b"error":
            self._append(_error(value))
        else:
            self._check(len(line))

    def _append(self, value: bytes) -> None:
        self._size += len(value) + 1
        self._check(self._size)
        self._data.append(value)

    def _check(self, size: int) -> None:
        if size > self._max:
            raise ProtocolError("frame too large")

    def _dispatch(self) -> Iterator[ServerEvent]:
        if self._data:
            data = b"\n".join(self._data).decode("utf-8", "replace")
            event = ServerEvent(self._event.decode("utf-8", "replace"), data)
            self._data = []
            self._size = 0
            self._event = b""
            yield event
        self._event = b""


def _error(value: bytes) -> bytes:
    """``value`` is JSON, or text that becomes a JSON string."""
    try:
        parse_json(value)
    except ValueError:
        value = json.dumps(value.decode("utf-8", "replace")).encode()
    return b'{"error": ' + value + b"}"
