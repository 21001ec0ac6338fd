"""Somebody with a browser that knows forms, cookies and links, but no script."""

from __future__ import annotations

import gzip
import http.client
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlencode, urljoin, urlsplit

from tests.bench.httpclient import parse_head
from tests.bench.pages import read_form
from tests.live.process import PATIENCE, wait_for

ACTIVE = ("queued", "running")


@dataclass(slots=True)
class Article:
    """A message as a page shows it. ``text`` is its body, ``whole`` everything in it."""

    id: int
    role: str
    status: str
    text: str = ""
    whole: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """A response."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()

    @property
    def articles(self) -> list[Article]:
        """The messages of the page, first to last."""
        return articles_of(self.text)


@dataclass(slots=True)
class Person:
    """A session on the hub. Redirects are followed where nothing else is said."""

    origin: str
    name: str = ""
    cookies: dict[str, str] = field(default_factory=dict)

    @classmethod
    def sign_in(cls, origin: str, name: str, password: str) -> Person:
        """Through the sign-in form."""
        person = cls(origin, name)
        form = read_form(person.get("/accounts/login/").text)
        page = person.post("/accounts/login/", form.fields | {"login": name, "password": password})
        assert "sessionid" in person.cookies, f"{name} could not sign in: {page.status} {page.text[:2000]}"
        return person

    def copy(self) -> Person:
        """The same session in another tab; may be used in another thread."""
        return Person(self.origin, self.name, dict(self.cookies))

    # --- reading ------------------------------------------------------------------------------------

    def get(self, path: str, headers: Mapping[str, str] | None = None, *, follow: bool = True) -> Page:
        """GET a page."""
        return self.request("GET", path, headers or {}, b"", follow=follow)

    def last(self, path: str) -> Article:
        """The last message of a conversation."""
        return self.get(path).articles[-1]

    def wait_for_status(self, path: str, *wanted: str, seconds: float = PATIENCE) -> Article:
        """The last message as soon as it has one of these states."""

        def look() -> Article | None:
            article = self.last(path)
            return article if article.status in wanted else None

        return wait_for(look, f"an answer that is {' or '.join(wanted)}", seconds)

    def wait_for_text(self, path: str, pattern: str, seconds: float = PATIENCE) -> Article:
        """The last message as soon as its text matches."""

        def look() -> Article | None:
            article = self.last(path)
            return article if re.search(pattern, article.text) else None

        return wait_for(look, f"an answer that matches {pattern!r}", seconds)

    # --- doing --------------------------------------------------------------------------------------

    def post(
        self,
        path: str,
        fields: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        follow: bool = True,
    ) -> Page:
        """POST a form with the token of this session."""
        own = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Origin": self.origin,
            "X-CSRFToken": self.cookies.get("csrftoken", ""),
        }
        body = urlencode(dict(fields or {})).encode()
        return self.request("POST", path, own | dict(headers or {}), body, follow=follow)

    def ask(self, text: str, model: str = "fast", path: str = "/") -> str:
        """Fill in and send the composer of that page; gives the conversation's address.

        ``model`` is one of the backend "Fake", or a whole reference, ``BACKEND-SLUG/MODEL-ID``.
        """
        ref = model if "/" in model else f"fake/{model}"
        form = read_form(self.get(path).text, "composer")
        page = self.post(form.action, form.fields | {"text": text, "model": ref}, follow=False)
        assert page.status == 302, f"sending gave {page.status}: {page.text[:2000]}"
        return page.headers["location"]

    def stop(self, path: str) -> None:
        """Stop what is being written in that conversation."""
        page = self.post(f"{path}stop/", follow=False)
        assert page.status == 302, page.status

    # --- the wire -----------------------------------------------------------------------------------

    def request(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, *, follow: bool
    ) -> Page:
        """One exchange, and those that it leads to."""
        page = self.exchange(method, path, headers, body)
        for _ in range(5 if follow else 0):
            if page.status not in (301, 302, 303):
                break
            page = self.exchange("GET", urljoin(page.url, page.headers["location"]), {}, b"")
        return page

    def exchange(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Page:
        """One request with this session's cookies, on a connection of its own."""
        url = urljoin(self.origin + "/", url)
        parts = urlsplit(url)
        assert f"{parts.scheme}://{parts.netloc}" == self.origin, f"{url} leads away from {self.origin}"
        lines = {"Accept-Encoding": "gzip", "Accept": "text/html"} | dict(headers)
        if self.cookies:
            lines["Cookie"] = self.cookie_header
        connection = http.client.HTTPConnection(parts.netloc, timeout=60)
        try:
            target = parts.path + (f"?{parts.query}" if parts.query else "")
            connection.request(method, target, body or None, lines)
            response = connection.getresponse()
            data = response.read()
        finally:
            connection.close()
        head = f"HTTP/1.1 {response.status}\r\n" + "\r\n".join(f"{k}: {v}" for k, v in response.getheaders())
        status, found = parse_head(head.encode("latin-1"), self.cookies)
        if found.get("content-encoding") == "gzip":
            data = gzip.decompress(data)
        return Page(url, status, found, data)

    @property
    def cookie_header(self) -> str:
        """The value of ``Cookie``."""
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())


class _ArticleReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[Article] = []
        self._inside = False
        self._body_depth = 0
        self._templates = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self._templates += tag == "template"
        if tag == "article" and "data-role" in values and not self._templates:
            number = values.get("id", "").removeprefix("message-")
            self.found.append(Article(int(number or 0), values["data-role"], values["data-status"]))
            self._inside = True
        elif self._body_depth and tag == "div":
            self._body_depth += 1
        elif self._inside and "message-body" in values.get("class", "").split():
            self._body_depth = 1

    def handle_endtag(self, tag: str) -> None:
        self._templates -= tag == "template"
        if tag == "article":
            self._inside, self._body_depth = False, 0
        elif tag == "div" and self._body_depth:
            self._body_depth -= 1

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.found[-1].whole += data
        if self._body_depth:
            self.found[-1].text += data


def articles_of(html: str) -> list[Article]:
    """The messages in a piece of HTML."""
    reader = _ArticleReader()
    reader.feed(html)
    return reader.found
