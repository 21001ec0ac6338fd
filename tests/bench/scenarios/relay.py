"""Relay delay and CPU with streams of 50 tokens a second: from leaving the backend to reaching the client."""

from __future__ import annotations

import asyncio
import time
from array import array

from tests.bench.bench import Bench, all_done, staggered
from tests.bench.direct import read_answer
from tests.bench.tokens import TokenCounter, percentile

RATE = 50
SPAN = 1.0  # seconds over which the streams begin
BARS = {1: (2.0, 16.0, 0.56), 10: (None, 16.0, 0.235), 50: (None, 60.0, 0.165), 100: (None, 120.0, 0.125)}
"""Streams: p50 ms, p95 ms, CPU seconds per 1,000 tokens."""


async def run(bench: Bench) -> None:
    """One after the other, so that they do not disturb each other."""
    seconds = 3 if bench.quick else 8
    for streams in (1, 10, 50, 100):
        await _measure(bench, streams, seconds)


async def _measure(bench: Bench, streams: int, seconds: int) -> None:
    tokens = RATE * seconds
    message = f"!stamped {tokens} rate {RATE} as paragraphs"
    alone = await _direct(bench.backend_url, message, streams, tokens)
    chats = await bench.some_chats(streams)
    forms = [await chat.composer() for chat in chats]
    since = time.time()
    counters = [TokenCounter(tokens, since=since) for _ in chats]
    before = bench.cpu()

    def send(index: int) -> asyncio.Task[None]:
        return asyncio.create_task(_ask(bench, index, message, forms, counters))

    tasks = await staggered(streams, SPAN, send)
    results = await asyncio.gather(*tasks, return_exceptions=True)
    await all_done(counters, seconds + 30)
    used = bench.cpu() - before
    refused = [result for result in results if isinstance(result, BaseException)]
    for chat in chats:
        await chat.ended()
    _report(bench, streams, counters, alone, used, refused)


async def _ask(bench: Bench, index: int, message: str, forms: list, counters: list[TokenCounter]) -> None:  # type: ignore[type-arg]
    await bench.chats[index].ask(forms[index], message, counters[index])


async def _direct(url: str, message: str, streams: int, tokens: int) -> array[float]:
    counters = [TokenCounter(tokens) for _ in range(streams)]

    def read(index: int) -> asyncio.Task[None]:
        return asyncio.create_task(read_answer(url, message, counters[index]))

    await asyncio.gather(*await staggered(streams, SPAN, read))
    return _delays(counters)


def _delays(counters: list[TokenCounter]) -> array[float]:
    together = array("d")
    for counter in counters:
        together.extend(counter.delays)
    return together


def _report(
    bench: Bench,
    streams: int,
    counters: list[TokenCounter],
    alone: array[float],
    used: float,
    refused: list[BaseException],
) -> None:
    group = f"Relay, {streams} stream{'s' * (streams > 1)} of {RATE} tokens/s"
    p50, p95, cpu = BARS[streams]
    delays = _delays(counters)
    for name, share, bar in (("delay p50", 0.5, p50), ("delay p95", 0.95, p95), ("delay max", 1.0, None)):
        bench.add(
            group,
            name,
            percentile(delays, share) * 1e3,
            "ms",
            direct=percentile(alone, share) * 1e3,
            bar=("<", bar) if bar else None,
        )
    seen = sum(counter.seen for counter in counters)
    lost = sum(counter.lost for counter in counters)
    note = f"{len(refused)} refused: {refused[0]}" if refused else ""
    bench.add(group, "tokens lost", lost, bar=("<=", 0), note=note or f"of {seen + lost:,}")
    bench.add(group, "hub CPU per 1,000 tokens", used / max(seen, 1) * 1000, "s", bar=("<=", cpu))
