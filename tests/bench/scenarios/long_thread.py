"""Opening a conversation of 200 long messages: the server's part of it."""

from __future__ import annotations

import time
from statistics import median

from tests.bench.bench import Bench, all_done
from tests.bench.person import Chat
from tests.bench.tokens import TokenCounter

QUESTION = " Please tell me more about that, and take the time that it needs." * 6


async def run(bench: Bench) -> None:
    """Half of the messages are long answers, every third of them with code, tables and formulas."""
    exchanges = 20 if bench.quick else 100
    chat = await _long_chat(bench, exchanges)
    opened = [await bench.person.http.get(chat.url) for _ in range(5)]
    group = f"Opening a conversation of {exchanges * 2} long messages"
    milliseconds = median(page.seconds for page in opened) * 1e3
    bench.add(group, "server time", milliseconds, "ms", note="bar in the browser: 200 ms in all")
    bench.add(group, "page", len(opened[0].body) / 1e3, "kB")
    bench.add(group, "page, compressed", opened[0].wire_body / 1e3, "kB")
    await chat.close()


async def _long_chat(bench: Bench, exchanges: int) -> Chat:
    """Each answer ends with one stamped token, which tells that it is here."""
    chat = await bench.fresh_chat()
    for number in range(exchanges - 1):
        body = "!markdown" if number % 3 == 0 else "!paragraphs 300"
        form = await chat.composer()
        counter = TokenCounter(1, since=time.time())
        await chat.ask(form, f"{body} !stamped 1 {QUESTION}", counter)
        await all_done([counter], 30)
        await chat.ended()
    return chat
