"""The only module that imports httpx: one client, bounded reads, and errors told apart."""

from __future__ import annotations

import asyncio
import socket
import ssl
from base64 import b64encode
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import certifi
import httpcore
import httpx

from backends.adapters.base import Endpoint
from backends.adapters.body import Framing, framing
from backends.adapters.classify import error_from_response, is_html
from backends.adapters.errors import (
    AuthFailed,
    BackendError,
    CannotConnect,
    ProtocolError,
    Stalled,
    TimedOut,
    Truncated,
    WrongService,
    gettext_noop,
)
from backends.adapters.sockets import Socket, Sockets
from backends.adapters.values import parse_json

#: Bytes of an error's body that are read, and of a whole JSON answer.
MAX_ERROR_BODY = 64 * 1024
MAX_JSON_BODY = 16 * 1024 * 1024

_STREAM_TYPES = frozenset(
    {
        "",
        "text/event-stream",
        "application/x-ndjson",
        "application/ndjson",
        "application/jsonl",
        "application/json",
        "application/octet-stream",
        "text/plain",
    }
)

_TLS_HINT = gettext_noop(
    "The secure connection failed. Check https:// or http:// and the server's certificate."
)
_NAME_HINT = gettext_noop("That name is unknown on this network. Check the address, or use the IP number.")
_ADDRESS_HINT = gettext_noop("This is not an address. It looks like http://192.168.1.20:11434.")
_KEY_HINT = gettext_noop("The key or user name holds characters that cannot be sent. Enter it again.")


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole response. ``headers`` has lower-case names."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The parsed body; None where it is empty. Raises WrongService for a page, or ProtocolError."""
        if not self.body.strip():
            return None
        if is_html(self.headers.get("content-type", ""), self.body):
            raise WrongService(f"HTTP {self.status} with a web page", status=self.status)
        try:
            return parse_json(self.body.removeprefix(b"\xef\xbb\xbf"))
        except ValueError:
            raise ProtocolError("the answer is not JSON", status=self.status) from None


class Source(Protocol):
    """Gives the bytes of a body: some, or none at its end. Raises TimeoutError or a BackendError."""

    async def read(self, seconds: float) -> bytes: ...


class SocketSource:
    """The body of a response, straight from its socket."""

    def __init__(self, connection: Socket, coding: Framing) -> None:
        self._socket = connection
        self._coding = coding

    async def read(self, seconds: float) -> bytes:
        """All that has gathered since the last call."""
        while not self._coding.done:
            if self._coding.failure is not None:
                raise self._coding.failure
            try:
                data = await self._socket.receive(seconds)
            except TimeoutError:
                raise
            except OSError as error:
                raise Truncated("the connection broke in the middle of the answer") from error
            if not data:
                self._coding.close()
            elif content := self._coding.feed(data):
                return content
        return b""


class ResponseSource:
    """The body of a response by way of httpx: compressed ones, and those of other transports."""

    def __init__(self, response: httpx.Response) -> None:
        self._chunks = aiter(response.aiter_bytes())

    async def read(self, seconds: float) -> bytes:
        """The next piece."""
        async with asyncio.timeout(seconds):
            with _broken_off():
                return await anext(self._chunks, b"")


