"""Finds what the person and models said before, in the person's own conversations only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext, gettext_lazy

from backends.database import in_database
from chat.tools.base import Caller, Tool, ToolError, ToolResult
from chat.tools.conversation_finder import Told, told

MOST = 20
USUAL = 8


class SearchMyConversations(Tool):
    """The messages that hold all the words, the best first, apart from this conversation."""

    name: ClassVar[str] = "search_my_conversations"
    label: ClassVar[Any] = gettext_lazy("Search your conversations")
    description: ClassVar[str] = (
        "Search the user's earlier conversations. Returns the messages that hold all of the words, the best first, "
        "with the conversation's title and date."
    )
    parameters: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "properties": {
            "query": {
                "type": "string",
                "description": (
                    "One or a few words that must all occur; quotation marks hold an exact phrase. "
                    "from:me, from:model, after:2026-05 and before:2026-05-01 narrow the search."
                ),
            },
            "num_results": {"type": "integer", "minimum": 1, "maximum": MOST, "default": USUAL},
        },
        "required": ["query"],
    }

    async def run(self, arguments: Mapping[str, Any], caller: Caller) -> ToolResult:
        """The messages around the words. Raises ToolError for no words."""
        query = str(arguments["query"]).replace("\x00", "").strip()[:200]
        if not query:
            raise ToolError(gettext("There is nothing to search for."))
        count = max(1, min(int(arguments.get("num_results") or USUAL), MOST))
        found = await in_database(told, caller.user_id, query, count, without=caller.conversation_id)
        if not found:
            return ToolResult(f"Nothing was found for: {query}")
        return ToolResult("\n\n".join(_numbered(number, hit) for number, hit in enumerate(found, 1)))


def _numbered(number: int, hit: Told) -> str:
    return f"{number}. {hit.title}, {hit.when:%Y-%m-%d}, {hit.role}:\n   {hit.excerpt}"
