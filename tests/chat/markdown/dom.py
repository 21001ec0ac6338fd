"""A page in miniature: enough of the DOM to apply patches the way htmx does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape
from html.parser import HTMLParser

from chat.markdown import Patch

VOID = frozenset({"br", "hr", "input", "img"})
INLINE = frozenset(
    [
        "a",
        "b",
        "strong",
        "em",
        "s",
        "code",
        "span",
        "sup",
        "math",
        "mrow",
        "mi",
        "mn",
        "mo",
        "msup",
        "msub",
        "mfrac",
        "msqrt",
        "mtext",
        "mstyle",
        "mspace",
        "mover",
        "munder",
    ]
)


class Element:
    def __init__(self, tag: str, attributes: dict[str, str], parent: Element | None = None) -> None:
        self.tag = tag
        self.attributes = attributes
        self.parent = parent
        self.children: list[Element | str] = []

    def walk(self) -> Iterator[Element]:
        yield self
        for child in self.children:
            if isinstance(child, Element):
                yield from child.walk()

    def html(self) -> str:
        attributes = "".join(f' {name}="{escape(value)}"' for name, value in sorted(self.attributes.items()))
        return f"<{self.tag}{attributes}>{self.inside()}</{self.tag}>"

    def inside(self) -> str:
        return "".join(escape(child) if isinstance(child, str) else child.html() for child in self.children)

    def text(self) -> str:
        """What a reader sees, blocks apart from each other, white space as the browser folds it."""
        return " ".join("".join(self._words()).split())

    def _words(self) -> Iterator[str]:
        apart = "" if self.tag in INLINE else " "
        yield apart
        for child in self.children:
            if isinstance(child, str):
                yield child
            else:
                yield from child._words()
        yield apart


class _Builder(HTMLParser):
    def __init__(self, root: Element) -> None:
        super().__init__(convert_charrefs=True)
        self.open = [root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"an attribute stands twice in <{tag}>"
        element = Element(tag, {name: value or "" for name, value in attrs}, self.open[-1])
        self.open[-1].children.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError("a comment in the output")

    def handle_decl(self, decl: str) -> None:
        raise AssertionError("a declaration in the output")

    def handle_pi(self, data: str) -> None:
        raise AssertionError("a processing instruction in the output")

    unknown_decl = handle_decl


def parse(html: str, tag: str = "div", id_: str = "") -> Element:
    root = Element(tag, {"id": id_} if id_ else {})
    builder = _Builder(root)
    builder.feed(html)
    builder.close()
    assert builder.open == [root], f"<{builder.open[-1].tag}> is not closed"
    return root


class Page:
    def __init__(self, body_id: str, inside: str = "") -> None:
        self.body = parse(inside, id_=body_id)

    def apply(self, patches: Iterable[Patch]) -> None:
        for patch in patches:
            self._apply(patch)

    def _apply(self, patch: Patch) -> None:
        found = [element for element in self.body.walk() if element.attributes.get("id") == patch.target]
        assert len(found) == 1, f"{len(found)} elements for {patch}"
        target, fresh = found[0], parse(patch.html).children
        if patch.swap in ("innerHTML", "beforeend"):
            kept = target.children if patch.swap == "beforeend" else []
            target.children = [*kept, *fresh]
            _adopt(target)
            return
        parent = target.parent
        assert parent is not None
        at = parent.children.index(target)
        after = {"beforebegin": [*fresh, target], "outerHTML": fresh, "delete": []}[patch.swap]
        parent.children[at : at + 1] = after
        _adopt(parent)

    def html(self) -> str:
        return self.body.inside()


def _adopt(parent: Element) -> None:
    for child in parent.children:
        if isinstance(child, Element):
            child.parent = parent
