"""Every tool of the hub's own: a literal list. Tools of MCP servers come beside it."""

from __future__ import annotations

from django.contrib.auth import get_user_model

from backends.database import in_database
from chat.mcp.tools import mcp_tools, tools_of, usable_servers
from chat.models import Internet
from chat.tools.base import Caller, Reach, Tool
from chat.tools.calculate import Calculate
from chat.tools.current_datetime import CurrentDatetime
from chat.tools.current_location import LookedUpLocation, SavedLocation
from chat.tools.pages import FetchUrl, ReadUrl
from chat.tools.project import (
    GetProjectMemory,
    RenameProject,
    UpdateProjectDescription,
    UpdateProjectMemory,
)
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
    GetProjectMemory(),
    UpdateProjectMemory(),
    RenameProject(),
    UpdateProjectDescription(),
)


def known_to(user_id: int) -> list[Tool]:
    """All that this person could have somewhere, for pages with switches: one of each name. Three queries, where no
    MCP server is set up.
    """
    internet = Internet.current()
    has_place = get_user_model().objects.filter(pk=user_id).exclude(place="").exists()
    unknown = LookedUpLocation if has_place or not internet.allowed else SavedLocation
    own = [
        tool
        for tool in allowed(internet)
        if not isinstance(tool, unknown) and (internet.can_search or not isinstance(tool, WebSearch))
    ]
    return own + tools_of(usable_servers(user_id))


def allowed(internet: Internet) -> list[Tool]:
    """Those that do not reach outside, and the others where an administrator allows the internet."""
    return [tool for tool in TOOLS if internet.allowed or Reach.OUTSIDE not in tool.reach]


async def tools_for(caller: Caller) -> list[Tool]:
    """The tools that can work for this person in this conversation; none that reaches outside while the
    internet is off.

    Whether somebody wants them (``on_by_default``, switches, consent) is for the caller to ask.
    """
    internet = await in_database(Internet.current)
    own = [tool for tool in allowed(internet) if await tool.available(caller)]
    return own + await mcp_tools(caller.user_id)
