"""Pages become text."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.tools import reader
from chat.tools.base import ToolError
from chat.tools.decoding import decoded
from chat.tools.reader import read_in_child
from chat.workers.web_page import read_page

LONG = "Bees visit flowers, and flowers wait for bees, as everybody who has a garden can tell. " * 3
PAGE = f"""<!doctype html><html><head><title> About
 bees </title><style>p {{}}</style><script>var x = "<p>no</p>"</script></head>
<body><nav><a href=/>Home</a><a href=/x>Shop</a></nav>
<header>The Garden Paper</header>
<div class=story><h1>Bees</h1><p>{LONG}<b>Bold</b> words.</p><ul><li>honey<li>wax</ul>
<pre>a = 1
  b = 2</pre><p hidden>never</p><div style="display: NONE">secret orders</div>{LONG}<p>{LONG}</p></div>
<aside>Buy now</aside><footer>Imprint</footer></body></html>"""


def test_the_whole_page_has_everything_that_is_seen() -> None:
    page = read_page(PAGE, whole=True)
    assert page.title == "About bees"
    for seen in ("Home", "Shop", "The Garden Paper", "# Bees", "Bold words.", "Buy now", "Imprint"):
        assert seen in page.text
    for unseen in ("var x", "p {", "never", "secret orders", "<"):
        assert unseen not in page.text


def test_the_readable_part_has_no_menus() -> None:
    text = read_page(PAGE, whole=False).text
    assert text.splitlines()[0] == "# Bees"
    assert "- honey\n- wax\na = 1\n  b = 2\n" in text
    for around in ("Home", "Buy now", "Imprint"):
        assert around not in text


def test_main_is_believed_where_it_holds_the_text() -> None:
    inside = f"<body><div><p>{LONG}</p></div><main><p>{LONG} here</p></main></body>"
    assert read_page(inside, whole=False).text.endswith("here")
    empty = f"<body><div><p>{LONG} there</p></div><main><p>Loading</p></main></body>"
    assert read_page(empty, whole=False).text.endswith("there")


@pytest.mark.parametrize(
    "html", ["", " ", "<html>", "<body>", "<frameset>", "plain words", "<title>x", "<!--", "\x00"]
)
def test_odd_pages_are_read(html: str) -> None:
    for whole in (True, False):
        assert "<" not in read_page(html, whole=whole).text


def test_the_first_heading_stands_in_for_a_title() -> None:
    assert read_page("<h1>Only <i>this</i></h1>", whole=True).title == "Only this"


def test_deep_nesting_is_read() -> None:
    assert read_page("<div>" * 5_000 + "deep", whole=True).text == "deep"
    assert "deep" in read_page("<p><b><i>" * 2_000 + "deep", whole=False).text


async def test_a_child_reads_the_same() -> None:
    for whole in (True, False):
        assert await read_in_child(PAGE, whole=whole) == read_page(PAGE, whole=whole)
    assert (await read_in_child("gr\u00fcn \ud800", whole=True)).text == "grün ?"


@pytest.mark.parametrize(
    "html", ["<div>" * 300_000, "<p " + " ".join(f"a{number}=1" for number in range(200_000)) + ">"]
)
async def test_a_page_that_takes_for_ever_is_left(html: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MAX_SECONDS", 1.0)
    began = time.perf_counter()
    with pytest.raises(ToolError, match="oddly"):
        await read_in_child(html, whole=False)
    assert time.perf_counter() - began < 20


async def test_a_reader_that_breaks_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "WORKERS", Path("nowhere"))
    with pytest.raises(ToolError, match="oddly"):
        await read_in_child("x", whole=True)


@given(st.text(alphabet="<>/ab =\"'!-p\n&#;") | st.text())
def test_anything_is_read(html: str) -> None:
    for whole in (True, False):
        read_page(html, whole=whole)


@pytest.mark.parametrize(
    ("body", "charset", "text"),
    [
        ("grün".encode(), "", "grün"),
        ("grün".encode("latin-1"), "iso-8859-1", "grün"),
        ("“grün”".encode("cp1252"), "ISO-8859-1", "“grün”"),
        ("<meta charset=koi8-r>привет".encode("koi8-r"), "", "<meta charset=koi8-r>привет"),
        ("你好".encode("gb18030"), "gb2312", "你好"),
        ("\ufeffx".encode(), "latin-1", "x"),
        ("\ufeffx".encode("utf-16-le"), "", "x"),
        (b"a\xffb", "utf-8", "a\ufffdb"),
        ("é".encode(), "hex", "é"),
        ("é".encode(), "zlib", "é"),
        ("é".encode(), "punycode", "é"),
        ("é".encode(), "unicode_escape", "é"),
        ("é".encode(), "no such", "é"),
        ("é".encode(), "x" * 300, "é"),
    ],
)
def test_charsets(body: bytes, charset: str, text: str) -> None:
    assert decoded(body, charset) == text
