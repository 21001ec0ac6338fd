"""Relay delay and CPU with streams of 50 tokens a second: from leaving the backend to reaching the client.

The streams begin 25 a second (that all begin at once is another measurement), last until all have run
together for the time of the measurement, and every one of their tokens counts. The lines "all running"
leave out what was sent before the last one began and after the first one ended.
"""

from __future__ import annotations

import asyncio
import time
from array import array
from dataclasses import dataclass

from tests.bench.bench import Bench, all_done, staggered
from tests.bench.direct import read_answer
from tests.bench.pages import Form
from tests.bench.person import Chat
from tests.bench.tokens import TokenCounter, percentile

RATE = 50
STARTS_PER_SECOND = 25
SETTLING = 0.3  # seconds after the last start
BARS = {1: (2.0, 16.0, 0.56), 10: (None, 16.0, 0.235), 50: (None, 60.0, 0.165), 100: (None, 120.0, 0.125)}
"""Streams: p50 ms, p95 ms, CPU seconds per 1,000 tokens."""


@dataclass(frozen=True, slots=True)
class Moment:
    """CPU seconds, and how many tokens each stream had seen."""

    cpu: float
    seen: list[int]


@dataclass(frozen=True, slots=True)
class Result:
    """One number of streams."""

    counters: list[TokenCounter]
    cpu: float
    settled: tuple[Moment, Moment]
    refused: list[BaseException]


async def run(bench: Bench) -> None:
    """One after the other, so that they do not disturb each other."""
    for streams in (1, 10, 50, 100):
        await measure(bench, streams, seconds=3 if bench.quick else 8)


async def measure(bench: Bench, streams: int, seconds: float) -> None:
    """The backend by itself, then the hub."""
    span = (streams - 1) / STARTS_PER_SECOND
    tokens = int(RATE * (span + SETTLING + seconds))
    message = f"!stamped {tokens} rate {RATE} as paragraphs"
    alone = await _direct(bench.backend_url, message, streams, tokens, span)
    chats = await bench.some_chats(streams)
    forms = [await chat.composer() for chat in chats]
    result = await _through_hub(bench, chats, forms, message, tokens, span, seconds)
    for chat in chats:
        await chat.ended()
    _report(bench, result, alone)


async def _through_hub(
    bench: Bench, chats: list[Chat], forms: list[Form], message: str, tokens: int, span: float, seconds: float
) -> Result:
    since = time.time()
    counters = [TokenCounter(tokens, since=since) for _ in chats]
    before = bench.cpu()

    def send(index: int) -> asyncio.Task[None]:
        return asyncio.create_task(_ask(chats[index], forms[index], message, counters[index]))

    def moment() -> Moment:
        return Moment(bench.cpu(), [len(counter.delays) for counter in counters])

    tasks = await staggered(len(chats), span, send)
    await asyncio.sleep(SETTLING)
    settled = moment()
    await asyncio.sleep(seconds - 2 * SETTLING)
    last = moment()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    await all_done(counters, seconds + 30)
    refused = [result for result in results if isinstance(result, BaseException)]
    return Result(counters, bench.cpu() - before, (settled, last), refused)


async def _ask(chat: Chat, form: Form, message: str, counter: TokenCounter) -> None:
    await chat.ask(form, message, counter)


async def _direct(url: str, message: str, streams: int, tokens: int, span: float) -> array[float]:
    counters = [TokenCounter(tokens) for _ in range(streams)]

    def read(index: int) -> asyncio.Task[None]:
        return asyncio.create_task(read_answer(url, message, counters[index]))

    await asyncio.gather(*await staggered(streams, span, read))
    return _delays(counters)


def _delays(counters: list[TokenCounter]) -> array[float]:
    together = array("d")
    for counter in counters:
        together.extend(counter.delays)
    return together


def _settled_delays(result: Result) -> array[float]:
    together = array("d")
    first, last = result.settled
    for counter, start, end in zip(result.counters, first.seen, last.seen, strict=True):
        together.extend(counter.delays[start:end])
    return together


def _report(bench: Bench, result: Result, alone: array[float]) -> None:
    streams = len(result.counters)
    group = f"Relay, {streams} stream{'s' * (streams > 1)} of {RATE} tokens/s"
    p50, p95, cpu = BARS[streams]
    delays, settled = _delays(result.counters), _settled_delays(result)
    for name, share, bar in (("delay p50", 0.5, p50), ("delay p95", 0.95, p95), ("delay max", 1.0, None)):
        value, own = percentile(delays, share) * 1e3, percentile(alone, share) * 1e3
        bench.add(group, name, value, "ms", direct=own, bar=("<", bar) if bar else None)
    both = " / ".join(f"{percentile(settled, share) * 1e3:.3g}" for share in (0.5, 0.95, 1.0))
    bench.add(
        group, "delay p95, all running", percentile(settled, 0.95) * 1e3, "ms", note=f"p50/p95/max {both}"
    )
    seen = sum(counter.seen for counter in result.counters)
    lost = sum(counter.lost for counter in result.counters)
    note = f"{len(result.refused)} refused: {result.refused[0]}" if result.refused else f"of {seen + lost:,}"
    bench.add(group, "tokens lost", lost, bar=("<=", 0), note=note)
    bench.add(group, "hub CPU per 1,000 tokens", result.cpu / max(seen, 1) * 1000, "s", bar=("<=", cpu))
    first, last = result.settled
    used = (last.cpu - first.cpu) / max(len(settled), 1) * 1000
    bench.add(group, "hub CPU per 1,000, all running", used, "s", note="without sending and ending")
