"""What a reader sees while an answer is being written."""

from __future__ import annotations

import itertools

import pytest

from chat.markdown import MarkdownStream, Patch
from tests.chat.markdown.dom import Page, parse
from tests.chat.markdown.texts import tokens


def after(text: str) -> str:
    stream = MarkdownStream("m1")
    for token in tokens(text):
        stream.feed(token)
        stream.flush()
    return stream.snapshot()


def seen(text: str) -> str:
    return parse(after(text)).text()


def moments(text: str) -> list[str]:
    """Everything that can be read on the page at any time."""
    stream, page, found = MarkdownStream("m1"), Page("m1-body"), []
    for token in tokens(text):
        stream.feed(token)
        page.apply(stream.flush())
        found.append(page.body.text())
    return found


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a **bold", "<strong>bold"),
        ("a *slanted", "<em>slanted"),
        ("a _slanted", "<em>slanted"),
        ("a ***both", "<em><strong>both"),
        ("a ~~old", "<s>old"),
        ("a `code", "<code>code"),
        ("**bold `code", "<strong>bold <code>code"),
        ("- **bold", "<strong>bold"),
        ("> **bold", "<strong>bold"),
        ("## A **bold", "<strong>bold"),
    ],
)
def test_open_marks_already_work(text: str, shown: str) -> None:
    assert shown in after(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("see [the docs](https://exam", "see the docs"),
        ("see [the docs", "see the docs"),
        ("a ![cat](https://exam", "a cat"),
        ("x **", "x"),
        ("x **a*", "x a"),
        ("x `", "x"),
        ("x <https://exa", "x"),
        ("x &am", "x"),
        ("x \\", "x"),
    ],
)
def test_half_of_a_mark_is_not_shown(text: str, shown: str) -> None:
    assert seen(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "#",
        "##",
        "-",
        "*",
        "+",
        "1",
        "1.",
        "12.",
        "`",
        "``",
        "```",
        "```py",
        ">",
        "- [",
        "- [ ]",
        "**",
        "|",
        "$",
        "---",
    ],
)
def test_a_marker_alone_shows_nothing(text: str) -> None:
    assert seen(f"{text}") == ""
    assert seen(f"a\n\n{text}") == "a"


def test_an_open_fence_is_code_at_once() -> None:
    html = after("```python\nx =")
    assert html.startswith('<figure class="code" data-language="python"')
    assert "x =" in html


def test_a_complete_line_of_code_is_coloured_before_the_block_ends() -> None:
    assert '<span class="k">def</span>' in after("```python\ndef f():\n    pa")


def test_a_string_over_several_lines_is_right_when_the_block_ends() -> None:
    text = '```python\nx = """\ndef f\n"""\n```\n'
    assert '<span class="k">def</span>' in after(text.removesuffix("```\n"))
    assert '<span class="k">def</span>' not in after(text)


def test_a_table_never_shows_its_pipes() -> None:
    text = "Here:\n\n| Name | Size |\n|------|-----:|\n| one | 1 |\n| two | **2** |\n\nDone"
    assert not [moment for moment in moments(text) if "|" in moment or "--" in moment]


def test_pipes_that_are_no_table_are_text_again() -> None:
    assert seen("| x | y\nand more") == "| x | y and more"


def test_an_ordinary_answer_never_shows_its_marks() -> None:
    text = (
        "## What to do\n\nFirst **install the thing** with `pip install x`, then [read the docs](https://example.org).\n\n"
        "1. **Open** it\n2. *Look* at `it`\n   - [ ] and tick\n\n> A **quote** here\n\n```sh\nls\n```\n\nDone."
    )
    for moment in moments(text):
        assert not set("*`[]#>") & set(moment), moment


def test_text_on_the_page_never_shrinks_by_much() -> None:
    text = "Some **bold words** and `code`.\n\n- one\n- two\n\n1. a\n\n2. b\n\nTitle\n---\n\n> x\n> y\n\nend"
    lengths = [len(moment) for moment in moments(text)]
    assert all(after >= before - 4 for before, after in itertools.pairwise(lengths))


def test_plain_words_are_added_where_the_bold_is_open() -> None:
    stream = MarkdownStream("m1")
    stream.feed("a **bold")
    stream.flush()
    stream.feed(" and")
    assert stream.flush() == [Patch("m1-1e", "beforebegin", " and")]


def test_money_stays_money() -> None:
    assert seen("It is $5 and **now** $10 or so") == "It is $5 and now $10 or so"


def test_a_link_defined_before_works_while_streaming() -> None:
    html = after("[docs]: https://example.org\n\nSee [docs] now")
    assert 'href="https://example.org"' in html


def test_a_list_that_becomes_loose_is_so_from_its_start() -> None:
    html = after("- a\n\n- b")
    assert html.count("<p ") == 2


def test_windows_line_ends_are_line_ends() -> None:
    stream = MarkdownStream("m1")
    for piece in ("# a\r", "\nb\r", "\r\nc"):
        stream.feed(piece)
        stream.flush()
    assert parse(stream.snapshot()).text() == "a b c"
    assert stream.snapshot().count("<p ") == 2


def test_a_snapshot_waits_for_the_flush() -> None:
    stream = MarkdownStream("m1")
    stream.feed("a")
    assert stream.snapshot() == ""
    assert stream.text == "a"


def test_an_address_is_a_link_when_its_paragraph_ends() -> None:
    assert "mailto:" not in after("Write to bob@example.com, he")
    assert 'href="mailto:bob@example.com"' in after("Write to bob@example.com, he knows.\n\nThen wait")
