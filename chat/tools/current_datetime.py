"""What time it is, anywhere."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from functools import cache
from typing import Any, ClassVar
from zoneinfo import ZoneInfo, available_timezones

from django.contrib.auth import get_user_model
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from backends.database import in_database
from chat.tools.base import Caller, Tool, ToolError, ToolResult

#: Words that models use for the zone of whoever asks.
_HERE = frozenset({"", "local", "localtime", "system"})


class CurrentDatetime(Tool):
    """The clock of the hub, read in any zone."""

    name: ClassVar[str] = "get_current_datetime"
    label: ClassVar[Any] = _("Date and time")
    description: ClassVar[str] = (
        "Get the current date and time. Returns ISO 8601 time, weekday, UTC offset and milliseconds since 1970."
    )
    parameters: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "properties": {
            "timezone": {
                "type": "string",
                "description": 'IANA time zone like "Europe/Madrid", "UTC", or "local" (the default).',
            }
        },
    }

    async def run(self, arguments: Mapping[str, Any], caller: Caller) -> ToolResult:
        """The time as JSON. Raises ToolError for a zone that does not exist."""
        name = str(arguments.get("timezone") or "").strip()
        if name.casefold() in _HERE:
            name = await _own_zone(caller)
        zone = zone_of(name)
        now = datetime.now(UTC)
        there = now.astimezone(zone)
        facts = {
            "datetime": there.isoformat(timespec="seconds"),
            "weekday": there.strftime("%A"),
            "timezone": str(zone),
            "utc_offset": _offset(there),
            "epoch_ms": int(now.timestamp() * 1000),
        }
        return ToolResult(json.dumps(facts))


def zone_of(name: str) -> tzinfo:
    """The zone of that name, in whatever case; the hub's own for none. Raises ToolError."""
    wanted = name.strip().casefold()
    if wanted in _HERE:
        return timezone.get_default_timezone()
    found = _zones().get(wanted)
    if found is None:
        raise ToolError(
            f'There is no time zone "{name[:60]}". Use an IANA name such as "Europe/Madrid" or "UTC".'
        )
    return ZoneInfo(found)


async def _own_zone(caller: Caller) -> str:
    """What the person saved, or nothing."""
    people = get_user_model().objects.filter(pk=caller.user_id)
    return await in_database(people.values_list("time_zone", flat=True).first) or ""


@cache
def _zones() -> dict[str, str]:
    """Case-folded name -> name. Reads the list of the machine once (some 600 names)."""
    return {name.casefold(): name for name in available_timezones()}


def _offset(moment: datetime) -> str:
    """``+05:30``: the last six characters of a time without seconds in its zone."""
    return moment.isoformat(timespec="minutes")[-6:]
