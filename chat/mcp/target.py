"""Where a connection goes: plain values of a row, once they are allowed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.conf import settings
from django.utils.translation import gettext as _

from backends.adapters.base import Secret
from backends.crypto import CannotDecrypt
from chat.models import McpKind, McpServer


class McpProblem(Exception):
    """The server cannot be used; the text is a sentence for people."""


@dataclass(frozen=True, slots=True)
class Target:
    """One server. ``argv`` is empty for one that is reached by HTTP. ``timeout`` is in seconds, for one call.

    ``internet``: whether the hub may contact one outside of its own network.
    """

    name: str
    url: str = ""
    token: Secret = field(default_factory=Secret)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    argv: tuple[str, ...] = ()
    timeout: float = 30.0
    internet: bool = False


def target_of(server: McpServer, *, internet: bool) -> Target:
    """The values for this row. Raises McpProblem, also for a program that the hub's owner did not list."""
    if server.kind == McpKind.STDIO:
        argv = (*allowed_command(server.command), *map(str, server.arguments))
        return Target(server.name, argv=argv, timeout=server.timeout)
    try:
        token, headers = server.token(), server.headers()
    except CannotDecrypt:
        raise McpProblem(_("The stored token or headers cannot be read; enter them again.")) from None
    return Target(
        server.name, url=server.url, token=token, headers=headers, timeout=server.timeout, internet=internet
    )


def allowed_command(key: str) -> tuple[str, ...]:
    """The program and its first arguments, as the hub's owner wrote them. Raises McpProblem."""
    commands: Mapping[str, tuple[str, ...]] = settings.MCP_COMMANDS
    if not commands:
        raise McpProblem(
            _("This hub starts no programs. Its owner has to list those that it may start in MCP_COMMANDS.")
        )
    if key not in commands:
        raise McpProblem(
            _("The program “%(key)s” is not among those that MCP_COMMANDS lists.") % {"key": key}
        )
    return commands[key]
