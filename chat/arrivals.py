"""Files that were made harmless and read, on their way into the data folder."""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING

from django.utils.translation import gettext as _

from chat import files
from chat.documents import Kind, document_text, media_type_of
from chat.imaging import CleanImage, clean
from chat.models import Attachment, Message, Project
from chat.models.attachment import NAME_LENGTH

if TYPE_CHECKING:
    from privatechathub.accounts.models import User


@dataclass(frozen=True, slots=True)
class Ready:
    """A file that may be stored. ``text`` is what a model reads of it, empty for an image."""

    name: str
    media_type: str
    data: bytes
    digest: str
    text: str = ""
    thumbnail: bytes = b""
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, slots=True)
class Staged:
    """A file with its bytes on the disk, under names that go away unless they are kept. ``ready`` is without them:
    many may come at once. ``size`` is how many there are.
    """

    ready: Ready
    size: int
    content: Path
    thumbnail: Path | None


def image(name: str, source: IO[bytes]) -> Ready:
    """A picture, written anew. Raises BadImage."""
    found = clean(source)
    return _picture(name, found, found.data)


def same_image(name: str, data: bytes) -> Ready:
    """The same, but to the letter what it was where it is one that was written anew before. Raises BadImage."""
    found = clean(io.BytesIO(data))
    return _picture(name, found, data if found.was_clean else found.data)


def _picture(name: str, found: CleanImage, data: bytes) -> Ready:
    return Ready(
        name=name,
        media_type=found.media_type,
        data=data,
        digest=files.digest_of(data),
        thumbnail=found.thumbnail,
        width=found.width,
        height=found.height,
    )


def document(name: str, kind: Kind, data: bytes) -> Ready:
    """Something to read, kept as it came. Raises Unreadable."""
    text = document_text(kind, data)
    return Ready(name, media_type_of(kind, name), data, files.digest_of(data), text)


def file_name(given: str) -> str:
    """The last part of a name, without what no name needs: folders, control characters, directions."""
    base = PurePosixPath(given.replace("\\", "/")).name
    name = "".join(letter for letter in base if letter.isprintable()).strip()
    return shortened(name) if name.strip(".") else _("file")


def shortened(name: str) -> str:
    """At most as long as its column, with its ending."""
    if len(name) <= NAME_LENGTH:
        return name
    stem, dot, ending = name.rpartition(".")
    return stem[: NAME_LENGTH - 12] + "…" + dot + ending[:10] if dot else name[:NAME_LENGTH]


def staged(stack: ExitStack, ready: Ready) -> Staged:
    """Its bytes on the disk until the stack ends."""
    thumbnail = stack.enter_context(files.staged(ready.thumbnail)) if ready.thumbnail else None
    content = stack.enter_context(files.staged(ready.data))
    return Staged(replace(ready, data=b"", thumbnail=b""), len(ready.data), content, thumbnail)


def keep(arrived: Sequence[Staged]) -> None:
    """Give their bytes their names. Last in the caller's transaction, before its rows: bytes that were kept stay
    even when it fails.
    """
    for digest in sorted({item.ready.digest for item in arrived}):  # in one order: no two wait for each other
        files.hold(digest)
    for item in arrived:
        files.keep(item.content, item.ready.digest)
        if item.thumbnail:
            files.keep(item.thumbnail, item.ready.digest, files.THUMBNAIL)


def row_of(owner: User, place: Message | Project, position: int, arrived: Staged) -> Attachment:
    """One row, not saved yet. ``place`` is what the file belongs to."""
    ready = arrived.ready
    return Attachment(
        owner=owner,
        message=place if isinstance(place, Message) else None,
        project=place if isinstance(place, Project) else None,
        position=position,
        name=ready.name,
        media_type=ready.media_type,
        digest=ready.digest,
        size=arrived.size,
        width=ready.width,
        height=ready.height,
        text=ready.text,
    )
