"""Rows of cells as text."""

from __future__ import annotations

from collections.abc import Sequence


def markdown_table(rows: Sequence[Sequence[str]]) -> str:
    """A table as Markdown has it, its first row as its head; empty where nothing is in it."""
    rows = [[_cell(cell) for cell in row] for row in rows]
    if not any(cell for row in rows for cell in row):
        return ""
    width = max(len(row) for row in rows)
    lines = ["| " + " | ".join([*row, *[""] * (width - len(row))]) + " |" for row in rows]
    return "\n".join([lines[0], "|" + " --- |" * width, *lines[1:]])


def tab_separated(cells: Sequence[str]) -> str:
    """One row with tabs between its cells, without the empty ones at its end."""
    return "\t".join(" ".join(cell.split()) for cell in cells).rstrip("\t")


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
