"""A document that is a zip of XML files: OOXML (ECMA-376), OpenDocument (ISO/IEC 26300), EPUB (ISO/IEC 23761)."""

from __future__ import annotations

import io
import posixpath
import zipfile
from collections.abc import Iterator
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from chat.workers.answers import NoText

#: Members, bytes of one of them unpacked, and of all that are read. Real documents stay far below.
MOST_MEMBERS = 10_000
LARGEST_MEMBER = 64 * 1024 * 1024
LARGEST_TOTAL = 128 * 1024 * 1024
_CHUNK = 1024 * 1024


class Package:
    """Its members by name, unpacked one at a time. Nothing is ever written, and no name is ever a path."""

    def __init__(self, data: bytes) -> None:
        self._archive = zipfile.ZipFile(io.BytesIO(data))
        self._left = LARGEST_TOTAL
        if len(self._archive.namelist()) > MOST_MEMBERS:
            raise NoText("long")

    @property
    def unpacked_size(self) -> int:
        """Bytes, as the members say of themselves."""
        return sum(entry.file_size for entry in self._archive.infolist())

    def has(self, name: str) -> bool:
        """Whether there is such a member."""
        return name in self._archive.NameToInfo

    def read(self, name: str) -> bytes:
        """A member's bytes. What is really unpacked counts, not what it says of itself. Raises NoText, KeyError."""
        entry = self._archive.getinfo(name)
        if entry.flag_bits & 0x1:
            raise NoText("locked")
        found = bytearray()
        with self._archive.open(entry) as member:
            while piece := member.read(_CHUNK):
                found += piece
                self._left -= len(piece)
                if len(found) > LARGEST_MEMBER or self._left < 0:
                    raise NoText("long")
        return bytes(found)

    def tree(self, name: str) -> Element:
        """A member as XML. Raises NoText, KeyError, expat.ExpatError."""
        return parsed(self.read(name))

    def targets(self, name: str) -> dict[str, tuple[str, str]]:
        """What a part of an OOXML package refers to inside of it: id -> its kind and its member's name."""
        folder, base = posixpath.split(name)
        listed = f"{folder}/_rels/{base}.rels"
        if not self.has(listed):
            return {}
        found = {}
        for each in self.tree(listed).iter("Relationship"):
            target = posixpath.normpath(posixpath.join("/", folder, each.get("Target", ""))).lstrip("/")
            if each.get("TargetMode") != "External" and self.has(target):
                found[each.get("Id", "")] = (each.get("Type", "").rpartition("/")[2], target)
        return found


def parsed(data: bytes) -> Element:
    """XML as a tree of local names: no two of them that we ask for differ by their namespace alone.

    Raises NoText where it declares a document type: none of these formats has one, so no entity is ever expanded
    and nothing outside is ever named.
    """
    builder = TreeBuilder()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.StartElementHandler = lambda tag, attributes: builder.start(
        _local(tag), {_local(key): value for key, value in attributes.items()}
    )
    parser.EndElementHandler = lambda tag: builder.end(_local(tag))
    parser.CharacterDataHandler = builder.data
    parser.Parse(data, True)
    return builder.close()


def _refuse_doctype(*_declared: object) -> None:
    raise NoText("broken")


def _local(name: str) -> str:
    return name.rpartition(" ")[2]


def words(element: Element, left_out: frozenset[str]) -> Iterator[Element]:
    """The elements below one in the order of the text, without what lies in those that are left out.

    No recursion: documents can be nested without end.
    """
    stack = list(reversed(element))
    while stack:
        found = stack.pop()
        if found.tag not in left_out:
            yield found
            stack.extend(reversed(found))
