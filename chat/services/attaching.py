"""Files that come with a question: checked, made harmless, then stored with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from django.core.files.uploadedfile import UploadedFile

from backends.models import CatalogueModel
from chat.arrivals import Staged, keep, row_of, staged
from chat.models import Attachment, Message
from chat.services.uploads import prepared, refuse_early

if TYPE_CHECKING:
    from privatechathub.accounts.models import User


@contextmanager
def received(uploads: Sequence[UploadedFile[bytes]], model: CatalogueModel) -> Iterator[tuple[Staged, ...]]:
    """The files ready for :func:`attach`; whatever is not attached goes away at the end. Raises Refused.

    Not inside a transaction: an image takes up to seconds.
    """
    refuse_early(uploads, model)
    with ExitStack() as stack:
        yield tuple(staged(stack, prepared(upload)) for upload in uploads)


def attach(user: User, message: Message, arrived: Sequence[Staged]) -> None:
    """Store them with the message, whose ``attached`` counts them already. Last in the caller's transaction:
    bytes that were kept stay even when it fails."""
    keep(arrived)
    Attachment.objects.bulk_create(
        row_of(user, message, position, item) for position, item in enumerate(arrived)
    )
