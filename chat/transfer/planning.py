"""Doing an import."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from django.db import IntegrityError

from backends.database import write_transaction
from chat.models import Conversation, Origin
from chat.transfer import library, projects, saving, settings
from chat.transfer.comparisons import Columns
from chat.transfer.files import NO_FILES, ByTurn, brought, brought_to
from chat.transfer.known import Known, origin_id
from chat.transfer.portable import Library, PortableProject, Settings, Talk
from chat.transfer.reading import conversations
from chat.transfer.unpacking import AttachedFiles, Upload

if TYPE_CHECKING:
    from privatechathub.accounts.models import User


def new_ones(owner: User, upload: Upload) -> Iterator[tuple[Talk, str]]:
    """The conversations that the person does not have yet, each with its digest. Raises BadFile."""
    known = Known(owner)
    for found in conversations(upload):
        if isinstance(found, Talk) and not known.has(found, digest := found.digest()):
            yield found, digest


def take_in_beside(owner: User, upload: Upload, files: AttachedFiles) -> None:
    """Store libraries, settings and projects, to which conversations may refer. Raises BadFile."""
    for found in conversations(upload):
        if isinstance(found, Library):
            with write_transaction():
                library.take_in(owner, found)
        elif isinstance(found, Settings):
            with write_transaction():
                settings.take_in(owner, found)
        elif isinstance(found, PortableProject) and not projects.is_here(owner, found):
            with brought_to(found, files) as arrived:
                projects.save(owner, found, arrived)


def bring_in(owner: User, upload: Upload, told: Callable[[int], None]) -> int:
    """Store what is new, one transaction a conversation, so that others get their turn. Gives how many.

    ``told`` hears the count after each. What was stored before a BadFile stays; a second try goes on there.
    """
    count = 0
    columns = Columns(owner)
    try:
        with upload.attached() as files:
            take_in_beside(owner, upload, files)
            for talk, digest in new_ones(owner, upload):
                with brought(talk, files) as arrived:
                    made = bring_in_one(owner, talk, digest, arrived)
                if made:
                    columns.add(made, talk.column)
                    count += 1
                told(count)
    finally:
        columns.join()
    return count


def bring_in_one(owner: User, talk: Talk, digest: str, arrived: ByTurn = NO_FILES) -> Conversation | None:
    """Store one; None where another tab has just done it."""
    try:
        with write_transaction():
            origin = {"owner": owner, "source": talk.source, "digest": digest}
            origin["source_id"] = origin_id(talk, digest)
            Origin.objects.filter(**origin, conversation__deleted_at__isnull=False).delete()
            made = saving.save(owner, talk, arrived)
            Origin.objects.create(conversation=made, **origin)
    except IntegrityError:
        return None
    return made
