"""The fake server in a thread, for tests that are not coroutines or that block."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

from tests.fakes.records import Request, StreamRecord
from tests.fakes.server import FakeServer


class FakeServerThread:
    """A :class:`FakeServer` with an event loop of its own. Takes the same arguments."""

    def __init__(self, **arguments: Any) -> None:
        self.server = FakeServer(**arguments)
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._stop = asyncio.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="fake-server", daemon=True)

    def __enter__(self) -> FakeServerThread:
        self._thread.start()
        self._started.wait(10)
        if self._failure is not None:
            raise self._failure
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The base URL, without a slash at its end."""
        return self.server.url

    @property
    def port(self) -> int:
        """The port, the same after :meth:`stop`."""
        return self.server.port

    @property
    def requests(self) -> list[Request]:
        """All requests so far."""
        return self.server.requests

    @property
    def chats(self) -> list[Request]:
        """The chat requests so far."""
        return self.server.chats

    @property
    def streams(self) -> list[StreamRecord]:
        """All answers so far."""
        return self.server.streams

    @property
    def disconnects(self) -> list[StreamRecord]:
        """The answers whose client hung up before the end."""
        return self.server.disconnects

    @property
    def open_connections(self) -> int:
        """How many clients are connected now."""
        return self.server.open_connections

    def clear(self) -> None:
        """Forget requests and streams."""
        self.server.clear()

    def wait_until(self, condition: Callable[[], Any], timeout: float = 5.0) -> None:
        """Wait for something that can be seen on this object; TimeoutError if it does not come."""
        deadline = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > deadline:
                raise TimeoutError(f"not within {timeout} s")
            time.sleep(0.005)

    def stop(self) -> None:
        """Close the port and every connection, as a server that goes away."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(10)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        try:
            await self.server.start()
        except BaseException as failure:  # handed over to the thread that waits
            self._failure = failure
            return
        finally:
            self._started.set()
        await self._stop.wait()
        await self.server.stop()
