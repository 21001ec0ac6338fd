"""The block structure of a growing text, line by line, as in CommonMark's own description.

Only the open blocks matter for what a line means. So a line costs the same wherever it stands, and a word inside a
line only concerns the open leaf.
"""

from __future__ import annotations

import re

from chat.markdown import lines, tables
from chat.markdown.inline import Prose
from chat.markdown.leaves import Code, Formula, Rule
from chat.markdown.nodes import Bullets, Item, Node, Patch, Quote
from chat.markdown.tables import Draft, Table
from chat.markdown.tree import Tree

_HALF_TABLE_RULE = re.compile(r"[|:-][-:| \t]*\Z")
# A longer line that is still undecided is looked at again when it has grown by half.
_PATIENCE = 200


class Blocks:
    """Takes text as it comes and grows a tree from it."""

    def __init__(self, prefix: str, generation: int = 0) -> None:
        self._tree = Tree(prefix, generation)
        self._live: Prose | Code | Draft | Table | None = None  # takes the rest of this line
        self._undecided = ""  # the start of a line that may still mean several things
        self._retry = 0
        self._line: list[str] = []

    def html(self) -> str:
        return self._tree.body.inside()

    def drain(self) -> list[Patch]:
        return self._tree.drain()

    def extend(self, text: str) -> None:
        *whole, last = text.split("\n")
        for part in whole:
            self._take(part, ends=True)
            self._end_line()
        if last:
            self._take(last, ends=False)

    def _take(self, part: str, *, ends: bool) -> None:
        self._line.append(part)
        if self._live is None:
            self._undecided += part
            if ends or len(self._undecided) >= self._retry:
                self._decide(complete=ends)
        elif part:
            self._go_live(self._live, part)

    def _decide(self, *, complete: bool) -> None:
        if self._begin(_expanded(self._undecided), complete):
            self._undecided, self._retry = "", 0
        elif len(self._undecided) > _PATIENCE:
            self._retry = len(self._undecided) * 3 // 2

    def _end_line(self) -> None:
        if isinstance(self._live, Code | Table):
            self._tree.touch(self._live)
            self._live.end_line()
        elif isinstance(self._live, Prose) and self._live.is_heading:
            self._tree.close_leaf()
        self._live, self._undecided, self._retry = None, "", 0
        self._tree.source.append("".join(self._line))
        self._line.clear()

    # One line: which open blocks it goes on with, what it starts. Each step says False when it is too early to tell.

    def _begin(self, line: str, complete: bool) -> bool:
        depth, rest = self._matching(line)
        leaf = self._tree.leaf if depth == len(self._tree.stack) else None
        blank = not rest.strip(" \t")
        if blank and not complete:
            return False
        if isinstance(leaf, Code | Formula):
            return self._continue_verbatim(leaf, rest, complete)
        if blank:
            self._blank(depth)
            return True
        decided = self._table_rule(leaf, rest, complete)
        return self._start(depth, rest, complete) if decided is None else decided

    def _matching(self, line: str) -> tuple[int, str]:
        """How many of the open blocks the line goes on with, and what is left of it for the inside."""
        depth, rest = 1, line
        for number, branch in enumerate(self._tree.stack[1:], 2):
            if isinstance(branch, Quote):
                inner = lines.strip_quote(rest)
                if inner is None:
                    break
                rest = inner
            elif isinstance(branch, Item):
                if rest.strip(" \t") and lines.indentation(rest) < branch.indent:
                    break
                rest = rest[branch.indent :]
            depth = number
        # A list goes on only with an item; whether this line starts one is seen later.
        return depth - isinstance(self._tree.stack[depth - 1], Bullets), rest

    def _blank(self, depth: int) -> None:
        """Ends a paragraph, and a quote whose mark it lacks; items may go on after it."""
        tree = self._tree
        tree.gap = True
        left = next((at for at in range(depth, len(tree.stack)) if isinstance(tree.stack[at], Quote)), None)
        if left is None:
            tree.close_leaf()
        else:
            tree.close_to(left)

    def _start(self, depth: int, rest: str, complete: bool) -> bool:
        tree = self._tree
        inside = depth == len(tree.stack)
        writing = isinstance(tree.leaf, Draft) or tree.is_paragraph()
        found = lines.starts(rest, complete, writing and inside, depth, underline=writing and inside)
        if found is None:
            return False
        if writing and isinstance(found[0], lines.Text | lines.Indented | lines.DraftStart):
            tree.written().add("\n")
            self._go_live(tree.written(), rest.lstrip(" \t"))
        elif inside and isinstance(tree.leaf, Table) and isinstance(found[0], lines.Text | lines.DraftStart):
            self._go_live(tree.leaf, rest)
        elif isinstance(found[0], lines.Underline):
            tree.underline(found[0].level)
        else:
            self._open_all(depth, found)
        tree.gap = False
        return True

    def _table_rule(self, leaf: Node | None, rest: str, complete: bool) -> bool | None:
        """A delimiter row makes the line above it a table's head. None: this is none."""
        if not isinstance(leaf, Prose | Draft) or not _HALF_TABLE_RULE.match(rest.strip(" \t")):
            return None
        head = leaf.last_line
        if "|" not in head or lines.indentation(rest) > 3:
            return None
        if not complete:
            return False
        cells, columns = tables.cells_of(head), tables.alignments(rest)
        if columns is None or len(columns) != len(cells):
            return None
        self._tree.open_table(leaf, cells, columns)
        return True

    def _open_all(self, depth: int, found: list[lines.Start]) -> None:
        tree = self._tree
        tree.open_item_or(depth, found[0])
        for start in found:
            tree.open(start)
        leaf, rest = tree.leaf, found[-1].rest
        if isinstance(leaf, Prose | Draft):
            self._go_live(leaf, rest)
        elif isinstance(found[-1], lines.Indented) and isinstance(leaf, Code):
            self._go_live(leaf, rest[4:])
        elif isinstance(leaf, Rule) or (isinstance(leaf, Formula) and leaf.add_line(rest)):
            tree.leaf = None

    # Code and formulas keep their lines as they are.

    def _continue_verbatim(self, leaf: Code | Formula, rest: str, complete: bool) -> bool:
        if isinstance(leaf, Formula):
            return complete and self._continue_formula(leaf, rest)
        return (
            self._continue_fence(leaf, rest, complete)
            if leaf.fence
            else self._continue_indented(leaf, rest, complete)
        )

    def _continue_formula(self, leaf: Formula, rest: str) -> bool:
        self._tree.touch(leaf)
        if not rest.strip(" \t"):
            self._tree.close_leaf()
        elif leaf.add_line(rest.lstrip(" \t")):
            self._tree.leaf = None
        return True

    def _continue_fence(self, leaf: Code, rest: str, complete: bool) -> bool:
        margin, mark = lines.indentation(rest), rest.strip(" \t")
        if mark and not mark.strip(leaf.fence[0]) and margin < 4:
            if not complete:
                return False
            if len(mark) >= len(leaf.fence):
                self._tree.close_leaf()
                return True
        self._go_live(leaf, rest[min(leaf.indent, margin) :])
        return True

    def _continue_indented(self, leaf: Code, rest: str, complete: bool) -> bool:
        blank = not rest.strip(" \t")
        if blank or lines.indentation(rest) >= 4:
            if complete:
                self._tree.gap = self._tree.gap or blank
                self._go_live(leaf, rest[4:])
            return complete
        found = lines.starts(rest, complete, False, len(self._tree.stack))
        if found is not None:
            self._open_all(len(self._tree.stack), found)
            self._tree.gap = False
        return found is not None

    def _go_live(self, leaf: Prose | Code | Draft | Table, text: str) -> None:
        self._live = leaf
        self._tree.touch(leaf)
        leaf.add(text)


def _expanded(line: str) -> str:
    """Tabs of the indentation as the spaces they stand for."""
    body = line.lstrip(" \t")
    margin = line[: len(line) - len(body)]
    return margin.expandtabs(4) + body if "\t" in margin else line
