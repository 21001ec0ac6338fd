"""An open ``/event`` stream that can be waited for with a limit, and opened anew."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from backends.adapters.http import Stream
from backends.adapters.opencode_api import OpenCodeApi
from backends.adapters.sse import SSEDecoder

#: Seconds to wait for ``server.connected``; servers that imitate OpenCode may never send it.
CONNECTED = 2.0


class Feed:
    """One connection at a time. At most one read is under way, and it survives a wait that ends early."""

    def __init__(self, api: OpenCodeApi) -> None:
        self.decoder = SSEDecoder()
        self._api = api
        self._stack = AsyncExitStack()
        self._stream: Stream | None = None
        self._reading: asyncio.Task[bytes] | None = None

    async def open(self) -> None:
        """Connect (again) and wait until events are being delivered. Raises BackendError."""
        await self.close()
        self._stream = await self._stack.enter_async_context(self._api.events())
        self.decoder = SSEDecoder()
        await self._wait(self._stream, CONNECTED)

    async def read(self, seconds: float | None = None) -> bytes | None:
        """The next bytes, ``b""`` at the end, None where nothing came within that time.

        Raises BackendError as :meth:`~backends.adapters.http.Stream.read` does.
        """
        if self._stream is None:
            return b""
        if self._reading is None and seconds is None:
            return await self._stream.read()
        reading = await self._wait(self._stream, seconds)
        if not reading.done():
            return None
        self._reading = None
        return reading.result()

    async def close(self) -> None:
        """Close the connection; a read that is under way ends."""
        reading, self._reading, self._stream = self._reading, None, None
        if reading is not None:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
        await self._stack.aclose()

    async def _wait(self, stream: Stream, seconds: float | None) -> asyncio.Task[bytes]:
        if self._reading is None:
            self._reading = asyncio.create_task(stream.read())
        await asyncio.wait({self._reading}, timeout=seconds)
        return self._reading
