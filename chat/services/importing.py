"""A file that a person sends: looked through, then imported when they say so, at once or in the background."""

from __future__ import annotations

import logging
import shutil
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import connections
from django.utils import timezone
from django.utils.translation import gettext as _

from backends.database import write_transaction
from chat.models import Import, ImportStatus
from chat.transfer import limits
from chat.transfer.limits import BadFile
from chat.transfer.planning import bring_in
from chat.transfer.survey import look_through
from chat.transfer.unpacking import Upload

if TYPE_CHECKING:
    from django.core.files.uploadedfile import UploadedFile

    from privatechathub.accounts.models import User

logger = logging.getLogger(__name__)

#: Messages that are imported while the page waits; with more it is done in the background.
AT_ONCE = 500
#: The same for files, each of which is looked through by a program of its own.
FILES_AT_ONCE = 10
#: How long a file lies here for somebody to say yes.
KEPT = timedelta(days=1)
#: Seconds between two notes of how far it is.
NOTE_EVERY = timedelta(seconds=1)

# One at a time: an import is never urgent, and it takes memory.
_background = ThreadPoolExecutor(max_workers=1, thread_name_prefix="hub-import")


def receive(user: User, sent: UploadedFile[bytes]) -> Import:
    """Keep the file and look through it; nothing is imported yet. Raises BadFile."""
    if (sent.size or 0) > limits.LARGEST_FILE:
        raise limits.too_large()
    sweep(user)
    row = Import(owner=user, file_name=(sent.name or _("file"))[-100:])
    row.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with row.path.open("xb") as kept:
            row.path.chmod(0o600)
            shutil.copyfileobj(sent, kept)
        row.report = look_through(user, Upload(row.path, row.file_name))
        row.total = row.report["new"]
        row.save()
    except BaseException:
        row.path.unlink(missing_ok=True)
        raise
    return row


def sweep(user: User) -> None:
    """Drop what this person did not confirm, and of everybody what is old."""
    mine = Import.objects.owned_by(user).exclude(status=ImportStatus.RUNNING)
    old = Import.objects.filter(touched_at__lt=timezone.now() - KEPT)
    for row in [*mine, *old]:
        drop(row)


def drop(row: Import) -> None:
    """Forget the file; what was imported from it stays."""
    row.path.unlink(missing_ok=True)
    Import.objects.filter(pk=row.pk).delete()


def begin(row: Import) -> Future[None] | None:
    """Import what is new, if nobody has begun that. A small file is done on return, a large one later."""
    if not row.can_begin:
        return None
    with write_transaction():
        claimed = Import.objects.filter(pk=row.pk, status=row.status, touched_at=row.touched_at).update(
            status=ImportStatus.RUNNING, error="", touched_at=timezone.now()
        )
    if not claimed:
        return None
    if row.report.get("messages", 0) > AT_ONCE or row.report.get("attached", 0) > FILES_AT_ONCE:
        return _background.submit(_in_background, row.pk)
    work(row.pk)
    return None


def _in_background(import_id: UUID) -> None:
    try:
        work(import_id)
    except Exception:
        logger.exception("import %s broke off", import_id)
    finally:
        connections.close_all()


def work(import_id: UUID) -> None:
    """Import it and note how it went. What is unexpected is noted too, and rises."""
    row = Import.objects.select_related("owner").get(pk=import_id)
    try:
        bring_in(row.owner, Upload(row.path, row.file_name), lambda count: note(row, count))
    except BadFile as bad:
        end(row, ImportStatus.FAILED, str(bad))
    except BaseException:
        end(row, ImportStatus.FAILED, _("Something went wrong. What was imported so far is kept."))
        raise
    else:
        end(row, ImportStatus.DONE)
        row.path.unlink(missing_ok=True)


def note(row: Import, count: int) -> None:
    """Say how far it is, now and then."""
    row.done = count
    now = timezone.now()
    if now - row.touched_at > NOTE_EVERY:
        row.touched_at = now
        with write_transaction():
            row.save(update_fields=["done", "touched_at"])


def end(row: Import, status: ImportStatus, error: str = "") -> None:
    """Say how it ended."""
    row.status, row.error, row.touched_at = status, error, timezone.now()
    with write_transaction():
        row.save(update_fields=["status", "error", "done", "touched_at"])
