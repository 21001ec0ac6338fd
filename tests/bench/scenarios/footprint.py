"""Memory of the hub."""

from __future__ import annotations

import asyncio

from tests.bench.bench import Bench
from tests.bench.processes import memory

GROUP = "Memory of the hub"


async def idle(bench: Bench) -> None:
    """After the first page view, with nobody there."""
    await asyncio.sleep(1)
    now = memory(bench.hub_pid)
    bench.add(GROUP, "idle", now.rss, "MB", bar=("<", 120.0), note="RSS, after the first page view")
    bench.add(GROUP, "idle, without what is shared", now.pss, "MB", note="PSS")


async def peak(bench: Bench) -> None:
    """After everything else."""
    await asyncio.sleep(1)
    now = memory(bench.hub_pid)
    bench.add(GROUP, "after all measurements", now.rss, "MB")
    bench.add(GROUP, "peak", now.peak, "MB")
