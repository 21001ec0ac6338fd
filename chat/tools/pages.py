"""Two tools that read a page: all of its text, or the part that people read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from chat.outbound.client import JSON_TYPES, TEXT_TYPES, Answer, Limits, Request
from chat.tools.base import Caller, Source, ToolResult
from chat.tools.decoding import decoded
from chat.tools.outside import OutsideTool
from chat.tools.reader import read_in_child
from chat.workers.web_page import Page

_TYPES = TEXT_TYPES | JSON_TYPES | {"text/csv", "application/xml", "text/xml"}
_HTML = frozenset({"text/html", "application/xhtml+xml"})
_LIMITS = Limits(seconds=15, size=2 * 1024 * 1024)


class PageTool(OutsideTool):
    """Fetches a page. ``longest`` counts characters of its text."""

    whole: ClassVar[bool]
    longest: ClassVar[int]
    timeout: ClassVar[float] = 25.0
    parameters: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "properties": {"url": {"type": "string", "description": "The page's http or https address."}},
        "required": ["url"],
    }

    async def run(self, arguments: Mapping[str, Any], caller: Caller) -> ToolResult:
        """Title, address and text. Raises ToolError."""
        answer = await self.fetch(caller, Request(str(arguments["url"]), _TYPES, limits=_LIMITS))
        page = await _read(answer, self.whole)
        cut = len(page.text) > self.longest
        url = str(answer.url)
        number = caller.numbering.of(url)
        lines = [f"Title: {page.title}"] if page.title else []
        lines += [
            f"Address: {url}",
            f"Cite as: [{number}]",
            "",
            page.text[: self.longest] or "(The page holds no text.)",
        ]
        if cut:
            lines += ["", f"(Cut: {self.longest} of {len(page.text)} characters.)"]
        source = Source(url, page.title, answer.url.host.removeprefix("www."), number)
        return ToolResult("\n".join(lines), sources=(source,))


class FetchUrl(PageTool):
    """All text of a page, menus and all."""

    name: ClassVar[str] = "fetch_url"
    label: ClassVar[Any] = _("Fetch a page")
    description: ClassVar[str] = (
        "Fetch a web address and get all of its text, with menus and everything, at most 8000 characters. "
        "Also for JSON, CSV and plain text."
    )
    whole: ClassVar[bool] = True
    longest: ClassVar[int] = 8000


class ReadUrl(PageTool):
    """The part of a page that people read."""

    name: ClassVar[str] = "read_url"
    label: ClassVar[Any] = _("Read a page")
    description: ClassVar[str] = (
        "Read an article or another web page: its main text without menus and advertisements, at most "
        "10000 characters."
    )
    whole: ClassVar[bool] = False
    longest: ClassVar[int] = 10_000


async def _read(answer: Answer, whole: bool) -> Page:
    text = decoded(answer.body, answer.charset).replace("\x00", "")
    if answer.media_type in _HTML:
        return await read_in_child(text, whole=whole)
    return Page("", text.strip())
