"""The bus between several processes: updates travel as group messages of the channel layer.

Watchers of this process hear an update at once, as without a layer; every other process that shows the
conversation has joined its group. A watcher that missed an update (a layer may drop some under load)
sees it by the offset and asks with SYNC, which the process that holds the run answers with FULL. Where
the layer was away, all threads that are shown are read from the database anew.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any

from chat.generation.layer_link import EVERYONE, Link
from chat.generation.updates import Bus, Kind, Listener, Update

Control = Callable[[dict[str, Any]], Awaitable[None]]


class LayerBus(Bus):
    """A bus whose updates reach the watchers of all processes. ``control`` hears the other processes."""

    def __init__(self, layer: Any, control: Control) -> None:
        super().__init__()
        self._control = control
        self._link = Link(layer, self._hear, self._returned)

    async def open(self) -> None:
        """Join the group of all processes and begin to listen."""
        await self._link.open()

    async def close(self) -> None:
        """Stop listening."""
        await self._link.close()

    def watched(self, conversation_id: str) -> bool:
        """Another process may watch, so every update is sent."""
        return True

    async def subscribe(self, conversation_id: str, listener: Listener) -> None:
        """Join the conversation's group with the first watcher."""
        first = not super().watched(conversation_id)
        await super().subscribe(conversation_id, listener)
        if first:
            await self._link.join(group(conversation_id))

    async def unsubscribe(self, conversation_id: str, listener: Listener) -> None:
        """Leave the group with the last watcher."""
        await super().unsubscribe(conversation_id, listener)
        if not super().watched(conversation_id):
            await self._link.leave(group(conversation_id))

    async def publish(self, update: Update) -> None:
        """Tell the watchers here, and send it to every other process that shows the conversation."""
        self._link.send(group(update.conversation_id), {"type": "hub.update", "update": asdict(update)})
        await self.tell_local(update)

    async def tell_processes(self, message: dict[str, Any]) -> None:
        """Send a control message to all other processes of the hub."""
        self._link.send(EVERYONE, {"type": "hub.control", **message})

    async def _hear(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "hub.update":
                values = message["update"]
                await self.tell_local(Update(**{**values, "kind": Kind(values["kind"])}))
            case "hub.control" if message["ask"] == "refresh":
                await self._refresh()
            case "hub.control":
                await self._control(message)

    async def _returned(self) -> None:
        """Others may have missed something of ours too."""
        await self.tell_processes({"ask": "refresh"})
        await self._refresh()

    async def _refresh(self) -> None:
        for conversation_id in self.conversations:
            await self.tell_local(Update(Kind.CHANGED, conversation_id))


def group(conversation_id: str) -> str:
    """The channel layer's group of a conversation."""
    return f"conversation.{conversation_id}"
