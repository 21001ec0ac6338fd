"""Connections to checked addresses only.

A name is resolved once, and the very address that was checked is connected to: a name that answers
differently a moment later changes nothing. Made for every HTTP client that stands on httpcore.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

import httpcore
from django.utils.translation import gettext as _

from backends.adapters.sockets import Sockets
from chat.outbound.addresses import Address
from chat.outbound.errors import Refused, Unreachable
from chat.outbound.policy import Policy

#: Addresses of one name that are tried.
MAX_ADDRESSES = 4

Resolver = Callable[[str, int], Awaitable[list[Address]]]


@dataclass(frozen=True, slots=True)
class Contact:
    """A host that is about to be connected to, or that was refused."""

    host: str
    port: int
    refused: bool


async def system_resolver(host: str, port: int) -> list[Address]:
    """The machine's own. Raises OSError for an unknown name."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [ip_address(info[4][0]) for info in found]


class GuardedSockets(httpcore.AsyncNetworkBackend):
    """Resolves, checks, tells ``noted``, and only then connects."""

    def __init__(
        self,
        policy: Policy,
        noted: Callable[[Contact], Awaitable[None]],
        *,
        resolver: Resolver | None = None,
        sockets: httpcore.AsyncNetworkBackend | None = None,
    ) -> None:
        self._policy = policy
        self._noted = noted
        self._resolver = resolver or system_resolver
        self._sockets = sockets or Sockets()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the signature is httpcore's
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Raises Refused, Unreachable, or httpcore's errors."""
        addresses = await self._permitted(host, port)
        await self._noted(Contact(host, port, refused=not addresses))
        if not addresses:
            raise Refused(_("%(host)s is not on the public internet; it is not fetched.") % {"host": host})
        failure: Exception | None = None
        for address in addresses[:MAX_ADDRESSES]:
            try:
                return await self._sockets.connect_tcp(str(address), port, timeout)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise Unreachable(_("%(host)s does not answer.") % {"host": host}) from failure

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Never."""
        raise Refused(_("Only http and https addresses are fetched."))

    async def sleep(self, seconds: float) -> None:
        """Only between attempts to connect, of which httpcore makes one."""
        await asyncio.sleep(seconds)

    async def _permitted(self, host: str, port: int) -> list[Address]:
        addresses = await self._resolved(host, port)
        permitted = [address for address in addresses if self._policy.permits(host, port, address)]
        shielded = await self._shielded(host, port, permitted)
        return [address for address in permitted if address not in shielded]

    async def _resolved(self, host: str, port: int) -> list[Address]:
        try:
            return [ip_address(host)]
        except ValueError:
            pass
        try:
            return list(dict.fromkeys(await self._resolver(host, port)))
        except (OSError, UnicodeError) as error:
            await self._noted(Contact(host, port, refused=False))
            raise Unreachable(_("There is no %(host)s.") % {"host": host}) from error

    async def _shielded(self, host: str, port: int, addresses: list[Address]) -> set[Address]:
        """Those of the addresses at which, on this port, one of the shielded hosts listens."""
        if (host, port) in self._policy.trusted or not addresses:
            return set()
        found: set[Address] = set()
        for name, its_port in self._policy.shielded:
            if its_port == port:
                found.update(await self._quietly(name, port))
        if any(address.is_loopback or address.is_unspecified for address in found):
            found.update(address for address in addresses if address.is_loopback or address.is_unspecified)
        return found

    async def _quietly(self, name: str, port: int) -> list[Address]:
        try:
            return [ip_address(name)]
        except ValueError:
            pass
        try:
            return await self._resolver(name, port)
        except (OSError, UnicodeError):
            return []
