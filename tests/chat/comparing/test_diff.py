"""Two texts compared: nothing is lost, what is common is found, and no text makes it slow."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.comparing import alignment
from chat.comparing.alignment import common, matches
from chat.comparing.diff import Row, alike, rows, stretches, word_row

LETTERS = st.lists(st.sampled_from("abc"), max_size=24)
LINES = st.lists(
    st.sampled_from(["", "one two three", "one two four", "x", "}", "The end of it."]), max_size=14
)
#: Seconds; the bound is far below one on an idle machine.
PATIENCE = 20.0


def length_of_longest(first: list[str], second: list[str]) -> int:
    """The textbook's table."""
    table = [[0] * (len(second) + 1) for _item in range(len(first) + 1)]
    for a, x in enumerate(first):
        for b, y in enumerate(second):
            table[a + 1][b + 1] = table[a][b] + 1 if x == y else max(table[a][b + 1], table[a + 1][b])
    return table[-1][-1]


@given(LETTERS, LETTERS)
def test_the_common_subsequence_is_one_and_the_longest(first: list[str], second: list[str]) -> None:
    pairs = common(first, second)

    assert [first[a] for a, _b in pairs] == [second[b] for _a, b in pairs]
    assert all(one[0] < two[0] and one[1] < two[1] for one, two in pairwise(pairs))
    assert len(pairs) == length_of_longest(first, second)


@given(LETTERS, LETTERS)
def test_matches_are_ordered_and_equal(first: list[str], second: list[str]) -> None:
    end_a = end_b = 0
    for a, b, length in matches(first, second):
        assert (a >= end_a, b >= end_b, length > 0) == (True, True, True)
        assert first[a : a + length] == second[b : b + length]
        end_a, end_b = a + length, b + length


def text_of(rows_: list[Row], side: str) -> list[str]:
    lines = [getattr(row, side) for row in rows_]
    return ["".join(piece.text for piece in pieces) for pieces in lines if pieces]


@given(LINES, LINES)
def test_either_text_can_be_read_off_the_comparison(first: list[str], second: list[str]) -> None:
    found = list(rows(first, second))

    assert text_of(found, "first") == first
    assert text_of(found, "second") == second
    for row in found:
        assert row.same == (bool(row.first) and row.first == row.second)
        assert row.first or row.second


@given(st.text(alphabet="ab ,.\n", max_size=60), st.text(alphabet="ab ,.\n", max_size=60))
def test_folding_loses_nothing(first: str, second: str) -> None:
    found = [row for stretch in stretches(first, second) for row in stretch.rows]

    assert found == list(rows(first.splitlines(), second.splitlines()))


def test_words_that_changed_are_marked_inside_their_line() -> None:
    row = word_row("The capital of France is Paris, of course.", "The capital of Italy is Rome, of course.")

    assert [(piece.text, piece.changed) for piece in row.first] == [
        ("The capital of ", False),
        ("France is Paris", True),
        (", of course.", False),
    ]
    assert [piece.text for piece in row.second if piece.changed] == ["Italy is Rome"]


def test_lines_that_resemble_each_other_stand_side_by_side_and_others_do_not() -> None:
    first = ["Something only here entirely.", "Water boils at 100 degrees at sea level."]
    second = ["Water boils at 90 degrees on a mountain, at 100 at sea level.", "Quite another ending!"]

    assert alike(first, second) == [(1, 0)]
    kinds = [(bool(row.first), bool(row.second)) for row in rows(first, second)]
    assert kinds == [(True, False), (True, True), (False, True)]


def test_equal_texts_are_one_stretch_that_is_not_folded() -> None:
    (stretch,) = stretches("a\nb\nc\nd\ne\nf\ng\nh", "a\nb\nc\nd\ne\nf\ng\nh")

    assert not stretch.folded
    assert len(stretch.rows) == 8


def test_far_from_a_change_equal_lines_are_folded() -> None:
    lines = [f"line {number}" for number in range(30)]
    other = [*lines[:15], "something else altogether", *lines[16:]]

    found = stretches("\n".join(lines), "\n".join(other))

    assert [(len(stretch.rows), stretch.folded) for stretch in found] == [
        (13, True), (2, False), (2, False), (2, False), (12, True)
    ]  # fmt: skip


WORST = {
    "one word repeated": ("x " * 100_000, "x y " * 50_000),
    "one line repeated": ("}\n" * 90_000, "}\n{\n" * 45_000),
    "nothing in common": (
        "\n".join(f"left {number}" for number in range(16_000)),
        "\n".join(f"right {number * 7}" for number in range(16_000)),
    ),
    "one enormous line": ("word " * 40_000, "other word " * 18_000),
    "every second line": (
        "\n".join(str(number) for number in range(30_000)),
        "\n".join(str(number * 2) for number in range(30_000)),
    ),
}


@pytest.mark.parametrize("name", WORST)
def test_no_pair_of_texts_takes_long(name: str) -> None:
    first, second = WORST[name]
    began = time.process_time()

    found = stretches(first, second)

    assert time.process_time() - began < PATIENCE
    assert text_of([row for stretch in found for row in stretch.rows], "first") == first.splitlines()


def test_beyond_the_limit_beginning_and_end_are_still_common(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alignment, "LARGEST", 3)

    assert matches(list("abXYcd"), list("abUVcd")) == [(0, 0, 2), (4, 4, 2)]
