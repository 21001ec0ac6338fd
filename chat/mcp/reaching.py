"""Whether a server may be contacted: one on the public internet only where an administrator allows the internet.

Its address was written by an administrator, so a server on one's own network needs no further leave. This tells
where it is; it is no guard against names that change.
"""

from __future__ import annotations

import asyncio

from django.utils.translation import gettext as _

from backends.database import in_database
from chat.mcp.target import McpProblem, Target
from chat.outbound import sockets
from chat.outbound.addresses import is_public
from chat.outbound.service import Errand, note_contact, place

#: Seconds for the name; a server without an address is left to fail by itself.
PATIENCE = 5.0


async def check(target: Target) -> None:
    """Raises McpProblem for a server on the internet where that is off."""
    if target.url and not target.internet and await is_outside(*place(target.url)):
        raise McpProblem(
            _("It is on the internet, which this hub does not use. An administrator can allow it.")
        )


async def check_and_note(target: Target, errand: Errand) -> None:
    """The same, written down among what was contacted. A program that the hub starts is no host."""
    if not target.url:
        return
    host, port = place(target.url)
    try:
        await check(target)
    except McpProblem:
        await in_database(note_contact, errand, sockets.Contact(host, port, refused=True))
        raise
    await in_database(note_contact, errand, sockets.Contact(host, port, refused=False))


async def is_outside(host: str, port: int) -> bool:
    """Whether any address of the host is an ordinary one of the internet."""
    try:
        async with asyncio.timeout(PATIENCE):
            return any(map(is_public, await sockets.system_resolver(host, port)))
    except (OSError, UnicodeError, TimeoutError):
        return False
