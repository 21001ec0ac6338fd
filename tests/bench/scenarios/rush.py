"""A hundred people send within one second, each into a new conversation."""

from __future__ import annotations

import asyncio
import time

from tests.bench.bench import Bench, all_done, staggered
from tests.bench.direct import read_answer
from tests.bench.pages import Form
from tests.bench.person import Chat
from tests.bench.tokens import TokenCounter, percentile

PEOPLE = 100
SPAN = 1.0  # seconds
TOKENS = 100
MESSAGE = f"!stamped {TOKENS} rate 50 as paragraphs"


async def run(bench: Bench) -> None:
    """Everybody has the page open; then they all press send."""
    people = 20 if bench.quick else PEOPLE
    group = f"{people} people send within one second"
    alone = await _direct(bench.backend_url, people)
    forms = [await bench.person.composer() for _ in range(people)]
    counters = [TokenCounter(TOKENS) for _ in range(people)]
    sent = [0.0] * people
    chats: list[Chat] = []

    def press(index: int) -> asyncio.Task[None]:
        return asyncio.create_task(_send(bench, forms[index], counters[index], sent, index, chats))

    tasks = await staggered(people, SPAN, press)
    results = await asyncio.gather(*tasks, return_exceptions=True)
    await all_done(counters, 60)
    waits = [counter.first_at - at for counter, at in zip(counters, sent, strict=True) if counter.first_at]
    errors = [result for result in results if isinstance(result, BaseException)]
    failed = sum(counter.seen < TOKENS for counter in counters)
    for name, share, bar in (("first token p50", 0.5, ("<", 1.0)), ("first token max", 1.0, None)):
        bench.add(group, name, percentile(waits, share), "s", direct=percentile(alone, share), bar=bar)
    note = f"{errors[0]}" if errors else ""
    bench.add(group, "answers that failed or are not whole", failed, bar=("<=", 0), note=note)
    for chat in chats:
        await chat.close()


async def _send(
    bench: Bench, form: Form, counter: TokenCounter, sent: list[float], index: int, chats: list[Chat]
) -> None:
    sent[index] = time.time()
    chats.append(await bench.person.start_chat(MESSAGE, counter, form))


async def _direct(url: str, people: int) -> list[float]:
    counters = [TokenCounter(TOKENS) for _ in range(people)]
    sent = [0.0] * people

    def press(index: int) -> asyncio.Task[None]:
        sent[index] = time.time()
        return asyncio.create_task(read_answer(url, MESSAGE, counters[index]))

    await asyncio.gather(*await staggered(people, SPAN, press))
    return [counter.first_at - at for counter, at in zip(counters, sent, strict=True)]
