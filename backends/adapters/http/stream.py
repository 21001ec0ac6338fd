"""An open response, read piece by piece."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

import httpx

from backends.adapters.base import Endpoint
from backends.adapters.classify import is_html
from backends.adapters.errors import BackendError, Stalled, TimedOut, WrongService
from backends.adapters.http.source import source_of

_STREAM_TYPES = frozenset(
    {
        "",
        "text/event-stream",
        "application/x-ndjson",
        "application/ndjson",
        "application/jsonl",
        "application/json",
        "application/octet-stream",
        "text/plain",
    }
)


class Stream:
    """An open response: its headers, then its bytes as they come.

    Nothing is read ahead: between two calls of :meth:`read` the bytes wait in the socket, and the
    next call returns what has gathered there.
    """

    def __init__(self, response: httpx.Response, endpoint: Endpoint) -> None:
        self.status = response.status_code
        self.headers: Mapping[str, str] = dict(response.headers)
        self.media_type = media_type(self.headers)
        self._stall = endpoint.timeouts.stall
        self._limit = endpoint.timeouts.first_byte
        self._late: type[BackendError] = TimedOut
        self._known = False
        self._source = source_of(response, self.headers)

    @property
    def routing(self) -> dict[str, str]:
        """What a proxy in between tells about the machine that answers (Olla's ``x-olla-…``)."""
        return {name: value for name, value in self.headers.items() if name.startswith("x-olla-")}

    async def read(self) -> bytes:
        """The next bytes, never empty before the end; ``b""`` is the proper end of the body.

        Raises TimedOut (no first byte), Stalled, Truncated (the connection broke), ProtocolError, or
        WrongService where the body is a web page.
        """
        try:
            chunk = await self._source.read(self._limit)
        except TimeoutError:
            raise self._late(f"nothing for {self._limit:g} s") from None
        if not self._known:
            self._begin(chunk)
        return chunk

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while chunk := await self.read():
            yield chunk

    def _begin(self, chunk: bytes) -> None:
        """The first byte came: from now on the stall limit counts. Look at what it is."""
        self._limit = self._stall
        self._late = Stalled
        if is_html("", chunk):
            raise WrongService("the answer is a web page", status=self.status)
        self._known = bool(chunk.strip(b"\xef\xbb\xbf \r\n\t"))


def media_type(headers: Mapping[str, str]) -> str:
    """The content type without its parameters, in lower case."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def check_type(stream: Stream) -> None:
    """Raises WrongService for an answer that holds no text."""
    if stream.media_type not in _STREAM_TYPES:
        raise WrongService(f"the answer is {stream.media_type[:60]}", status=stream.status)
