"""The open blocks of a growing text: what a block machine may do with them, and what the page must hear of it."""

from __future__ import annotations

import re

from chat.markdown import engine, lines
from chat.markdown.inline import REPAIR_LIMIT, Prose
from chat.markdown.leaves import Code, Formula, Rule
from chat.markdown.nodes import Body, Branch, Bullets, Item, Node, Patch, Quote, Raw
from chat.markdown.tables import Draft, Table

PARAGRAPH = 'p dir="auto"'
_DEFINITION = re.compile(r"\[[^\]]+\]:")


class Tree:
    """A stack of quotes, lists and items inside the body, and at most one open leaf in the innermost."""

    def __init__(self, prefix: str, generation: int) -> None:
        self._names = f"{prefix}-{generation}-" if generation else f"{prefix}-"
        self._count = 0
        self._dirty: dict[Node, None] = {}
        self.env: engine.Env = {}  # link definitions seen so far
        self.body = Body(f"{prefix}-body")
        self.body.stale = generation > 0
        self.stack: list[Branch] = [self.body]
        self.leaf: Node | None = None
        self.gap = False  # the last line was blank
        self.source: list[str] = []  # lines of the open block at the top, to render it right at its end

    def drain(self) -> list[Patch]:
        if self.body.stale:
            self._dirty = {self.body: None}
        patches = [patch for node in self._dirty for patch in node.drain()]
        self._dirty.clear()
        return patches

    def touch(self, node: Node) -> None:
        self._dirty[node] = None

    def is_paragraph(self) -> bool:
        return isinstance(self.leaf, Prose) and not self.leaf.is_heading

    def written(self) -> Prose:
        """The open paragraph; a line with pipes that was no table's head becomes one."""
        if isinstance(self.leaf, Draft):
            prose = Prose(self.leaf.id, self._text_tag(), self.env)
            prose.add(self.leaf.source)
            self._replace(prose)
            self.leaf = prose
        assert isinstance(self.leaf, Prose)  # noqa: S101  # only asked when a paragraph is open
        return self.leaf

    def underline(self, level: int) -> None:
        prose = self.written()
        self.touch(prose)
        prose.close(tag=f'{engine.heading_tag(level)} dir="auto"')
        self.leaf = None

    def open_table(self, leaf: Prose | Draft, head: list[str], columns: list[str]) -> None:
        """The last line of the paragraph becomes a table's head; lines before it stay a paragraph."""
        before = leaf.source[: -len(leaf.last_line)].rstrip("\n") if isinstance(leaf, Prose) else ""
        name = self._name() if before else leaf.id
        table = Table(name, head, columns, self.env)
        if before:
            prose = Prose(leaf.id, self._text_tag(), self.env)
            prose.add(before)
            prose.close()
            self._replace(prose)
            self.stack[-1].append(table)
            self.touch(self.stack[-1])
        else:
            self._replace(table)
        self.leaf = table

    def open_item_or(self, depth: int, first: lines.Start) -> None:
        """Close what the line does not go on with. An item of the same kind goes on with its list."""
        listed = self.stack[depth] if depth < len(self.stack) else None
        if (
            isinstance(first, lines.ItemStart)
            and isinstance(listed, Bullets)
            and listed.marker == first.marker
        ):
            self.close_to(depth + 1)
            self._loosen(listed)
        else:
            self.close_to(depth)
            if isinstance(self.stack[-1], Item) and self.stack[-1].children:
                self._loosen(self.stack[-2])

    def open(self, start: lines.Start) -> None:
        if isinstance(start, lines.QuoteStart):
            self._push(Quote(self._name()))
        elif isinstance(start, lines.ItemStart):
            if not isinstance(self.stack[-1], Bullets):
                self._push(Bullets(self._name(), start.marker, start.number))
            self._push(Item(self._name(), start.indent, start.checked))
        elif not isinstance(start, lines.Blank):
            self.leaf = self._leaf_for(start)
            self._add(self.leaf)

    def close_to(self, depth: int) -> None:
        self.close_leaf()
        if depth == 1 and len(self.stack) > 1:
            self._repair(self.stack[1])
        del self.stack[depth:]

    def close_leaf(self) -> None:
        leaf = self.written() if isinstance(self.leaf, Draft) else self.leaf
        self.leaf = None
        if isinstance(leaf, Prose):
            self._close_prose(leaf)
        elif isinstance(leaf, Code | Formula | Table):
            leaf.close()
            self.touch(leaf)

    def _close_prose(self, prose: Prose) -> None:
        self.touch(prose)
        source = prose.source
        if prose.is_heading:
            prose.close(_without_marks(source))
        elif _DEFINITION.match(source):
            self._replace(Raw(prose.id, engine.blocks(source, self.env)))
        else:
            prose.close()

    def _leaf_for(self, start: lines.Start) -> Node:
        name = self._name()
        match start:
            case lines.HeadingStart(level=level):
                return Prose(name, f'{engine.heading_tag(level)} dir="auto"', self.env)
            case lines.FenceStart(fence=fence, info=info, indent=indent):
                return Code(name, fence, info, indent)
            case lines.Indented():
                return Code(name, "", "", 0)
            case lines.FormulaStart(closing=closing):
                return Formula(name, closing, self.env)
            case lines.RuleStart():
                return Rule(name)
            case lines.DraftStart():
                return Draft(name, self.env)
        return Prose(name, self._text_tag(), self.env)

    def _text_tag(self) -> str:
        """In a tight list the text of an item stands without a paragraph around it."""
        parent = self.stack[-2] if isinstance(self.stack[-1], Item) else None
        return "" if isinstance(parent, Bullets) and not parent.loose else PARAGRAPH

    def _loosen(self, parent: Branch) -> None:
        """A blank line between two blocks of a list. Changes its looks, but only once, mostly at the second item."""
        if not self.gap or not isinstance(parent, Bullets) or parent.loose:
            return
        parent.loose, parent.stale = True, parent.sent
        self.touch(parent)
        for item in parent.children:
            for child in item.children if isinstance(item, Item) else []:
                if isinstance(child, Prose) and not child.tag:
                    child.tag = PARAGRAPH

    def _repair(self, node: Branch) -> None:
        """The finished list or quote as the whole rendering has it, should the sketch differ."""
        source = "\n".join(self.source)
        if len(source) > REPAIR_LIMIT:
            return
        html = engine.blocks(source, self.env)
        if html != node.clean():
            raw = Raw(node.id, html)
            self.body.replace_last(raw)
            self.touch(raw)

    def _replace(self, node: Node) -> None:
        self.stack[-1].replace_last(node)
        self.touch(node)

    def _push(self, branch: Branch) -> None:
        self._add(branch)
        self.stack.append(branch)

    def _add(self, node: Node) -> None:
        if len(self.stack) == 1:
            self.source.clear()
        self.stack[-1].append(node)
        self.touch(self.stack[-1])
        self.touch(node)

    def _name(self) -> str:
        self._count += 1
        return f"{self._names}{self._count}"


def _without_marks(heading: str) -> str:
    """ "Title ##" is "Title", "C#" stays."""
    text = heading.strip(" \t")
    bare = text.rstrip("#")
    return bare.rstrip(" \t") if not bare or bare[-1] in " \t" else text
