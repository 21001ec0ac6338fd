"""What one hub process runs beside its pages: made once, on the event loop that serves them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from channels.layers import get_channel_layer
from django.conf import settings

from backends.adapters.http import Http
from backends.endpoints import open_endpoint
from backends.managed import stop_builtin_server
from backends.pulls.puller import Puller
from backends.watch import Watch
from chat.generation.layer_bus import LayerBus
from chat.generation.supervisor import Supervisor
from chat.generation.updates import Bus

logger = logging.getLogger(__name__)

_current: Runtime | None = None

#: What a process does when another one (or it itself) asks for it, by the word of the request, beside
#: what concerns the runs. Belongs to the layers above this one.
controls: dict[str, Callable[[dict[str, Any]], Awaitable[None]]] = {}

#: What is done when an answer has ended, with the id of its conversation, and what is looked at now and then.
#: Both belong to the layers above this one and run in a thread that may use the database.
after_end: list[Callable[[str], object]] = []
sweeps: list[Callable[[], object]] = []


class Runtime:
    """The bus, the supervisor of runs, the watch over backends and the downloads of this process."""

    def __init__(self) -> None:
        self.http = Http()
        self.bus = self._make_bus()
        self.supervisor = Supervisor(self.http, self.bus, open_endpoint, after_end, sweeps)
        self.watch = Watch(self.http, self.supervisor.waiters.hear)
        self.supervisor.waiters.look_soon = self.watch.look_soon
        self.puller = Puller(self.http, self.watch.look_soon)

    def _make_bus(self) -> Bus:
        return LayerBus(get_channel_layer(), self._control) if shared_layer() else Bus()

    async def open(self) -> None:
        """Join the others, clear up after a crash, look at the backends."""
        if isinstance(self.bus, LayerBus):
            await self.bus.open()
        await self.supervisor.recover()
        self.watch.start()
        self.puller.start()

    async def close(self) -> None:
        """End everything in order; takes a few seconds at most."""
        await self.puller.close()
        await self.watch.close()
        await self.supervisor.close()
        await stop_builtin_server()
        if isinstance(self.bus, LayerBus):
            await self.bus.close()
        await self.http.aclose()

    async def sync(self, conversation_id: str) -> None:
        """Ask whoever holds runs of this conversation for their whole state."""
        if isinstance(self.bus, LayerBus):
            await self.bus.tell_processes({"ask": "sync", "conversation": conversation_id})
        await self.supervisor.tell_state(conversation_id)

    def stop_soon(self, generation_id: UUID) -> None:
        """Stop the run wherever it is held. Callable from any thread."""
        self.supervisor.stop_soon(generation_id)
        if isinstance(bus := self.bus, LayerBus):
            message = {"ask": "stop", "generation": str(generation_id)}
            asyncio.run_coroutine_threadsafe(bus.tell_processes(message), self.supervisor.loop)

    def answered_soon(self, generation_id: UUID) -> None:
        """Have whoever holds the run read what the person answered. Callable from any thread."""
        self.ask_soon({"ask": "answered", "generation": str(generation_id)})

    def ask_soon(self, message: dict[str, Any]) -> None:
        """Have every process do what ``controls`` holds for the request. Callable from any thread."""
        loop = self.supervisor.loop
        asyncio.run_coroutine_threadsafe(self._control(message), loop)
        if isinstance(bus := self.bus, LayerBus):
            asyncio.run_coroutine_threadsafe(bus.tell_processes(message), loop)

    async def _control(self, message: dict[str, Any]) -> None:
        if message["ask"] == "stop":
            self.supervisor.stop_soon(UUID(message["generation"]))
        elif message["ask"] == "answered":
            self.supervisor.look_at_asks_soon(UUID(message["generation"]))
        elif message["ask"] == "sync":
            await self.supervisor.tell_state(message["conversation"])
        elif control := controls.get(message["ask"]):
            await control(message)


def shared_layer() -> bool:
    """Whether the channel layer connects several processes."""
    return "InMemory" not in str(settings.CHANNEL_LAYERS["default"]["BACKEND"])


def current() -> Runtime | None:
    """The runtime of this process, None in commands and before the server has started."""
    return _current


async def start() -> Runtime:
    """Make the runtime on this event loop, once."""
    global _current
    if _current is None:
        _current = Runtime()
        await _current.open()
    return _current


async def stop() -> None:
    """Close it."""
    global _current
    runtime, _current = _current, None
    if runtime is not None:
        await runtime.close()
