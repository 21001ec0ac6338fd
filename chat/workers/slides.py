"""The text of a presentation (ECMA-376-1, 19), slide by slide, with the speaker's notes."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from chat.workers.package import Package, words
from chat.workers.tables import markdown_table

MAIN = "ppt/presentation.xml"


def slides_text(package: Package) -> Iterator[str]:
    """In the order in which they are shown."""
    targets = package.targets(MAIN)
    order = [slide.get("id", "") for slide in package.tree(MAIN).iter("sldId")]
    shown = [targets[key][1] for key in order if key in targets]
    for number, name in enumerate(shown, 1):
        lines = list(_lines(package.tree(name)))
        for kind, notes in package.targets(name).values():
            if kind == "notesSlide":
                lines += ["", "Notes:", *_lines(package.tree(notes), fields=False)]
        if any(lines):
            yield f"[Slide {number}]\n" + "\n".join(lines)


def _lines(slide: Element, *, fields: bool = True) -> Iterator[str]:
    """Paragraphs and tables. ``fields``: also numbers and dates that the program fills in."""
    for element in words(slide, frozenset({"Fallback", "tbl"} if fields else {"Fallback", "tbl", "fld"})):
        if element.tag == "p":
            text = "".join(
                piece.text or "" for piece in words(element, frozenset({"fld"})) if piece.tag == "t"
            )
            if text.strip():
                yield text
    for table in slide.iter("tbl"):
        yield markdown_table(
            [
                ["".join(piece.text or "" for piece in cell.iter("t")) for cell in row.iter("tc")]
                for row in table.iter("tr")
            ]
        )
