"""Two texts line by line, and where lines resemble each other, word by word."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from chat.comparing.alignment import common, matches

#: Share of words in common from which on two lines are shown as one that changed.
ALIKE = 0.35
#: Pairs of lines that are tried for likeness in one stretch; in longer ones nothing is paired.
MOST_PAIRS = 2500
#: Characters of words that two changed lines share by chance, and that would only tear a sentence apart.
CHANCE = 3
#: Equal lines shown before and after a change.
AROUND = 2

_WORD = re.compile(r"\w+\s*|[^\w\s]\s*|\s+")


@dataclass(frozen=True, slots=True)
class Piece:
    """Part of a line. ``changed``: only this text has it."""

    text: str
    changed: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One line of each text; an empty tuple where a text has none. ``same``: they are equal."""

    first: tuple[Piece, ...]
    second: tuple[Piece, ...]
    same: bool = False


@dataclass(frozen=True, slots=True)
class Stretch:
    """Rows that belong together. ``folded``: equal ones, far from any change."""

    rows: tuple[Row, ...]
    folded: bool = False


def stretches(first: str, second: str) -> list[Stretch]:
    """The comparison. Equal texts are one stretch."""
    found: list[Stretch] = []
    run: list[Row] = []
    rows_ = list(rows(first.splitlines(), second.splitlines()))
    for row in [*rows_, None]:
        if row is None or (run and row.same != run[0].same):
            found += folded(run, is_first=not found, is_last=row is None)
            run = []
        if row is not None:
            run.append(row)
    return found


def folded(run: Sequence[Row], *, is_first: bool, is_last: bool) -> Iterator[Stretch]:
    """A run of equal rows, its middle folded where that saves anything; another run as it is."""
    head, tail = 0 if is_first else AROUND, 0 if is_last else AROUND
    if not run or not run[0].same or len(run) <= head + tail + 1 or (is_first and is_last):
        yield Stretch(tuple(run))
        return
    parts = run[:head], run[head : len(run) - tail], run[len(run) - tail :]
    for part, is_middle in zip(parts, (False, True, False), strict=True):
        if part:
            yield Stretch(tuple(part), folded=is_middle)


def rows(first: Sequence[str], second: Sequence[str]) -> Iterator[Row]:
    """All lines of both."""
    a = b = 0
    for start_a, start_b, length in [*matches(first, second), (len(first), len(second), 0)]:
        yield from changed_rows(first[a:start_a], second[b:start_b])
        a, b = start_a + length, start_b + length
        for line in first[start_a:a]:
            piece = (Piece(line, changed=False),)
            yield Row(piece, piece, same=True)


def changed_rows(first: Sequence[str], second: Sequence[str]) -> Iterator[Row]:
    """Lines between two equal ones: those that resemble each other stand side by side."""
    a = b = 0
    for at_a, at_b in [*alike(first, second), (len(first), len(second))]:
        yield from (Row(whole(line), ()) for line in first[a:at_a])
        yield from (Row((), whole(line)) for line in second[b:at_b])
        if at_a < len(first) and at_b < len(second):
            yield word_row(first[at_a], second[at_b])
        a, b = at_a + 1, at_b + 1


def whole(line: str) -> tuple[Piece, ...]:
    """A line that only one text has."""
    return (Piece(line, changed=True),)


def alike(first: Sequence[str], second: Sequence[str]) -> list[tuple[int, int]]:
    """Pairs of lines, in order, whose likeness is the greatest in all."""
    if not first or not second or len(first) * len(second) > MOST_PAIRS:
        return []
    words_a, words_b = ([Counter(words(line)) for line in lines] for lines in (first, second))
    best = [[0.0] * (len(second) + 1) for _line in range(len(first) + 1)]
    gains = [[likeness(a, b) for b in words_b] for a in words_a]
    for a in range(len(first) - 1, -1, -1):
        for b in range(len(second) - 1, -1, -1):
            paired = best[a + 1][b + 1] + gains[a][b] if gains[a][b] else 0.0
            best[a][b] = max(best[a + 1][b], best[a][b + 1], paired)
    return list(chosen(best, gains))


def chosen(best: list[list[float]], gains: list[list[float]]) -> Iterator[tuple[int, int]]:
    """The pairs that make up the best sum."""
    a = b = 0
    while a < len(gains) and b < len(gains[0]):
        if gains[a][b] and best[a][b] == best[a + 1][b + 1] + gains[a][b]:
            yield a, b
            a, b = a + 1, b + 1
        elif best[a][b] == best[a + 1][b]:
            a += 1
        else:
            b += 1


def likeness(first: Counter[str], second: Counter[str]) -> float:
    """The share of words in common, 0 where it is too small to count."""
    total = first.total() + second.total()
    share = 2 * (first & second).total() / total if total else 0.0
    return share if share >= ALIKE else 0.0


def word_row(first: str, second: str) -> Row:
    """Two lines that resemble each other, word by word."""
    words_a, words_b = _WORD.findall(first), _WORD.findall(second)
    pairs = telling(common([w.strip() for w in words_a], [w.strip() for w in words_b]), words_a, words_b)
    return Row(
        pieces(words_a, {a for a, _b in pairs}),
        pieces(words_b, {b for _a, b in pairs}),
    )


def telling(
    pairs: list[tuple[int, int]], first: Sequence[str], second: Sequence[str]
) -> list[tuple[int, int]]:
    """The pairs without those that stand alone between changes and say nothing: a comma, a short word."""
    found: list[tuple[int, int]] = []
    run: list[tuple[int, int]] = []
    edges = {(0, 0), (len(first) - 1, len(second) - 1)}
    for pair in [*pairs, (-1, -1)]:
        if run and pair != (run[-1][0] + 1, run[-1][1] + 1):
            says = sum(len(first[a].strip()) for a, _b in run)
            if says > CHANCE or edges & set(run):
                found += run
            run = []
        run.append(pair)
    return found


def pieces(words_: Sequence[str], kept: set[int]) -> tuple[Piece, ...]:
    """Words as pieces, neighbours of one kind together."""
    found: list[Piece] = []
    for at, word in enumerate(words_):
        changed = at not in kept
        if found and found[-1].changed == changed:
            word = found.pop().text + word
        found.append(Piece(word, changed))
    return tuple(found)


def words(line: str) -> list[str]:
    """The words of a line, in small letters, without spaces."""
    return [word.strip().lower() for word in _WORD.findall(line)]
