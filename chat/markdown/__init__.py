"""GitHub-flavoured Markdown as safe HTML: whole (`render`) or as it streams (`MarkdownStream`).

A whole text goes through markdown-it. A running answer goes through a small line-by-line block machine that
only ever looks at the open end of the text, so the price of a token stays the same from the first to the last.
"""

from chat.markdown.citations import Citation, Citations, as_line, numbers_in
from chat.markdown.nodes import Patch
from chat.markdown.render import render, render_user
from chat.markdown.stream import MarkdownStream

__all__ = [
    "Citation",
    "Citations",
    "MarkdownStream",
    "Patch",
    "as_line",
    "numbers_in",
    "render",
    "render_user",
]
