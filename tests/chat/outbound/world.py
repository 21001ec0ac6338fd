"""A small internet on loopback: names that a dictionary knows, and servers that misbehave to order.

No packet leaves the machine: :class:`Cable` connects every address to the server of the test, and
remembers which address the guard had asked for.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from ipaddress import ip_address
from typing import Any

import httpcore

from backends.adapters.sockets import Sockets
from chat.outbound.addresses import Address
from chat.outbound.policy import Policy
from chat.outbound.sockets import Contact, GuardedSockets
from tests.fakes.listening import listening

PUBLIC = "93.184.215.14"
Handler = Callable[[str, dict[str, str], asyncio.StreamWriter], Awaitable[None]]


class Names:
    """What names resolve to; a list of lists answers differently each time it is asked."""

    def __init__(self, **names: list[Any]) -> None:
        self.names = {name.replace("_", "."): answers for name, answers in names.items()}
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> list[Address]:
        self.asked.append(host)
        if host not in self.names:
            raise OSError(-2, "Name or service not known")
        answers = self.names[host]
        if answers and isinstance(answers[0], list):
            answers = answers.pop(0) if len(answers) > 1 else answers[0]
        return [ip_address(answer) for answer in answers]


class Cable(httpcore.AsyncNetworkBackend):
    """Leads to one port on loopback, whatever the address."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.connected: list[tuple[str, int]] = []

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        self.connected.append((host, port))
        return await Sockets().connect_tcp("127.0.0.1", self.port, timeout)


class World:
    """The server, what it was asked, and the sockets that lead to it."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.cable = Cable(port)
        self.contacts: list[Contact] = []

    def sockets(self, names: Names, policy: Policy | None = None) -> GuardedSockets:
        """Guarded sockets in this world."""
        return GuardedSockets(policy or Policy(), self.note, resolver=names, sockets=self.cable)

    async def note(self, contact: Contact) -> None:
        self.contacts.append(contact)


@asynccontextmanager
async def serving(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[World]:
    """A server that hands each request's target and headers to the handler."""
    world: World

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if (first := await reader.readexactly(1)) == b"\x16":
                return  # TLS, which nobody here speaks
            head = (first + await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            line, *rest = head.strip().split("\r\n")
            headers = {
                name.lower(): value.strip() for name, _c, value in (part.partition(":") for part in rest)
            }
            target = line.split()[1]
            world.requests.append((target, headers))
            await handler(target, headers, writer)
        except asyncio.IncompleteReadError:
            pass

    async with listening(connected, tls=tls) as port:
        world = World(port)
        yield world


def reply(status: str = "200 OK", body: bytes = b"", **headers: str) -> bytes:
    """A response; its type is HTML unless given."""
    fields = {"content-type": "text/html", "content-length": str(len(body))}
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value)
    return f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body


def answering(data: bytes) -> Handler:
    """The same bytes for every request."""

    async def handle(target: str, headers: dict[str, str], writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()

    return handle
