"""Begin a search, follow it and end it. It runs in a thread of its own, beside pages and answers."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Iterable
from functools import partial
from typing import Any
from uuid import UUID

from django.db import connections, transaction
from django.utils import timezone

from backends.database import in_database, write_transaction
from backends.searches.engine import Answered, Progress, root_of, search
from backends.searches.models import Search, SearchStatus
from backends.searches.places import read_places

logger = logging.getLogger(__name__)


def start_search(places: str, ports: Iterable[int]) -> Search:
    """Begin; a search that is still under way ends, and older ones are forgotten. Raises ValidationError."""
    read_places(places)
    with write_transaction():
        Search.objects.exclude(status=SearchStatus.RUNNING).delete()
        Search.objects.update(cancel_requested=True)
        row = Search.objects.create(places=places, ports=list(ports))
        transaction.on_commit(partial(begin, row.pk))
    return row


def begin(search_id: UUID) -> None:
    """Search in the background. Nobody waits for it: it holds nothing that has to be given back."""
    threading.Thread(target=carry_out, args=[search_id], name="hub-search", daemon=True).start()


def cancel_search(row: Search) -> None:
    """Ask for its end; what was found stays."""
    with write_transaction():
        Search.objects.filter(pk=row.pk).update(cancel_requested=True)


def carry_out(search_id: UUID) -> None:
    """The whole search. Its outcome is in the row."""
    try:
        end(search_id, outcome(search_id))
    except Exception:
        logger.exception("a search for AI servers broke off")
        end(search_id, SearchStatus.FAILED)
    finally:
        connections.close_all()


def outcome(search_id: UUID) -> SearchStatus:
    """Search, and say how it ended."""
    row = Search.objects.get(pk=search_id)

    async def report(progress: Progress) -> bool:
        return await in_database(save, search_id, progress)

    try:
        done = asyncio.run(search(read_places(row.places), tuple(row.ports), report))
    except TimeoutError:
        return SearchStatus.OUT_OF_TIME
    return SearchStatus.COMPLETED if done else SearchStatus.CANCELLED


def save(search_id: UUID, progress: Progress) -> bool:
    """Keep how far it is; False where its end was asked for."""
    with write_transaction():
        saved = Search.objects.filter(pk=search_id, cancel_requested=False).update(
            total=progress.total,
            tried=progress.tried,
            found=[as_row(answered) for answered in progress.found],
            unknown=progress.unknown,
            touched_at=timezone.now(),
        )
    return bool(saved)


def end(search_id: UUID, status: SearchStatus) -> None:
    """Write how it ended, once."""
    with write_transaction():
        Search.objects.filter(pk=search_id, status=SearchStatus.RUNNING).update(
            status=status, touched_at=timezone.now()
        )


def as_row(answered: Answered) -> dict[str, Any]:
    """A found server as it is stored. Its address has the name that the person typed."""
    target, sight = answered.target, answered.sight
    path = sight.url.removeprefix(root_of(target.address, target.port))
    return {
        "kind": sight.kind,
        "software": sight.software,
        "host": target.host,
        "url": root_of(target.host, target.port) + path,
        "model_count": sight.model_count,
        "version": sight.version,
    }
