"""LaTeX to MathML, which browsers draw without a script or a font to fetch.

The converter writes the text of a formula into the page as it stands (`\\text{<script>}`) and knows `\\href` and
`\\style`, so its tree is written out here, by an allow list. Whatever it cannot digest is shown as source.
"""

from __future__ import annotations

import html
import re
from functools import lru_cache
from xml.etree.ElementTree import Element

from latex2mathml.converter import convert_to_element
from markdown_it.common.utils import escapeHtml

MAX_LENGTH = 2_000
_MAX_DEPTH = 24
_TAGS = frozenset(
    [
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
    ]
)
_ATTRIBUTES = frozenset(
    [
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
    ]
)
_VALUE = re.compile(r"[\w#%., +-]{1,64}\Z")


class _NotShown(Exception):
    """The formula has a form that is not let through."""


@lru_cache(maxsize=1024)
def to_html(latex: str, display: bool) -> str:
    """MathML, or the source as code when there is none."""
    return _mathml(latex, display) or source(latex, display)


def source(latex: str, display: bool = False) -> str:
    kind = "math-source math-block" if display else "math-source"
    return f'<code class="{kind}" dir="ltr">{escapeHtml(latex.strip())}</code>'


def _mathml(latex: str, display: bool) -> str:
    if len(latex) > MAX_LENGTH or _depth(latex) > _MAX_DEPTH or not latex.strip():
        return ""
    try:
        tree = convert_to_element(latex.strip(), display="block" if display else "inline")
        return _write(tree, 0)
    except RecursionError:
        return ""
    except (
        Exception
    ):  # the converter fails in a dozen undocumented ways; a formula must never break an answer
        return ""


def _depth(latex: str) -> int:
    """The deepest nesting of braces and environments, which the converter follows by recursion."""
    depth = deepest = 0
    for opening, closing in re.findall(r"(\{|\\begin|\\left|[\^_])|(\}|\\end|\\right)", latex):
        depth += 1 if opening in ("{", "\\begin", "\\left") else -1 if closing else 0
        deepest = max(deepest, depth)
    return deepest


def _write(element: Element, depth: int) -> str:
    if element.tag not in _TAGS or depth > 4 * _MAX_DEPTH:
        raise _NotShown
    attributes = "".join(
        f' {name}="{escapeHtml(str(value))}"'
        for name, value in element.attrib.items()
        if name in _ATTRIBUTES and _VALUE.match(str(value))
    )
    inside = "".join(_write(child, depth + 1) + _text(child.tail) for child in element)
    return f"<{element.tag}{attributes}>{_text(element.text)}{inside}</{element.tag}>"


def _text(words: str | None) -> str:
    """The converter's texts hold character references ("&#x0002B;") that are meant to be the character."""
    return escapeHtml(html.unescape(words)) if words else ""
