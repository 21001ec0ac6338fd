"""The price of a token does not depend on where in the answer it stands.

Counted, not timed: the characters that go through the parser, the lexer and the scanner, and the bytes sent.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from statistics import mean

import pytest

from chat.markdown import MarkdownStream, code, delimiters, engine, lines, render
from tests.chat.markdown.texts import tokens

COUNT = 10_000
WORDS = [
    "the",
    "quick",
    "brown",
    "fox",
    "jumps",
    "over",
    "lazy",
    "dogs",
    "and",
    "then",
    "some",
    "more",
    "words",
    "follow",
    "here",
]


def words(count: int, at: int = 0) -> str:
    return " ".join(WORDS[(at * 7 + number) % len(WORDS)] for number in range(count))


def repeated(piece: Callable[[int], str]) -> str:
    return "".join(piece(number) for number in range(2_600))


SHAPES = {
    "many paragraphs": repeated(lambda i: f"{words(9, i)}\n\n"),
    "one paragraph without a line end": words(COUNT),
    "one paragraph of many lines": repeated(lambda i: f"{words(9, i)}\n"),
    "one paragraph full of marks": repeated(lambda i: f"{words(3, i)} **{words(2, i)}** and `code_{i}` "),
    "one paragraph with marks never closed": "a **b *c [d `e $f " + words(COUNT),
    "one paragraph without spaces": "这是一个很长的段落，没有任何空格。" * 800,
    "a fence with a language": "```python\n" + repeated(lambda i: f"    def f{i}(x): return 'a{i}' + x\n"),
    "a fence without a language": "```\n" + repeated(lambda i: f"    def f{i}(x): return 'a{i}' + x\n"),
    "a fence of one line": "```python\n" + words(COUNT),
    "a list": repeated(lambda i: f"- {words(4, i)}\n"),
    "a loose list": repeated(lambda i: f"{i}. **{words(2, i)}** {words(3, i)}\n\n"),
    "a list of one item": "- " + words(COUNT),
    "nested lists": repeated(lambda i: f"{'  ' * (i % 4)}- {words(4, i)}\n"),
    "a table": "| a | b | c |\n|---|---|---|\n" + repeated(lambda i: f"| {i} | {words(3, i)} | **{i}** |\n"),
    "a quote": repeated(lambda i: f"> {words(8, i)}\n"),
    "a quote of one line": "> " + words(COUNT),
}


class Meter:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.characters = 0
        for module, name in (
            (engine, "inline"),
            (engine, "blocks"),
            (code, "highlight"),
            (delimiters, "scan"),
            (lines, "starts"),
        ):
            monkeypatch.setattr(module, name, self._counting(getattr(module, name)))

    def _counting(self, function: Callable[..., object]) -> Callable[..., object]:
        def counted(text: str, *rest: object, **named: object) -> object:
            self.characters += len(text)
            return function(text, *rest, **named)

        return counted


def play(text: str, meter: Meter) -> tuple[list[int], list[int]]:
    """For each token: the characters worked on, the bytes sent."""
    stream = MarkdownStream("m1")
    work, sent = [], []
    for token in tokens(text)[:COUNT] if " " in text else text[:COUNT]:
        before = meter.characters
        stream.feed(token)
        patches = stream.flush()
        work.append(meter.characters - before)
        sent.append(sum(len(patch.html.encode()) + len(patch.target) for patch in patches))
    return work, sent


@pytest.mark.parametrize("shape", SHAPES)
def test_the_last_tokens_cost_what_the_first_did(shape: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text = SHAPES[shape]
    work, sent = play(text, Meter(monkeypatch))
    tenth = len(work) // 10
    assert tenth > 900
    assert mean(work[-tenth:]) <= 1.5 * mean(work[:tenth]) + 2
    assert mean(sent[-tenth:]) <= 1.5 * mean(sent[:tenth]) + 8


@pytest.mark.parametrize("shape", SHAPES)
def test_a_token_sends_little(shape: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _, sent = play(SHAPES[shape], Meter(monkeypatch))
    assert mean(sent) < 120


def test_a_plain_word_needs_no_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    meter = Meter(monkeypatch)
    stream = MarkdownStream("m1")
    stream.feed("It begins")
    stream.flush()
    before = meter.characters
    for _ in range(100):
        stream.feed(" word")
        (patch,) = stream.flush()
        assert patch.html == " word"
    assert meter.characters == before


def test_an_open_table_row_grows_at_a_linear_price(monkeypatch: pytest.MonkeyPatch) -> None:
    meter = Meter(monkeypatch)
    text = "| a | b |\n|---|---|\n| " + "**b** " * 4_000
    _, sent = play(text, meter)
    assert meter.characters < 40 * len(text)
    assert sum(sent) < 40 * len(text)


@pytest.mark.parametrize("size", [1, 5_000])
def test_a_blank_flush_sends_nothing(size: int) -> None:
    stream = MarkdownStream("m1")
    stream.feed("word " * size)
    stream.flush()
    assert stream.flush() == []


HOSTILE = {
    "stars": "*",
    "stars and words": "*a **b ",
    "closing stars": "a** b* ",
    "underscores": "_a ",
    "brackets": "[",
    "closing brackets": "]",
    "links": "[a](",
    "whole links": "[a](b ",
    "images": "![a](",
    "quotes": ">",
    "spaced quotes": "> ",
    "quoted lines": "> a\n",
    "deeper and deeper": "- ",
    "backticks": "`",
    "backtick runs": "`` ` ",
    "fences": "```\n",
    "tildes": "~~a ",
    "dollars": "$a ",
    "double dollars": "$$",
    "dollar lines": "$$\n",
    "formulas": "\\(",
    "formula lines": "\\[\n",
    "angles": "<",
    "half autolinks": "<https://a ",
    "addresses": "https://a.b ",
    "glued addresses": "https://",
    "mails": "a@b.c ",
    "glued mails": "a@",
    "entities": "&amp",
    "backslashes": "\\",
    "pipes": "|",
    "rows": "| a | b |\n",
    "colons": ":-|\n",
    "dashes": "-",
    "numbers": "1. ",
    "definitions": "[a]: b\n",
    "line ends": "\n",
    "one line": "word ",
    "tabs": "\t- a\n",
}


def rendered(text: str) -> int:
    """How many lines of Python the rendering ran is the machine-independent price of it; calls stand for lines."""
    calls = 0

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal calls
        calls += 1

    sys.setprofile(count)
    try:
        render(text)
        stream = MarkdownStream("m1")
        stream.feed(text)
        stream.flush()
        for token in ("a", "*", " b", "\n", "- c", "\n\n", "d"):
            stream.feed(token)
            stream.flush()
    finally:
        sys.setprofile(None)
    return calls


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_costs_in_proportion_to_its_length(name: str) -> None:
    unit = HOSTILE[name]
    small, large = (rendered(unit * (size // len(unit))) for size in (4_000, 16_000))
    assert large <= 6 * small + 5_000


@pytest.mark.parametrize(
    "name", ["stars", "brackets", "quotes", "backticks", "one line", "deeper and deeper"]
)
def test_a_very_long_hostile_line_is_rendered_at_all(name: str) -> None:
    unit = HOSTILE[name]
    text = unit * (100_000 // len(unit))
    assert render(text)
    stream = MarkdownStream("m1")
    for at in range(0, len(text), 5_000):
        stream.feed(text[at : at + 5_000])
        stream.flush()
    assert stream.text == text
