"""A paragraph or heading while it grows.

What nothing later can change is frozen: it stands before the tail element and is never sent again. Only the tail is
rendered anew, and a plain word, by far the most common token, is not rendered at all but added where it belongs.

The page has: `<p id="X">frozen… <span id="Xt">tail with <b>an open end<span id="Xe"></span></b></span></p>`.
"""

from __future__ import annotations

from collections.abc import Iterator

from markdown_it.common.utils import escapeHtml

from chat.markdown import delimiters, engine
from chat.markdown.nodes import Node, Patch

# An open "**" or "`" longer than this is frozen as it looks; the finished paragraph is right again.
_MAX_TAIL = 1_000
# The finished text goes through the parser once more as a whole, because a part alone does not know what it stands in.
# A longer one would stall everyone for a moment; the final rendering does it then.
REPAIR_LIMIT = 16_000
# More text at once than this is frozen unseen but for its end.
_MAX_SCAN = 3_000
# A private character that marks where plain words may be added inside the rendered tail.
_HERE = "\ue000"


class Prose(Node):
    """`tag` is empty for the text of a tight list item, which the finished page shows without an element."""

    __slots__ = (
        "_added", "_added_shown", "_before", "_done", "_done_shown", "_final", "_growing", "_held", "_pending",
        "_plain", "_redrawn", "_rest", "_sources", "_tail", "env", "tag",
    )  # fmt: skip

    def __init__(self, id_: str, tag: str, env: engine.Env) -> None:
        super().__init__(id_)
        self.tag = tag
        self.env = env
        self._sources: list[str] = []
        self._held = ""  # white space at the end: it may turn out to be a hard break, or nothing
        self._rest = ""  # source behind what is frozen
        self._before = ""  # the character before the rest: delimiters look at their neighbours
        self._pending = False  # the rest has changed in a way that needs the parser
        self._plain = True  # the parser was never needed
        self._growing = False  # plain words may be added inside the tail
        self._redrawn = False
        self._final: str | None = None
        self._done: list[str] = []
        self._done_shown = 0
        self._tail: tuple[str, str] = ("", "")
        self._added: list[str] = []
        self._added_shown = 0

    @property
    def is_heading(self) -> bool:
        return self.tag.startswith("h")

    @property
    def source(self) -> str:
        return "".join(self._sources)

    @property
    def last_line(self) -> str:
        """Found from the end, because it is asked for at many lines and the paragraph may be long."""
        parts: list[str] = []
        for text in reversed(self._sources):
            parts.append(text)
            if "\n" in text:
                break
        return "".join(reversed(parts)).rpartition("\n")[2]

    def add(self, text: str) -> None:
        self._sources.append(text)
        if self._pending or delimiters.SPECIAL.search(text) or not (self._growing or not self._rest):
            self._rest += self._held + text
            self._held = ""
            self._pending = True
            self._plain = self._plain and text[:1] == "\n" and not delimiters.SPECIAL.search(text, 1)
        else:
            self._add_plain(self._held + text)
        self._plain = self._plain and "@" not in text  # an address becomes a link when its paragraph ends

    def _add_plain(self, text: str) -> None:
        words = text.rstrip(" \t")
        self._held = text[len(words) :]
        if not words:
            return
        if self._rest:
            self._rest += words
            self._pending = len(self._rest) > _MAX_SCAN
            self._added.append(escapeHtml(words))
        else:
            self._before = words[-1]
            self._done.append(escapeHtml(words))

    def close(self, source: str | None = None, tag: str | None = None) -> None:
        """The text is complete. A heading may bring the source without its marks, or a new tag."""
        if tag is not None:
            self.tag, self.stale = tag, self.sent
        self._final = self._whole() if source is None else engine.inline(source, self.env)
        if not self._final.startswith("".join(self._done[: self._done_shown])):
            self.stale = self.sent
        self._pending = False

    def _whole(self) -> str:
        if self._plain and not self._pending and not self._rest:
            return "".join(self._done)
        source = self.source.strip(" \t\n")
        if len(source) < REPAIR_LIMIT:
            return engine.inline(source, self.env)
        self._refresh()
        return "".join(self._done) + self._inline(self._rest)

    def html(self) -> str:
        self._refresh()
        inside = self._final
        if inside is None:
            inside = f'{"".join(self._done)}<span id="{self.id}t">{self._tail_html()}</span>'
        name = self.tag.split(" ", 1)[0]
        return f'<{self.tag or "span"} id="{self.id}">{inside}</{name or "span"}>'

    def clean(self) -> str:
        inside = (
            self._final if self._final is not None else engine.inline(self.source.strip(" \t\n"), self.env)
        )
        return f"<{self.tag}>{inside}</{self.tag.split(' ', 1)[0]}>" if self.tag else inside

    def changes(self) -> Iterator[Patch]:
        self._refresh()
        if self._final is not None:
            yield from self._last_changes(self._final)
            return
        if self._done_shown < len(self._done):
            yield Patch(f"{self.id}t", "beforebegin", "".join(self._done[self._done_shown :]))
        if self._redrawn:
            yield Patch(f"{self.id}t", "innerHTML", self._tail_html())
        elif self._added_shown < len(self._added):
            yield Patch(f"{self.id}e", "beforebegin", "".join(self._added[self._added_shown :]))
        self._settle_text()

    def _last_changes(self, final: str) -> Iterator[Patch]:
        """The tail gives way to the rest of the finished text."""
        if self._done_shown >= 0:
            rest = final[len("".join(self._done[: self._done_shown])) :]
            yield Patch(f"{self.id}t", "outerHTML", rest) if rest else Patch(f"{self.id}t", "delete", "")
        self._done_shown = -1

    def settle(self) -> None:
        super().settle()
        self._settle_text()
        if self._final is not None:
            self._done_shown = -1

    def _settle_text(self) -> None:
        self._redrawn = False
        self._done_shown = len(self._done)
        self._added_shown = len(self._added)

    def _refresh(self) -> None:
        if not self._pending:
            return
        self._pending = False
        shown = None if self._added_shown < len(self._added) else self._tail_html()
        words = self._rest.rstrip(" \t")
        self._rest, self._held = words, self._rest[len(words) :]
        if len(words) > _MAX_SCAN:
            self._freeze(len(words) - _MAX_TAIL)
        self._draw(delimiters.scan(self._rest))
        self._added, self._added_shown = [], 0
        self._redrawn = self._redrawn or self._tail_html() != shown

    def _draw(self, scan: delimiters.Scan) -> None:
        if scan.safe:
            self._freeze(scan.safe)
        mark = _HERE if scan.growing and not scan.literal else ""
        html = self._inline(scan.shown + mark + scan.closers) if scan.shown else ""
        html += escapeHtml(scan.literal) + (_HERE if scan.growing and scan.literal else "")
        if len(self._rest) > _MAX_TAIL:
            self._freeze(len(self._rest), html.replace(_HERE, ""))
            html = ""
        head, found, foot = html.rpartition(_HERE)
        self._growing = bool(found)
        self._tail = (head, foot) if found else (html, "")

    def _freeze(self, length: int, html: str | None = None) -> None:
        self._done.append(self._inline(self._rest[:length]) if html is None else html)
        self._before = self._rest[length - 1]
        self._rest = self._rest[length:]

    def _inline(self, text: str) -> str:
        """Rendered with a stand-in for the character before it, which decides what `_` and `*` mean."""
        if not self._before or self._before.isspace():
            return engine.inline(text, self.env)
        neighbour = "x" if self._before.isalnum() else ","
        html = engine.inline(neighbour + text, self.env)
        return html[1:] if html.startswith(neighbour) else engine.inline(text, self.env)

    def _tail_html(self) -> str:
        head, foot = self._tail
        anchor = f'<span id="{self.id}e"></span>' if self._growing else ""
        return f"{head}{''.join(self._added)}{anchor}{foot}"
