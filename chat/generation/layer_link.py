"""This process's place in the channel layer, which may go away and come back having forgotten everything.

Nothing here waits for the layer or fails with it: what cannot be sent is dropped, and once the layer
works again :class:`Link` joins its groups anew and says that something may have been missed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any

from channels.exceptions import ChannelFull

logger = logging.getLogger(__name__)

#: The group that every process of the hub hears.
EVERYONE = "hub.processes"
#: Seconds between two looks whether what this process sends to everyone reaches itself.
BEAT = 1.0
#: Beats without an echo after which the layer has forgotten this process.
DEAF_AFTER = 4
#: Beats between two renewals of all memberships; channels-redis forgets members after a day.
RENEW_EVERY = 600
#: Seconds that one exchange with the layer may take.
PATIENCE = 5.0
#: Messages that wait to be sent; more only wait where the layer hangs, and then they are of no use.
OUTBOX = 2000

Message = dict[str, Any]


class Link:
    """One channel and its groups. ``hear`` gets what others send, ``returned`` is called after a loss."""

    def __init__(
        self,
        layer: Any,
        hear: Callable[[Message], Awaitable[None]],
        returned: Callable[[], Awaitable[None]],
    ) -> None:
        self._layer = layer
        self._hear = hear
        self._returned = returned
        self._channel = ""
        self._groups = {EVERYONE}
        self._outbox: asyncio.Queue[tuple[str, Message]] = asyncio.Queue(OUTBOX)
        self._lost = False
        self._silent_beats = 0
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """Join the others. A layer that cannot be reached now is joined later."""
        self._channel = await self._layer.new_channel("hub")
        await self._try(self._join_all())
        loops = (self._receive(), self._send(), self._beat())
        self._tasks = [asyncio.create_task(loop) for loop in loops]

    async def close(self) -> None:
        """Leave, and let go of the connections."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for name in self._groups:
            await self._try(self._layer.group_discard(name, self._channel))
        if hasattr(self._layer, "close_pools"):
            await self._try(self._layer.close_pools())

    async def join(self, group: str) -> None:
        """Hear what is sent to that group from now on."""
        self._groups.add(group)
        await self._try(self._layer.group_add(group, self._channel))

    async def leave(self, group: str) -> None:
        """No longer."""
        self._groups.discard(group)
        await self._try(self._layer.group_discard(group, self._channel))

    def send(self, group: str, message: Message) -> None:
        """Send to the other members of the group, in the order of the calls. Never waits."""
        try:
            self._outbox.put_nowait((group, {**message, "sender": self._channel}))
        except asyncio.QueueFull:
            self._lost = True

    # --- loops ----------------------------------------------------------------------------------------

    async def _send(self) -> None:
        while True:
            group, message = await self._outbox.get()
            await self._try(self._layer.group_send(group, message))

    async def _receive(self) -> None:
        while True:
            try:
                message = await self._layer.receive(self._channel)
            except Exception as error:
                self._trouble(error)
                await asyncio.sleep(BEAT)
                continue
            if message.get("sender") != self._channel:
                await self._pass_on(message)
            elif message["type"] == "hub.beat":
                self._silent_beats = 0

    async def _pass_on(self, message: Message) -> None:
        """What goes wrong in a listener must not end the listening."""
        try:
            await self._hear(message)
        except Exception:
            logger.exception("a message of another process could not be used")

    async def _beat(self) -> None:
        count = 0
        while True:
            await asyncio.sleep(BEAT)
            count += 1
            self._silent_beats += 1
            if self._lost or self._silent_beats > DEAF_AFTER:
                await self._come_back()
            elif count % RENEW_EVERY == 0:
                await self._try(self._join_all())
            self.send(EVERYONE, {"type": "hub.beat"})

    async def _come_back(self) -> None:
        if not await self._try(self._join_all()):
            return
        logger.warning("the channel layer is back")
        self._lost, self._silent_beats = False, 0
        with suppress(asyncio.QueueEmpty):
            while True:
                self._outbox.get_nowait()
        await self._returned()

    # --- the layer ------------------------------------------------------------------------------------

    async def _join_all(self) -> None:
        for name in tuple(self._groups):
            await self._layer.group_add(name, self._channel)

    async def _try(self, work: Coroutine[Any, Any, None]) -> bool:
        """Whether the layer did it."""
        try:
            async with asyncio.timeout(PATIENCE):
                await work
        except ChannelFull:
            return True
        except Exception as error:
            self._trouble(error)
            return False
        return True

    def _trouble(self, error: Exception) -> None:
        if not self._lost:
            self._lost = True
            logger.warning("the channel layer failed, other processes are not heard: %r", error)
