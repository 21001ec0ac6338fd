"""After a crash or a restart no row may stay ``running``."""

from __future__ import annotations

import os
from uuid import UUID

from django.db.models import F, QuerySet
from django.utils import timezone

from backends.database import write_transaction
from chat.generation.ask_rows import close_asks_of
from chat.generation.queue import WORKER
from chat.generation.run import Run
from chat.models import Activity, ActivityState, Conversation, Generation, Status


def interrupt_abandoned() -> list[tuple[str, int]]:
    """End running rows whose lease ran out. Gives (conversation id, message id) of each."""
    return interrupt(Generation.objects.abandoned())


def interrupt_dead_workers() -> list[tuple[str, int]]:
    """End running rows of processes of this machine that are no more; their lease need not run out."""
    workers = (
        Generation.objects.filter(status=Status.RUNNING)
        .order_by()
        .values_list("worker", flat=True)
        .distinct()
    )
    return interrupt(
        Generation.objects.filter(status=Status.RUNNING, worker__in=[w for w in workers if is_dead(w)])
    )


def interrupt(rows: QuerySet[Generation]) -> list[tuple[str, int]]:
    """Mark them; the text saved so far stays. Who only tried whether its backend is back goes on waiting."""
    with write_transaction():
        found = list(rows.values_list("pk", "message__conversation_id", "message_id"))
        if not found:
            return []
        still = Generation.objects.filter(pk__in=[pk for pk, _c, _m in found], status=Status.RUNNING)
        still.filter(awaits_server=True).update(
            status=Status.QUEUED, worker="", lease_until=None, retry_at=timezone.now()
        )
        still.update(status=Status.INTERRUPTED, lease_until=None, finished_at=timezone.now())
        end_their_calls([pk for pk, _c, _m in found])
        Conversation.objects.filter(pk__in={conversation for _pk, conversation, _m in found}).update(
            revision=F("revision") + 1
        )
    return [(str(conversation), message) for _pk, conversation, message in found]


def end_their_calls(generation_ids: list[UUID]) -> None:
    """Nothing is at work or asked any more in these."""
    at_work = Activity.objects.at_work().filter(generation__in=generation_ids)
    at_work.update(state=ActivityState.STOPPED, finished_at=timezone.now())
    close_asks_of(generation_ids)


def is_dead(worker: str) -> bool:
    """Whether that process of this machine has ended for certain. A process id used anew by us counts as ended."""
    host, _sep, rest = worker.partition(":")
    pid, _sep, _mark = rest.partition(":")
    own_host, own_pid, _own = WORKER.split(":")
    if host != own_host or not pid.isdigit() or worker == WORKER:
        return False
    return pid == own_pid or not process_exists(int(pid))


def process_exists(pid: int) -> bool:
    """Whether a process with that id runs on this machine."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def run_of(generation_id: UUID) -> Run:
    """The in-memory side of a claimed generation."""
    generation = Generation.objects.select_related("message").get(pk=generation_id)
    return new_run(generation)


def new_run(generation: Generation) -> Run:
    """The in-memory side of a generation whose message is loaded."""
    return Run(
        generation.pk,
        generation.message_id,
        str(generation.message.conversation_id),
        generation.backend_id,
        generation.model_id,
        awaits_server=generation.awaits_server,
        waits=generation.waits,
    )
