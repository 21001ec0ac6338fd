"""A text cut into passages, each with the place where it stands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

#: Characters of a passage, about 300 tokens. It takes one more line, or lets a heading end it, up to or after so many.
LENGTH = 1200
SHORT = 300

_LINE = re.compile(rf"[^\n]{{1,{LENGTH}}}(?:(?<=\s)|(?=\n)|\Z)\n?|[^\n]{{{LENGTH}}}|\n")
#: What our own readers of documents write at the head of a page, a slide or a sheet.
_PAGE = re.compile(r"\[(Page|Slide) (\d{1,6})\]\n?\Z")
_SHEET = re.compile(r"## Sheet: (.{1,80})\n?\Z")
_HEADING = re.compile(r"#{1,6} (.{1,80})")
_PLAIN = "text/plain"


@dataclass(frozen=True, slots=True)
class Span:
    """Characters ``start`` to ``end`` of a text. ``place`` is ``UNIT:NAME``, for example ``page:12`` or ``line:40``."""

    start: int
    end: int
    place: str


def cut(text: str, media_type: str) -> list[Span]:
    """All of it, in order, without what is nothing but space."""
    spans = _spans(text, marked=media_type != _PLAIN)
    return [span for span in spans if text[span.start : span.end].strip()]


def _spans(text: str, *, marked: bool) -> Iterator[Span]:
    start, place, line = 0, "" if marked else "line:1", 1
    for found in _LINE.finditer(text):
        piece, at = found.group(), found.start()
        page = place_of(piece) if marked else ""
        full = at - start > SHORT and (at - start + len(piece) > LENGTH or _HEADING.match(piece))
        if at > start and (page or full):
            yield Span(start, at, place)
            start, place = at, place if marked else f"line:{line}"
        if page:
            place = page
        elif (
            marked
            and not place.startswith(("page:", "slide:", "sheet:"))
            and (named := _HEADING.match(piece))
        ):
            place = "heading:" + named[1].strip()
        line += piece.count("\n")
    if start < len(text):
        yield Span(start, len(text), place)


def place_of(line: str) -> str:
    """The page, slide or sheet that begins with this line; empty where none does."""
    if page := _PAGE.match(line):
        return f"{page[1].lower()}:{page[2]}"
    if sheet := _SHEET.match(line):
        return f"sheet:{sheet[1].strip()}"
    return ""
