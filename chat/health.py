"""How a server is, as pages of the chat show it: from the last look, never by asking it."""

from __future__ import annotations

from datetime import datetime

from django.utils import formats, timezone
from django.utils.translation import gettext as _

from backends.models import Backend, State
from chat.presenters.models import HealthView


def health_view(backend: Backend) -> HealthView:
    """A dot and a sentence."""
    if backend.managed:
        return HealthView("online", _("Runs in this hub, starts when it is needed"))
    if backend.state == State.UNKNOWN:
        return HealthView("checking", _("Being checked"))
    if backend.state == State.ONLINE:
        return HealthView("online", _("Online"))
    if backend.state_since is None:
        return HealthView("offline", _("Offline"))
    return HealthView("offline", _("Offline since %(time)s") % {"time": moment(backend.state_since)})


def moment(time: datetime) -> str:
    """A time of today by the clock, any other with its date."""
    local = timezone.localtime(time)
    today = local.date() == timezone.localdate()
    return formats.date_format(local, "TIME_FORMAT" if today else "SHORT_DATETIME_FORMAT")
