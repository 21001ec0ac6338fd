"""Who may run when: each backend has slots, and first come is first served.

The rows are the queue, so that it survives a restart and is one for all processes. The order is in
one function, :func:`waiting`: a fairer one goes there.
"""

from __future__ import annotations

import os
import socket
import uuid
from datetime import timedelta
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone

from backends.database import write_transaction
from backends.models import Backend
from chat.models import Generation, Status

#: How long a running row is believed without a sign of life from its process.
LEASE = timedelta(seconds=6)
#: This process: host, process id, and a mark that a later process with the same id has not.
WORKER = f"{socket.gethostname()[:30]}:{os.getpid()}:{uuid.uuid4().hex[:8]}"


def waiting(backend_id: int | None) -> QuerySet[Generation]:
    """Queued generations of a backend, the next one first."""
    return Generation.objects.filter(of(backend_id), status=Status.QUEUED).order_by("created_at", "pk")


def of(backend_id: int | None) -> Q:
    """Generations of that backend; None stands for all whose backend was deleted, which fail at once."""
    return Q(backend__isnull=True) if backend_id is None else Q(backend_id=backend_id)


def admit(generation: Generation) -> bool:
    """Start it at once where a slot is free and nobody waits. Inside the caller's transaction."""
    if waiting(generation.backend_id).exclude(pk=generation.pk).exists() or not has_free_slot(
        generation.backend_id
    ):
        return False
    start(generation)
    return True


def claim_next(backend_id: int | None) -> UUID | None:
    """Start the next waiting generation of the backend; None where there is none or no slot."""
    with write_transaction():
        if not has_free_slot(backend_id):
            return None
        generation = waiting(backend_id).select_for_update(skip_locked=True).first()
        if generation is None:
            return None
        start(generation)
        return generation.pk


def has_free_slot(backend_id: int | None) -> bool:
    """Whether the backend may write one more answer now. Locks the backend's row where rows can be locked."""
    if backend_id is None:
        return True
    backend = Backend.objects.select_for_update().filter(pk=backend_id).first()
    if backend is None or backend.slot_limit is None:
        return True
    running = Generation.objects.filter(status=Status.RUNNING, backend_id=backend_id).count()
    return running < backend.slot_limit


def start(generation: Generation) -> None:
    """Give the row to this process."""
    generation.status = Status.RUNNING
    generation.worker = WORKER
    generation.started_at = timezone.now()
    generation.lease_until = generation.started_at + LEASE
    generation.save(update_fields=["status", "worker", "started_at", "lease_until"])


def places(backend_id: int | None) -> dict[int, tuple[str, int]]:
    """Message id -> (conversation id, place in line, from 1) of everything that waits for the backend."""
    rows = waiting(backend_id).values_list("message_id", "message__conversation_id")
    return {
        message: (str(conversation), place) for place, (message, conversation) in enumerate(rows, start=1)
    }


def backends_with_waiting() -> list[int | None]:
    """Backends that somebody waits for."""
    return list(
        Generation.objects.filter(status=Status.QUEUED)
        .order_by()
        .values_list("backend_id", flat=True)
        .distinct()
    )
