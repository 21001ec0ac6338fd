"""What two sequences have in common, in an order that both keep: a longest common subsequence.

The bit-parallel algorithm of Hyyrö (2004, “Bit-parallel LCS-length computation revisited”), one whole number for
each row: its cost is bounded by the product of the lengths whatever the sequences hold, unlike
``difflib.SequenceMatcher``, which a text of repeated words makes cubic.
"""

from __future__ import annotations

from collections.abc import Sequence

#: Product of the lengths, after what begins and ends the same is taken off: 8 MB, well below a second.
LARGEST = 64_000_000

#: Stretches that are the same: start in the first, start in the second, length.
Match = tuple[int, int, int]


def matches(first: Sequence[str], second: Sequence[str]) -> list[Match]:
    """Where they are the same, in order. Beyond ``LARGEST`` only what they begin and end with."""
    start = common_prefix(first, second)
    end = common_prefix(first[start:][::-1], second[start:][::-1])
    middle = first[start : len(first) - end], second[start : len(second) - end]
    pairs = [(a + start, b + start) for a, b in common(*middle)]
    found = [(0, 0, start), *stretches(pairs), (len(first) - end, len(second) - end, end)]
    return [match for match in found if match[2]]


def common_prefix(first: Sequence[str], second: Sequence[str]) -> int:
    """How many items they begin with together."""
    return next(
        (at for at, (a, b) in enumerate(zip(first, second, strict=False)) if a != b),
        min(len(first), len(second)),
    )


def common(first: Sequence[str], second: Sequence[str]) -> list[tuple[int, int]]:
    """A longest common subsequence as pairs of places; none where it would take too long."""
    if not first or not second or len(first) * len(second) > LARGEST:
        return []
    rows = lengths(first, second)
    pairs = []
    a, b = len(first), len(second)
    while a and b:
        if first[a - 1] == second[b - 1]:
            a, b = a - 1, b - 1
            pairs.append((a, b))
        elif rows[a - 1] >> (b - 1) & 1:
            b -= 1
        else:
            a -= 1
    return pairs[::-1]


def lengths(first: Sequence[str], second: Sequence[str]) -> list[int]:
    """For each item of the first a row of bits; a zero says that the length grows at that place of the second."""
    places: dict[str, int] = {}
    for at, item in enumerate(second):
        places[item] = places.get(item, 0) | 1 << at
    whole = (1 << len(second)) - 1
    row, rows = whole, []
    for item in first:
        shared = row & places.get(item, 0)
        row = ((row + shared) | (row - shared)) & whole
        rows.append(row)
    return rows


def stretches(pairs: Sequence[tuple[int, int]]) -> list[Match]:
    """Neighbouring pairs as one."""
    found: list[Match] = []
    for a, b in pairs:
        if found and found[-1][0] + found[-1][2] == a and found[-1][1] + found[-1][2] == b:
            found[-1] = (found[-1][0], found[-1][1], found[-1][2] + 1)
        else:
            found.append((a, b, 1))
    return found
