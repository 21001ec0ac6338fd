"""What happens to the row of a download: each function is one short transaction."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from enum import Enum, auto

from django.db.models import QuerySet
from django.utils import timezone

from backends.adapters.errors import BackendError
from backends.database import write_transaction
from backends.pulls.models import Pull, PullStatus
from backends.pulls.tally import Tally

#: A process that has not saved for so long is gone, and another one goes on.
LEASE = timedelta(seconds=10)


class Word(Enum):
    """What the row says to whoever runs the download."""

    GO_ON = auto()
    CANCEL = auto()
    NOT_YOURS = auto()


def claim(worker: str, limit: int) -> list[Pull]:
    """Take downloads that nobody runs, oldest first, each by one process only."""
    candidates = list(Pull.objects.due().order_by("pk").values_list("pk", flat=True)[:limit])
    return [pull for pk in candidates if (pull := take(pk, worker))]


def take(pk: int, worker: str) -> Pull | None:
    """Take one; None where another process was faster.

    The condition is on the row alone, so PostgreSQL looks at it again after waiting for that process.
    """
    now = timezone.now()
    with write_transaction():
        taken = (
            Pull.objects.unheld()
            .filter(pk=pk)
            .update(status=PullStatus.RUNNING, worker=worker, lease_until=now + LEASE, started_at=now)
        )
    return Pull.objects.select_related("backend").filter(pk=pk, worker=worker).first() if taken else None


def save_progress(pull: Pull, tally: Tally, speed: int | None) -> Word:
    """Keep how far it is and renew the lease; hear whether to go on."""
    with write_transaction():
        mine = _held(pull).update(
            detail=tally.status[:200],
            layers=[asdict(layer) for layer in tally.layers],
            completed=tally.completed,
            total=tally.total,
            speed=speed,
            lease_until=timezone.now() + LEASE,
        )
        cancelled = _held(pull).filter(cancel_requested=True).exists()
    if not mine:
        return Word.NOT_YOURS
    return Word.CANCEL if cancelled else Word.GO_ON


def finish(pull: Pull, status: PullStatus, error: BackendError | None = None, hint: str = "") -> None:
    """The end, unless another process has it by now."""
    with write_transaction():
        _held(pull).update(
            status=status,
            error=error.kind.value if error else "",
            message=str(error)[:400] if error else "",
            hint=hint[:400],
            speed=None,
            lease_until=None,
            finished_at=timezone.now(),
        )


def release(pull: Pull) -> None:
    """This process ends: whoever comes next goes on at once."""
    with write_transaction():
        _held(pull).update(status=PullStatus.WAITING, worker="", lease_until=None, speed=None)


def _held(pull: Pull) -> QuerySet[Pull]:
    return Pull.objects.filter(pk=pull.pk, worker=pull.worker, status=PullStatus.RUNNING)
