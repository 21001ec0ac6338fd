"""What goes wrong with a request, as the hub's own errors."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, contextmanager

import httpx

from backends.adapters.errors import (
    AuthFailed,
    BackendError,
    CannotConnect,
    ProtocolError,
    TimedOut,
    Truncated,
    WrongService,
    gettext_noop,
)

_TLS_HINT = gettext_noop(
    "The secure connection failed. Check https:// or http:// and the server's certificate."
)
_NAME_HINT = gettext_noop("That name is unknown on this network. Check the address, or use the IP number.")
ADDRESS_HINT = gettext_noop("This is not an address. It looks like http://192.168.1.20:11434.")
KEY_HINT = gettext_noop("The key or user name holds characters that cannot be sent. Enter it again.")


@asynccontextmanager
async def within(seconds: float | None) -> AsyncGenerator[None, None]:
    """Raises TimedOut where the block takes longer."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise TimedOut(f"no answer within {seconds:g} s") from None


@contextmanager
def until_headers() -> Iterator[None]:
    """What can happen until the headers are here."""
    try:
        yield
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
        raise _cannot_connect(error) from error
    except httpx.UnsupportedProtocol as error:
        raise CannotConnect("the address is not valid", hint=ADDRESS_HINT) from error
    except httpx.TimeoutException as error:
        raise TimedOut("the request could not be sent in time") from error
    except httpx.LocalProtocolError as error:
        raise AuthFailed("the request cannot be sent", hint=KEY_HINT) from error
    except httpx.RemoteProtocolError as error:
        raise _no_headers(error) from error
    except httpx.HTTPError as error:
        raise Truncated("the connection broke before the answer") from error


@contextmanager
def while_reading() -> Iterator[None]:
    """What can happen while the body comes."""
    try:
        yield
    except httpx.DecodingError as error:
        raise ProtocolError("the answer's compression is broken") from error
    except (httpx.HTTPError, httpx.StreamError) as error:
        raise Truncated("the connection broke in the middle of the answer") from error


def _cannot_connect(error: httpx.HTTPError) -> CannotConnect:
    causes = list(_causes(error))
    if isinstance(error, httpx.ConnectTimeout):
        return CannotConnect("no connection in time")
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return CannotConnect("TLS failed", hint=_TLS_HINT)
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return CannotConnect("unknown host name", hint=_NAME_HINT)
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return CannotConnect("connection refused")
    return CannotConnect("no connection")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        if isinstance(error, BaseExceptionGroup):
            yield from error.exceptions
        error = error.__cause__ or error.__context__


def _no_headers(error: httpx.RemoteProtocolError) -> BackendError:
    if "disconnected" in str(error):
        return Truncated("the connection was closed before the answer")
    return WrongService("the answer is not HTTP")
