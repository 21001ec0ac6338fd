"""Worker: a web page as plain text, all of it, or the part that people read.

The parser is selectolax (lexbor), which builds the tree as browsers do. Some pages take it minutes (200,000
attributes, 400,000 nested elements), and it is written in C: so ``chat.tools.reader`` runs this in bounds and
ends it in time.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode

PROCESSOR_SECONDS = 5
MEMORY = 512 * 1024 * 1024
_UNREAD = frozenset(
    {"script", "style", "noscript", "template", "svg", "math", "iframe", "object", "embed", "canvas", "audio"}
    | {"video", "head", "select", "button", "input", "textarea", "dialog"}
)
#: Around the text, not of it.
_AROUND = frozenset({"nav", "aside", "footer", "form", "menu"})
_BLOCKS = frozenset(
    {
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "center",
        "dd",
        "details",
        "div",
        "dl",
        "dt",
        "fieldset",
    }
    | {
        "figcaption",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "li",
        "main",
    }
    | {"nav", "ol", "p", "pre", "section", "summary", "table", "tbody", "thead", "tr", "ul"}
)
_HEADING = re.compile(r"h([1-6])")
_MAIN = "main, [role=main], article"
#: The end of a cell; no text has it (the unit separator of ASCII).
_CELL = "\x1f"
#: Characters of a paragraph that counts towards where the text is.
_PARAGRAPH = 60
#: The share of all text that <main> must hold to be believed.
_ENOUGH = 0.15


@dataclass(frozen=True, slots=True)
class Page:
    """What a page says. ``text`` has one line per block."""

    title: str
    text: str


def answer(data: bytes, part: str) -> bytes:
    """The page's title and text as JSON; ``part`` is ``whole`` or ``main``."""
    page = read_page(data.decode("utf-8", "replace"), whole=part == "whole")
    return json.dumps(asdict(page)).encode()


def read_page(html: str, *, whole: bool) -> Page:
    """The page's title and text; without ``whole`` only the part that people read."""
    from selectolax.lexbor import LexborHTMLParser

    tree = LexborHTMLParser(html)
    body = tree.body
    if body is None:
        return Page(_title(tree), "")
    text = _text(body, frozenset()) if whole else _main_text(tree, body)
    return Page(_title(tree), text)


def _title(tree: LexborHTMLParser) -> str:
    for query in ("title", "h1"):
        node = tree.css_first(query)
        if node is not None and (text := " ".join(node.text().split())):
            return text[:300]
    return ""


def _main_text(tree: LexborHTMLParser, body: LexborNode) -> str:
    everything = _text(body, _AROUND)
    marked = max((_text(node, _AROUND) for node in tree.css(_MAIN)[:20]), key=len, default="")
    if len(marked) >= len(everything) * _ENOUGH and marked:
        return marked
    node = _densest(body)
    return _text(node, _AROUND) if node is not None else everything or _text(body, frozenset())


def _densest(body: LexborNode) -> LexborNode | None:
    """The element whose paragraphs hold most text; its own parent gets half of the praise."""
    scores: dict[int, float] = {}
    nodes: dict[int, LexborNode] = {}
    for paragraph in body.css("p, pre, blockquote"):
        size = len(" ".join(paragraph.text().split()))
        node, praise = paragraph.parent, float(size)
        for _generation in range(2):
            if node is None or size < _PARAGRAPH:
                break
            scores[node.mem_id] = scores.get(node.mem_id, 0.0) + praise
            nodes[node.mem_id] = node
            node, praise = node.parent, praise / 2
    return nodes[max(scores, key=lambda key: scores[key])] if scores else None


def _text(root: LexborNode, left_out: frozenset[str]) -> str:
    """One line per block, headings and points of lists marked as in Markdown."""
    lines = _Lines()
    for node, entering in _walk(root, left_out):
        tag = node.tag or ""
        if tag == "-text":
            lines.add(node.text_content or "")
        elif tag == "br":
            lines.end()
        elif tag in ("td", "th"):
            lines.add("" if entering else _CELL)
        elif tag in _BLOCKS:
            lines.end()
            lines.begin(tag, entering)
    return lines.text()


def _walk(root: LexborNode, left_out: frozenset[str]) -> Iterator[tuple[LexborNode, bool]]:
    """Each node when it begins and again when it ends. No recursion: pages can be nested without end."""
    stack = [(root, True)]
    while stack:
        node, entering = stack.pop()
        yield node, entering
        if not entering or not node.is_element_node:
            continue
        stack.append((node, False))
        children = [child for child in node.iter(include_text=True) if _is_read(child, left_out)]
        stack.extend((child, True) for child in reversed(children))


def _is_read(node: LexborNode, left_out: frozenset[str]) -> bool:
    if node.is_text_node:
        return True
    if not node.is_element_node or node.tag in _UNREAD or node.tag in left_out:
        return False
    attributes = node.attributes
    if "hidden" in attributes or attributes.get("aria-hidden") == "true":
        return False
    style = (attributes.get("style") or "").replace(" ", "").lower()
    return "display:none" not in style and "visibility:hidden" not in style


class _Lines:
    """Gathers words into lines."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._parts: list[str] = []
        self._mark = ""
        self._verbatim = 0

    def begin(self, tag: str, entering: bool) -> None:
        """A block begins or ends here."""
        if tag == "pre":
            self._verbatim += 1 if entering else -1
        if not entering:
            self._mark = ""
        elif heading := _HEADING.fullmatch(tag):
            self._mark = "#" * int(heading[1]) + " "
        elif tag == "li":
            self._mark = "- "

    def add(self, text: str) -> None:
        """Some text."""
        self._parts.append(text)

    def end(self) -> None:
        """The line is complete."""
        text = "".join(self._parts)
        self._parts.clear()
        lines = text.strip("\n").splitlines() if self._verbatim else [_one_line(text)]
        for line in lines:
            if line.strip():
                self._lines.append(self._mark + line.rstrip())
                self._mark = ""

    def text(self) -> str:
        """All lines."""
        self.end()
        return "\n".join(self._lines)


def _one_line(text: str) -> str:
    """Words with a space between them, cells of a table with a line."""
    cells = [" ".join(cell.split()) for cell in text.split(_CELL)]
    while cells and not cells[-1]:
        cells.pop()
    return " | ".join(cells)
