"""The server's side of HTTP/1.1: an incremental request parser and a few ways to write a response."""

from __future__ import annotations

import json
from collections.abc import Iterable
from email.utils import formatdate
from http import HTTPStatus
from urllib.parse import unquote

from tests.fakes.records import Request

MAX_HEAD = 64 * 1024
MAX_BODY = 64 * 1024 * 1024


class BadRequestError(ValueError):
    """The bytes are not an HTTP/1.1 request that this server takes."""


class RequestParser:
    """Collects bytes and gives complete requests, one at a time."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> None:
        """Add what came from the socket."""
        self._buffer += data

    def next_request(self) -> Request | None:
        """The next complete request, or None while bytes are missing."""
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) > MAX_HEAD:
                raise BadRequestError("head too large")
            return None
        method, target, headers = _parse_head(bytes(self._buffer[:end]))
        taken = self._take_body(end + 4, headers)
        if taken is None:
            return None
        body, used = taken
        del self._buffer[:used]
        path, _, query = target.partition("?")
        return Request(method, unquote(path), query, headers, body, _parse_json(body))

    @property
    def wants_continue(self) -> bool:
        """Whether a head that asks for ``100 Continue`` waits for its body."""
        end = self._buffer.find(b"\r\n\r\n")
        return end >= 0 and b"100-continue" in self._buffer[:end].lower()

    def _take_body(self, start: int, headers: dict[str, str]) -> tuple[bytes, int] | None:
        if headers.get("transfer-encoding", "").lower() == "chunked":
            return self._take_chunks(start)
        length = int(headers.get("content-length") or 0)
        if length > MAX_BODY:
            raise BadRequestError("body too large")
        if len(self._buffer) < start + length:
            return None
        return bytes(self._buffer[start : start + length]), start + length

    def _take_chunks(self, at: int) -> tuple[bytes, int] | None:
        body = bytearray()
        while (line_end := self._buffer.find(b"\r\n", at)) >= 0:
            size = int(bytes(self._buffer[at:line_end]).split(b";")[0], 16)
            data_at = line_end + 2
            if len(self._buffer) < data_at + size + 2:
                return None
            if size == 0:
                return bytes(body), data_at + 2
            body += self._buffer[data_at : data_at + size]
            at = data_at + size + 2
        return None


def _parse_head(head: bytes) -> tuple[str, str, dict[str, str]]:
    lines = head.decode("latin-1").split("\r\n")
    parts = lines[0].split(" ")
    if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
        raise BadRequestError(f"not a request line: {lines[0][:80]!r}")
    pairs = (line.partition(":") for line in lines[1:])
    return parts[0], parts[1], {name.strip().lower(): value.strip() for name, _, value in pairs}


def _parse_json(body: bytes) -> object:
    try:
        return json.loads(body) if body else None
    except ValueError:
        return None


def status_line(status: int) -> str:
    """``HTTP/1.1 404 Not Found``."""
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Status"
    return f"HTTP/1.1 {status} {phrase}"


def head(status: int, headers: Iterable[tuple[str, str]]) -> bytes:
    """A whole response head with its blank line."""
    lines = [status_line(status), *(f"{name}: {value}" for name, value in headers)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def chunk(data: bytes) -> bytes:
    """One chunk of a chunked body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


LAST_CHUNK = b"0\r\n\r\n"


def date_header() -> tuple[str, str]:
    """``Date`` as Go's and most other servers write it."""
    return "Date", formatdate(usegmt=True)
