"""Added time to first token: from sending the message until its first token is here."""

from __future__ import annotations

import asyncio
import time
from statistics import median

from tests.bench.bench import Bench
from tests.bench.direct import read_answer
from tests.bench.tokens import TokenCounter

GROUP = "Time to first token"
MESSAGE = "!stamped 3"


async def run(bench: Bench) -> None:
    """In an open conversation, and with a new conversation's page and websocket included."""
    rounds = 10 if bench.quick else 30
    direct, hub = [], []
    chat = await bench.fresh_chat()
    for _ in range(rounds):
        direct.append(await _direct(bench))
        form = await chat.composer()
        counter = TokenCounter(3, since=time.time())
        began = time.time()
        await chat.ask(form, MESSAGE, counter)
        await asyncio.wait_for(counter.done.wait(), 30)
        hub.append((counter.first_at - began) * 1e3)
        await chat.ended()
    await chat.close()
    new = [await _in_new_chat(bench) for _ in range(rounds // 3)]
    alone = median(direct)
    bench.add(GROUP, "median", median(hub), "ms", direct=alone)
    bench.add(GROUP, "added", median(hub) - alone, "ms", bar=("<", 20.0), note=f"median of {rounds}")
    bench.add(GROUP, "added, new conversation", median(new) - alone, "ms", note="with its page and websocket")


async def _direct(bench: Bench) -> float:
    counter = TokenCounter(3)
    began = time.time()
    await read_answer(bench.backend_url, MESSAGE, counter)
    return (counter.first_at - began) * 1e3


async def _in_new_chat(bench: Bench) -> float:
    form = await bench.person.composer()
    counter = TokenCounter(3)
    began = time.time()
    chat = await bench.person.start_chat(MESSAGE, counter, form)
    await asyncio.wait_for(counter.done.wait(), 30)
    await chat.ended()
    await chat.close()
    return (counter.first_at - began) * 1e3
