"""A small HTTP/1.1 client on asyncio: cookies, keep-alive, and the number of bytes on the wire."""

from __future__ import annotations

import asyncio
import gzip
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode, urljoin, urlsplit

import brotli

MAX_LINE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Response:
    """A whole response. ``body`` is decoded; ``wire_body`` is its size as it was sent."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    wire_head: int
    wire_body: int
    seconds: float

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")


@dataclass(slots=True)
class _Line:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


@dataclass(slots=True)
class HttpClient:
    """One browser's worth of cookies and connections to one origin."""

    origin: str
    cookies: dict[str, str] = field(default_factory=dict)
    _idle: list[_Line] = field(default_factory=list)

    async def get(self, url: str, headers: Mapping[str, str] | None = None) -> Response:
        """GET without following redirects."""
        return await self.request("GET", url, headers or {}, b"")

    async def post(
        self, url: str, form: Mapping[str, str], headers: Mapping[str, str] | None = None
    ) -> Response:
        """POST an urlencoded form without following redirects."""
        more = {"Content-Type": "application/x-www-form-urlencoded", "Origin": self.origin}
        return await self.request("POST", url, more | dict(headers or {}), urlencode(form).encode())

    async def follow(self, response: Response) -> Response:
        """GET where a redirect points to, at most five times."""
        for _ in range(5):
            if response.status not in (301, 302, 303, 307, 308):
                break
            response = await self.get(urljoin(response.url, response.headers["location"]))
        return response

    async def request(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Response:
        """One exchange. A kept connection that turns out to be closed is replaced once."""
        target = self._path_of(url)
        data = self._encode(method, target, headers, body)
        began = time.perf_counter()
        while True:
            line, fresh = await self._line()
            try:
                line.writer.write(data)
                return await self._read(line, method, urljoin(self.origin, target), began)
            except (ConnectionError, asyncio.IncompleteReadError):
                line.writer.close()
                if fresh:
                    raise

    def cookie_header(self) -> str:
        """The value of ``Cookie``."""
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    async def close(self) -> None:
        """Close the idle connections."""
        lines, self._idle = self._idle, []
        for line in lines:
            line.writer.close()
        await asyncio.gather(*(line.writer.wait_closed() for line in lines), return_exceptions=True)

    def _path_of(self, url: str) -> str:
        absolute = urljoin(self.origin + "/", url)
        if not absolute.startswith(self.origin + "/"):
            raise ValueError(f"{absolute} is another origin than {self.origin}")
        return absolute[len(self.origin) :].partition("#")[0]

    def _encode(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> bytes:
        lines = {"Host": urlsplit(self.origin).netloc, "Accept-Encoding": "br, gzip"} | dict(headers)
        if self.cookies:
            lines["Cookie"] = self.cookie_header()
        if body or method == "POST":
            lines["Content-Length"] = str(len(body))
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        return f"{method} {target} HTTP/1.1\r\n{head}\r\n".encode() + body

    async def _line(self) -> tuple[_Line, bool]:
        while self._idle:
            line = self._idle.pop()
            if not line.reader.at_eof() and not line.writer.is_closing():
                return line, False
            line.writer.close()
        parts = urlsplit(self.origin)
        return _Line(*await asyncio.open_connection(parts.hostname, parts.port, limit=MAX_LINE)), True

    async def _read(self, line: _Line, method: str, url: str, began: float) -> Response:
        head = await line.reader.readuntil(b"\r\n\r\n")
        status, headers = parse_head(head, self.cookies)
        raw, wire_body = await _read_body(line.reader, method, status, headers)
        seconds = time.perf_counter() - began
        if headers.get("connection", "").lower() == "close":
            line.writer.close()
        else:
            self._idle.append(line)
        body = decode(raw, headers.get("content-encoding", ""))
        return Response(url, status, headers, body, len(head), wire_body, seconds)


def parse_head(head: bytes, cookies: dict[str, str]) -> tuple[int, dict[str, str]]:
    """Status and headers (lower case); takes the cookies out into ``cookies``."""
    lines = head.decode("latin-1").split("\r\n")
    headers: dict[str, str] = {}
    for line in lines[1:]:
        name, _, value = line.partition(":")
        if name.lower() == "set-cookie":
            _keep_cookie(value.strip(), cookies)
        elif name:
            headers[name.strip().lower()] = value.strip()
    return int(lines[0].split(" ", 2)[1]), headers


def _keep_cookie(line: str, cookies: dict[str, str]) -> None:
    pair, *attributes = (part.strip() for part in line.split(";"))
    name, _, value = pair.partition("=")
    if any(attribute.lower() == "max-age=0" for attribute in attributes) or value in ("", '""'):
        cookies.pop(name, None)
    else:
        cookies[name] = value


async def _read_body(
    reader: asyncio.StreamReader, method: str, status: int, headers: Mapping[str, str]
) -> tuple[bytes, int]:
    if method == "HEAD" or status in (204, 304):
        return b"", 0
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return await _read_chunks(reader)
    body = await (
        reader.readexactly(int(headers["content-length"])) if "content-length" in headers else reader.read()
    )
    return body, len(body)


async def _read_chunks(reader: asyncio.StreamReader) -> tuple[bytes, int]:
    body, wire = bytearray(), 0
    while True:
        line = await reader.readuntil(b"\r\n")
        size = int(line.split(b";")[0], 16)
        body += (await reader.readexactly(size + 2))[:size]
        wire += len(line) + size + 2
        if size == 0:
            return bytes(body), wire


def decode(body: bytes, encoding: str) -> bytes:
    """Undo ``Content-Encoding``."""
    match encoding:
        case "gzip":
            return gzip.decompress(body)
        case "br":
            return brotli.decompress(body)
    return body
