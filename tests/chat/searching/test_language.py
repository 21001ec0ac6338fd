"""What is typed into the search field always means something, and never what FTS5 or PostgreSQL would read in it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from chat.searching.excerpts import BEFORE, LENGTH, as_text, excerpt
from chat.searching.folding import fold, folded_in_place
from chat.searching.language import Has, Query, Speaker, Term, day_of, parse

#: Pieces that mean something to the parser, to FTS5, to to_tsquery, to LIKE and to HTML.
SPICE = st.lists(
    st.one_of(
        st.sampled_from(
            [
                *"\" ' - * ( ) ^ : + AND OR NOT NEAR( words: \\ % _ & | ! <-> ; -- { } :* a <b>".split(),  # noqa: SIM905
                *"from: from:me has:image before: after:2026 tag: in:archive model:".split(),  # noqa: SIM905
                *"İ ß é e\u0301 한국어 日本語 हिन्दी ﬁ 🙂".split(),  # noqa: SIM905
                *" \x00\n",
            ]
        ),
        st.text(max_size=8),
    ),
    max_size=12,
).map("".join)


def test_words_phrases_and_what_must_not_be_there() -> None:
    assert parse('Été "exact phrase" half-done -without -"two words"') == Query(
        terms=(
            Term(("ete",)),
            Term(("exact", "phrase"), exact=True),
            Term(("half", "done")),
        ),
        without=(Term(("without",)), Term(("two", "words"), exact=True)),
    )


def test_words_without_spaces_between_them_may_stand_anywhere() -> None:
    assert parse("日本語 tokyo") == Query(terms=(Term(("tokyo",)),), fragments=("日本語",))
    assert [piece.text for piece in excerpt("私は日本語を勉強する", parse("日本語")) if piece.is_match] == [
        "日本語"
    ]


def test_filters() -> None:
    query = parse(
        'from:me model:qwen3 project:"My garden" tag:#work tag:home has:images has:code after:2026-03 in:archive'
    )
    assert query == Query(
        speaker=Speaker.ME,
        models=("qwen3",),
        projects=("My garden",),
        tags=("work", "home"),
        has=frozenset({Has.IMAGE, Has.CODE}),
        after=date(2026, 3, 1),
        in_archive=True,
    )
    assert query.is_about_messages
    assert parse("FROM:model").speaker is Speaker.MODEL


@pytest.mark.parametrize(
    "text", ["from:nobody", "has:pudding", "before:soon", "after:2026-13", "in:nowhere", "before:0001"]
)
def test_a_filter_that_means_nothing_is_told(text: str) -> None:
    query = parse(text)
    assert query.is_empty
    assert query.unclear == (text,)


@pytest.mark.parametrize("text", ["", "   ", '"', '""', "-", "!!!", "model:", "tag:#", "in:", "has:", "🙂"])
def test_nothing_is_wanted(text: str) -> None:
    assert parse(text).is_empty


def test_other_words_with_a_colon_are_words() -> None:
    assert parse("http://localhost:8000 note:this").terms[0] == Term(("http", "localhost", "8000"))


@pytest.mark.parametrize(
    ("word", "day"),
    [
        ("2026", date(2026, 1, 1)),
        ("2026-2", date(2026, 2, 1)),
        ("2024-02-29", date(2024, 2, 29)),
        ("2026-02-29", None),
    ],
)
def test_days(word: str, day: date | None) -> None:
    assert day_of(word) == day


def test_days_from_now() -> None:
    today = timezone.localdate()
    assert (day_of("today"), day_of("yesterday"), day_of("7d")) == (
        today, today - timedelta(days=1), today - timedelta(days=7),
    )  # fmt: skip


@given(SPICE)
def test_every_text_means_something(text: str) -> None:
    query = parse(text)
    for term in (*query.terms, *query.without):
        assert term.words
        assert all(word.isalnum() for word in term.words)
        assert all(fold(word) == word for word in term.words)


@given(st.text())
def test_folding_in_place_keeps_places(text: str) -> None:
    assert len(folded_in_place(text)) == len(text)


@given(st.text(max_size=600), SPICE)
def test_an_excerpt_holds_nothing_but_the_text(text: str, wanted: str) -> None:
    pieces = excerpt(text, parse(wanted))
    assert len(as_text(pieces)) <= LENGTH + 2
    squeezed = "".join(text.split())
    for word in as_text(pieces).strip("…").split():
        assert word in squeezed or any(mark in squeezed for mark in "*`#>|~_-+")


def test_an_excerpt_shows_the_words_where_most_of_them_are() -> None:
    text = "a needle " + "hay " * 300 + "the **Needle** stood in the old barn" + " hay" * 300
    pieces = excerpt(text, parse("needle barn"))
    assert [piece.text for piece in pieces if piece.is_match] == ["Needle", "barn"]
    shown = as_text(pieces)
    assert shown.startswith("…")
    assert shown.endswith("…")
    assert shown.index("Needle") <= BEFORE + 10


@pytest.mark.parametrize(
    ("text", "wanted", "found"),
    [
        ("Café au lait", "cafe", ["Café"]),
        ("recipes", "recip", ["recipes"]),
        ("recipes", '"recipe"', []),
        ("a recipe", '"recipe"', ["recipe"]),
        ("state-of-the-art", '"state of the"', ["state-of-the"]),
        ("precipice", "recip", []),
    ],
)
def test_what_is_marked(text: str, wanted: str, found: list[str]) -> None:
    assert [piece.text for piece in excerpt(text, parse(wanted)) if piece.is_match] == found
