"""What the tools that fetch something have in common."""

from __future__ import annotations

from typing import ClassVar

from chat.outbound.client import Answer, Request
from chat.outbound.errors import OutsideError
from chat.outbound.service import Errand, fetch
from chat.tools.base import Caller, Reach, Tool, ToolError


class OutsideTool(Tool):
    """A tool that contacts other hosts, by way of the guard and in no other."""

    reach: ClassVar[frozenset[Reach]] = frozenset({Reach.OUTSIDE})

    async def fetch(self, caller: Caller, request: Request, trusted_url: str = "") -> Answer:
        """One thing from outside. Raises ToolError with the guard's own words."""
        try:
            return await fetch(Errand(caller.user_id, self.name), request, trusted_url=trusted_url)
        except OutsideError as error:
            raise ToolError(str(error)) from error
