"""Whether a token costs more at the end of a long answer than at its start."""

from __future__ import annotations

import time

from tests.bench.bench import Bench, all_done
from tests.bench.processes import fine_cpu_seconds
from tests.bench.tokens import TokenCounter

SHAPES = {"paragraph": "one paragraph", "paragraphs": "many paragraphs", "code": "one code block"}
RATE = 1000


async def run(bench: Bench) -> None:
    """At a steady pace, in three shapes."""
    tokens = 4_000 if bench.quick else 10_000
    for shape, name in SHAPES.items():
        await _measure(bench, shape, f"{tokens:,} tokens in {name}", tokens, slice_=tokens // 10)


async def _measure(bench: Bench, shape: str, group: str, tokens: int, *, slice_: int) -> None:
    chat = await bench.fresh_chat()
    form = await chat.composer()
    marks: dict[int, float] = {}

    def mark(number: int) -> None:
        marks[number] = fine_cpu_seconds(bench.hub_pid)

    edges = (0, slice_, tokens - 1 - slice_, tokens - 1)
    at = {number: lambda number=number: mark(number) for number in edges}
    counter = TokenCounter(tokens, since=time.time(), through_tags=shape == "code", at=at)  # type: ignore[arg-type]
    await chat.ask(form, f"!stamped {tokens} rate {RATE} as {shape}", counter)
    await all_done([counter], tokens / RATE + 60)
    bench.add(group, "tokens lost", counter.lost, bar=("<=", 0))
    if all(edge in marks for edge in edges):
        first, last = (_milliseconds(marks, edges[at], edges[at + 1], slice_) for at in (0, 2))
        bench.add(group, f"hub CPU per token, first {slice_:,}", first, "ms")
        bench.add(group, f"hub CPU per token, last {slice_:,}", last, "ms")
        bench.add(group, "last / first", last / max(first, 1e-9), bar=("<=", 1.5))
    bench.add(group, "bytes to the page per token", chat.received / tokens, "B")
    await chat.ended(30)
    await chat.close()


def _milliseconds(marks: dict[int, float], start: int, end: int, count: int) -> float:
    return (marks[end] - marks[start]) / count * 1e3
