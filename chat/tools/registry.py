"""Every tool of the hub's own: a literal list. Tools of MCP servers come beside it."""

from __future__ import annotations

from backends.database import in_database
from chat.models import Internet
from chat.tools.base import Caller, Reach, Tool
from chat.tools.calculate import Calculate
from chat.tools.current_datetime import CurrentDatetime
from chat.tools.current_location import LookedUpLocation, SavedLocation
from chat.tools.pages import FetchUrl, ReadUrl
from chat.tools.search_my_conversations import SearchMyConversations
from chat.tools.show_notification import ShowNotification
from chat.tools.web_search import WebSearch

#: Two of them share a name: never are both available.
TOOLS: tuple[Tool, ...] = (
    CurrentDatetime(),
    Calculate(),
    SearchMyConversations(),
    ShowNotification(),
    SavedLocation(),
    LookedUpLocation(),
    WebSearch(),
    ReadUrl(),
    FetchUrl(),
)


def known_to(user_id: int) -> list[Tool]:
    """All that this person could have somewhere, for pages with switches. May read rows."""
    return list(TOOLS)


async def tools_for(caller: Caller) -> list[Tool]:
    """The tools that can work for this person in this conversation; none that reaches outside while the
    internet is off.

    Whether somebody wants them (``on_by_default``, switches, consent) is for the caller to ask.
    """
    internet = await in_database(Internet.current)
    reachable = [tool for tool in TOOLS if internet.allowed or Reach.OUTSIDE not in tool.reach]
    return [tool for tool in reachable if await tool.available(caller)]
