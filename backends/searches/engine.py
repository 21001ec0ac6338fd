"""Looks for AI servers at many addresses: so many at once, so long, and nowhere else."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address

from backends.adapters.http import Http
from backends.recognition import Sight, recognise
from backends.searches.places import Address, Places, is_home

#: Connections that are tried at once, and servers that are asked at once what they are.
CONNECTS = 96
RECOGNITIONS = 8
#: Seconds for a connection, for one answer, for a name, between two reports, and for the whole search.
CONNECT, PATIENCE, NAMING, REPORTING, LIMIT = 0.8, 1.5, 3.0, 0.7, 150.0


@dataclass(frozen=True, slots=True)
class Target:
    """One port of one machine. ``host`` is what the person called it."""

    host: str
    address: Address
    port: int


@dataclass(frozen=True, slots=True)
class Answered:
    """A server, and where."""

    target: Target
    sight: Sight


@dataclass(slots=True)
class Progress:
    """How far a search is. ``unknown``: names that stand for nothing on this network."""

    total: int = 0
    tried: int = 0
    found: list[Answered] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)


#: Hears how far it is, and says whether to go on.
Report = Callable[[Progress], Awaitable[bool]]


async def search(places: Places, ports: tuple[int, ...], report: Report) -> bool:
    """Search; True at the end, False where the report did not want any more.

    Raises TimeoutError after :data:`LIMIT` seconds. What was found until then has been reported.
    """
    progress, http = Progress(), Http()
    work = asyncio.create_task(_all(places, ports, progress, http))
    try:
        async with asyncio.timeout(LIMIT):
            while not work.done():
                await asyncio.wait([work], timeout=REPORTING)
                if not await report(progress):
                    return False
        work.result()
        return True
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        await http.aclose()


async def _all(places: Places, ports: tuple[int, ...], progress: Progress, http: Http) -> None:
    hosts = [(str(address), address) for address in places.addresses]
    for name in places.names:
        if address := await resolved(name):
            hosts.append((name, address))
        else:
            progress.unknown.append(name)
    progress.total = len(hosts) * len(ports)
    targets = (Target(host, address, port) for port in ports for host, address in hosts)
    gate = asyncio.Semaphore(RECOGNITIONS)
    async with asyncio.TaskGroup() as group:
        for _ in range(min(CONNECTS, progress.total)):
            group.create_task(_work(targets, progress, http, gate))


async def _work(targets: Iterator[Target], progress: Progress, http: Http, gate: asyncio.Semaphore) -> None:
    for target in targets:
        if await listens(target):
            async with gate:
                sight = await recognise(root_of(target.address, target.port), http, PATIENCE)
            if sight:
                progress.found.append(Answered(target, sight))
        progress.tried += 1


async def resolved(name: str) -> Address | None:
    """The first address of a name that is on this machine or on a private network, IPv4 first."""
    found: list[tuple[object, ...]] = []
    with suppress(OSError, UnicodeError, TimeoutError):
        async with asyncio.timeout(NAMING):
            loop = asyncio.get_running_loop()
            infos = await loop.getaddrinfo(name, None, type=socket.SOCK_STREAM)
            found = [info[4] for info in infos]
    addresses: list[IPv4Address | IPv6Address] = [
        ip_address(str(where[0]).partition("%")[0]) for where in found
    ]
    near = [address for address in addresses if is_home(address)]
    return min(near, key=lambda address: address.version, default=None)


async def listens(target: Target) -> bool:
    """Whether something takes a connection there. Raises ValueError for an address on no private network."""
    if not is_home(target.address):
        raise ValueError("not an address of a private network")
    try:
        async with asyncio.timeout(CONNECT):
            _reader, writer = await asyncio.open_connection(str(target.address), target.port)
    except (OSError, TimeoutError):
        return False
    writer.transport.abort()
    return True


def root_of(host: object, port: int) -> str:
    """``http://HOST:PORT``."""
    return f"http://[{host}]:{port}" if ":" in str(host) else f"http://{host}:{port}"
