"""Where the bytes of a response's body come from."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Protocol

import httpx

from backends.adapters.body import Framing, framing
from backends.adapters.errors import Truncated
from backends.adapters.http.failures import while_reading
from backends.adapters.sockets import Socket


class Source(Protocol):
    """Gives the bytes of a body: some, or none at its end. Raises TimeoutError or a BackendError."""

    async def read(self, seconds: float) -> bytes: ...


class SocketSource:
    """The body of a response, straight from its socket."""

    def __init__(self, connection: Socket, coding: Framing) -> None:
        self._socket = connection
        self._coding = coding

    async def read(self, seconds: float) -> bytes:
        """All that has gathered since the last call."""
        while not self._coding.done:
            if self._coding.failure is not None:
                raise self._coding.failure
            try:
                data = await self._socket.receive(seconds)
            except TimeoutError:
                raise
            except OSError as error:
                raise Truncated("the connection broke in the middle of the answer") from error
            if not data:
                self._coding.close()
            elif content := self._coding.feed(data):
                return content
        return b""


class ResponseSource:
    """The body of a response by way of httpx: compressed ones, and those of other transports."""

    def __init__(self, response: httpx.Response) -> None:
        self._chunks = aiter(response.aiter_bytes())

    async def read(self, seconds: float) -> bytes:
        """The next piece."""
        async with asyncio.timeout(seconds):
            with while_reading():
                return await anext(self._chunks, b"")


def source_of(response: httpx.Response, headers: Mapping[str, str]) -> Source:
    """The shorter way where the answer is neither compressed nor of another transport."""
    connection = response.extensions.get("network_stream")
    coding = framing(response.status_code, headers)
    if isinstance(connection, Socket) and coding is not None:
        return SocketSource(connection, coding)
    return ResponseSource(response)
