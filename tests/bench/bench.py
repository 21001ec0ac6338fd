"""What a measurement is given."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.bench.person import Chat, Person
from tests.bench.processes import cpu_seconds
from tests.bench.report import Line, Report
from tests.bench.tokens import TokenCounter


@dataclass(slots=True)
class Bench:
    """A signed-in person, the hub's process, the backend's address and conversations to use again."""

    person: Person
    hub_pid: int
    backend_url: str
    report: Report
    quick: bool = False
    chats: list[Chat] = field(default_factory=list)

    def add(
        self,
        group: str,
        name: str,
        value: float,
        unit: str = "",
        *,
        direct: float | None = None,
        bar: tuple[str, float] | None = None,
        note: str = "",
    ) -> None:
        """One line of the report."""
        self.report.add(Line(group, name, value, unit, direct, bar, note))

    def cpu(self) -> float:
        """The hub's CPU seconds so far."""
        return cpu_seconds(self.hub_pid)

    async def fresh_chat(self) -> Chat:
        """A new conversation with one short answer in it, listened to."""
        counter = TokenCounter(1)
        chat = await self.person.start_chat("!stamped 1", counter)
        await asyncio.wait_for(counter.done.wait(), 30)
        await chat.ended()
        return chat

    async def some_chats(self, count: int) -> list[Chat]:
        """Conversations that are open, from those of earlier measurements where there are any."""
        while len(self.chats) < count:
            self.chats.append(await self.fresh_chat())
        return self.chats[:count]

    async def leave_chats(self) -> None:
        """Close all of them."""
        chats, self.chats = self.chats, []
        await asyncio.gather(*(chat.close() for chat in chats), return_exceptions=True)


async def all_done(counters: list[TokenCounter], seconds: float) -> bool:
    """Wait until every token has come, or the time is up."""
    try:
        async with asyncio.timeout(seconds):
            for counter in counters:
                await counter.done.wait()
    except TimeoutError:
        return False
    return True


async def staggered(
    count: int, span: float, start: Callable[[int], asyncio.Task[None]]
) -> list[asyncio.Task[None]]:
    """Start ``count`` tasks evenly over ``span`` seconds, by deadline."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    tasks = []
    for index in range(count):
        await asyncio.sleep(max(began + span * index / count - loop.time(), 0))
        tasks.append(start(index))
    return tasks
