"""The text of a word-processor document (ECMA-376-1, 17): headings, lists, tables and notes stay what they are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from chat.workers.package import Package, words
from chat.workers.tables import markdown_table

MAIN = "word/document.xml"
#: What was moved elsewhere; what older programs are shown instead; what a paragraph looks like.
_LEFT_OUT = frozenset({"moveFrom", "Fallback", "pPr", "rPr", "txbxContent"})
_HEADING = re.compile(r"heading ([1-6])", re.IGNORECASE)
_BREAKS = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}


def word_text(package: Package) -> Iterator[str]:
    """Block by block, then the notes."""
    levels = _levels(package.tree("word/styles.xml")) if package.has("word/styles.xml") else {}
    body = package.tree(MAIN).find("body")
    if body is not None:
        yield from _listed(_blocks(body, levels))
    for kind in ("footnote", "endnote"):
        if package.has(f"word/{kind}s.xml"):
            yield from _notes(package.tree(f"word/{kind}s.xml"), kind)


def _levels(styles: Element) -> dict[str, int]:
    """Heading level by style, 1 to 6. Names of styles are English in every language's program, ids are not."""
    found = {}
    for style in styles.iter("style"):
        name, outline = style.find("name"), style.find("pPr/outlineLvl")
        if name is not None and (heading := _HEADING.match(name.get("val", ""))):
            found[style.get("styleId", "")] = int(heading[1])
        elif name is not None and name.get("val") == "Title":
            found[style.get("styleId", "")] = 1
        elif outline is not None and outline.get("val", "9") in "012345":
            found[style.get("styleId", "")] = int(outline.get("val", "0")) + 1
    return found


def _listed(blocks: Iterator[str]) -> Iterator[str]:
    """The points of one list as one block."""
    points: list[str] = []
    for block in blocks:
        if block.lstrip().startswith("- "):
            points.append(block)
            continue
        yield "\n".join(points)
        points = []
        yield block
    yield "\n".join(points)


def _blocks(parent: Element, levels: dict[str, int]) -> Iterator[str]:
    """Paragraphs and tables in order, whatever they are wrapped in."""
    stack = list(reversed(parent))
    while stack:
        element = stack.pop()
        if element.tag == "p":
            yield _paragraph(element, levels)
            for box in words(element, frozenset({"Fallback"})):
                if box.tag == "txbxContent":
                    yield from (_plain(inner) for inner in box.iter("p"))
        elif element.tag == "tbl":
            yield markdown_table(_rows(element))
        elif element.tag not in _LEFT_OUT:
            stack.extend(reversed(element))


def _paragraph(element: Element, levels: dict[str, int]) -> str:
    text = _plain(element)
    style, number = element.find("pPr/pStyle"), element.find("pPr/numPr")
    level = levels.get(style.get("val", ""), 0) if style is not None else 0
    if level and text.strip():
        return "#" * level + " " + " ".join(text.split())
    if number is not None and text.strip():
        depth = number.find("ilvl")
        indent = int(depth.get("val", "0")) if depth is not None else 0
        return "  " * min(indent, 8) + "- " + text.strip()
    return text


def _plain(element: Element) -> str:
    return "".join(_pieces(element))


def _pieces(element: Element) -> Iterator[str]:
    for piece in words(element, _LEFT_OUT):
        if piece.tag == "t":
            yield piece.text or ""
        elif piece.tag in _BREAKS:
            yield _BREAKS[piece.tag]
        elif piece.tag in ("footnoteReference", "endnoteReference"):
            yield f"[^{piece.tag[0]}{piece.get('id', '')}]"


def _rows(table: Element) -> list[list[str]]:
    """The cells of each row; a table inside a cell is its text."""
    return [
        [" ".join(_plain(paragraph) for paragraph in cell.iter("p")) for cell in _inside(row, "tc")]
        for row in _inside(table, "tr")
    ]


def _inside(parent: Element, tag: str) -> Iterator[Element]:
    """The children with that name, also those that are wrapped in something."""
    for child in parent:
        if child.tag == tag:
            yield child
        elif child.tag in ("sdt", "sdtContent", "customXml", "ins"):
            yield from _inside(child, tag)


def _notes(notes: Element, kind: str) -> Iterator[str]:
    for note in notes.iter(kind):
        if note.get("type") is None:  # others are lines that separate
            text = " ".join(_plain(paragraph) for paragraph in note.iter("p"))
            yield f"[^{kind[0]}{note.get('id', '')}]: {' '.join(text.split())}"