class Stream:
    """An open response: its headers, then its bytes as they come.

    Nothing is read ahead: between two calls of :meth:`read` the bytes wait in the socket, and the
    next call returns what has gathered there.
    """

    def __init__(self, response: httpx.Response, endpoint: Endpoint) -> None:
        self.status = response.status_code
        self.headers: Mapping[str, str] = dict(response.headers)
        self.media_type = media_type(self.headers)
        self._stall = endpoint.timeouts.stall
        self._limit = endpoint.timeouts.first_byte
        self._late: type[BackendError] = TimedOut
        self._known = False
        self._source = _source(response, self.headers)

    @property
    def routing(self) -> dict[str, str]:
        """What a proxy in between tells about the machine that answers (Olla's ``x-olla-…``)."""
        return {name: value for name, value in self.headers.items() if name.startswith("x-olla-")}

    async def read(self) -> bytes:
        """The next bytes, never empty before the end; ``b""`` is the proper end of the body.

        Raises TimedOut (no first byte), Stalled, Truncated (the connection broke), ProtocolError, or
        WrongService where the body is a web page.
        """
        try:
            chunk = await self._source.read(self._limit)
        except TimeoutError:
            raise self._late(f"nothing for {self._limit:g} s") from None
        if not self._known:
            self._begin(chunk)
        return chunk

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while chunk := await self.read():
            yield chunk

    def _begin(self, chunk: bytes) -> None:
        """The first byte came: from now on the stall limit counts. Look at what it is."""
        self._limit = self._stall
        self._late = Stalled
        if is_html("", chunk):
            raise WrongService("the answer is a web page", status=self.status)
        self._known = bool(chunk.strip(b"\xef\xbb\xbf \r\n\t"))


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


