"""Whatever a model writes, only harmless HTML reaches the page."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat.markdown import MarkdownStream, render, render_user
from tests.chat.markdown.dom import Element, parse

GLOBAL = {"dir", "class", "id"}
LINK = {"href", "title", "rel", "target"}
PLAIN = (
    "p h1 h2 h3 h4 h5 h6 blockquote ul li hr br strong em s code span table thead tbody tr th td figcaption"
)
ALLOWED: dict[str, set[str]] = {
    **{tag: set() for tag in PLAIN.split()},
    "ol": {"start"},
    "a": LINK | {"data-action", "data-image-src", "data-image-alt"},
    "div": {"tabindex"},
    "figure": {"data-language"},
    "pre": {"tabindex"},
    "button": {"type", "data-action", "aria-label"},
    "input": {"type", "disabled", "checked"},
}
MATHML = {
    "math",
    "menclose",
    "mfrac",
    "mi",
    "mmultiscripts",
    "mn",
    "mo",
    "mover",
    "mpadded",
    "mphantom",
    "mprescripts",
    "mroot",
    "mrow",
    "ms",
    "mspace",
    "msqrt",
    "mstyle",
    "msub",
    "msubsup",
    "msup",
    "mtable",
    "mtd",
    "mtext",
    "mtr",
    "munder",
    "munderover",
    "none",
}
MATH_ATTRIBUTES = {
    "accent",
    "columnalign",
    "columnlines",
    "columnspacing",
    "depth",
    "display",
    "displaystyle",
    "fence",
    "form",
    "height",
    "largeop",
    "linebreak",
    "linethickness",
    "lspace",
    "mathbackground",
    "mathcolor",
    "mathvariant",
    "maxsize",
    "minsize",
    "movablelimits",
    "notation",
    "rowlines",
    "rowspacing",
    "rspace",
    "scriptlevel",
    "separator",
    "stretchy",
    "voffset",
    "width",
}
SAFE_URL = re.compile(r"(https?://|mailto:)[^\s\x00-\x1f]+\Z")
NAME = re.compile(r"[\w+#.-]*( [\w-]+)*\Z")

VECTORS = [
    # Links
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](javascript&colon;alert(1))",
    "[x](javascript&#58;alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](&#x6A;&#x61;vascript:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](java&Tab;script:alert(1))",
    "[x](java&NewLine;script:alert(1))",
    "[x](<java\nscript:alert(1)>)",
    "[x](<javascript:alert(1)>)",
    "[x](  javascript:alert(1))",
    "[x](&#1;javascript:alert(1))",
    "[x](\u00a0javascript:alert(1))",
    "[x](\\javascript:alert(1))",
    "[x](java\\script:alert(1))",
    "[x](vbscript:msgbox(1))",
    "[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
    "[x](data:image/svg+xml,<svg onload=alert(1)>)",
    "[x](file:///etc/passwd)",
    "[x](blob:https://example.org/x)",
    "[x](view-source:https://example.org)",
    "[x](//example.org/x)",
    "[x](/logout)",
    "[x](#top)",
    "[x](?delete=1)",
    "[x](https:javascript:alert(1))",
    '[x](https://example.org/"onmouseover=alert(1))',
    '[x](https://example.org/ "title\\" onmouseover=alert(1) ")',
    "[x](https://example.org '\"><img src=x onerror=alert(1)>')",
    "[x](https://example.org/&quot;&gt;&lt;script&gt;)",
    "[<img src=x onerror=alert(1)>](https://example.org)",
    "[x]: javascript:alert(1)\n\n[x]",
    "[x]: data:text/html,x 'a'\n\n[y][x]",
    "[x]: https://example.org '\" onclick=alert(1)'\n\n[x]",
    # Autolinks
    "<javascript:alert(1)>",
    "<JAVASCRIPT:alert(1)>",
    "<vbscript:alert(1)>",
    "<data:text/html,x>",
    '<https://example.org/"onclick=alert(1)>',
    "javascript:alert(1)",
    "javascript://example.org/%0aalert(1)",
    "https://example.org/<script>alert(1)</script>",
    "https://example.org/'onmouseover='alert(1)",
    'http://a"onclick=alert(1)',
    '<a@b.c"onclick=x>',
    # Images
    "![x](javascript:alert(1))",
    "![x](data:image/svg+xml;base64,PHN2Zy8+)",
    "![x](https://example.org/x.png)",
    '!["onerror=alert(1)](https://example.org/x.png)',
    '![x](https://example.org/x.png "\\" onerror=alert(1)")',
    "![<script>alert(1)</script>](https://example.org/x.png)",
    "![x](https://[::1/x.png)",
    '![x](https://"><script>/x.png)',
    "![x](mailto:a@b.c)",
    "[![x](javascript:alert(1))](javascript:alert(2))",
    # Raw HTML
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<math><mi xlink:href='javascript:alert(1)'>x</mi></math>",
    "<style>*{display:none}</style>",
    "<!-- --><b onclick=alert(1)>x</b>",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<?php echo 1 ?>",
    "</p></div><script>alert(1)</script>",
    "<a href='javascript:alert(1)'>x</a>",
    "<form action=/logout method=post><button>x",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "<scr\0ipt>alert(1)</script>",
    # Code
    '```"><script>alert(1)</script>\nx\n```',
    '```python" onmouseover="alert(1)\nx\n```',
    "```<img/src=x/onerror=alert(1)>\nx\n```",
    "```html\n</code></pre><script>alert(1)</script>\n```",
    "```&quot;onclick=alert(1)\nx\n```",
    "`</code><script>alert(1)</script>`",
    "    </code></pre><script>alert(1)</script>",
    # Formulas
    "$\\text{<script>alert(1)</script>}$",
    "$$\\text{<img src=x onerror=alert(1)>}$$",
    "\\(\\href{javascript:alert(1)}{x}\\)",
    "\\[\\href{javascript:alert(1)}{x}\\]",
    "$\\style{position:fixed}{x}$",
    "$\\class{code-copy}{x}$",
    '$\\color{red" onclick="alert(1)}{x}$',
    '$\\begin{"><script>}x\\end{"><script>}$',
    "$</math><script>alert(1)</script>$",
    "$\\unicode{<svg>}$",
    '$\\hspace{1em" onclick="x}$',
    "$\\text{&lt;img src=x onerror=alert(1)&gt;}$",
    # Tables, lists, headings
    "| <script> | b |\n|---|---|\n| <img src=x onerror=alert(1)> | [x](javascript:1) |",
    "- [x] <script>alert(1)</script>\n- [ ] [x](javascript:alert(1))",
    "# <script>alert(1)</script> [x](javascript:alert(1))",
    "> <script>alert(1)</script>",
    '1"onclick=x. a',
    # Characters of our own
    "\ue000<script>\ue000**\ue000",
    "**\ue000 <img src=x onerror=alert(1)>",
]


def check(element: Element) -> None:
    for child in element.children:
        if isinstance(child, Element):
            _check_one(child)
            check(child)


def _check_one(element: Element) -> None:
    if element.tag in MATHML:
        allowed = MATH_ATTRIBUTES | {"class"}
    else:
        assert element.tag in ALLOWED, f"<{element.tag}>"
        allowed = ALLOWED[element.tag] | GLOBAL
    assert set(element.attributes) <= allowed, f"<{element.tag} {element.attributes}>"
    for name in ("href", "data-image-src"):
        if name in element.attributes:
            assert SAFE_URL.match(element.attributes[name]), element.attributes[name]
    assert NAME.match(element.attributes.get("data-language", ""))
    assert NAME.match(element.attributes.get("class", ""))
    if element.tag == "a":
        assert element.attributes["rel"] == "noopener noreferrer nofollow"
        assert element.attributes["target"] == "_blank"


def streamed(text: str, size: int) -> list[str]:
    stream = MarkdownStream("m1")
    pages = []
    for at in range(0, len(text), size):
        stream.feed(text[at : at + size])
        pages += [patch.html for patch in stream.flush()] + [stream.snapshot()]
    return pages


@pytest.mark.parametrize("text", VECTORS)
def test_a_whole_text_becomes_only_allowed_elements(text: str) -> None:
    check(parse(render(text)))
    check(parse(render_user(text)))


@pytest.mark.parametrize("text", VECTORS)
def test_no_moment_of_a_stream_lets_more_through(text: str) -> None:
    for size in (1, 7):
        for html in streamed(f"before **{text}\n\n{text}", size):
            check(parse(html))


def test_there_are_enough_vectors() -> None:
    assert len(set(VECTORS)) >= 50


@given(st.text("<>\"'&;:/()[]!`*_$\\=#-|~ \n\tajvscriptonx1\ue000\0", max_size=80))
@settings(max_examples=150, deadline=None)
def test_random_marks_never_get_out(text: str) -> None:
    check(parse(render(text)))
    for html in streamed(text, 3):
        check(parse(html))


def test_a_picture_waits_for_a_click() -> None:
    html = render("![A cat](https://example.org/cat.png)")
    assert "<img" not in html
    assert 'class="remote-image"' in html
    assert "Show image from example.org" in html
