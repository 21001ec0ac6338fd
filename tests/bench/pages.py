"""What the measurements need to know about the hub's pages."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from urllib.parse import urljoin

_SOCKET = re.compile(r"hx-ws:connect=\"([^\"]+)\"")
_JS_IMPORT = re.compile(r"""(?:\bfrom|\bimport)\s*\(?\s*["']([^"']+)["']""")
_CSS_URL = re.compile(r"""(?:url\(\s*["']?|@import\s+["'])([^"')]+)""")
_CSS_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_FETCHED_RELS = {
    "stylesheet",
    "icon",
    "modulepreload",
    "manifest",
    "preload",
    "apple-touch-icon",
    "mask-icon",
}


class PageError(RuntimeError):
    """A page is not what the contract says."""


@dataclass(slots=True)
class Form:
    """A form with the fields that a browser would send by itself."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)
    models: list[str] = field(default_factory=list)


class _FormReader(HTMLParser):
    def __init__(self, form_id: str | None) -> None:
        super().__init__()
        self.form: Form | None = None
        self._id = form_id
        self._inside = self._in_models = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form" and self.form is None and (self._id is None or values.get("id") == self._id):
            self.form, self._inside = Form(values.get("action") or values.get("hx-post", "")), True
        belongs = self._inside or (self._id is not None and values.get("form") == self._id)
        if self.form is None or not belongs:
            return
        name = values.get("name", "")
        if tag == "input" and name and values.get("type") == "hidden":
            self.form.fields[name] = values.get("value", "")
        elif tag == "select":
            self._in_models = name == "model"
        elif tag == "option" and self._in_models:
            self.form.models.append(values.get("value", ""))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False
        elif tag == "select":
            self._in_models = False


def read_form(html: str, form_id: str | None = None) -> Form:
    """The form with that id, or the first one."""
    reader = _FormReader(form_id)
    reader.feed(html)
    if reader.form is None:
        raise PageError(f"no form {form_id or ''} in the page: {_gist(html)}")
    return reader.form


def socket_path(html: str) -> str | None:
    """Where the page listens."""
    found = _SOCKET.search(html)
    return unescape(found.group(1)) if found else None


def new_location(headers: Mapping[str, str]) -> str | None:
    """Where a response sends the browser: htmx's headers, or a redirect."""
    for name in ("hx-push-url", "hx-location", "hx-replace-url", "hx-redirect", "location"):
        value = headers.get(name, "")
        if name == "hx-location" and value.startswith("{"):
            value = str(json.loads(value).get("path", ""))
        if value and value not in ("false", "true"):
            return value
    return None


class _AssetReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._in_module = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "link" and _FETCHED_RELS & set(values.get("rel", "").lower().split()):
            self.found.append(values.get("href", ""))
        elif tag in ("script", "img", "source", "iframe") and values.get("src"):
            self.found.append(values["src"])
        elif tag in ("use", "image"):
            self.found.append(values.get("href") or values.get("xlink:href", ""))
        self._in_module = tag == "script" and values.get("type") == "module" and "src" not in values

    def handle_data(self, data: str) -> None:
        if self._in_module:
            self.found += _JS_IMPORT.findall(data)


def assets_of_page(html: str, base: str) -> Iterator[str]:
    """What a browser fetches to show a page, as absolute URLs without fragments."""
    reader = _AssetReader()
    reader.feed(html)
    return _absolute(reader.found, base)


def assets_of_file(text: str, media_type: str, base: str) -> Iterator[str]:
    """What a style sheet or a script loads itself."""
    if "javascript" in media_type:
        paths = (path for path in _JS_IMPORT.findall(text) if path.startswith((".", "/", "http")))
        return _absolute(paths, base)
    if "css" in media_type:
        return _absolute(_CSS_URL.findall(_CSS_COMMENT.sub("", text)), base)
    return iter(())


def _absolute(paths: Iterator[str] | list[str], base: str) -> Iterator[str]:
    for path in paths:
        if path and not path.startswith(("data:", "#", "blob:")):
            yield urljoin(base, path).partition("#")[0]


def _gist(html: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())[:200]
