"""Files of a project: read by all its conversations."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

from django.core.files.uploadedfile import UploadedFile
from django.db.models import F
from django.utils.translation import gettext as _

from backends.database import write_transaction
from chat.arrivals import keep, row_of, staged
from chat.documents import Kind
from chat.models import Attachment, Project
from chat.models.project import MOST_OF_PROJECT
from chat.services.refusals import Refused
from chat.services.uploads import kind_of_upload, name_of, prepared, refuse_large, refuse_many

if TYPE_CHECKING:
    from privatechathub.accounts.models import User


def add(user: User, project: Project, uploads: Sequence[UploadedFile[bytes]]) -> list[Attachment]:
    """Store them with the project. Raises Refused."""
    refuse_early(project, uploads)
    with ExitStack() as stack:
        arrived = [staged(stack, prepared(upload)) for upload in uploads]
        with write_transaction():
            held = Project.objects.select_for_update().get(pk=project.pk)
            refuse_full(held, len(arrived))
            keep(arrived)
            rows = [row_of(user, held, held.attached + at, item) for at, item in enumerate(arrived)]
            Attachment.objects.bulk_create(rows)
            Project.objects.filter(pk=held.pk).update(attached=F("attached") + len(rows))
    return rows


def refuse_early(project: Project, uploads: Sequence[UploadedFile[bytes]]) -> None:
    """What can be said without reading a file. Raises Refused."""
    refuse_many(uploads)
    refuse_full(project, len(uploads))
    refuse_large(uploads)
    for upload in uploads:
        if kind_of_upload(upload) is Kind.IMAGE:
            raise Refused(
                _("“%(name)s” is a picture. A project takes documents; attach pictures to a question.")
                % {"name": name_of(upload)}
            )


def refuse_full(project: Project, count: int) -> None:
    """A project takes only so many. Raises Refused."""
    if project.attached + count > MOST_OF_PROJECT:
        raise Refused(_("A project takes at most %(count)d files.") % {"count": MOST_OF_PROJECT})


def remove(row: Attachment) -> None:
    """Take a file out of its project."""
    with write_transaction():
        if Attachment.objects.filter(pk=row.pk).delete()[0]:
            Project.objects.filter(pk__in=[row.project_id]).update(attached=F("attached") - 1)
