"""How SearXNG and Jina are asked, and what they answer.

SearXNG: https://docs.searxng.org/dev/search_api.html; its JSON format must be switched on in its settings.
Jina: GET https://s.jina.ai/ with a Bearer key and ``Accept: application/json``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from backends.adapters.values import parse_json
from chat.models import Internet, SearchEngine
from chat.outbound.client import JSON_TYPES, Limits, Request
from chat.outbound.errors import OutsideError
from chat.outbound.urls import read_url

JINA = "https://s.jina.ai/"
_SNIPPET = 400
#: The Jina key goes to Jina and nowhere else; neither engine has a reason to redirect.
_LIMITS = Limits(seconds=20, size=4 * 1024 * 1024, redirects=0)


@dataclass(frozen=True, slots=True)
class Hit:
    """One result."""

    title: str
    url: str
    snippet: str

    @property
    def site(self) -> str:
        """The name of its host."""
        return read_url(self.url).host.removeprefix("www.")


def search_request(internet: Internet, query: str) -> tuple[Request, str]:
    """What to ask, and the address that an administrator wrote where it may be private.

    Raises CannotDecrypt where Jina's key was stored with another key.
    """
    if internet.search_engine == SearchEngine.SEARXNG:
        words = urlencode({"q": query, "format": "json"})
        url = f"{internet.searxng_url.rstrip('/')}/search?{words}"
        return Request(url, JSON_TYPES, limits=_LIMITS), internet.searxng_url
    headers = {
        "authorization": f"Bearer {internet.jina_key().reveal()}",
        "accept": "application/json",
        "x-respond-with": "no-content",
    }
    return Request(f"{JINA}?{urlencode({'q': query})}", JSON_TYPES, headers, _LIMITS), ""


def read_hits(body: bytes) -> list[Hit]:
    """The results that lead to the web, best first. Raises ValueError for another answer."""
    answer = parse_json(body)
    rows = answer.get("results", answer.get("data")) if isinstance(answer, dict) else None
    if not isinstance(rows, list):
        raise ValueError("no results")
    return list(_hits(rows))


def _hits(rows: list[Any]) -> Iterator[Hit]:
    seen = set()
    for row in rows:
        if not isinstance(row, Mapping):
            continue
        try:
            url = str(read_url(str(row.get("url", ""))))
        except OutsideError:
            continue
        if url not in seen:
            seen.add(url)
            text = row.get("content") or row.get("description")
            yield Hit(_line(row.get("title"), 200) or url, url, _line(text, _SNIPPET))


def _line(value: Any, longest: int) -> str:
    return " ".join(value.split())[:longest] if isinstance(value, str) else ""
