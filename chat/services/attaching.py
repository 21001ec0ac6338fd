"""Files that come with a question: checked, made harmless, then stored with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from django.core.files.uploadedfile import UploadedFile

from backends.models import CatalogueModel
from chat import files
from chat.models import Attachment, Message
from chat.services.uploads import Ready, prepared, refuse_early

if TYPE_CHECKING:
    from privatechathub.accounts.models import User


@dataclass(frozen=True, slots=True)
class Staged:
    """A file with its bytes on the disk, under names that go away unless they are kept."""

    ready: Ready
    content: Path
    thumbnail: Path | None


@contextmanager
def received(uploads: Sequence[UploadedFile[bytes]], model: CatalogueModel) -> Iterator[tuple[Staged, ...]]:
    """The files ready for :func:`attach`; whatever is not attached goes away at the end. Raises Refused.

    Not inside a transaction: an image takes up to seconds.
    """
    refuse_early(uploads, model)
    with ExitStack() as stack:
        yield tuple(staged(stack, prepared(upload)) for upload in uploads)


def staged(stack: ExitStack, ready: Ready) -> Staged:
    """Its bytes on the disk until the stack ends."""
    thumbnail = stack.enter_context(files.staged(ready.thumbnail)) if ready.thumbnail else None
    return Staged(ready, stack.enter_context(files.staged(ready.data)), thumbnail)


def attach(user: User, message: Message, arrived: Sequence[Staged]) -> None:
    """Store them with the message, whose ``attached`` counts them already. Last in the caller's transaction:
    bytes that were kept stay even when it fails."""
    for digest in sorted({item.ready.digest for item in arrived}):  # in one order: no two wait for each other
        files.hold(digest)
    for item in arrived:
        files.keep(item.content, item.ready.digest)
        if item.thumbnail:
            files.keep(item.thumbnail, item.ready.digest, files.THUMBNAIL)
    Attachment.objects.bulk_create(
        row_of(user, message, position, item.ready) for position, item in enumerate(arrived)
    )


def row_of(user: User, message: Message, position: int, ready: Ready) -> Attachment:
    """One row."""
    return Attachment(
        owner=user,
        message=message,
        position=position,
        name=ready.name,
        media_type=ready.media_type,
        digest=ready.digest,
        size=len(ready.data),
        width=ready.width,
        height=ready.height,
        text=ready.text,
    )
