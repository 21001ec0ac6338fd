"""A JSON file as its top-level objects, one after the other: never more than one of them in memory."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from chat.transfer import limits

_BOM = b"\xef\xbb\xbf"
_OUTSIDE = re.compile(rb'["\[\]{}]')
_INSIDE = re.compile(rb'["\\]')
_QUOTE, _BACKSLASH, _BRACKET, _BRACE, _END_OF_LIST = b'"\\[{]'


class Splitter:
    """Takes bytes and gives the objects that they complete, those of an array one by one.

    Only strings and brackets are told apart here: whoever parses an object sees whether it is JSON.
    An object that is too large or too deep comes as None.
    """

    def __init__(self) -> None:
        self._object = bytearray()
        self._inside = self._in_string = self._escaped = self._begun = self._too_much = False
        self._depth = self._base = 0

    def feed(self, data: bytes) -> Iterator[bytes | None]:
        """What ends within these bytes."""
        begin, place = 0, int(self._escaped)
        self._escaped = False
        while found := (_INSIDE if self._in_string else _OUTSIDE).search(data, place):
            place, mark = found.end(), data[found.start()]
            if mark == _QUOTE:
                self._in_string = not self._in_string
            elif mark == _BACKSLASH:
                self._escaped = place == len(data)
                place += 1
            elif mark in (_BRACKET, _BRACE):
                if self._open(mark):
                    begin = found.start()
            elif self._close(mark):
                self._keep(data[begin:place])
                yield self._whole()
        if self._inside:
            self._keep(data[begin:])

    @property
    def is_complete(self) -> bool:
        """Whether everything that was opened has been closed."""
        return self._begun and not self._depth

    def _open(self, mark: int) -> bool:
        """Whether an object begins here."""
        if not self._begun:
            self._begun, self._base = True, int(mark == _BRACKET)
        begins = mark == _BRACE and self._depth == self._base
        self._inside = self._inside or begins
        self._depth += 1
        self._too_much = self._too_much or self._depth > limits.DEEPEST_JSON
        return begins

    def _close(self, mark: int) -> bool:
        """Whether an object ends here. Raises BadFile."""
        self._depth -= 1
        ends = self._inside and self._depth == self._base
        if self._depth < 0 or (ends and mark == _END_OF_LIST):
            raise limits.not_json()
        return ends

    def _keep(self, data: bytes) -> None:
        self._too_much = self._too_much or len(self._object) + len(data) > limits.LARGEST_ITEM
        if self._too_much:
            self._object.clear()
        else:
            self._object += data

    def _whole(self) -> bytes | None:
        found = None if self._too_much else bytes(self._object)
        self._object.clear()
        self._inside = self._too_much = False
        return found


def split(chunks: Iterable[bytes]) -> Iterator[bytes | None]:
    """The objects of a file. Raises BadFile where it is no JSON or ends too early."""
    splitter = Splitter()
    first = True
    for chunk in chunks:
        if first and chunk.removeprefix(_BOM).lstrip()[:1] not in (b"[", b"{"):
            raise limits.not_json()
        first = False
        yield from splitter.feed(chunk)
    if not splitter.is_complete:
        raise limits.not_json()
