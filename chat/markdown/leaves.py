"""Blocks without blocks inside, other than text: code, formulas, rules."""

from __future__ import annotations

from collections.abc import Iterator

from markdown_it.common.utils import escapeHtml

from chat.markdown import code, engine, formulas, math
from chat.markdown.inline import REPAIR_LIMIT
from chat.markdown.nodes import Node, Patch


class Code(Node):
    """A fence or an indented block: complete lines are coloured, the unfinished one is plain."""

    __slots__ = (
        "_all",
        "_final",
        "_lexer",
        "_lines",
        "_lines_shown",
        "_size",
        "_tail",
        "_tail_shown",
        "fence",
        "indent",
        "language",
    )

    def __init__(self, id_: str, fence: str, info: str, indent: int) -> None:
        super().__init__(id_)
        self.fence = fence
        self.indent = indent  # as many spaces are no part of the code's lines
        self.language = code.language_of(info)
        self._lexer = code.lexer_for(self.language)
        self._lines: list[str] = []
        self._all: list[str] = []
        self._size = 0
        self._lines_shown = 0
        self._tail: list[str] = []
        self._tail_shown = 0
        self._final: str | None = None

    def add(self, text: str) -> None:
        if text:
            self._tail.append(text)

    def end_line(self) -> None:
        line = "".join(self._tail) + "\n"
        self._tail = []
        self._all.append(line)
        self._size += len(line)
        lexer = self._lexer if self._size < code.MAX_HIGHLIGHTED else None
        self._lines.append(code.highlight_line(line, lexer))

    def _drop_blank_end(self) -> None:
        """Blank lines behind indented code do not belong to it."""
        while self._all and self._all[-1] == "\n":
            self._all.pop()
            self._lines.pop()
        self.stale = self.sent and self._lines_shown > len(self._lines)

    def close(self) -> None:
        if self._tail:
            self.end_line()
        if not self.fence:
            self._drop_blank_end()
        lines = "".join(self._lines)
        whole = (
            code.highlight("".join(self._all), self._lexer)
            if self._lexer and self._size < REPAIR_LIMIT
            else lines
        )
        self.stale = self.stale or (self.sent and whole != lines)
        self._final = whole

    def html(self) -> str:
        inside = self._final
        if inside is None:
            inside = f'{"".join(self._lines)}<span id="{self.id}t">{escapeHtml("".join(self._tail))}</span>'
        opening = code.figure_open(self.language, (self.id, f"{self.id}c"))
        return f"{opening}{inside}{code.FIGURE_CLOSE}"

    def clean(self) -> str:
        return code.figure(self.language, self._final if self._final is not None else "".join(self._lines))

    def changes(self) -> Iterator[Patch]:
        tail = f"{self.id}t"
        if self._lines_shown < 0:
            return
        lines = "".join(self._lines[self._lines_shown :])
        if self._final is not None:
            yield Patch(tail, "outerHTML", lines) if lines else Patch(tail, "delete", "")
        elif lines:
            yield Patch(tail, "beforebegin", lines)
            if self._tail or self._tail_shown:
                yield Patch(tail, "innerHTML", escapeHtml("".join(self._tail)))
        elif self._tail_shown < len(self._tail):
            yield Patch(tail, "beforeend", escapeHtml("".join(self._tail[self._tail_shown :])))
        self._settle_text()

    def settle(self) -> None:
        super().settle()
        self._settle_text()

    def _settle_text(self) -> None:
        self._lines_shown = -1 if self._final is not None else len(self._lines)
        self._tail_shown = len(self._tail)


class Formula(Node):
    """A formula on lines of its own. Its source is shown until it is complete."""

    __slots__ = ("_env", "_final", "_lines", "closing")

    def __init__(self, id_: str, closing: str, env: engine.Env) -> None:
        super().__init__(id_)
        self.closing = closing
        self._env = env
        self._lines: list[str] = []
        self._final: str | None = None

    def add_line(self, line: str) -> bool:
        """True when the formula is complete."""
        self._lines.append(line)
        self.stale = self.sent
        ended = formulas.block_ends(line, self.closing, len(self._lines) == 1)
        if ended:
            self._final = engine.formula_block("\n".join(self._lines)[2:].rstrip()[:-2])
        return bool(ended)

    def close(self) -> None:
        """Not a formula, it turns out: nothing ended it."""
        if self._final is None:
            self._final = engine.blocks("\n".join(self._lines), self._env)
            self.stale = self.sent

    def html(self) -> str:
        if self._final is None:
            shown = math.source("\n".join(self._lines), True)
            return f'<p class="formula" id="{self.id}">{shown}</p>'
        return self._final

    def clean(self) -> str:
        return self._final or ""


class Rule(Node):
    __slots__ = ()

    def html(self) -> str:
        return "<hr>"

    def clean(self) -> str:
        return "<hr>"
