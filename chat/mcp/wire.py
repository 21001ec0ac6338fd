"""HTTP to MCP servers: bounded, without cookies, proxies or compression, and with a memory for what went wrong.

The server's name is looked up once for a connection, and the very address that was checked is connected to: a name
that answers differently a moment later changes nothing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import TracebackType
from typing import cast

import httpx2
from django.utils.translation import gettext as _

from chat.mcp.reaching import addresses_of
from chat.mcp.target import McpProblem, Target
from chat.outbound.addresses import Address
from chat.outbound.service import place
from chat.outbound.sockets import MAX_ADDRESSES

#: Bytes that one connection may bring in all.
MAX_BYTES = 8 * 1024 * 1024
#: Seconds to connect, and to wait for room in the pool.
CONNECT = 5.0


class Bounded(httpx2.AsyncByteStream):
    """The body of a response, out of what its connection may bring."""

    def __init__(self, inner: httpx2.AsyncByteStream, wire: Wire) -> None:
        self._inner = inner
        self._wire = wire

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._inner:
            self._wire.left -= len(chunk)
            if self._wire.left < 0:
                self._wire.problem = _("It sent more than %(size)d MB.") % {"size": MAX_BYTES // 1024**2}
                raise httpx2.ReadError(self._wire.problem)
            yield chunk

    async def aclose(self) -> None:
        await self._inner.aclose()


class Wire(httpx2.AsyncBaseTransport):
    """The transport below the SDK's. ``problem`` says what went wrong last, where the SDK would only guess."""

    def __init__(self, target: Target, inner: httpx2.AsyncBaseTransport | None = None) -> None:
        self._target = target
        self._inner = inner or httpx2.AsyncHTTPTransport(trust_env=False)
        self._addresses: list[Address] = []
        self.left = MAX_BYTES
        self.problem = ""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        try:
            response = await self._sent(request)
        except McpProblem as problem:
            self.problem = str(problem)
            raise httpx2.ConnectError(self.problem) from problem
        except httpx2.TimeoutException:
            self.problem = _("It did not answer in time.")
            raise
        except httpx2.TransportError as error:
            self.problem = _("It cannot be reached: %(error)s") % {
                "error": str(error) or type(error).__name__
            }
            raise
        self.problem = refusal(response)
        if response.headers.get("content-encoding", "identity") != "identity":
            await response.aclose()
            self.problem = _("It sent compressed data, which was not asked for.")
            raise httpx2.DecodingError(self.problem)
        response.stream = Bounded(cast("httpx2.AsyncByteStream", response.stream), self)
        return response

    async def _sent(self, request: httpx2.Request) -> httpx2.Response:
        """From the first of the server's addresses that takes it, which is kept to. Raises McpProblem."""
        if request.url.netloc != httpx2.URL(self._target.url).netloc:
            raise McpProblem(elsewhere(str(request.url)))
        if not self._addresses:
            host, port = place(self._target.url)
            self._addresses = await addresses_of(host, port, internet=self._target.internet)
        failure: httpx2.TransportError = httpx2.ConnectError(_("It has no address."))
        for address in self._addresses[:MAX_ADDRESSES]:
            try:
                response = await self._inner.handle_async_request(sent_to(address, request))
            except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
                failure = error
            else:
                self._addresses = [address]
                return response
        raise failure

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        await self._inner.aclose()


def sent_to(address: Address, request: httpx2.Request) -> httpx2.Request:
    """The same request to that address. Certificates are still those of the name."""
    return httpx2.Request(
        request.method,
        request.url.copy_with(host=str(address)),
        headers=request.headers,
        stream=request.stream,
        extensions={**request.extensions, "sni_hostname": request.url.raw_host.decode("ascii")},
    )


def refusal(response: httpx2.Response) -> str:
    """What a status means; empty where nothing is wrong."""
    status = response.status_code
    if status in (401, 403):
        return _("It refuses the token or the headers (status %(status)d).") % {"status": status}
    if 300 <= status < 400:
        return elsewhere(response.headers.get("location", ""))
    if status == 404:
        return _("There is nothing at this address (status 404). Often it ends in /mcp.")
    return _("It answered with status %(status)d.") % {"status": status} if status >= 400 else ""


def elsewhere(where: str) -> str:
    """Why nothing goes there."""
    return _("It sends the hub elsewhere, to %(where)s, which is not followed.") % {"where": where[:200]}


def http_client(target: Target, wire: Wire) -> httpx2.AsyncClient:
    """A client with the server's credentials, for its address only."""
    headers = dict(target.headers) | {"Accept-Encoding": "identity"}
    if token := target.token.reveal():
        headers["Authorization"] = f"Bearer {token}"
    try:
        timeout = httpx2.Timeout(target.timeout, connect=CONNECT, pool=CONNECT)
        return httpx2.AsyncClient(transport=wire, headers=headers, timeout=timeout, trust_env=False)
    except (ValueError, UnicodeError):
        raise McpProblem(_("A header cannot be sent as it is written.")) from None
