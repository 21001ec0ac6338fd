"""Whether a server may be contacted: one on the public internet only where an administrator allows the internet.

Its address was written by an administrator, so a server on one's own network needs no further leave. A connection
looks its name up once and goes to an address that was checked (see ``chat.mcp.wire``).
"""

from __future__ import annotations

import asyncio
from ipaddress import ip_address

from django.utils.translation import gettext as _

from backends.database import in_database
from chat.mcp.target import McpProblem, Target
from chat.outbound import sockets
from chat.outbound.addresses import Address, is_public
from chat.outbound.service import Errand, note_contact, place

#: Seconds for the name; a server without an address is left to fail by itself.
PATIENCE = 5.0


async def check(target: Target) -> None:
    """Raises McpProblem for a server on the internet where that is off."""
    if target.url and not target.internet and await is_outside(*place(target.url)):
        raise not_used()


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


async def addresses_of(host: str, port: int, *, internet: bool) -> list[Address]:
    """Where a connection may go, looked up now. Raises McpProblem where there is none or one is out of bounds."""
    try:
        found = [ip_address(host)]
    except ValueError:
        found = await looked_up(host, port)
    if not internet and any(map(is_public, found)):
        raise not_used()
    return found


async def looked_up(host: str, port: int) -> list[Address]:
    """The addresses of a name. Raises McpProblem."""
    try:
        async with asyncio.timeout(PATIENCE):
            return list(dict.fromkeys(await sockets.system_resolver(host, port)))
    except (OSError, UnicodeError, TimeoutError):
        raise McpProblem(_("There is no %(host)s.") % {"host": host}) from None


def not_used() -> McpProblem:
    """Why a server on the internet is not contacted."""
    return McpProblem(_("It is on the internet, which this hub does not use. An administrator can allow it."))


async def is_outside(host: str, port: int) -> bool:
    """Whether any address of the host is an ordinary one of the internet."""
    try:
        return any(map(is_public, await looked_up(host, port)))
    except McpProblem:
        return False
