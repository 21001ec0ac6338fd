"""Files that come with a question: checked and made harmless before anything is stored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from django.core.files.uploadedfile import UploadedFile
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from backends.models import CatalogueModel
from chat import files
from chat.generation.attached import is_blind
from chat.imaging import BadImage, CleanImage, Trouble, clean
from chat.models import Attachment, Message
from chat.models.attachment import NAME_LENGTH
from chat.services.refusals import Refused

if TYPE_CHECKING:
    from privatechathub.accounts.models import User

#: Files of one question.
MOST_FILES = 8
#: Bytes of one file; a photo of 50 million pixels has about 25 million.
LARGEST_FILE = 40 * 1024 * 1024
#: What file choosers offer. Without HEIC in it, an iPhone hands photos over as JPEG.
ACCEPT = "image/jpeg,image/png,image/webp,image/gif"


@dataclass(frozen=True, slots=True)
class Ready:
    """A file that may be stored."""

    name: str
    digest: str
    image: CleanImage


@dataclass(frozen=True, slots=True)
class Staged:
    """The same with its bytes on the disk, under names that go away unless they are kept."""

    ready: Ready
    content: Path
    thumbnail: Path


@contextmanager
def received(uploads: Sequence[UploadedFile[bytes]], model: CatalogueModel) -> Iterator[tuple[Staged, ...]]:
    """The files ready for :func:`attach`; whatever is not attached goes away at the end. Raises Refused.

    Not inside a transaction: an image takes up to seconds.
    """
    refuse_early(uploads, model)
    with ExitStack() as stack:
        yield tuple(staged(stack, prepared(upload)) for upload in uploads)


def refuse_early(uploads: Sequence[UploadedFile[bytes]], model: CatalogueModel) -> None:
    """What can be said without opening a file. Raises Refused."""
    if len(uploads) > MOST_FILES:
        raise Refused(_("Send at most %(count)d files with one message.") % {"count": MOST_FILES})
    if uploads and is_blind(model):
        raise Refused(
            _("“%(model)s” can’t see images. Pick a model that can, or remove the images.") % {"model": model}
        )
    for upload in uploads:
        if (upload.size or 0) > LARGEST_FILE:
            raise Refused(
                _("“%(name)s” is too large. The limit is %(size)s.")
                % {"name": name_of(upload), "size": filesizeformat(LARGEST_FILE)}
            )


def prepared(upload: UploadedFile[bytes]) -> Ready:
    """One file, made harmless. Raises Refused."""
    name = name_of(upload)
    try:
        image = clean(upload)
    except BadImage as bad:
        raise Refused(why(bad.trouble) % {"name": name}) from None
    return Ready(name, files.digest_of(image.data), image)


def why(trouble: Trouble) -> str:
    """The sentence, with a place for the name."""
    return {
        Trouble.HEIC: _(
            "“%(name)s” is a HEIC photo, which AI servers can’t read. Save it as JPEG and attach that."
        ),
        Trouble.UNKNOWN: _("“%(name)s” is not an image that can be read. JPEG, PNG, WebP and GIF can."),
        Trouble.BROKEN: _("“%(name)s” is damaged and can’t be read."),
        Trouble.LARGE: _("“%(name)s” has too many pixels. Make it smaller and attach it again."),
    }[trouble]


def name_of(upload: UploadedFile[bytes]) -> str:
    """The last part of the name, without what no name needs: folders, control characters, directions."""
    base = PurePosixPath((upload.name or "").replace("\\", "/")).name
    name = "".join(letter for letter in base if letter.isprintable()).strip()
    return shortened(name) if name.strip(".") else _("image")


def shortened(name: str) -> str:
    """At most as long as its column, with its ending."""
    if len(name) <= NAME_LENGTH:
        return name
    stem, dot, ending = name.rpartition(".")
    return stem[: NAME_LENGTH - 12] + "…" + dot + ending[:10] if dot else name[:NAME_LENGTH]


def staged(stack: ExitStack, ready: Ready) -> Staged:
    """Its bytes on the disk until the stack ends."""
    return Staged(
        ready,
        stack.enter_context(files.staged(ready.image.data)),
        stack.enter_context(files.staged(ready.image.thumbnail)),
    )


def attach(user: User, message: Message, arrived: Sequence[Staged]) -> None:
    """Store them with the message, whose ``attached`` counts them already. Last in the caller's transaction:
    bytes that were kept stay even when it fails."""
    for digest in sorted(
        {item.ready.digest for item in arrived}
    ):  # in one order, so that no two wait for each other
        files.hold(digest)
    for item in arrived:
        files.keep(item.content, item.ready.digest)
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
        media_type=ready.image.media_type,
        digest=ready.digest,
        size=len(ready.image.data),
        width=ready.image.width,
        height=ready.image.height,
    )
