"""The bytes of the JSON files that an upload consists of. Nothing is ever unpacked onto the disk."""

from __future__ import annotations

import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from io import BufferedReader
from pathlib import Path, PurePosixPath

from chat.transfer import limits

CHUNK = 256 * 1024
#: Where the files of messages are in a zip, each named by its SHA-256.
FOLDER = "files/"
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
        if self._is_packed():
            yield from self._members()
            return
        with self._path.open("rb") as opened:
            yield self._name, self._counted(opened)

    @contextmanager
    def attached(self) -> Iterator[AttachedFiles]:
        """The files that came with messages; none in what is no zip."""
        if not self._is_packed():
            yield AttachedFiles(None)
            return
        with (
            _complaints(),
            _Bounded(self._path.open("rb", buffering=0)) as opened,
            zipfile.ZipFile(opened) as archive,
        ):
            yield AttachedFiles(archive)

    def _is_packed(self) -> bool:
        with self._path.open("rb") as opened:
            return opened.read(4) == b"PK\x03\x04"

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


class AttachedFiles:
    """Members ``files/SHA256`` of a zip. Their names are compared and never used as paths."""

    def __init__(self, archive: zipfile.ZipFile | None) -> None:
        self._archive = archive
        self._left = limits.LARGEST_FILES
        names = archive.namelist() if archive else ()
        self._digests = {name.removeprefix(FOLDER) for name in names if name.startswith(FOLDER)}

    def __contains__(self, digest: object) -> bool:
        return digest in self._digests

    def read(self, digest: str) -> bytes | None:
        """The bytes; None where there are none, too many, or others than the name says."""
        if self._archive is None or digest not in self:
            return None
        entry = self._archive.getinfo(FOLDER + digest)
        fits = entry.compress_type in _METHODS and not entry.flag_bits & _ENCRYPTED
        data = self._unpacked(entry) if fits else b""
        return data if data and sha256(data).hexdigest() == digest else None

    def _unpacked(self, entry: zipfile.ZipInfo) -> bytes:
        """Nothing where it is too much, whatever it says of itself."""
        most = min(limits.LARGEST_ATTACHED, self._left)
        try:
            with self._archive.open(entry) as member:  # type: ignore[union-attr]
                data = member.read(most + 1)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError):
            return b""
        self._left -= len(data)
        return data if len(data) <= most else b""


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
