"""Fetches one thing from outside: guarded at each hop, bounded in time, size and type.

No cookies, no stored credentials, no proxy of the environment: httpcore itself knows none of them.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache

import httpcore
from django.utils.translation import gettext as _

from backends.adapters.http import certificates
from chat.outbound.coding import ACCEPTED, Body
from chat.outbound.errors import BadStatus, Refused, TooSlow, Unreachable, WrongType
from chat.outbound.sockets import GuardedSockets
from chat.outbound.urls import Url, read_url

#: Redirects that are followed.
MAX_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_AGENT = "PrivateChatHub"

TEXT_TYPES = frozenset({"text/html", "application/xhtml+xml", "text/plain", "text/markdown"})
JSON_TYPES = frozenset({"application/json", "text/json"})


@dataclass(frozen=True, slots=True)
class Limits:
    """``seconds`` for everything together, redirects too; ``size`` in bytes, packed and unpacked."""

    seconds: float = 15.0
    size: int = 3 * 1024 * 1024
    redirects: int = MAX_REDIRECTS


@dataclass(frozen=True, slots=True)
class Request:
    """A GET. ``headers`` go to the first host only. ``types`` are the media types that are taken."""

    url: str
    types: frozenset[str] = TEXT_TYPES
    headers: Mapping[str, str] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came. ``url`` is where it was in the end; ``charset`` is what the server says, or empty."""

    url: Url
    media_type: str
    charset: str
    body: bytes


async def get(request: Request, sockets: GuardedSockets) -> Answer:
    """The answer after all redirects. Raises OutsideError."""
    try:
        async with asyncio.timeout(request.limits.seconds):
            return await _follow(request, sockets)
    except TimeoutError:
        raise TooSlow(
            _("It took longer than %(seconds)d seconds.") % {"seconds": request.limits.seconds}
        ) from None


async def _follow(request: Request, sockets: GuardedSockets) -> Answer:
    first = url = read_url(request.url)
    for _hop in range(request.limits.redirects + 1):
        headers = request.headers if url.origin == first.origin else {}
        async with _response(url, request, headers, sockets) as response:
            seen = _headers(response)
            if response.status not in _REDIRECTS or "location" not in seen:
                return await _read(response, seen, url, request)
            url = url.join(seen["location"])
    raise Refused(_("It leads from one address to the next too often."))


@asynccontextmanager
async def _response(
    url: Url, request: Request, headers: Mapping[str, str], sockets: GuardedSockets
) -> AsyncIterator[httpcore.Response]:
    sent = {
        "host": url.netloc,
        "user-agent": _AGENT,
        "accept": ", ".join(sorted(request.types)),
        "accept-encoding": ACCEPTED,
        **headers,
    }
    tls = await asyncio.to_thread(_tls) if url.scheme == "https" else None
    try:
        async with (
            httpcore.AsyncConnectionPool(ssl_context=tls, network_backend=sockets, max_connections=1) as pool,
            pool.stream("GET", _wire(url), headers=_wire_headers(sent)) as response,
        ):
            yield response
    except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError) as error:
        raise Unreachable(_("The connection to %(host)s failed.") % {"host": url.host}) from error


async def _read(
    response: httpcore.Response, headers: Mapping[str, str], url: Url, request: Request
) -> Answer:
    if not 200 <= response.status < 300:
        text = _("%(host)s answered with status %(status)d.")
        raise BadStatus(text % {"host": url.host, "status": response.status}, response.status)
    kind, charset = _type(headers.get("content-type", ""))
    if kind not in request.types:
        raise WrongType(_("It is %(type)s, which is not read.") % {"type": kind[:60] or _("of no type")})
    body = Body(headers, request.limits.size)
    async for chunk in response.aiter_stream():
        body.feed(chunk)
    return Answer(url, kind, charset, body.whole())


def _type(header: str) -> tuple[str, str]:
    """Media type and charset in lower case."""
    kind, _semicolon, parameters = header.partition(";")
    charset = re.search(r'charset\s*=\s*"?([\w.:-]{1,40})', parameters, re.IGNORECASE)
    return kind.strip().lower(), charset[1].lower() if charset else ""


def _headers(response: httpcore.Response) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}


def _wire(url: Url) -> httpcore.URL:
    return httpcore.URL(
        scheme=url.scheme.encode(), host=url.host.encode(), port=url.port, target=url.target.encode()
    )


def _wire_headers(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """Raises Refused for a value that could break out of its line."""
    if any(not value.isprintable() or not value.isascii() for value in headers.values()):
        raise Refused(_("A header holds characters that cannot be sent."))
    return [(name.encode(), value.encode()) for name, value in headers.items()]


@cache
def _tls() -> ssl.SSLContext:
    """Read once, at the first https address: it takes some 20 ms and a megabyte."""
    return certificates()
