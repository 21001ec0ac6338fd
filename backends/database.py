"""How the hub uses its database: one writer at a time, and threads for background tasks.

SQLite has one write lock for the whole file, and a thread that finds it taken polls with growing
pauses, so a crowd of writers waits far longer than the work takes. Inside one process an ordinary
lock lines the writers up first; between processes SQLite's own busy time-out still applies.
PostgreSQL needs none of this.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

from django.db import connection, connections, transaction

P = ParamSpec("P")
T = TypeVar("T")

_THREADS = 4
_threads = ThreadPoolExecutor(max_workers=_THREADS, thread_name_prefix="hub-db")

_writer = threading.RLock()


@contextmanager
def write_transaction() -> Iterator[None]:
    """``transaction.atomic()`` that waits its turn on SQLite."""
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        with transaction.atomic():
            yield
        return
    with _writer, transaction.atomic():
        yield


async def in_database(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run the work in a database thread and give its result."""

    def call() -> T:
        for opened in connections.all(initialized_only=True):
            opened.close_if_unusable_or_obsolete()
        return work(*args, **kwargs)

    return await asyncio.get_running_loop().run_in_executor(_threads, call)


def close_connections() -> None:
    """Close the connections of all database threads (at exit and between tests)."""
    all_are_here = threading.Barrier(_THREADS)  # so that no thread takes the work of two

    def close() -> None:
        all_are_here.wait(timeout=10)
        connections.close_all()

    for future in [_threads.submit(close) for _ in range(_THREADS)]:
        future.result(timeout=10)
