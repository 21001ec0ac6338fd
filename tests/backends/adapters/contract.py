"""What every adapter owes: state recorded responses and the events in them, the rest is inherited."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backends.adapters.base import Adapter, Endpoint
from backends.adapters.errors import BackendError
from backends.adapters.events import Event, Finish, ReasoningDelta, Started, TextDelta, Usage
from backends.adapters.messages import ChatRequest
from tests.backends.adapters.wire import FAST, HELLO, Memory, Played, Responder, Script, memory_http, play


class Used:
    """Equals a Usage that has these numbers; the others don't matter."""

    def __init__(self, **numbers: float | None) -> None:
        self.numbers = numbers

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Usage):
            return NotImplemented
        return all(getattr(other, name) == pytest.approx(value) for name, value in self.numbers.items())

    def __hash__(self) -> int:
        return 0

    def __repr__(self) -> str:
        return f"Used({self.numbers})"


@dataclass(frozen=True)
class Case:
    """A response and what it means. ``error`` ends it instead of a Finish."""

    name: str
    script: Script
    events: tuple[Event | Used, ...] = ()
    error: type[BackendError] | None = None
    says: str = ""
    partial: bool = False
    status: int | None = None
    request: ChatRequest = HELLO
    endpoint: dict[str, Any] = field(default_factory=dict)
    run: Callable[[Any], Any] | None = None

    def __str__(self) -> str:
        return self.name

    def check(self, played: Played) -> None:
        """Compare; then the rules that hold for every answer."""
        assert played.events == list(self.events), played.error
        assert type(played.error) is (self.error or type(None)), repr(played.error)
        if played.error is not None:
            assert self.says in played.error.message
            assert played.error.partial is self.partial
            assert played.error.status == self.status
        check_rules(played)


def check_rules(played: Played) -> None:
    """At most one start, first but for a status; one end, last; no empty list; every text encodable."""
    events = played.raw
    assert all(played.batches)
    assert sum(isinstance(event, Started) for event in events) <= 1
    assert sum(isinstance(event, Usage) for event in events) <= 1
    finishes = [at for at, event in enumerate(events) if isinstance(event, Finish)]
    assert finishes == ([] if played.error else [len(events) - 1])
    texts = [event.text for event in events if isinstance(event, TextDelta | ReasoningDelta)]
    assert all(texts)
    "".join(texts).encode()
    repr(events).encode()
    if played.error is not None:
        assert len(played.error.message) <= 300
        assert not re.search(r"Traceback|<html", played.error.message)
        if played.error.partial:
            assert texts
    assert played.server is not None
    assert played.server.open == 0


class AdapterContract:
    """Subclass it, name the adapter, list the cases.

    ``question`` is asked where no case asks; ``respond`` says what the server answers to which request.
    """

    adapter: type[Adapter]
    cases: tuple[Case, ...]
    question: ChatRequest = HELLO

    def respond(self, script: Script) -> Responder:
        """To every request the same, unless a protocol needs several."""
        return lambda sent: script

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        if "case" in metafunc.fixturenames:
            metafunc.parametrize("case", metafunc.cls.cases, ids=str)

    def play(self, case: Case, script: Script) -> Played:
        return play(
            self.adapter, respond=self.respond(script), request=case.request, run=case.run, **case.endpoint
        )

    def test_as_it_came(self, case: Case) -> None:
        case.check(self.play(case, case.script))

    def test_all_at_once(self, case: Case) -> None:
        case.check(self.play(case, case.script.recut([])))

    def test_one_byte_at_a_time(self, case: Case) -> None:
        whole = b"".join(case.script.pieces)
        case.check(self.play(case, case.script.recut(range(len(whole)))))

    def test_cut_inside_characters(self, case: Case) -> None:
        whole = b"".join(case.script.pieces)
        case.check(
            self.play(case, case.script.recut(at for at, byte in enumerate(whole) if byte & 0xC0 == 0x80))
        )

    def test_cut_anywhere(self, case: Case) -> None:
        whole = b"".join(case.script.pieces)

        @settings(max_examples=8, deadline=None, database=None)
        @given(st.lists(st.integers(1, len(whole)), max_size=20))
        def check(cuts: list[int]) -> None:
            case.check(self.play(case, case.script.recut(cuts)))

        check()

    def test_garbage_ends_in_events_or_a_typed_error(self) -> None:
        fragments = [
            piece for case in self.cases for piece in case.script.recut(range(0, 100_000, 37)).pieces
        ]

        @settings(max_examples=60, deadline=None, database=None)
        @given(
            st.lists(st.sampled_from(fragments) | st.binary(max_size=40), max_size=12),
            st.sampled_from(["eof", "reset"]),
        )
        def check(pieces: list[bytes], end: str) -> None:
            head = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nconnection: close\r\n\r\n"
            script = Script((head, *filter(None, pieces)), end)
            check_rules(play(self.adapter, respond=self.respond(script), request=self.question))

        check()

    async def test_stream_gives_the_events_of_all_batches(self) -> None:
        case = next(case for case in self.cases if case.error is None and case.run is None)
        server = Memory(self.respond(case.script))
        http = memory_http(server)
        endpoint = Endpoint("http://server.test", **{"timeouts": FAST, **case.endpoint})
        speaker = self.adapter(endpoint, http)
        async with aclosing(speaker.stream(case.request)) as stream:
            streamed = [event async for event in stream]
        async with aclosing(speaker.batches(case.request)) as batches:
            assert streamed == [event async for batch in batches for event in batch]
        await http.aclose()

    async def test_closing_the_generator_closes_the_connection(self) -> None:
        server, http, batches = self.endless()
        assert await anext(batches)
        assert server.open == 1
        await batches.aclose()
        assert server.open == 0
        await http.aclose()

    async def test_cancelling_the_task_closes_the_connection(self) -> None:
        server, http, batches = self.endless()
        begun = asyncio.Event()

        async def consume() -> None:
            async with aclosing(batches):
                async for _ in batches:
                    begun.set()

        task = asyncio.create_task(consume())
        await begun.wait()
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert server.open == 0
        await http.aclose()

    def endless(self) -> tuple[Memory, Any, Any]:
        """An answer that begins and then says nothing more."""
        case = next(case for case in self.cases if case.error is None and case.run is None)
        whole = b"".join(case.script.pieces)
        server = Memory(self.respond(Script((whole[: len(whole) * 2 // 3],), "silence")))
        http = memory_http(server)
        endpoint = Endpoint("http://server.test", **{"timeouts": FAST, **case.endpoint})
        return server, http, self.adapter(endpoint, http).batches(case.request)
