"""How many tokens a second go through at full speed."""

from __future__ import annotations

import asyncio
import time

from tests.bench.bench import Bench, all_done
from tests.bench.direct import read_answer
from tests.bench.tokens import TokenCounter

GROUP = "Full speed"


async def run(bench: Bench) -> None:
    """One stream, then ten at once."""
    total = 10_000 if bench.quick else 30_000
    for streams, bar in ((1, (">", 10_000.0)), (10, None)):
        tokens = total // streams * (2 if streams > 1 else 1)
        message = f"!stamped {tokens} as paragraphs"
        alone = [TokenCounter(tokens) for _ in range(streams)]
        await asyncio.gather(*(read_answer(bench.backend_url, message, counter) for counter in alone))
        counters, used = await _through_hub(bench, streams, tokens, message)
        lost = sum(counter.lost for counter in counters)
        name = f"{streams} stream{'s' * (streams > 1)}"
        bench.add(GROUP, name, _rate(counters), "tokens/s", direct=_rate(alone), bar=bar)
        bench.add(GROUP, f"{name}: tokens lost", lost, bar=("<=", 0), note=f"of {tokens * streams:,}")
        seen = tokens * streams - lost
        bench.add(GROUP, f"{name}: hub CPU per 1,000 tokens", used / max(seen, 1) * 1000, "s")


async def _through_hub(
    bench: Bench, streams: int, tokens: int, message: str
) -> tuple[list[TokenCounter], float]:
    chats = [await bench.fresh_chat() for _ in range(streams)]
    forms = [await chat.composer() for chat in chats]
    since = time.time()
    counters = [TokenCounter(tokens, since=since) for _ in chats]
    before = bench.cpu()
    asking = zip(chats, forms, counters, strict=True)
    await asyncio.gather(*(chat.ask(form, message, counter) for chat, form, counter in asking))
    await all_done(counters, 60)
    used = bench.cpu() - before
    for chat in chats:
        await chat.ended()
        await chat.close()
    return counters, used


def _rate(counters: list[TokenCounter]) -> float:
    seen = sum(counter.seen for counter in counters)
    began = min((counter.first_at for counter in counters if counter.first_at), default=0.0)
    ended = max(counter.last_at for counter in counters)
    return seen / max(ended - began, 1e-9)
