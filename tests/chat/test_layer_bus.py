"""The bus between processes, with a layer that loses, hangs, forgets and comes back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from chat.generation import layer_link
from chat.generation.layer_bus import LayerBus
from chat.generation.updates import Bus, Kind, Update


class Layer:
    """A channel layer that several buses share, and that a test can break."""

    def __init__(self) -> None:
        self.queues: dict[str, asyncio.Queue[dict[str, Any]]] = {}
        self.groups: dict[str, set[str]] = {}
        self.broken = False
        self.hangs = False

    async def new_channel(self, prefix: str) -> str:
        name = f"{prefix}.{len(self.queues)}"
        self.queues[name] = asyncio.Queue()
        return name

    async def group_add(self, group: str, channel: str) -> None:
        await self._work()
        self.groups.setdefault(group, set()).add(channel)

    async def group_discard(self, group: str, channel: str) -> None:
        await self._work()
        self.groups.get(group, set()).discard(channel)

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        await self._work()
        for channel in self.groups.get(group, ()):
            self.queues[channel].put_nowait(dict(message))

    async def receive(self, channel: str) -> dict[str, Any]:
        await self._work()
        return await self.queues[channel].get()

    def forget(self) -> None:
        """As a restart does."""
        self.groups.clear()

    async def _work(self) -> None:
        waited = self.hangs
        while self.hangs:
            await asyncio.sleep(0.005)
        if waited:
            raise TimeoutError("layer")  # as redis-py does in the end
        if self.broken:
            raise ConnectionError("layer")


class Process:
    """A bus and what its watchers and its control heard."""

    def __init__(self, layer: Layer) -> None:
        self.heard: list[Update] = []
        self.asked: list[dict[str, Any]] = []
        self.bus = LayerBus(layer, self._control)

    async def watch(self, conversation_id: str) -> None:
        await self.bus.subscribe(conversation_id, self.hear)

    async def hear(self, update: Update) -> None:
        self.heard.append(update)

    async def _control(self, message: dict[str, Any]) -> None:
        if message["ask"] == "explode":
            raise ZeroDivisionError
        self.asked.append(message)

    @property
    def texts(self) -> list[str]:
        return [update.text for update in self.heard if update.kind is Kind.GREW]

    @property
    def kinds(self) -> list[Kind]:
        return [update.kind for update in self.heard]


def grew(text: str, conversation_id: str = "c") -> Update:
    return Update(Kind.GREW, conversation_id, 7, text=text)


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.002)


@asynccontextmanager
async def processes(layer: Layer, count: int = 2) -> AsyncIterator[list[Process]]:
    """That many open buses on one layer."""
    made = [Process(layer) for _ in range(count)]
    async with AsyncExitStack() as stack:
        for process in made:
            await process.bus.open()
            stack.push_async_callback(process.bus.close)
        yield made


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layer_link, "BEAT", 0.02)
    monkeypatch.setattr(layer_link, "PATIENCE", 0.1)


async def test_updates_reach_every_process_that_watches_once_and_in_order() -> None:
    async with processes(Layer(), 3) as (one, other, elsewhere):
        await one.watch("c")
        await other.watch("c")
        await elsewhere.watch("another")
        for number in range(50):
            await one.bus.publish(grew(str(number)))
        await until(lambda: len(other.heard) == 50)

        assert one.texts == other.texts == [str(number) for number in range(50)]
        assert other.heard[0] == grew("0")
        assert elsewhere.heard == []


async def test_nothing_comes_after_the_last_watcher_left() -> None:
    layer = Layer()
    async with processes(layer) as (one, other):
        await other.watch("c")
        await other.bus.unsubscribe("c", other.hear)
        await one.watch("c")
        await one.bus.publish(grew("x"))
        await asyncio.sleep(0.05)

        assert other.heard == []
        assert len(layer.groups["conversation.c"]) == 1


async def test_a_control_message_reaches_all_other_processes() -> None:
    async with processes(Layer(), 3) as (one, other, third):
        await one.bus.tell_processes({"ask": "stop", "generation": "g"})
        await until(lambda: other.asked and third.asked)

        assert other.asked[0]["generation"] == "g"
        assert one.asked == []


async def test_a_listener_that_fails_does_not_end_the_listening(caplog: pytest.LogCaptureFixture) -> None:
    async with processes(Layer()) as (one, other):
        await one.bus.tell_processes({"ask": "explode"})
        await one.bus.tell_processes({"ask": "stop"})
        await until(lambda: other.asked)

    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize("trouble", ["broken", "hangs"])
async def test_without_the_layer_watchers_of_the_same_process_hear_everything_at_once(trouble: str) -> None:
    layer = Layer()
    async with processes(layer, 1) as (one,):
        await one.watch("c")
        setattr(layer, trouble, True)
        async with asyncio.timeout(0.05):
            for number in range(20):
                await one.bus.publish(grew(str(number)))

        assert one.texts == [str(number) for number in range(20)]
        setattr(layer, trouble, False)


@pytest.mark.parametrize("trouble", ["broken", "hangs"])
async def test_after_a_loss_every_process_joins_anew_and_shows_its_threads_anew(
    trouble: str, caplog: pytest.LogCaptureFixture
) -> None:
    layer = Layer()
    async with processes(layer) as (one, other):
        await one.watch("c")
        await other.watch("c")
        setattr(layer, trouble, True)
        layer.forget()
        await one.bus.publish(grew("lost"))
        await asyncio.sleep(0.3)
        setattr(layer, trouble, False)
        await until(lambda: Kind.CHANGED in one.kinds and Kind.CHANGED in other.kinds)
        await until(lambda: len(layer.groups["conversation.c"]) == 2)
        await one.bus.publish(grew("after"))
        await until(lambda: "after" in other.texts)

        assert one.texts == ["lost", "after"]
        assert other.texts == ["after"]
    assert caplog.text.count("other processes are not heard") <= 2 * caplog.text.count("is back")


async def test_a_layer_that_silently_forgot_everybody_is_noticed() -> None:
    layer = Layer()
    async with processes(layer) as (one, other):
        await other.watch("c")
        layer.forget()
        await until(lambda: Kind.CHANGED in other.kinds)
        await one.bus.publish(grew("after"))
        await until(lambda: other.texts == ["after"])


async def test_memberships_are_renewed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layer_link, "RENEW_EVERY", 3)
    monkeypatch.setattr(layer_link, "DEAF_AFTER", 10**6)
    layer = Layer()
    async with processes(layer, 1) as (one,):
        await one.watch("c")
        layer.forget()
        await until(lambda: {"hub.processes", "conversation.c"} <= layer.groups.keys())

        assert one.heard == []


async def test_a_hub_starts_without_its_layer_and_finds_it_later() -> None:
    layer = Layer()
    layer.broken = True
    async with processes(layer) as (one, other):
        await other.watch("c")
        layer.broken = False
        await until(lambda: Kind.CHANGED in other.kinds)
        await one.bus.publish(grew("found"))
        await until(lambda: other.texts == ["found"])


async def test_an_outbox_that_is_full_drops_and_has_everybody_read_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(layer_link, "OUTBOX", 5)
    async with processes(Layer()) as (one, other):
        await other.watch("c")
        for number in range(30):
            await one.bus.publish(grew(str(number)))
        await until(lambda: Kind.CHANGED in other.kinds)

        assert len(other.texts) <= 6


async def test_nothing_is_left_in_the_layer_when_the_hub_ends() -> None:
    layer = Layer()
    async with processes(layer) as (one, _other):
        await one.watch("c")

    assert not any(layer.groups.values())


async def test_the_bus_of_one_process_tells_in_order_and_only_who_watches() -> None:
    bus, heard = Bus(), []

    async def listen(update: Update) -> None:
        heard.append(update.text)

    await bus.publish(grew("before"))
    await bus.subscribe("c", listen)
    assert (bus.watched("c"), bus.watched("d"), bus.conversations) == (True, False, ("c",))
    await bus.publish(grew("one"))
    await bus.publish(grew("two"))
    await bus.publish(grew("not ours", "d"))
    await bus.unsubscribe("c", listen)
    await bus.publish(grew("after"))

    assert heard == ["one", "two"]
    assert not bus.watched("c")
