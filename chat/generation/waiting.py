"""Messages whose backend is away: they wait beside the line, and join it to be tried.

The first pauses are fixed; after them the watch over the backends says when one is back. All is in
the rows, so that it survives a restart and any process may go on. The built-in model is never away:
it is started when it is needed.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone

from backends.adapters.errors import ErrorKind
from backends.models import AWAY, Backend
from backends.watch import Seen
from chat.models import Generation, Status

#: Seconds before the first, second and third try.
PAUSES = (3.0, 10.0, 30.0)
#: Messages of one person that may wait at the same time.
LIMIT = 50


def next_try(waits: int) -> datetime | None:
    """When to try after that many waits; None for when the backend is back."""
    return timezone.now() + timedelta(seconds=PAUSES[waits]) if waits < len(PAUSES) else None


def is_full(owner_id: int, besides: UUID | None = None) -> bool:
    """Whether no other message of this person may wait. ``besides`` is a generation that does not count."""
    rows = Generation.objects.awaiting_server().filter(message__conversation__owner_id=owner_id)
    if besides is not None:
        rows = rows.exclude(pk=besides)
    return rows.count() >= LIMIT


def should_wait(generation_id: UUID, backend: Backend, kind: ErrorKind) -> bool:
    """Whether the generation waits after an error that came before its first word."""
    if not means_away(backend, kind):
        return False
    owners = Generation.objects.values_list("message__conversation__owner_id", flat=True)
    return not is_full(owners.get(pk=generation_id), besides=generation_id)


def means_away(backend: Backend, kind: ErrorKind) -> bool:
    """Whether an error says that nobody is there.

    A server that is busy, or slow to begin, is away only where the watch did not reach it either.
    """
    if backend.managed or kind not in AWAY:
        return False
    return kind is ErrorKind.CONNECT or any(
        row.is_away for row in Backend.objects.filter(pk=backend.pk, enabled=True)
    )


def arrived(generation_id: UUID) -> None:
    """The first word is here: from now on nothing is tried again without the person."""
    Generation.objects.filter(pk=generation_id).update(awaits_server=False)


def take_note(seen: Seen) -> tuple[bool, bool]:
    """After a look at a backend: let in who waited for it. Gives whether somebody was, and whether somebody waits.

    Who has a time to be tried at keeps it, unless the backend has just returned.
    """
    rows = Generation.objects.awaiting_server().filter(status=Status.QUEUED, backend_id=seen.backend_id)
    if not seen.there:
        return False, rows.exists()
    due = rows if seen.returned else rows.filter(retry_at__isnull=True)
    return let_in(due), False


def release_orphans() -> None:
    """Let in who waits for a backend that was deleted or switched off: it will not be back, and they are told."""
    gone = Q(backend__isnull=True) | Q(backend__enabled=False)
    let_in(Generation.objects.awaiting_server().filter(gone, status=Status.QUEUED, retry_at__isnull=True))


def let_in(rows: QuerySet[Generation]) -> bool:
    """Have them join the line now. Asks before it writes: mostly there are none."""
    ids = list(rows.values_list("pk", flat=True))
    if not ids:
        return False
    waiting = Generation.objects.filter(pk__in=ids, status=Status.QUEUED)
    return waiting.update(retry_at=timezone.now()) > 0
