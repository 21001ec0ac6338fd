"""Searches the web by the engine that an administrator chose."""

from __future__ import annotations

import time
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, ClassVar

from django.core.cache import cache
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from backends.crypto import CannotDecrypt
from backends.database import in_database
from chat.models import Internet, SearchEngine
from chat.outbound.errors import BadStatus, WrongType
from chat.tools.base import Caller, Source, ToolError, ToolResult
from chat.tools.outside import OutsideTool
from chat.tools.search_engines import Hit, read_hits, search_request

MOST = 10
USUAL = 5
_QUERY = 400
_DAY = 24 * 60 * 60
#: Searches a minute for all people together, as the app had it.
RATE = 100


class WebSearch(OutsideTool):
    """Numbered results, which are also the sources of the answer. Kept for a day."""

    name: ClassVar[str] = "web_search"
    label: ClassVar[Any] = _("Search the web")
    description: ClassVar[str] = (
        "Search the web. Returns numbered results with title, address and a snippet. "
        "Cite them by number, like [1]."
    )
    parameters: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "properties": {
            "query": {"type": "string", "description": "What to search for."},
            "num_results": {"type": "integer", "minimum": 1, "maximum": MOST, "default": USUAL},
        },
        "required": ["query"],
    }

    async def available(self, caller: Caller) -> bool:
        """Once an administrator has chosen an engine."""
        internet = await in_database(Internet.current)
        return internet.can_search

    async def run(self, arguments: Mapping[str, Any], caller: Caller) -> ToolResult:
        """The results as text and as sources. Raises ToolError."""
        query = " ".join(str(arguments["query"]).split())[:_QUERY]
        if not query:
            raise ToolError(gettext("There is nothing to search for."))
        count = max(1, min(int(arguments.get("num_results") or USUAL), MOST))
        hits = (await self._hits(query, caller))[:count]
        if not hits:
            return ToolResult(f"Nothing was found for: {query}")
        numbers = [caller.numbering.of(hit.url) for hit in hits]
        return ToolResult(
            "\n\n".join(map(_numbered, numbers, hits)),
            sources=tuple(
                Source(hit.url, hit.title, hit.site, number)
                for number, hit in zip(numbers, hits, strict=True)
            ),
        )

    async def _hits(self, query: str, caller: Caller) -> list[Hit]:
        internet = await in_database(Internet.current)
        if not internet.can_search:
            raise ToolError(gettext("This hub does not search the web. An administrator can set that up."))
        address = f"{internet.search_engine} {internet.searxng_url} {query.casefold()}"
        key = f"web-search:{sha256(address.encode()).hexdigest()}"
        kept = await cache.aget(key)
        if kept is not None:
            return [Hit(*row) for row in kept]
        await _take_turn()
        hits = await self._asked(internet, query, caller)
        await cache.aset(key, [(hit.title, hit.url, hit.snippet) for hit in hits[:MOST]], _DAY)
        return hits

    async def _asked(self, internet: Internet, query: str, caller: Caller) -> list[Hit]:
        try:
            request, trusted = search_request(internet, query)
            answer = await self.fetch(caller, request, trusted)
            return read_hits(answer.body)
        except CannotDecrypt:
            raise ToolError(
                gettext("The stored key cannot be read. An administrator must enter it again.")
            ) from None
        except ValueError:
            raise ToolError(no_results()) from None
        except ToolError as error:
            if not is_about_settings(error.__cause__):
                raise
            raise ToolError(f"{no_results()} {error} {whose_task(internet)}") from error


def no_results() -> str:
    """What a person is told first."""
    return gettext("The search engine answered with something else than results.")


def is_about_settings(cause: BaseException | None) -> bool:
    """Whether the engine refuses the hub, or answers in another format than it was asked for."""
    return isinstance(cause, WrongType) or (isinstance(cause, BadStatus) and cause.status in (401, 402, 403))


def whose_task(internet: Internet) -> str:
    """Who can do something about it."""
    if internet.search_engine == SearchEngine.SEARXNG:
        return gettext("An administrator can look whether SearXNG’s settings allow the format json.")
    return gettext("An administrator can look at the key of the search engine.")


async def _take_turn() -> None:
    """Count one search. Raises ToolError beyond the rate."""
    key = f"web-search-rate:{int(time.time() // 60)}"
    await cache.aadd(key, 0, 120)
    if await cache.aincr(key) > RATE:
        raise ToolError(gettext("Too many searches in this minute. Try again in the next one."))


def _numbered(number: int, hit: Hit) -> str:
    return "\n   ".join(filter(None, (f"[{number}] {hit.title}", hit.url, hit.snippet)))
