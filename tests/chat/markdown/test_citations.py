"""Marks like [1] in an answer lead to the source of that number, and to nothing else."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.markdown import Citation, render
from tests.chat.markdown.dom import parse

KNOWN = {
    1: Citation("https://bees.example/a?b=1&c=2", "Bees · bees.example"),
    2: Citation("/attachments/7/read/?from=5&to=9#passage", "report.pdf p. 12", inside=True),
    3: Citation("javascript:alert(1)", "evil"),
    4: Citation("//evil.example/", "evil", inside=True),
}
BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def links(html: str) -> list[tuple[str, str]]:
    """What each citation shows, and where it leads."""
    found = []
    for mark in parse(html).walk():
        if mark.tag == "sup":
            assert mark.attributes == {"class": "cite"}
            found += [(a.text(), a.attributes["href"]) for a in mark.walk() if a.tag == "a"]
    return found


A, B = KNOWN[1].url, KNOWN[2].url


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Bees dance [1].", [("[1]", A)]),
        ("Bees dance[1][2]", [("[1]", A), ("[2]", B)]),
        ("both [1, 2] and 【2】", [("1", A), ("2", B), ("【2】", B)]),
        ("one is known [2; 9], [1–9]", [("2", B), ("1", A)]),
        ("- *so **[1]***\n\n> [2]\n\n### Head [1]", [("[1]", A), ("[2]", B), ("[1]", A)]),
        ("| a [1] |\n|---|\n| b [2] |", [("[1]", A), ("[2]", B)]),
        ("[[1]]", [("[1]", A)]),
        ("[1]: Title, without an address", [("[1]", A)]),
        (
            "So [1], [1][2].\n\n[1]: https://example.org/of-the-model\n[2]: <https://example.org/>",
            [("[1]", A)] * 2 + [("[2]", B)],
        ),
        ("[x][1]\n\n[1]: https://example.org/of-the-model", [("[1]", A)]),
        ("١ [١]", [("[١]", A)]),
    ],
)
def test_numbers_of_sources_are_links(text: str, expected: list[tuple[str, str]]) -> None:
    assert links(render(text, KNOWN)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "[0] [5] [1999] [12345] [-1] [1.5] [1 2] [] [x]",
        "[3] and [4] lead nowhere harmless",
        "`array[1]` and ``[1]``",
        "```\narray[1]\n```",
        "    indented [1]",
        "~~~python\nx[1] = [2]",
        "[1](https://example.org) [x [1] y](https://example.org) ![a [1]](https://example.org/i.png)",
        "[1](javascript:alert(1)) [1](/logout)",
        "[5]\n\n[5]: https://example.org/of-the-model",
        "https://example.org/?a[1] <https://example.org/[1]>",
        "A note[^1].\n\n[^1]: Said [^2].",
        "$a[1]$ \\(b[2]\\) $$c[1]$$ \\[1\\]",
        "\\[1] and [1\\] and [&#49;",
        "[1\n, 2]",
        "- [ ] todo\n- [x] done",
    ],
)
def test_everything_else_is_what_it_was(text: str) -> None:
    assert render(text, KNOWN) == render(text)


def test_a_mark_is_a_small_link_with_the_name_of_its_source() -> None:
    assert render("So [1].", KNOWN) == (
        '<p dir="auto">So <sup class="cite"><a href="https://bees.example/a?b=1&amp;c=2"'
        ' title="Source 1: Bees · bees.example" aria-label="Source 1: Bees · bees.example"'
        ' rel="noopener noreferrer nofollow" target="_blank">[1]</a></sup>.</p>'
    )
    assert 'rel="noopener" target="_blank">[2]</a>' in render("[2]", KNOWN)


@pytest.mark.parametrize(
    "label",
    [
        '" onmouseover="alert(1)',
        "'><img src=x onerror=alert(1)>",
        "</a></sup><script>alert(1)</script>",
        "&quot; onclick=alert(1) &lt;",
        f"bank{BIDI}\u202ekcolc eht",
        "line\nbreak\ttab\x00\x1b\x85",
        "x" * 100_000,
        "%(number)d %s {0} [1] $x$",
    ],
)
def test_a_hostile_title_is_only_a_title(label: str) -> None:
    html = render("[1]", {1: Citation("https://example.org/", label)})

    (link,) = (element for element in parse(html).walk() if element.tag == "a")
    assert set(link.attributes) == {"href", "title", "aria-label", "rel", "target"}
    assert [element.tag for element in parse(html).walk() if element.tag not in ("p", "sup", "a")] == ["div"]
    name = link.attributes["title"]
    assert not set(name) & set(BIDI)
    assert re.fullmatch(r"Source 1: [^\x00-\x1f\x7f-\x9f]{1,201}", name)


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JAVASCRIPT:alert(1)",
        "java\nscript:alert(1)",
        "data:text/html,<script>",
        "vbscript:x",
        "//example.org/",
        "/logout",
        "https://example.org/\u2028x",
        "https:\\\\example.org",
        "https://",
        "",
    ],
)
def test_a_hostile_address_is_not_linked(url: str) -> None:
    assert render("[1]", {1: Citation(url, "x")}) == render("[1]")


def test_quotes_in_an_address_stay_in_it() -> None:
    html = render("[1]", {1: Citation("https://example.org/\"onclick='x'<b>", "x")})

    assert links(html) == [("[1]", "https://example.org/\"onclick='x'<b>")]


PIECES = ["[1]", "[1, 2]", "[2–9]", "【2】", "[", "]", "1", ", ", *"`*$\\\n(:)^ab#>| -_~!&<"]


@given(st.lists(st.sampled_from(PIECES), max_size=20).map("".join))
def test_the_words_stay_the_same(text: str) -> None:
    plain, cited = render(text), render(text, KNOWN)

    assert parse(cited).text() == parse(plain).text()
    assert (
        re.sub(r'<sup class="cite">(.*?)</sup>', lambda mark: re.sub("<[^>]*>", "", mark[1]), cited) == plain
    )
