"""Worker: the text of an office document, whatever its name says it is."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable

from chat.workers import book, opendocument, slides, word
from chat.workers.answers import NoText, answered
from chat.workers.package import Package
from chat.workers.sheets import sheets_text

MEMORY = 1024 * 1024 * 1024
PROCESSOR_SECONDS = 30
#: Bytes that all members of a workbook may say they have; its reader unpacks them itself, as a stream.
LARGEST_WORKBOOK = 512 * 1024 * 1024

#: The first bytes of files by Office before 2007, and the name that a locked newer one has inside ([MS-OFFCRYPTO]).
_OLD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_LOCKED = "EncryptedPackage".encode("utf-16-le")
#: Streams of old texts and presentations ([MS-DOC], [MS-PPT]); workbooks can be read.
_OLD_UNREAD = tuple(name.encode("utf-16-le") for name in ("WordDocument", "PowerPoint Document"))


def answer(data: bytes) -> bytes:
    """The text, or why there is none."""
    return answered(read, data)


def read(data: bytes) -> Iterable[str]:
    """Part by part. Raises NoText and whatever the readers raise."""
    if data.startswith(_OLD):
        return old(data)
    try:
        package = Package(data)
    except zipfile.BadZipFile:
        raise NoText("broken") from None
    if package.has(word.MAIN):
        return word.word_text(package)
    if package.has(slides.MAIN):
        return slides.slides_text(package)
    if package.has("xl/workbook.xml") or package.has("xl/workbook.bin"):
        return workbook(package, data)
    if package.has(book.MAIN):
        return book.book_text(package)
    if package.has(opendocument.MAIN):
        return opened(package, data)
    raise NoText("binary")


def old(data: bytes) -> Iterable[str]:
    """A file as they were before 2007. Raises NoText."""
    if _LOCKED in data:
        raise NoText("locked")
    if any(name in data for name in _OLD_UNREAD):
        raise NoText("old")
    return sheets_text(data)


def opened(package: Package, data: bytes) -> Iterable[str]:
    """An OpenDocument file. Raises NoText."""
    if package.has("META-INF/manifest.xml") and b"encryption-data" in package.read("META-INF/manifest.xml"):
        raise NoText("locked")
    kind = package.read("mimetype") if package.has("mimetype") else b""
    return workbook(package, data) if b"spreadsheet" in kind else opendocument.opendocument_text(package)


def workbook(package: Package, data: bytes) -> Iterable[str]:
    """One that says it is not too large. Raises NoText."""
    if package.unpacked_size > LARGEST_WORKBOOK:
        raise NoText("long")
    return sheets_text(data)
