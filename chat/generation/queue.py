"""Who may run when: each backend has slots, and first come is first served.

The rows are the queue, so that it survives a restart and is one for all processes. The order is in
one function, :func:`line`: a fairer one goes there. Who waits for a backend that is away
(``chat.generation.waiting``) stands beside the line and takes no slot.
"""

from __future__ import annotations

import os
import socket
import uuid
from collections import Counter
from datetime import timedelta
from threading import Lock
from uuid import UUID

from django.db import connection
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from backends.database import write_transaction
from backends.models import Backend
from chat.models import ACTIVE, Conversation, Generation, Status

#: How long a running row is believed without a sign of life from its process.
LEASE = timedelta(seconds=6)
#: This process: host, process id, and a mark that a later process with the same id has not.
WORKER = f"{socket.gethostname()[:30]}:{os.getpid()}:{uuid.uuid4().hex[:8]}"


#: Backend id -> answers without a row that run in this process (see ``temporary``).
unrecorded: Counter[int] = Counter()
_counting = Lock()  # claimed in a thread of the database, released in that of the pages


def line(backend_id: int | None) -> QuerySet[Generation]:
    """Queued generations of a backend whose turn comes, the next one first."""
    rows = Generation.objects.filter(of(backend_id), in_line(), status=Status.QUEUED)
    return rows.order_by("created_at", "pk")


def in_line() -> Q:
    """Not waiting for the backend itself, or to be tried now; and not for another one's end."""
    return (Q(awaits_server=False) | Q(retry_at__lte=timezone.now())) & may_follow()


def may_follow() -> Q:
    """Those before which no other one has to end."""
    before = Generation.objects.filter(pk=OuterRef("after"), status__in=ACTIVE)
    return Q(after__isnull=True) | Q(~Exists(before))


def is_empty(backend_id: int | None) -> bool:
    """Whether nothing at all is queued for that backend, which is so mostly and is found out at a fifth of the cost."""
    return not Generation.objects.filter(of(backend_id), status=Status.QUEUED).exists()


def somebody_waits(backend_id: int | None, *, besides: UUID | None = None) -> bool:
    """Whether anybody's turn comes before that of a newcomer."""
    if is_empty(backend_id):
        return False
    rows = line(backend_id)
    return (rows.exclude(pk=besides) if besides else rows).exists()


def of(backend_id: int | None) -> Q:
    """Generations of that backend; None stands for all whose backend was deleted, which fail at once."""
    return Q(backend__isnull=True) if backend_id is None else Q(backend_id=backend_id)


def admit(generation: Generation) -> bool:
    """Start it at once where a slot is free and nobody waits. Inside the caller's transaction.

    A generation that is not stored yet is not stored by this either.
    """
    backend = generation.backend
    if generation.after_id is not None:
        return False
    if somebody_waits(generation.backend_id, besides=generation.pk):
        return False
    if not has_free_slot(generation.backend_id, backend):
        return False
    start(generation)
    return True


def claim_next(backend_id: int | None) -> UUID | None:
    """Start the next waiting generation of the backend; None where there is none or no slot."""
    with write_transaction():
        if not has_free_slot(backend_id):
            return None
        generation = line(backend_id).select_for_update(skip_locked=True).first()
        if generation is None:
            return None
        start(generation)
        return generation.pk


def has_free_slot(backend_id: int | None, backend: Backend | None = None) -> bool:
    """Whether the backend may write one more answer now. Locks the backend's row where rows can be locked.

    ``backend`` is its row where that was read already.
    """
    if backend_id is None:
        return True
    if backend is None or connection.features.has_select_for_update:
        backend = Backend.objects.select_for_update().filter(pk=backend_id).first()
    if backend is None or backend.slot_limit is None:
        return True
    running = Generation.objects.filter(status=Status.RUNNING, backend_id=backend_id).count()
    return running + unrecorded[backend_id] < backend.slot_limit


def claim_unrecorded(backend_id: int) -> bool:
    """Take a slot for an answer without a row; False where there is none or somebody waits."""
    with write_transaction():
        if somebody_waits(backend_id) or not has_free_slot(backend_id):
            return False
        with _counting:
            unrecorded[backend_id] += 1
        return True


def release_unrecorded(backend_id: int) -> None:
    """That answer has ended."""
    with _counting:
        unrecorded[backend_id] -= 1


def start(generation: Generation) -> None:
    """Give the row to this process."""
    generation.status = Status.RUNNING
    generation.worker = WORKER
    generation.started_at = timezone.now()
    generation.lease_until = generation.started_at + LEASE
    generation.retry_at = None
    if generation._state.adding:  # noqa: SLF001 - Django documents it
        return
    generation.save(update_fields=["status", "worker", "started_at", "lease_until", "retry_at"])


def leave(generation_id: UUID) -> bool:
    """End it if it still waits, for its turn or for its backend."""
    with write_transaction():
        rows = Generation.objects.filter(pk=generation_id)
        # The conversation first, as everybody who changes a thread does, so that no two wait for each other.
        thread = Conversation.objects.filter(pk__in=rows.values("message__conversation_id"))
        thread.select_for_update().only("pk").first()
        left = rows.filter(status=Status.QUEUED).update(
            status=Status.STOPPED,
            finished_at=timezone.now(),
            finish_reason="cancelled",
            awaits_server=False,
            retry_at=None,
        )
        if left:
            thread.update(revision=F("revision") + 1)
    return left > 0


def places(backend_id: int | None) -> dict[int, tuple[str, int]]:
    """Message id -> (conversation id, place in line, from 1) of everything in the backend's line."""
    if is_empty(backend_id):
        return {}
    rows = line(backend_id).values_list("message_id", "message__conversation_id")
    return {
        message: (str(conversation), place) for place, (message, conversation) in enumerate(rows, start=1)
    }


def backends_with_waiting() -> list[int | None]:
    """Backends in whose line somebody stands."""
    return list(
        Generation.objects.filter(in_line(), status=Status.QUEUED)
        .order_by()
        .values_list("backend_id", flat=True)
        .distinct()
    )
