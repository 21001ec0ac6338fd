"""The text of OpenDocument texts and presentations (ISO/IEC 26300-1)."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from chat.workers.package import Package
from chat.workers.tables import markdown_table

MAIN = "content.xml"
#: Deleted text, remarks at the margin, how it looks.
_LEFT_OUT = frozenset({"tracked-changes", "annotation", "forms", "sequence-decls", "automatic-styles"})
#: Levels of lists and frames inside each other; more are no document.
_DEEPEST = 60
#: Spaces and columns that a count stands for.
_MOST_REPEATED = 200


def opendocument_text(package: Package) -> Iterator[str]:
    """Block by block; a presentation slide by slide."""
    body = package.tree(MAIN).find("body")
    for document in body if body is not None else ():
        slides = document.findall("page")
        for number, slide in enumerate(slides, 1):
            if lines := [block for block in _blocks(slide) if block]:
                yield f"[Slide {number}]\n" + "\n".join(lines)
        if not slides:
            yield from _blocks(document)


def _blocks(parent: Element, depth: int = 0) -> Iterator[str]:
    if depth > _DEEPEST:
        return
    for element in parent:
        if element.tag == "h":
            level = element.get("outline-level", "1")
            yield "#" * min(int(level), 6) + " " + " ".join(_inline(element).split())
        elif element.tag == "p":
            yield _inline(element)
            for frame in element.iter("text-box"):
                yield from _blocks(frame, depth + 1)
        elif element.tag == "list":
            yield "\n".join(_points(element, depth))
        elif element.tag == "table":
            yield markdown_table(list(_rows(element)))
        elif element.tag not in _LEFT_OUT:
            yield from _blocks(element, depth + 1)


def _points(points: Element, depth: int) -> Iterator[str]:
    if depth > _DEEPEST:
        return
    for item in points:
        for part in item:
            if part.tag == "list":
                yield from ("  " + line for line in _points(part, depth + 1))
            elif text := _inline(part).strip():
                yield f"- {text}"


def _rows(table: Element) -> Iterator[list[str]]:
    for row in table.iter("table-row"):
        cells: list[str] = []
        for cell in row:
            text = " ".join(_inline(paragraph) for paragraph in cell.iter("p"))
            repeated = min(int(cell.get("number-columns-repeated", "1")), _MOST_REPEATED)
            cells += [text] * (repeated if text else 1)
        yield cells


def _inline(element: Element, depth: int = 0) -> str:
    """The words of a paragraph; notes stand in brackets where they are referred to."""
    if depth > _DEEPEST:
        return ""
    parts = [element.text or ""]
    for piece in element:
        parts.append(_piece(piece, depth))
        parts.append(piece.tail or "")
    return "".join(parts)


def _piece(piece: Element, depth: int) -> str:
    match piece.tag:
        case "s":
            return " " * min(int(piece.get("c", "1")), _MOST_REPEATED)
        case "tab":
            return "\t"
        case "line-break":
            return "\n"
        case "note":
            return " [" + " ".join(_inline(part, depth + 1) for part in piece.findall("note-body/*")) + "]"
        case "annotation" | "frame":
            return ""
        case _:
            return _inline(piece, depth + 1)
