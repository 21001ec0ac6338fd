"""httpx on the hub's own sockets."""

from __future__ import annotations

import ssl

import certifi
import httpcore
import httpx

from backends.adapters.sockets import Sockets


class Transport(httpx.AsyncHTTPTransport):
    """httpx's own transport on our sockets, without a limit to its connections.

    Idle connections are dropped sooner (seconds) than servers usually do, which is five: a request on
    a connection that the server just closes fails.
    """

    def __init__(self, verify: ssl.SSLContext, sockets: httpcore.AsyncNetworkBackend | None = None) -> None:
        super().__init__(verify=verify, trust_env=False)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=verify,
            max_connections=None,
            max_keepalive_connections=20,
            keepalive_expiry=2.0,
            network_backend=sockets or Sockets(),
        )


def certificates() -> ssl.SSLContext:
    """Trust what the machine trusts (a home network may have its own authority) and the public list."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context
