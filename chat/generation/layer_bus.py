"""The bus between several processes: updates travel as group messages of the channel layer.

Every process that shows a conversation joins its group. A watcher that missed an update (a layer may
drop some under load) sees it by the offset and asks with SYNC, which the process that holds the run
answers with FULL.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any

from chat.generation.updates import Bus, Kind, Listener, Update

logger = logging.getLogger(__name__)

#: The group that every process of the hub hears: stop requests and questions for the state of a run.
EVERYONE = "hub.processes"

Control = Callable[[dict[str, Any]], Awaitable[None]]


class LayerBus(Bus):
    """A bus whose updates reach the watchers of all processes."""

    def __init__(self, layer: Any, control: Control) -> None:
        super().__init__()
        self._layer = layer
        self._control = control
        self._channel = ""
        self._reader: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Join the group of all processes and begin to listen."""
        self._channel = await self._layer.new_channel("hub")
        await self._layer.group_add(EVERYONE, self._channel)
        self._reader = asyncio.create_task(self._read())

    async def close(self) -> None:
        """Stop listening."""
        if self._reader:
            self._reader.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reader
        await self._layer.group_discard(EVERYONE, self._channel)

    def watched(self, conversation_id: str) -> bool:
        """Another process may watch, so every update is sent."""
        return True

    async def subscribe(self, conversation_id: str, listener: Listener) -> None:
        """Join the conversation's group with the first watcher."""
        first = not super().watched(conversation_id)
        await super().subscribe(conversation_id, listener)
        if first:
            await self._layer.group_add(group(conversation_id), self._channel)

    async def unsubscribe(self, conversation_id: str, listener: Listener) -> None:
        """Leave the group with the last watcher."""
        await super().unsubscribe(conversation_id, listener)
        if not super().watched(conversation_id):
            await self._layer.group_discard(group(conversation_id), self._channel)

    async def publish(self, update: Update) -> None:
        """Send it to every process that shows the conversation, this one among them."""
        message = {"type": "hub.update", "update": asdict(update)}
        await self._layer.group_send(group(update.conversation_id), message)

    async def tell_processes(self, message: dict[str, Any]) -> None:
        """Send a control message to all processes of the hub."""
        await self._layer.group_send(EVERYONE, {"type": "hub.control", **message})

    async def _read(self) -> None:
        while True:
            try:
                message = await self._layer.receive(self._channel)
                if message["type"] == "hub.update":
                    values = message["update"]
                    await self.tell_local(Update(**{**values, "kind": Kind(values["kind"])}))
                else:
                    await self._control(message)
            except asyncio.CancelledError:
                raise
            except Exception:
                logger.exception("the channel layer failed; trying again")
                await asyncio.sleep(1)


def group(conversation_id: str) -> str:
    """The channel layer's group of a conversation."""
    return f"conversation.{conversation_id}"
