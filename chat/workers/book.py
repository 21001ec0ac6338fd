"""The text of an electronic book (EPUB 3.3), chapter by chapter."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from urllib.parse import unquote

from chat.workers.package import Package
from chat.workers.web_page import read_page

MAIN = "META-INF/container.xml"


def book_text(package: Package) -> Iterator[str]:
    """In the order in which it is read."""
    listed = package.tree(MAIN).find(".//rootfile")
    root = listed.get("full-path", "") if listed is not None else ""
    book = package.tree(root)
    names = {item.get("id"): item.get("href", "") for item in book.iter("item")}
    for each in book.iter("itemref"):
        name = posixpath.normpath(
            posixpath.join(posixpath.dirname(root), unquote(names.get(each.get("idref"), "")))
        )
        if package.has(name):
            yield read_page(package.read(name).decode("utf-8", "replace"), whole=True).text
