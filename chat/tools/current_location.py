"""Where the person is: what they saved, or else where the internet says that the hub is.

Two tools of one name: the first tells what it was told and contacts nobody; only the second reaches outside.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from django.contrib.auth import get_user_model
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy

from backends.adapters.values import parse_json
from backends.database import in_database
from chat.outbound.client import JSON_TYPES, Limits, Request
from chat.tools.base import Caller, Tool, ToolError, ToolResult
from chat.tools.outside import OutsideTool

LOOKUP = "https://ipapi.co/json/"
_FIELDS = ("city", "region", "country_name", "latitude", "longitude", "timezone", "ip")

_NAME = "get_current_location"
_LABEL = gettext_lazy("Where you are")
_DESCRIPTION = (
    "Get where the user is: the place they saved, or the approximate place of their internet address."
)
_PARAMETERS: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "include_timezone": {"type": "boolean", "default": True, "description": "Tell the time zone too."}
    },
}


class SavedLocation(Tool):
    """What the person wrote into their settings."""

    name: ClassVar[str] = _NAME
    label: ClassVar[Any] = _LABEL
    description: ClassVar[str] = _DESCRIPTION
    parameters: ClassVar[Mapping[str, Any]] = _PARAMETERS
    on_by_default: ClassVar[bool] = False

    async def available(self, caller: Caller) -> bool:
        """Where there is such a place."""
        return bool((await saved(caller))[0])

    async def run(self, arguments: Mapping[str, Any], caller: Caller) -> ToolResult:
        """The place as JSON. Raises ToolError where none is saved."""
        place, zone = await saved(caller)
        if not place:
            raise ToolError(gettext("No place is saved."))
        facts = {"place": place}
        if arguments.get("include_timezone", True):
            facts["timezone"] = zone or timezone.get_default_timezone_name()
        return ToolResult(json.dumps(facts, ensure_ascii=False))


class LookedUpLocation(OutsideTool):
    """Where ipapi.co places the hub's internet address."""

    name: ClassVar[str] = _NAME
    label: ClassVar[Any] = _LABEL
    description: ClassVar[str] = _DESCRIPTION
    parameters: ClassVar[Mapping[str, Any]] = _PARAMETERS
    on_by_default: ClassVar[bool] = False

    async def available(self, caller: Caller) -> bool:
        """Where the person saved no place."""
        return not (await saved(caller))[0]

    async def run(self, arguments: Mapping[str, Any], caller: Caller) -> ToolResult:
        """What is known of the address, as JSON. Raises ToolError."""
        answer = await self.fetch(caller, Request(LOOKUP, JSON_TYPES, limits=Limits(10, 64 * 1024)))
        try:
            known = parse_json(answer.body)
        except ValueError:
            known = None
        if not isinstance(known, dict) or not known.get("city"):
            raise ToolError(gettext("The place could not be found out."))
        facts = {name: known[name] for name in _FIELDS if isinstance(known.get(name), str | int | float)}
        if not arguments.get("include_timezone", True):
            facts.pop("timezone", None)
        return ToolResult(json.dumps(facts, ensure_ascii=False))


async def saved(caller: Caller) -> tuple[str, str]:
    """The person's place and time zone, each may be empty."""
    people = get_user_model().objects.filter(pk=caller.user_id)
    found = await in_database(people.values_list("place", "time_zone").first)
    return found or ("", "")
