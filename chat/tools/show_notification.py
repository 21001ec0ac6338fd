"""Leaves a message for the person, whether or not they look at the hub now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext, gettext_lazy

from backends.database import in_database
from chat.models import Notice
from chat.tools.base import Caller, Reach, Tool, ToolError, ToolResult


class ShowNotification(Tool):
    """A notice in the hub's inbox, and in the browser where the person allowed that."""

    name: ClassVar[str] = "show_notification"
    label: ClassVar[Any] = gettext_lazy("Leave a notification")
    description: ClassVar[str] = "Show the user a notification with a short title and a message."
    parameters: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "properties": {
            "title": {"type": "string", "description": "A few words."},
            "message": {"type": "string", "description": "One or two sentences."},
        },
        "required": ["title", "message"],
    }
    reach: ClassVar[frozenset[Reach]] = frozenset({Reach.CHANGES})

    async def run(self, arguments: Mapping[str, Any], caller: Caller) -> ToolResult:
        """Raises ToolError for an empty message."""
        title, text = (_clean(arguments[name]) for name in ("title", "message"))
        if not title or not text:
            raise ToolError(gettext("A notification needs a title and a message."))
        await in_database(Notice.objects.leave, caller.user_id, title, text, caller.conversation_id)
        return ToolResult("The notification was left in the user's inbox.")


def _clean(value: Any) -> str:
    return str(value).replace("\x00", "").strip()