class Http:
    """A connection pool for all backends of this process. Bound to the event loop that uses it.

    Proxies of the environment are ignored (they would catch requests to the local network),
    redirects are not followed (they would carry the key away), and the number of connections is not
    limited (every open answer holds one).
    """

    def __init__(self, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._transport = transport
        self._clients: dict[str, httpx.AsyncClient] = {}

    async def aclose(self) -> None:
        """Close all connections."""
        clients, self._clients = self._clients, {}
        for client in clients.values():
            await client.aclose()

    async def request(
        self,
        endpoint: Endpoint,
        method: str,
        path: str,
        *,
        body: Any = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - the endpoint's own limit, not the caller's
    ) -> Reply:
        """One request and its whole answer, within ``timeout`` seconds (the endpoint's, unless given).

        ``body`` is sent as JSON. Raises a BackendError for every status but 2xx.
        """
        request = self._build(endpoint, method, path, body, params, headers)
        limit = endpoint.timeouts.request if timeout is None else timeout
        async with _within(limit), self._sent(endpoint, request) as response:
            with _broken_off():
                data = await _body(response, MAX_JSON_BODY + 1)
        if len(data) > MAX_JSON_BODY:
            raise ProtocolError("answer too large", status=response.status_code)
        return Reply(response.status_code, dict(response.headers), data)

    async def request_json(
        self,
        endpoint: Endpoint,
        method: str,
        path: str,
        *,
        body: Any = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> Any:
        """Like :meth:`request`, but the parsed JSON of the answer; None where it is empty."""
        reply = await self.request(
            endpoint, method, path, body=body, params=params, headers=headers, timeout=timeout
        )
        return reply.json()

    @asynccontextmanager
    async def open_stream(
        self,
        endpoint: Endpoint,
        method: str,
        path: str,
        *,
        body: Any = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> AsyncGenerator[Stream, None]:
        """One request whose answer is read piece by piece; leaving the block closes the connection.

        Raises a BackendError for every status but 2xx, for a page, and for a type that holds no text.
        The answer may still be plain JSON although a stream was asked for: see ``media_type``.
        """
        wanted = {"accept-encoding": "identity", **(headers or {})}
        request = self._build(endpoint, method, path, body, params, wanted)
        async with self._sent(endpoint, request, endpoint.timeouts.first_byte) as response:
            stream = Stream(response, endpoint)
            _check_type(stream)
            yield stream

    def _build(
        self,
        endpoint: Endpoint,
        method: str,
        path: str,
        body: Any,
        params: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
    ) -> httpx.Request:
        timeout = httpx.Timeout(connect=endpoint.timeouts.connect, write=30, pool=5, read=None)
        try:
            url = httpx.URL(join(endpoint.base_url, path))
            return self._client(url.scheme).build_request(
                method,
                url,
                json=body,
                params=params,
                headers={**endpoint.headers, **auth_headers(endpoint), **(headers or {})},
                timeout=timeout,
            )
        except (httpx.InvalidURL, UnicodeError) as error:
            raise CannotConnect("the address is not valid", hint=_ADDRESS_HINT) from error

    def _client(self, scheme: str) -> httpx.AsyncClient:
        """One client for http, one for https: only that needs certificates, which are slow to load."""
        if scheme not in self._clients:
            verify = certificates() if scheme == "https" else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            self._clients[scheme] = httpx.AsyncClient(
                transport=self._transport or Transport(verify), trust_env=False, follow_redirects=False
            )
        return self._clients[scheme]

    @asynccontextmanager
    async def _sent(
        self, endpoint: Endpoint, request: httpx.Request, limit: float | None = None
    ) -> AsyncGenerator[httpx.Response, None]:
        """The response to a request, closed at the end; its headers come within ``limit`` seconds."""
        async with _within(limit):
            with _refused():
                response = await self._client(request.url.scheme).send(request, stream=True)
        try:
            if not response.is_success:
                raise await _error(response, endpoint)
            yield response
        finally:
            await response.aclose()


def join(base_url: str, path: str) -> str:
    """One URL: LM Studio does not like ``//`` in a path."""
    return f"{base_url.rstrip('/')}/{path.lstrip('/')}"


def media_type(headers: Mapping[str, str]) -> str:
    """The content type without its parameters, in lower case."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def auth_headers(endpoint: Endpoint) -> dict[str, str]:
    """The header that lets us in: a Bearer key, or else a user's name and password.

    Raises AuthFailed for a credential that no header can carry.
    """
    if endpoint.api_key:
        return {"authorization": f"Bearer {_sendable(endpoint.api_key.reveal())}"}
    if endpoint.username or endpoint.password:
        pair = f"{endpoint.username}:{endpoint.password.reveal()}"
        return {"authorization": f"Basic {b64encode(pair.encode()).decode()}"}
    return {}


def _sendable(key: str) -> str:
    if not key.isascii() or not key.isprintable():
        raise AuthFailed("the key cannot be sent", hint=_KEY_HINT)
    return key


def certificates() -> ssl.SSLContext:
    """Trust what the machine trusts (a home network may have its own authority) and the public list."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


@asynccontextmanager
async def _within(seconds: float | None) -> AsyncGenerator[None, None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise TimedOut(f"no answer within {seconds:g} s") from None


@contextmanager
def _refused() -> Iterator[None]:
    """What can happen until the headers are here."""
    try:
        yield
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
        raise _cannot_connect(error) from error
    except httpx.UnsupportedProtocol as error:
        raise CannotConnect("the address is not valid", hint=_ADDRESS_HINT) from error
    except httpx.TimeoutException as error:
        raise TimedOut("the request could not be sent in time") from error
    except httpx.LocalProtocolError as error:
        raise AuthFailed("the request cannot be sent", hint=_KEY_HINT) from error
    except httpx.RemoteProtocolError as error:
        raise _no_headers(error) from error
    except httpx.HTTPError as error:
        raise Truncated("the connection broke before the answer") from error


@contextmanager
def _broken_off() -> Iterator[None]:
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


async def _error(response: httpx.Response, endpoint: Endpoint) -> BackendError:
    try:
        async with asyncio.timeout(endpoint.timeouts.request):
            body = await _body(response, MAX_ERROR_BODY)
    except (TimeoutError, httpx.HTTPError):
        body = b""
    return error_from_response(response.status_code, dict(response.headers), body, endpoint)


async def _body(response: httpx.Response, limit: int) -> bytes:
    """The body, at most ``limit`` bytes of it."""
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) >= limit:
            break
    return bytes(body[:limit])


def _source(response: httpx.Response, headers: Mapping[str, str]) -> Source:
    connection = response.extensions.get("network_stream")
    coding = framing(response.status_code, headers)
    if isinstance(connection, Socket) and coding is not None:
        return SocketSource(connection, coding)
    return ResponseSource(response)


def _check_type(stream: Stream) -> None:
    if stream.media_type not in _STREAM_TYPES:
        raise WrongService(f"the answer is {stream.media_type[:60]}", status=stream.status)
