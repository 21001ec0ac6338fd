"""The bytes of the JSON files that an upload consists of. Nothing is ever unpacked onto the disk."""

from __future__ import annotations

import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path, PurePosixPath

from chat.transfer import limits

CHUNK = 256 * 1024
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1
_SYMLINK = stat.S_IFLNK


class _Bounded(BufferedReader):
    """A file that refuses one huge read: ``zipfile`` reads a table of contents of any size at once."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > limits.LARGEST_DIRECTORY:
            raise limits.too_many_members()
        return super().read(size)


class Upload:
    """A file that somebody sent: JSON, or a zip of it. Raises BadFile, while it is read too."""

    def __init__(self, path: Path, name: str) -> None:
        self._path = path
        self._name = PurePosixPath(name.replace("\\", "/")).name[:100]
        self._left = limits.LARGEST_TOTAL

    def files(self) -> Iterator[tuple[str, Iterator[bytes]]]:
        """Each JSON file: its name, for people only, and its bytes in pieces."""
        with self._path.open("rb") as opened:
            packed = opened.read(4) == b"PK\x03\x04"
        if packed:
            yield from self._members()
            return
        with self._path.open("rb") as opened:
            yield self._name, self._counted(opened)

    def _members(self) -> Iterator[tuple[str, Iterator[bytes]]]:
        with (
            _complaints(),
            _Bounded(self._path.open("rb", buffering=0)) as opened,
            zipfile.ZipFile(opened) as archive,
        ):
            members = [entry for entry in archive.infolist() if _is_json(entry)]
            if len(members) > limits.MOST_MEMBERS:
                raise limits.too_many_members()
            for entry in members:
                if entry.flag_bits & _ENCRYPTED:
                    raise limits.locked_zip()
                with archive.open(entry) as member:
                    yield PurePosixPath(entry.filename).name[:100], self._unpacked(member)

    def _unpacked(self, member: object) -> Iterator[bytes]:
        with _complaints():
            yield from self._counted(member)

    def _counted(self, opened: object) -> Iterator[bytes]:
        """What is really read counts, not what a member says of its size."""
        while data := opened.read(CHUNK):  # type: ignore[attr-defined]
            self._left -= len(data)
            if self._left < 0:
                raise limits.too_large()
            yield data


def _is_json(entry: zipfile.ZipInfo) -> bool:
    """An ordinary JSON file. Where it claims to lie doesn't matter: only its bytes are read."""
    name = PurePosixPath(entry.filename).name
    linked = stat.S_IFMT(entry.external_attr >> 16) == _SYMLINK
    hidden = name.startswith(".") or "__MACOSX" in entry.filename
    fits = entry.compress_type in _METHODS
    return name.lower().endswith(".json") and not (linked or hidden or entry.is_dir()) and fits


@contextmanager
def _complaints() -> Iterator[None]:
    """What can be wrong with a zip, as a sentence for people."""
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, OSError) as error:
        raise limits.damaged_zip() from error
