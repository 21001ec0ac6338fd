"""What tools call: one request to the outside for somebody, if the internet is allowed."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from backends.database import in_database
from backends.models import Backend
from chat.models import Internet, OutsideContact
from chat.outbound.addresses import read_networks
from chat.outbound.client import Answer, Request, get
from chat.outbound.errors import InternetOff
from chat.outbound.policy import Policy
from chat.outbound.sockets import Contact, GuardedSockets

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Errand:
    """Who fetches, by which tool."""

    user_id: int
    tool: str


async def fetch(errand: Errand, request: Request, *, trusted_url: str = "") -> Answer:
    """One thing from outside; every host on the way is noted before it is contacted.

    ``trusted_url`` is an address that an administrator wrote into the settings: its host may be private.
    Raises OutsideError.
    """
    sockets = await guarded_sockets(errand, trusted_url)
    return await get(request, sockets)


async def guarded_sockets(errand: Errand, trusted_url: str = "") -> GuardedSockets:
    """Sockets for an HTTP client that stands on httpcore. Raises InternetOff."""
    policy = await in_database(current_policy, trusted_url)

    async def note(contact: Contact) -> None:
        await in_database(note_contact, errand, contact)

    return GuardedSockets(policy, note)


def current_policy(trusted_url: str = "") -> Policy:
    """What administrators have decided. Raises InternetOff."""
    internet = Internet.current()
    if not internet.allowed:
        raise InternetOff(_("This hub does not use the internet. An administrator can allow it."))
    trusted = {place(trusted_url)} if trusted_url else set()
    shielded = {
        place(url) for url in Backend.objects.exclude(kind="scripted").values_list("base_url", flat=True)
    }
    return Policy(read_networks(internet.networks), frozenset(trusted), frozenset(shielded - trusted))


def place(url: str) -> tuple[str, int]:
    """Host and port of an address that was checked when it was stored."""
    parts = urlsplit(url)
    return (parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 0))


def note_contact(errand: Errand, contact: Contact) -> None:
    """Keep it."""
    OutsideContact.objects.note(
        user_id=errand.user_id,
        tool=errand.tool,
        host=contact.host,
        port=contact.port,
        refused=contact.refused,
    )
