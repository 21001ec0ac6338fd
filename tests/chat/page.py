"""A rendered page as tests read it: its elements, and what must hold for every page of the hub."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

from django.http import HttpResponse

VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
)
#: Attributes whose words are ids of other elements of the page.
REFERENCES = ("for", "form", "popovertarget", "aria-describedby", "aria-labelledby", "list")


@dataclass(slots=True)
class Tag:
    """One element: its name, attributes and the text directly inside it."""

    name: str
    attributes: dict[str, str]
    inside: frozenset[str]
    text: str = ""


@dataclass(slots=True)
class Page:
    """All elements in order, and what is wrong with the markup."""

    tags: list[Tag] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def all(self, name: str = "", **attributes: str) -> list[Tag]:
        """Elements of that name with those attributes (``data_role`` stands for ``data-role``)."""
        wanted = {key.rstrip("_").replace("_", "-"): value for key, value in attributes.items()}
        return [
            tag
            for tag in self.tags
            if name in ("", tag.name) and all(tag.attributes.get(k) == v for k, v in wanted.items())
        ]

    def one(self, name: str = "", **attributes: str) -> Tag:
        """The only such element."""
        (tag,) = self.all(name, **attributes)
        return tag

    def texts(self) -> Iterator[str]:
        """What a reader sees, piece by piece."""
        return (tag.text for tag in self.tags if tag.name not in ("script", "style"))


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.page = Page()
        self.open: list[Tag] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        doubled = [name for name, count in Counter(name for name, _ in attrs).items() if count > 1]
        if doubled:
            self.page.faults.append(f"<{tag}> has {doubled} twice")
        element = Tag(
            tag, {name: value or "" for name, value in attrs}, frozenset(above.name for above in self.open)
        )
        self.page.tags.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open[-1].name != tag:
            self.page.faults.append(f"</{tag}> closes {[above.name for above in self.open[-2:]]}")
        names = [above.name for above in self.open]
        if tag in names:
            del self.open[len(names) - 1 - names[::-1].index(tag) :]

    def handle_data(self, data: str) -> None:
        if self.open:
            self.open[-1].text += data


def read(html: str | HttpResponse) -> Page:
    """Parse a page or a fragment."""
    reader = _Reader()
    reader.feed(html if isinstance(html, str) else html.content.decode())
    reader.close()
    reader.page.faults += [f"<{tag.name}> is never closed" for tag in reader.open]
    return reader.page


def faults(response: HttpResponse) -> list[str]:
    """Whatever is wrong with a whole page: markup, ids, references, anything that the policy forbids."""
    page = read(response)
    found = list(page.faults)
    ids = Counter(tag.attributes["id"] for tag in page.tags if "id" in tag.attributes)
    found += [f"id {name!r} stands {count} times" for name, count in ids.items() if count > 1]
    for tag in page.tags:
        found += [
            f"<{tag.name} {name}> names {word!r}, which is not on the page"
            for name in REFERENCES
            for word in tag.attributes.get(name, "").split()
            if word not in ids
        ]
        found += [f"<{tag.name}> has {name}" for name in tag.attributes if name.startswith("on")]
        if "style" in tag.attributes:
            found.append(f"<{tag.name}> has a style attribute")
        if tag.attributes.get("href", "").lower().startswith("javascript:"):
            found.append("a javascript: link")
        if tag.name == "style" or (tag.name == "script" and "src" not in tag.attributes):
            found.append(f"inline <{tag.name}>")
        if tag.name == "form" and tag.attributes.get("method") == "post" and not _has_token(page, tag):
            found.append(f"a form without a token: {tag.attributes}")
        source = tag.attributes.get("src", "") or (
            tag.attributes.get("href", "") if tag.name == "link" else ""
        )
        if source.partition(":")[0] in ("http", "https") or source.startswith("//"):
            found.append(f"another host: {source}")
    found += [f"no <{name}>" for name in ("title", "main", "h1") if not page.all(name)]
    policy = response.headers.get("Content-Security-Policy", "")
    if "default-src 'none'" not in policy or "unsafe" in policy:
        found.append(f"policy: {policy!r}")
    return found


def _has_token(page: Page, form: Tag) -> bool:
    start = page.tags.index(form)
    for tag in page.tags[start + 1 :]:
        if tag.name == "form":
            return False
        if tag.attributes.get("name") == "csrfmiddlewaretoken":
            return True
    return False
