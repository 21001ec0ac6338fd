"""The block structure of a growing text, line by line, as in CommonMark's own description.

Only the open blocks matter for what a line means: a stack of quotes, lists and items, and one leaf. So a line costs
the same wherever it stands, and a word inside a line only concerns the leaf.
"""

from __future__ import annotations

import re

from chat.markdown import engine, lines, tables
from chat.markdown.inline import Prose
from chat.markdown.leaves import REPAIR_LIMIT, Code, Formula, Rule
from chat.markdown.nodes import Body, Branch, Bullets, Item, Node, Patch, Quote, Raw
from chat.markdown.tables import Draft, Table

_DEFINITION = re.compile(r"\[[^\]]+\]:")
_TRAILING_MARKS = re.compile(r"(?:^|[ \t]+)#+[ \t]*\Z")
_HALF_TABLE_RULE = re.compile(r"[|:-][-:| \t]*\Z")
# An undecided line is looked at again when it has grown by half.
_PATIENCE = 200


class Blocks:
    """The whole answer: finished blocks as HTML, open ones as nodes."""

    def __init__(self, prefix: str, generation: int = 0) -> None:
        self._names = f"{prefix}-{generation}-" if generation else f"{prefix}-"
        self._count = 0
        self.env: engine.Env = {}
        self._body = Body(f"{prefix}-body")
        self._body.stale = generation > 0
        self._stack: list[Branch] = [self._body]
        self._leaf: Node | None = None
        self._live: Prose | Code | Draft | Table | None = None  # takes the rest of this line
        self._line = ""  # the start of a line that is still undecided
        self._retry = 0
        self._gap = False  # the last line was blank
        self._dirty: dict[Node, None] = {}
        self._source: list[str] = []  # of the open block at the top, to render it right at its end
        self._row: list[str] = []

    def html(self) -> str:
        return self._body.inside()

    def drain(self) -> list[Patch]:
        if self._body.stale:
            self._dirty = {self._body: None}
        patches = [patch for node in self._dirty for patch in node.drain()]
        self._dirty.clear()
        return patches

    def extend(self, text: str) -> None:
        *whole, last = text.split("\n")
        for part in whole:
            self._take(part, ends=True)
        if last:
            self._take(last, ends=False)

    def _take(self, part: str, *, ends: bool) -> None:
        self._row.append(part)
        if self._live is None:
            self._line += part
            if ends or len(self._line) >= self._retry:
                self._decide(complete=ends)
        elif part:
            self._touch(self._live)
            self._live.add(part)
        if ends:
            self._end_line()

    def _decide(self, *, complete: bool) -> None:
        if self._begin(_expanded(self._line), complete):
            self._line, self._retry = "", 0
        elif len(self._line) > _PATIENCE:
            self._retry = len(self._line) * 3 // 2

    def _end_line(self) -> None:
        if isinstance(self._live, Code | Table):
            self._touch(self._live)
            self._live.end_line()
        elif isinstance(self._live, Prose) and self._live.tag.startswith("h"):
            self._close_leaf()
        self._live, self._line, self._retry = None, "", 0
        self._source.append("".join(self._row))
        self._row.clear()

    # One line: which open blocks it goes on with, what it starts.

    def _begin(self, line: str, complete: bool) -> bool:
        """False when it is too early to tell."""
        depth, rest = self._matching(line)
        inside = depth == len(self._stack)
        blank = not rest.strip(" \t")
        if blank and not complete:
            return False
        if inside and isinstance(self._leaf, Code | Formula):
            return self._continue_verbatim(self._leaf, rest, complete)
        if blank:
            self._blank(depth)
            return True
        if (
            inside
            and self._leaf is not None
            and (done := self._table_rule(self._leaf, rest, complete)) is not None
        ):
            return done
        return self._start(depth, rest, complete)

    def _matching(self, line: str) -> tuple[int, str]:
        """How many of the open blocks the line goes on with, and what is left of it for the inside."""
        depth, rest = 1, line
        for number, branch in enumerate(self._stack[1:], 2):
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
        return self._without_open_list(depth), rest

    def _without_open_list(self, depth: int) -> int:
        """A list goes on only with an item; whether this line starts one is seen later."""
        return depth - 1 if isinstance(self._stack[depth - 1], Bullets) else depth

    def _blank(self, depth: int) -> None:
        self._gap = True
        unquoted = next(
            (i for i in range(depth, len(self._stack)) if isinstance(self._stack[i], Quote)), None
        )
        if unquoted is not None:
            self._close_to(unquoted)
        else:
            self._close_leaf()

    def _start(self, depth: int, rest: str, complete: bool) -> bool:
        inside = depth == len(self._stack)
        writing = isinstance(self._leaf, Draft) or self._is_paragraph()
        found = lines.starts(rest, complete, writing and inside, depth, underline=writing and inside)
        if found is None:
            return False
        first = found[0]
        if writing and isinstance(first, lines.Text | lines.Indented | lines.DraftStart):
            self._continue_paragraph(rest.lstrip(" \t"))
        elif isinstance(self._leaf, Table) and inside and isinstance(first, lines.Text | lines.DraftStart):
            self._go_live(self._leaf, rest)
        elif isinstance(first, lines.Underline):
            self._underline(first.level)
        else:
            self._open_all(depth, found)
        self._gap = False
        return True

    def _is_paragraph(self) -> bool:
        return isinstance(self._leaf, Prose) and not self._leaf.tag.startswith("h")

    def _continue_paragraph(self, text: str) -> None:
        leaf = self._written()
        leaf.add("\n")
        self._go_live(leaf, text)

    def _written(self) -> Prose:
        """The open paragraph; a line with pipes that was no table's head becomes one."""
        if isinstance(self._leaf, Draft):
            prose = Prose(self._leaf.id, self._text_tag(), self.env)
            prose.add(self._leaf.source)
            self._stack[-1].replace_last(prose)
            self._leaf = prose
            self._touch(prose)
        assert isinstance(self._leaf, Prose)  # noqa: S101  # only asked when a paragraph is open
        return self._leaf

    def _underline(self, level: int) -> None:
        prose = self._written()
        self._touch(prose)
        prose.close(tag=f'{engine.heading_tag(level)} dir="auto"')
        self._leaf = None

    # Tables: a delimiter row makes the line above it the head.

    def _table_rule(self, leaf: Node, rest: str, complete: bool) -> bool | None:
        if (not isinstance(leaf, Draft) and not self._is_paragraph()) or lines.indentation(rest) > 3:
            return None
        if not _HALF_TABLE_RULE.match(rest.strip(" \t")):
            return None
        head = leaf.last_line if isinstance(leaf, Draft | Prose) else ""
        if "|" not in head:
            return None
        if not complete:
            return False
        columns = tables.alignments(rest)
        cells = tables.cells_of(head)
        if columns is None or len(columns) != len(cells):
            return None
        before = leaf.source[: -len(head)].rstrip("\n") if isinstance(leaf, Prose) else ""
        self._open_table(Table(leaf.id, cells, columns, self.env), before)
        return True

    def _open_table(self, table: Table, before: str) -> None:
        parent = self._stack[-1]
        if before:
            prose = Prose(table.id, self._text_tag(), self.env)
            prose.add(before)
            prose.close()
            parent.replace_last(prose)
            self._touch(prose)
            table.id = self._name()
            self._add(table)
        else:
            parent.replace_last(table)
            self._touch(table)
        self._leaf = table

    # Code and formulas keep their lines as they are.

    def _continue_verbatim(self, leaf: Code | Formula, rest: str, complete: bool) -> bool:
        if isinstance(leaf, Formula):
            return self._continue_formula(leaf, rest, complete)
        if not leaf.fence:
            return self._continue_indented(leaf, rest, complete)
        body = rest.strip(" \t")
        if body.strip(leaf.fence[0]) == "" and body and lines.indentation(rest) < 4:
            if not complete:
                return False
            if len(body) >= len(leaf.fence):
                self._close_leaf()
                return True
        self._go_live(leaf, rest[min(leaf.indent, lines.indentation(rest)) :])
        return True

    def _continue_indented(self, leaf: Code, rest: str, complete: bool) -> bool:
        blank = not rest.strip(" \t")
        if blank or lines.indentation(rest) >= 4:
            if complete:
                self._gap = self._gap or blank
                self._go_live(leaf, rest[4:])
            return complete
        found = lines.starts(rest, complete, False, len(self._stack))
        if found is not None:
            self._open_all(len(self._stack), found)
            self._gap = False
        return found is not None

    def _continue_formula(self, leaf: Formula, rest: str, complete: bool) -> bool:
        if not complete:
            return False
        self._touch(leaf)
        if not rest.strip(" \t"):
            self._close_leaf()
        elif leaf.add_line(rest.lstrip(" \t")):
            self._leaf = None
        return True

    # Opening and closing.

    def _open_all(self, depth: int, found: list[lines.Start]) -> None:
        first = found[0]
        listed = self._stack[depth] if depth < len(self._stack) else None
        if (
            isinstance(first, lines.ItemStart)
            and isinstance(listed, Bullets)
            and listed.marker == first.marker
        ):
            self._close_to(depth + 1)
            if self._gap:
                self._loosen(listed)
        else:
            self._close_to(depth)
            self._loosen_item()
        for start in found:
            self._open(start)

    def _open(self, start: lines.Start) -> None:
        if isinstance(start, lines.QuoteStart):
            self._push(Quote(self._name()))
        elif isinstance(start, lines.ItemStart):
            self._open_item(start)
        elif not isinstance(start, lines.Blank):
            self._open_leaf(start)

    def _open_item(self, start: lines.ItemStart) -> None:
        if not isinstance(self._stack[-1], Bullets):
            self._push(Bullets(self._name(), start.marker, start.number))
        self._push(Item(self._name(), start.indent, start.checked))

    def _open_leaf(self, start: lines.Start) -> None:
        leaf = self._leaf_for(start)
        self._add(leaf)
        self._leaf = leaf
        if isinstance(leaf, Prose | Draft):
            self._go_live(leaf, start.rest)
        elif isinstance(start, lines.Indented) and isinstance(leaf, Code):
            self._go_live(leaf, start.rest[4:])
        elif isinstance(leaf, Rule) or (isinstance(leaf, Formula) and leaf.add_line(start.rest)):
            self._leaf = None

    def _leaf_for(self, start: lines.Start) -> Node:
        name = self._name()
        if isinstance(start, lines.HeadingStart):
            return Prose(name, f'{engine.heading_tag(start.level)} dir="auto"', self.env)
        if isinstance(start, lines.FenceStart):
            return Code(name, start.fence, start.info, start.indent)
        if isinstance(start, lines.Indented):
            return Code(name, "", "", 0)
        if isinstance(start, lines.FormulaStart):
            return Formula(name, start.closing, self.env)
        if isinstance(start, lines.RuleStart):
            return Rule(name)
        return (
            Draft(name, self.env)
            if isinstance(start, lines.DraftStart)
            else Prose(name, self._text_tag(), self.env)
        )

    def _text_tag(self) -> str:
        """In a tight list the text of an item stands without a paragraph around it."""
        item, parent = self._stack[-1], self._stack[-2] if len(self._stack) > 1 else None
        tight = isinstance(item, Item) and isinstance(parent, Bullets) and not parent.loose
        return "" if tight else 'p dir="auto"'

    def _loosen_item(self) -> None:
        """A blank line between two blocks of an item makes its list loose."""
        if self._gap and isinstance(self._stack[-1], Item) and self._stack[-1].children:
            parent = self._stack[-2]
            if isinstance(parent, Bullets):
                self._loosen(parent)

    def _loosen(self, parent: Bullets) -> None:
        """Happens once a list, mostly at its second item."""
        if parent.loose:
            return
        parent.loose = True
        parent.stale = parent.sent
        self._touch(parent)
        for item in parent.children:
            for child in item.children if isinstance(item, Item) else []:
                if isinstance(child, Prose) and not child.tag:
                    child.retag('p dir="auto"')

    def _go_live(self, leaf: Prose | Code | Draft | Table, text: str) -> None:
        self._live = leaf
        self._touch(leaf)
        leaf.add(text)

    def _push(self, branch: Branch) -> None:
        self._add(branch)
        self._stack.append(branch)

    def _add(self, node: Node) -> None:
        if len(self._stack) == 1 and not isinstance(node, Table):
            self._source.clear()
        self._stack[-1].append(node)
        self._touch(self._stack[-1])
        self._touch(node)

    def _close_to(self, depth: int) -> None:
        self._close_leaf()
        if depth == 1 and len(self._stack) > 1:
            self._repair(self._stack[1])
        del self._stack[depth:]

    def _close_leaf(self) -> None:
        leaf, self._leaf = self._leaf, None
        if leaf is None:
            return
        self._touch(leaf)
        if isinstance(leaf, Draft):
            self._leaf = leaf
            leaf, self._leaf = self._written(), None
        if isinstance(leaf, Prose):
            self._close_prose(leaf)
        elif isinstance(leaf, Code) or isinstance(leaf, Table | Formula):
            leaf.close()

    def _close_prose(self, prose: Prose) -> None:
        source = prose.source
        if prose.tag.startswith("h"):
            prose.close(_TRAILING_MARKS.sub("", source.strip(" \t")))
        elif _DEFINITION.match(source):
            self._replace(Raw(prose.id, engine.blocks(source, self.env)))
        else:
            prose.close()

    def _replace(self, node: Node) -> None:
        self._stack[-1].replace_last(node)
        self._touch(node)

    def _repair(self, node: Branch) -> None:
        """The finished list or quote as the whole rendering has it, should the sketch differ."""
        source = "\n".join(self._source)
        if len(source) > REPAIR_LIMIT:
            return
        html = engine.blocks(source, self.env)
        if html != node.clean():
            raw = Raw(node.id, html)
            self._body.replace_last(raw)
            self._touch(raw)

    def _touch(self, node: Node) -> None:
        self._dirty[node] = None

    def _name(self) -> str:
        self._count += 1
        return f"{self._names}{self._count}"


def _expanded(line: str) -> str:
    """Tabs of the indentation as the spaces they stand for."""
    body = line.lstrip(" \t")
    margin = line[: len(line) - len(body)]
    return margin.expandtabs(4) + body if "\t" in margin else line
