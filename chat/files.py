"""Bytes of attachments, kept once for each content in the data folder: ``files/ab/cdef…``, named by SHA-256.

Whose they are and who may see them is in rows (``chat.models.Attachment``), never here.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

from django.conf import settings
from django.db import connection

#: What a thumbnail's file is called beside its image.
THUMBNAIL = ".thumbnail"


def digest_of(data: bytes) -> str:
    """The name of that content, 64 hexadecimal digits."""
    return sha256(data).hexdigest()


def path_of(digest: str, suffix: str = "") -> Path:
    """Where that content is kept. The digest comes from a row, never from a person."""
    return Path(settings.MEDIA_ROOT) / digest[:2] / (digest[2:] + suffix)


def read(digest: str, suffix: str = "") -> bytes:
    """The content. Raises FileNotFoundError where it is gone, by hand for example."""
    return path_of(digest, suffix).read_bytes()


@contextmanager
def staged(data: bytes) -> Iterator[Path]:
    """The content safely on the disk under a name that goes away at the end, for :func:`keep`."""
    folder = Path(settings.MEDIA_ROOT)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = folder / f".draft-{os.getpid()}-{secrets.token_hex(8)}"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        yield draft
    finally:
        draft.unlink(missing_ok=True)


def keep(draft: Path, digest: str, suffix: str = "") -> None:
    """Give a staged content its name. It appears whole or not at all."""
    path = path_of(digest, suffix)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    draft.replace(path)


def remove(digest: str) -> None:
    """Forget a content and its thumbnail."""
    for suffix in ("", THUMBNAIL):
        path_of(digest, suffix).unlink(missing_ok=True)
    with suppress(OSError):  # others are in it
        path_of(digest).parent.rmdir()


def hold(digest: str) -> None:
    """Let nobody store or remove that content until the caller's transaction ends.

    SQLite has one writer anyway; on PostgreSQL it is an advisory lock.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [int(digest[:15], 16)])
