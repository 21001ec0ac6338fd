"""The adapter without a server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import aclosing

import pytest

from backends.adapters.base import Endpoint
from backends.adapters.errors import NotFound, Stalled
from backends.adapters.events import (
    Ask,
    Event,
    Finish,
    FinishReason,
    ReasoningDelta,
    Started,
    TextDelta,
    Usage,
    Verdict,
)
from backends.adapters.http import Http
from backends.adapters.messages import ChatMessage, ChatRequest, Reasoning, Role, SamplingOptions
from backends.adapters.registry import KINDS, adapter_class, make_adapter
from backends.adapters.scripted import ScriptedAdapter, Step, registered, replies
from tests.backends.adapters.wire import HELLO

STOP = Finish(FinishReason.STOP)


def adapter(url: str) -> ScriptedAdapter:
    return ScriptedAdapter(Endpoint(url), Http())


async def batches(url: str, request: ChatRequest = HELLO) -> list[list[Event]]:
    async with aclosing(adapter(url).batches(request)) as played:
        return [batch async for batch in played]


async def test_events_without_a_wait_are_one_batch() -> None:
    with registered("t", [TextDelta("a"), TextDelta("b"), 0.001, ReasoningDelta("c"), TextDelta("d")]) as url:
        assert await batches(url) == [[TextDelta("ab")], [ReasoningDelta("c"), TextDelta("d"), STOP]]


async def test_a_script_may_end_as_it_likes() -> None:
    end = Finish(FinishReason.LENGTH)
    with registered("t", [TextDelta("a"), end, TextDelta("never")]) as url:
        assert await batches(url) == [[TextDelta("a"), end]]


@pytest.mark.parametrize(("steps", "partial"), [([TextDelta("a")], True), ([Started()], False)])
async def test_an_error_comes_after_the_events_before_it(steps: list[Event], partial: bool) -> None:
    stalled = Stalled("silence")
    with registered("t", [*steps, stalled]) as url:
        played = adapter(url).batches(HELLO)
        assert await anext(played) == steps
        with pytest.raises(Stalled, match="silence") as caught:
            await anext(played)
    assert caught.value.partial is partial
    assert not stalled.partial


async def test_a_script_may_read_the_request() -> None:
    with registered("t", lambda request: [TextDelta(request.model)]) as url:
        assert await batches(url) == [[TextDelta("m"), STOP]]


async def test_waits_are_seconds_and_can_be_cancelled() -> None:
    with registered("t", [TextDelta("a"), 60.0, TextDelta("b")]) as url:
        began = time.perf_counter()
        played = adapter(url).batches(HELLO)
        await anext(played)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await anext(played)
        assert time.perf_counter() - began < 10


async def test_a_script_is_forgotten_after_its_block() -> None:
    with registered("t", []) as url:
        assert (await adapter(url).health()).detail == "t"
    for call in (adapter(url).health(), adapter(url).list_models(), anext(adapter(url).batches(HELLO))):
        with pytest.raises(NotFound):
            await call


async def test_the_demo_quotes_the_question(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backends.adapters.scripted._PAUSE", 0.0001)
    thinking = SamplingOptions(reasoning=Reasoning.ON)
    request = ChatRequest("demo", (ChatMessage.of(Role.USER, "Hello\nthere"),), sampling=thinking)
    events = [event for batch in await batches("scripted:demo", request) for event in batch]
    text = "".join(event.text for event in events if isinstance(event, TextDelta))
    assert "> Hello\n> there" in text
    assert "```python" in text
    assert '{name}!"' in text
    assert any(isinstance(event, ReasoningDelta) for event in events)
    assert isinstance(events[-2], Usage)
    assert events[-1] == STOP


async def test_the_demo_has_a_model() -> None:
    [model] = await adapter("scripted:demo").list_models()
    assert (model.id, model.name) == ("demo", "Demo")


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_the_registry_is_there(kind: str) -> None:
    made = make_adapter(kind, Endpoint(KINDS[kind].default_url), Http())
    assert type(made) is adapter_class(kind)
    assert made.kind == kind


async def test_a_script_can_wait_for_what_it_asked() -> None:
    ask = Ask("permission", "per_1", {})

    def script(request: ChatRequest) -> Iterator[Step]:
        yield ask
        while ask.id not in replies:
            yield 0.001
        yield TextDelta(str(replies.pop(ask.id)))

    with registered("t", script) as url:
        async with aclosing(adapter(url).batches(HELLO)) as played:
            assert await anext(played) == [ask]
            await adapter(url).reply(ask, Verdict.ONCE)
            assert await anext(played) == [TextDelta("once"), STOP]
