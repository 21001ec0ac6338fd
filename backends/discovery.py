"""AI servers that answered, as they are offered; and a quick look at this machine's usual ports."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from django.utils.translation import gettext as _

from backends.adapters.http import Http
from backends.adapters.registry import KINDS
from backends.models import Backend
from backends.recognition import Sight, recognise
from backends.searches.models import Search
from backends.searches.places import USUAL_PORTS

HOST = "127.0.0.1"
#: Seconds that one server has for one answer.
PATIENCE = 1.5
#: Characters of a backend's name.
NAME_LENGTH = 60


@dataclass(frozen=True, slots=True)
class Found:
    """A server that answered as its kind, and the name it would get. ``model_count`` is None behind a key."""

    name: str
    kind: str
    kind_label: str
    url: str
    model_count: int | None
    added: bool = False
    needs_key: bool = False


async def find_servers(
    ports: tuple[int, ...] = USUAL_PORTS, known: frozenset[str] = frozenset()
) -> list[Found]:
    """Ask all usual ports of this machine at once; takes a few seconds at most.

    ``known``: addresses that have been added.
    """
    http = Http()
    try:
        sights = await asyncio.gather(*(recognise(f"http://{HOST}:{port}", http, PATIENCE) for port in ports))
    finally:
        await http.aclose()
    names = Names(())
    return [offer(sight, HOST, sight.url, known, names) for sight in sights if sight]


def found_by(search: Search) -> list[Found]:
    """What a search found, as it is offered. Two queries."""
    known, names = known_addresses(), Names(Backend.objects.values_list("name", flat=True))
    return [offer(sight_in(row), row["host"], row["url"], known, names) for row in search.found]


def sight_in(row: Mapping[str, Any]) -> Sight:
    """The stored form of a server, read back."""
    return Sight(row["kind"], row["software"], row["url"], row["model_count"], row["version"])


def offer(sight: Sight, host: str, url: str, known: frozenset[str], names: Names) -> Found:
    """One server as it is offered."""
    return Found(
        name=names.unused(good_name(sight.software, host)),
        kind=sight.kind,
        kind_label=KINDS[sight.kind].label,
        url=url,
        model_count=sight.model_count,
        added=url in known,
        needs_key=sight.needs_key,
    )


def good_name(software: str, host: str) -> str:
    """The program's name, and the machine's where it is not this one."""
    if host == "localhost" or (
        is_address(host) and ip_address(host) in (ip_address(HOST), ip_address("::1"))
    ):
        return software
    machine = host if is_address(host) else host.removesuffix(".local")
    return _("%(program)s on %(machine)s") % {"program": software, "machine": machine}


def is_address(host: str) -> bool:
    """Whether it is a number and not a name."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


class Names:
    """Names that are taken, by backends or by what was offered before."""

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = {name.casefold() for name in taken}

    def unused(self, wanted: str) -> str:
        """The name, with a number behind it where it is taken."""
        name, number = wanted[:NAME_LENGTH], 1
        while name.casefold() in self._taken:
            number += 1
            name = f"{wanted[: NAME_LENGTH - 4]} {number}"
        self._taken.add(name.casefold())
        return name


def known_addresses() -> frozenset[str]:
    """The addresses of backends that exist already."""
    return frozenset(Backend.objects.values_list("base_url", flat=True))
