"""What stands around the words that were looked for, with those words marked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from chat.searching.folding import folded_in_place
from chat.searching.language import Query, Term

#: Characters of an excerpt, and how many of them come before the first word.
LENGTH, BEFORE = 240, 70
#: Places of a text that are looked at for the one with most of the words.
_PLACES = 200
#: Marks of Markdown, which say nothing here.
_MARKUP = re.compile(r"[*`~]+|(?<!\w)_+|_+(?!\w)|^\s*(?:[#>]+|[-+]\s)|\|+|-{3,}", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of an excerpt; ``is_match`` where it was looked for."""

    text: str
    is_match: bool = False


def excerpt(text: str, query: Query, before: int = BEFORE) -> tuple[Piece, ...]:
    """The most telling stretch of the text, in one line, with so many characters ``before`` the first word."""
    start = _best_start(text, query, before)
    line, cut_before, cut_after = _line(text, start)
    pieces = list(marked(line, query))
    if cut_before:
        pieces.insert(0, Piece("…"))
    if cut_after:
        pieces.append(Piece("…"))
    return tuple(pieces)


def marked(line: str, query: Query) -> Iterator[Piece]:
    """The line in pieces, the words that were looked for among them."""
    end = 0
    for found in _pattern(query).finditer(folded_in_place(line)):
        if found.start() > end:
            yield Piece(line[end : found.start()])
        yield Piece(line[found.start() : found.end()], is_match=True)
        end = found.end()
    if end < len(line):
        yield Piece(line[end:])


def as_text(pieces: Iterable[Piece]) -> str:
    """The excerpt without marks."""
    return "".join(piece.text for piece in pieces)


def _pattern(query: Query) -> re.Pattern[str]:
    terms = sorted(query.terms, key=lambda term: -len(" ".join(term.words)))
    fragments = sorted(query.fragments, key=len, reverse=True)
    words = [rf"(?<![^\W_])(?:{'|'.join(map(_term, terms))})"] if terms else []
    # Nothing is looked for: a pattern that nothing fits.
    return re.compile(
        "|".join([*words, *(re.escape(folded_in_place(part)) for part in fragments)]) or r"(?!)"
    )


def _term(term: Term) -> str:
    words = r"[\W_]+".join(map(re.escape, term.words))
    return words + (r"(?![^\W_])" if term.exact else r"[^\W_]*")


def _best_start(text: str, query: Query, before: int) -> int:
    """Where the excerpt begins: before the place that has the most different words after it."""
    found = _pattern(query).finditer(folded_in_place(text))
    places = [(match.start(), match[0]) for match, _count in zip(found, range(_PLACES), strict=False)]
    best, most = 0, 0
    for at, (start, _word) in enumerate(places):
        near = {word for place, word in places[at:] if place < start + LENGTH - before}
        if len(near) > most:
            best, most = start, len(near)
    return max(0, best - before)


def _line(text: str, start: int) -> tuple[str, bool, bool]:
    """One line from about there, whole words, and whether something was cut off before and after."""
    if start:
        space = text.find(" ", start, start + BEFORE // 2)
        start = space + 1 if space >= 0 else start
    rough = text[start : start + 3 * LENGTH]
    line = " ".join(_MARKUP.sub("", rough).split())
    if len(line) <= LENGTH:
        return line, start > 0, start + len(rough) < len(text)
    cut = line.rfind(" ", LENGTH // 2, LENGTH)
    return line[: cut if cut > 0 else LENGTH], start > 0, True
