"""Errands to servers, each in a task of its own.

Whoever waits can be cancelled at any moment, more than once; the errand then still ends its connection
or its program in order, without anybody waiting for that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

_running: set[asyncio.Task[Any]] = set()


async def errand(work: Coroutine[Any, Any, T], *, seconds: float) -> T:
    """The work's result. Raises TimeoutError after so many seconds, and what the work raises."""
    task = begin(work)
    try:
        async with asyncio.timeout(seconds):
            return await asyncio.shield(task)
    finally:
        task.cancel()


def begin(work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """Start work that ends by itself; what it raises is its waiter's, where there is one."""
    task = asyncio.create_task(work)
    _running.add(task)
    task.add_done_callback(_ended)
    return task


async def settled(seconds: float) -> None:
    """Wait, at most so many seconds, until the errands of this event loop have ended."""
    loop = asyncio.get_running_loop()
    if mine := [task for task in list(_running) if task.get_loop() is loop]:
        await asyncio.wait(mine, timeout=seconds)


def _ended(task: asyncio.Task[Any]) -> None:
    _running.discard(task)
    if not task.cancelled():
        task.exception()  # asked for, so that nothing is logged about an errand that nobody waits for
