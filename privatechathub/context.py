"""What every template may use."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def hub(request: HttpRequest) -> dict[str, Any]:
    """The person's theme and the hub's version."""
    user = getattr(request, "user", None)
    return {"theme": getattr(user, "theme", "system"), "hub_version": settings.VERSION}
