"""Markdown made of pieces, and ways to cut it, for the property tests.

Left out on purpose, because a stream may show them differently from the finished text: link definitions that come
after their use, marks that only pair up over more than a thousand characters, HTML-like or table-like lines whose
meaning the next block changes, lists nested deeper than 24, formulas that are never closed.
"""

from __future__ import annotations

import re

from hypothesis import strategies as st

WORDS = [
    "alpha",
    "beta",
    "gamma",
    "$5",
    "x_y",
    "a*b",
    "foo_bar",
    "3.14",
    "(see)",
    "Ünï",
    "漢字",
    "&",
    "<",
    ">",
    "don't",
    '"quoted"',
    "end,",
    "bob@ex.org",
    "1.",
    "#no",
    "https://example.org/a_b.",
    "naïve",
]

words = st.lists(st.sampled_from(WORDS), min_size=1, max_size=7).map(lambda parts: "w " + " ".join(parts))


def _marked(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        inner.map(lambda text: f"**{text}**"),
        inner.map(lambda text: f"*{text}*"),
        inner.map(lambda text: f"~~{text}~~"),
        inner.map(lambda text: f"[{text.replace('[', '').replace(']', '')}](https://ex.org/1 'T')"),
    )


inlines = st.recursive(
    st.one_of(
        words,
        words.map(lambda text: f"`{text}`"),
        st.sampled_from(
            ["$x^2$", r"\(a_b\)", "![a cat](https://i.org/x.png)", r"\*not\*", "&amp;", "<https://a.org/>"]
        ),
        st.tuples(words, st.sampled_from(["\n", "  \n", "\\\n"]), words).map("".join),
    ),
    _marked,
    max_leaves=4,
)
paragraphs = st.lists(inlines, min_size=1, max_size=3).map(" ".join)

LINES = [
    "def f(x): return 'a'",
    "",
    "  x = 1  # note",
    "<b>&</b>",
    '"""text',
    "``",
    "# no heading",
    "- no item",
]
fences = st.builds(
    lambda mark, language, lines: f"{mark}{language}\n" + "".join(f"{line}\n" for line in lines) + mark,
    st.sampled_from(["```", "~~~", "````"]),
    st.sampled_from(["", "python", "js title=x", "nonsense"]),
    st.lists(st.sampled_from(LINES), max_size=5),
)
tables = st.builds(
    lambda rows: "| a | **b** |\n|---|:-:|" + "".join(f"\n| {one} | {two} |" for one, two in rows),
    st.lists(st.tuples(words, words.map(lambda text: f"`{text}`")), max_size=4),
)
simple = st.one_of(
    paragraphs,
    paragraphs,
    st.tuples(st.integers(1, 6), words).map(lambda made: "#" * made[0] + " " + made[1]),
    fences,
    tables,
    st.sampled_from(["---", "$$\nx\n=\ny\n$$", "\\[\na+b\n\\]", "Title\n---", "    code\n\n    more", "***"]),
)


def _indented(text: str, width: int) -> str:
    return re.sub(r"\n(?=[^\n])", "\n" + " " * width, text)


def _list(mark: str, items: list[tuple[str, str]], gap: str) -> str:
    marks = [f"{number}." if mark == "1" else mark for number in range(1, len(items) + 1)]
    return gap.join(
        f"{one} {task}{_indented(item, len(one) + 1)}" for one, (task, item) in zip(marks, items, strict=True)
    )


def _containers(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    item = st.one_of(words, st.tuples(words, inner).map("\n".join), st.tuples(words, inner).map("\n\n".join))
    task = st.sampled_from(["", "", "[ ] ", "[x] "])
    items = st.lists(st.tuples(task, item), min_size=1, max_size=4)
    return st.one_of(
        st.builds(_list, st.sampled_from(["-", "*", "1"]), items, st.sampled_from(["\n", "\n\n"])),
        inner.map(lambda text: "\n".join(f"> {line}".rstrip() for line in text.split("\n"))),
    )


blocks = st.recursive(simple, _containers, max_leaves=3)
documents = st.lists(blocks, min_size=1, max_size=5).map("\n\n".join)
# Nonsense finds the moments nobody thought of.
noise = st.text("ab 1.\n\n\t-*_~`[]()<>!#|:=$\\&+x\r\0é漢", max_size=60)


def cut(text: str, sizes: list[int]) -> list[str]:
    """The text in pieces of these sizes, over and over."""
    pieces, at, number = [], 0, 0
    while at < len(text):
        size = sizes[number % len(sizes)]
        pieces.append(text[at : at + size])
        at, number = at + size, number + 1
    return pieces


def tokens(text: str) -> list[str]:
    """Roughly what a model sends: words with the space before them, and marks."""
    return re.findall(r"\s?\w+|\s?[^\w\s]+|\s", text)
