"""The open part of an answer as a small tree that knows what the page already shows of it.

Each node can say its whole HTML (`html`), its HTML as the finished page will have it (`clean`) and, once the page
has it, what changed since (`changes`). That snapshot and patches agree is thereby a property of the tree.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Patch:
    """One change of the page: `html` goes to the element `target` the way htmx's `swap` says."""

    target: str
    swap: str
    html: str


class Node:
    """One block. `sent`: the page has it. `stale`: the page's element is to be replaced as a whole."""

    __slots__ = ("id", "sent", "stale")

    def __init__(self, id_: str) -> None:
        self.id = id_
        self.sent = False
        self.stale = False

    def html(self) -> str:
        raise NotImplementedError

    def clean(self) -> str:
        raise NotImplementedError

    def changes(self) -> Iterator[Patch]:
        """Only called for a node that the page has; leaves it settled."""
        return iter(())

    def settle(self) -> None:
        """The page has just been given `html()`."""
        self.sent, self.stale = True, False

    def discard(self) -> None:
        """The page no longer has this element."""
        self.sent = False

    def drain(self) -> Iterator[Patch]:
        if not self.sent:
            return
        if self.stale:
            html = self.html()
            self.settle()
            yield Patch(self.id, "outerHTML", html) if html else Patch(self.id, "delete", "")
        else:
            yield from self.changes()

    def replaces(self, old: Node) -> None:
        """Take the place, and the element, of another node."""
        self.sent, self.stale = old.sent, old.sent
        old.discard()


class Raw(Node):
    """Finished HTML."""

    __slots__ = ("_html",)

    def __init__(self, id_: str, html: str) -> None:
        super().__init__(id_)
        self._html = html

    def html(self) -> str:
        return self._html

    def clean(self) -> str:
        return self._html


class Branch(Node):
    """A block that holds blocks: they are only ever added at its end, or its last one replaced."""

    __slots__ = ("_shown", "children", "tag")

    def __init__(self, id_: str, tag: str) -> None:
        super().__init__(id_)
        self.tag = tag
        self.children: list[Node] = []
        self._shown = 0

    def open_tag(self, identity: str) -> str:
        return f"<{self.tag}{identity}>"

    def close_tag(self) -> str:
        return f"</{self.tag.split(' ', 1)[0]}>"

    def append(self, child: Node) -> None:
        self.children.append(child)

    def replace_last(self, child: Node) -> None:
        child.replaces(self.children[-1])
        self.children[-1] = child

    def html(self) -> str:
        return f"{self.open_tag(f' id={chr(34)}{self.id}{chr(34)}')}{self.inside()}{self.close_tag()}"

    def inside(self) -> str:
        return "".join([child.html() for child in self.children])

    def clean(self) -> str:
        return f"{self.open_tag('')}{''.join([child.clean() for child in self.children])}{self.close_tag()}"

    def changes(self) -> Iterator[Patch]:
        fresh = self.children[self._shown :]
        html = "".join([child.html() for child in fresh])
        for child in fresh:
            child.settle()
        self._shown = len(self.children)
        if html:
            yield Patch(self.id, "beforeend", html)

    def settle(self) -> None:
        super().settle()
        self._shown = len(self.children)
        for child in self.children:
            child.settle()

    def discard(self) -> None:
        super().discard()
        for child in self.children:
            child.discard()


class Body(Branch):
    """The message body. Its element belongs to the page; only its inside is ours."""

    __slots__ = ()

    def __init__(self, id_: str) -> None:
        super().__init__(id_, "div")
        self.sent = True

    def drain(self) -> Iterator[Patch]:
        if not self.stale:
            yield from self.changes()
            return
        html = self.inside()
        self.settle()
        yield Patch(self.id, "innerHTML", html)


class Quote(Branch):
    __slots__ = ()

    def __init__(self, id_: str) -> None:
        super().__init__(id_, 'blockquote dir="auto"')


class Bullets(Branch):
    """A list. Loose ones, with blank lines between their blocks, show their paragraphs as such."""

    __slots__ = ("loose", "marker")

    def __init__(self, id_: str, marker: str, start: int | None) -> None:
        tag = "ul" if start is None else "ol" if start == 1 else f'ol start="{start}"'
        super().__init__(id_, tag)
        self.marker = marker
        self.loose = False


class Item(Branch):
    __slots__ = ("checked", "indent")

    def __init__(self, id_: str, indent: int, checked: bool | None) -> None:
        super().__init__(id_, "li")
        self.indent = indent
        self.checked = checked

    def open_tag(self, identity: str) -> str:
        if self.checked is None:
            return f'<li{identity} dir="auto">'
        tick = ' checked=""' if self.checked else ""
        box = f'<input class="task-list-item-checkbox" disabled="" type="checkbox"{tick}> '
        return f'<li class="task-list-item"{identity} dir="auto">{box}'
