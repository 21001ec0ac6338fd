"""Whom this process contacts: every connection and every name it asks for, in the order they come."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_listening: list[Contacts] = []


class Contacts:
    """Addresses of connections, and names that were looked up; of one thread alone if it is named."""

    def __init__(self, thread: int | None = None) -> None:
        self._thread = thread
        self.addresses: set[tuple[str, int]] = set()
        self.names: set[str] = set()

    @property
    def hosts(self) -> set[str]:
        """The machines alone."""
        return {host for host, _port in self.addresses}

    def note(self, event: str, facts: tuple[Any, ...]) -> None:
        """One call of the socket module. Raises ConnectionRefusedError for any other machine than this one."""
        if self._thread not in (None, threading.get_ident()):
            return
        if event == "socket.getaddrinfo":
            self.names.add(_text(facts[0]))
            return
        address = facts[1]
        if not isinstance(address, tuple):
            return
        host = _text(address[0])
        self.addresses.add((host, address[1]))
        if not host.startswith("127.") and host != "::1":
            raise ConnectionRefusedError(f"{host} is not this machine")


def _text(host: Any) -> str:
    return host.decode() if isinstance(host, bytes) else str(host)


def _hook(event: str, facts: tuple[Any, ...]) -> None:
    if _listening and event in ("socket.connect", "socket.sendto", "socket.getaddrinfo"):
        for contacts in _listening:
            contacts.note(event, facts)


_hooked = False


@contextmanager
def watched(*, this_thread: bool = False) -> Iterator[Contacts]:
    """Listen while the block runs, to all threads or only to this one."""
    global _hooked
    if not _hooked:
        sys.addaudithook(_hook)
        _hooked = True
    contacts = Contacts(threading.get_ident() if this_thread else None)
    _listening.append(contacts)
    try:
        yield contacts
    finally:
        _listening.remove(contacts)
