"""Tables: finished rows are added, only the open one is drawn anew."""

from __future__ import annotations

import re
from collections.abc import Iterator

from markdown_it.rules_block.table import escapedSplit

from chat.markdown import delimiters, engine
from chat.markdown.nodes import Node, Patch

_RULE = re.compile(r"[|:-][-:| \t]*\Z")
_RULE_CELL = re.compile(r":?-+:?\Z")
# A row longer than this is drawn again only when it has grown by a quarter, so that its price stays linear.
_EASY = 400


def cells_of(line: str) -> list[str]:
    cells = escapedSplit(line.strip(" \t"))
    if cells and cells[0] == "":
        cells.pop(0)
    if cells and cells[-1] == "":
        cells.pop()
    return [cell.strip(" \t") for cell in cells]


def alignments(line: str) -> list[str] | None:
    """The columns of a delimiter row ("|:--|--:|"), or None when it is none."""
    line = line.strip(" \t")
    if not _RULE.match(line) or len(line) < 2 or line[:2] in ("- ", "-\t"):
        return None
    columns = [column.strip() for column in line.split("|")]
    columns = columns[1:] if not columns[0] else columns
    columns = columns[:-1] if columns and not columns[-1] else columns
    if not columns or not all(_RULE_CELL.match(column) for column in columns):
        return None
    return [_alignment(column) for column in columns]


def _alignment(column: str) -> str:
    left, right = column.startswith(":"), column.endswith(":")
    name = "center" if left and right else "right" if right else "left" if left else ""
    return f' class="align-{name}"' if name else ""


class _Rows(Node):
    """What a table and the first line of one have in common: a line that is being written."""

    __slots__ = ("_drawn", "_drawn_at", "_line", "env")

    def __init__(self, id_: str, env: engine.Env) -> None:
        super().__init__(id_)
        self.env = env
        self._line = ""
        self._drawn = ""
        self._drawn_at = 0

    def add(self, text: str) -> None:
        self._line += text

    def _preview(self, tag: str, columns: list[str]) -> str:
        """The open row, with the last cell's open marks closed."""
        grown = len(self._line) - self._drawn_at
        if grown and not (len(self._line) > _EASY and 0 < grown < len(self._line) // 4):
            *ended, last = cells_of(self._line) or [""]
            cells = [*ended, _closed(last)]
            self._drawn = row(cells, columns or [""] * len(cells), tag, self.env)
            self._drawn_at = len(self._line)
        return self._drawn

    def _start_line(self) -> None:
        self._line, self._drawn, self._drawn_at = "", "", 0


class Draft(_Rows):
    """A line that starts with a pipe: a table's head, until the next line says otherwise."""

    __slots__ = ("_shown",)

    def __init__(self, id_: str, env: engine.Env) -> None:
        super().__init__(id_, env)
        self._shown = ""

    @property
    def source(self) -> str:
        return self._line

    last_line = source

    def html(self) -> str:
        head = f'<thead><tr id="{self.id}h">{self._preview("th", [])}</tr></thead>'
        return f"{_opening(self.id)}{head}{engine.TABLE_CLOSE}"

    def clean(self) -> str:
        return ""

    def changes(self) -> Iterator[Patch]:
        html = self._preview("th", [])
        if html != self._shown:
            yield Patch(f"{self.id}h", "innerHTML", html)
        self._shown = html

    def settle(self) -> None:
        super().settle()
        self._shown = self._drawn


class Table(_Rows):
    __slots__ = ("_columns", "_head", "_open_shown", "_rows", "_rows_shown")

    def __init__(self, id_: str, head: list[str], columns: list[str], env: engine.Env) -> None:
        super().__init__(id_, env)
        self._columns = columns
        self._head = f"<thead><tr>{row(head, columns, 'th', env)}</tr></thead>"
        self._rows: list[str] = []
        self._rows_shown = 0
        self._open_shown = ""

    def end_line(self) -> None:
        self._rows.append(f"<tr>{row(cells_of(self._line), self._columns, 'td', self.env)}</tr>")
        self._start_line()

    def close(self) -> None:
        if self._line:
            self.end_line()

    def html(self) -> str:
        inside = f'{self._head}<tbody id="{self.id}b">{"".join(self._rows)}{self._open_row()}</tbody>'
        return f"{_opening(self.id)}{inside}{engine.TABLE_CLOSE}"

    def clean(self) -> str:
        rows = f"<tbody>{''.join(self._rows)}</tbody>" if self._rows else ""
        return f"{engine.TABLE_OPEN}{self._head}{rows}{engine.TABLE_CLOSE}"

    def changes(self) -> Iterator[Patch]:
        fresh, open_row = "".join(self._rows[self._rows_shown :]), self._open_row()
        if fresh or open_row != self._open_shown:
            target, swap = (f"{self.id}r", "outerHTML") if self._open_shown else (f"{self.id}b", "beforeend")
            yield Patch(target, swap, fresh + open_row)
        self._settle_rows(open_row)

    def settle(self) -> None:
        super().settle()
        self._settle_rows(self._open_row())

    def _settle_rows(self, open_row: str) -> None:
        self._rows_shown = len(self._rows)
        self._open_shown = open_row

    def _open_row(self) -> str:
        return f'<tr id="{self.id}r">{self._preview("td", self._columns)}</tr>' if self._line else ""


def row(cells: list[str], columns: list[str], tag: str, env: engine.Env) -> str:
    """As many cells as there are columns: missing ones are empty, further ones are dropped."""
    padded = [*cells, *([""] * (len(columns) - len(cells)))]
    return "".join(
        f'<{tag}{column} dir="auto">{_cell(cell, env)}</{tag}>'
        for cell, column in zip(padded, columns, strict=False)
    )


def _cell(source: str, env: engine.Env) -> str:
    return engine.inline(source, env) if delimiters.SPECIAL.search(source) else engine.escape(source)


def _closed(source: str) -> str:
    scan = delimiters.scan(source)
    return source[: scan.safe] + scan.shown + scan.closers + scan.literal


def _opening(id_: str) -> str:
    return engine.TABLE_OPEN.replace("<div", f'<div id="{id_}"', 1)
