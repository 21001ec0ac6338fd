"""One client for all AI servers of this process."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, Coroutine, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypedDict, Unpack

import httpx

from backends.adapters.base import Endpoint
from backends.adapters.classify import error_from_response
from backends.adapters.errors import BackendError, CannotConnect, ProtocolError
from backends.adapters.http.credentials import auth_headers
from backends.adapters.http.failures import ADDRESS_HINT, until_headers, while_reading, within
from backends.adapters.http.reply import Reply
from backends.adapters.http.stream import Stream, check_type
from backends.adapters.http.transport import Transport, certificates

#: Bytes of an error's body that are read, and of a whole JSON answer.
MAX_ERROR_BODY = 64 * 1024
MAX_JSON_BODY = 16 * 1024 * 1024


class Options(TypedDict, total=False):
    """What a request may have beside its address, see :meth:`Http.request`."""

    body: Any
    params: Mapping[str, str] | None
    headers: Mapping[str, str] | None
    timeout: float | None


class Http:
    """A connection pool for all backends of this process. Bound to the event loop that uses it.

    Proxies of the environment are ignored (they would catch requests to the local network),
    redirects are not followed (they would carry the key away), and the number of connections is not
    limited (every open answer holds one).
    """

    def __init__(self, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._transport = transport
        self._clients: dict[str, httpx.AsyncClient] = {}
        self._background: set[asyncio.Task[None]] = set()

    async def aclose(self) -> None:
        """Close all connections; what is left in the background is cancelled."""
        background = list(self._background)
        for task in background:
            task.cancel()
        await asyncio.gather(*background, return_exceptions=True)
        clients, self._clients = self._clients, {}
        for client in clients.values():
            await client.aclose()

    def in_background(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """What has to be done for a request after nobody waits for it any more. It must not raise."""
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        return task

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
        async with within(limit), self._sent(endpoint, request) as response:
            with while_reading():
                data = await _body(response, MAX_JSON_BODY + 1)
        if len(data) > MAX_JSON_BODY:
            raise ProtocolError("answer too large", status=response.status_code)
        return Reply(response.status_code, dict(response.headers), data)

    async def request_json(
        self, endpoint: Endpoint, method: str, path: str, **options: Unpack[Options]
    ) -> Any:
        """Like :meth:`request`, but the parsed JSON of the answer; None where it is empty."""
        return (await self.request(endpoint, method, path, **options)).json()

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
            check_type(stream)
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
            raise CannotConnect("the address is not valid", hint=ADDRESS_HINT) from error

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
        async with within(limit):
            with until_headers():
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
