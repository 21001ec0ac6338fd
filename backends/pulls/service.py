"""What an administrator does with downloads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import IntegrityError
from django.utils import timezone

from backends.database import write_transaction
from backends.models import Backend
from backends.pulls.models import Pull, PullStatus

if TYPE_CHECKING:
    from privatechathub.accounts.models import User

#: Ended downloads that stay listed.
KEPT = 20


def start_pull(backend: Backend, name: str, user: User | None) -> Pull:
    """Have a model downloaded; a download of it that is under way is joined instead."""
    try:
        with write_transaction():
            pull, made = Pull.objects.active().get_or_create(
                backend=backend, name=name, defaults={"started_by": user}
            )
            if made:
                forget_old()
    except IntegrityError:  # somebody else made it in this moment
        return Pull.objects.active().get(backend=backend, name=name)
    return pull


def cancel_pull(pull: Pull) -> None:
    """Stop it. One that runs hears of it at its next save, wherever it runs."""
    with write_transaction():
        Pull.objects.filter(pk=pull.pk, status=PullStatus.WAITING).update(
            status=PullStatus.CANCELLED, finished_at=timezone.now()
        )
        Pull.objects.filter(pk=pull.pk, status=PullStatus.RUNNING).update(cancel_requested=True)


def resume_pull(pull: Pull, user: User | None) -> Pull:
    """Go on with one that ended early; its old row makes room for the new one."""
    if not pull.can_resume:
        return pull
    with write_transaction():
        Pull.objects.filter(pk=pull.pk).delete()
        return start_pull(pull.backend, pull.name, user)


def forget_old() -> None:
    """Drop the oldest ended rows beyond those that stay listed."""
    ended = Pull.objects.exclude(pk__in=Pull.objects.active())
    old = list(ended.values_list("pk", flat=True)[KEPT : KEPT + 100])
    Pull.objects.filter(pk__in=old).delete()
