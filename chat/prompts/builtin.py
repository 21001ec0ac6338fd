"""Places that the hub fills by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from datetime import tzinfo

    from django.utils.functional import Promise

    from privatechathub.accounts.models import User

#: Name -> what it becomes, for people who write prompts.
BUILTIN: Mapping[str, str | Promise] = {
    "date": _("Today, like 2026-05-31"),
    "time": _("The time, like 18:05; then a model’s server reads the whole conversation anew at every turn"),
    "weekday": _("The day of the week in English, like Sunday"),
    "timezone": _("Your time zone, like Europe/Madrid"),
    "name": _("Your name on this hub"),
    "model": _("The model that answers"),
}

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def known_to(person: User, model: str) -> dict[str, str]:
    """The value of each at this moment, where that person is."""
    zone = zone_of(person)
    now = timezone.now().astimezone(zone)
    return {
        "date": f"{now:%Y-%m-%d}",
        "time": f"{now:%H:%M}",
        "weekday": _DAYS[now.weekday()],
        "timezone": str(zone),
        "name": person.display_name,
        "model": model,
    }


def zone_of(person: User) -> tzinfo:
    """The person's own time zone, or the hub's."""
    try:
        return ZoneInfo(person.time_zone) if person.time_zone else timezone.get_default_timezone()
    except (ZoneInfoNotFoundError, ValueError):
        return timezone.get_default_timezone()
