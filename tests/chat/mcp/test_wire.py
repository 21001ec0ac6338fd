"""Where requests to an MCP server go: to an address that was checked, and nowhere else."""

from __future__ import annotations

import httpx2
import pytest

from chat.mcp.connection import list_tools
from chat.mcp.reaching import check
from chat.mcp.target import McpProblem, Target
from chat.mcp.wire import Wire, http_client
from tests.chat.outbound.world import Names

INSIDE, OUTSIDE = "192.168.1.4", "93.184.215.14"


class Inner(httpx2.AsyncBaseTransport):
    """Notes what would be sent; ``dead`` addresses take nothing."""

    def __init__(self, *dead: str) -> None:
        self.dead = dead
        self.sent: list[httpx2.Request] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.sent.append(request)
        if request.url.host in self.dead:
            raise httpx2.ConnectError("refused")
        return httpx2.Response(200, stream=httpx2.ByteStream(b"{}"))

    @property
    def hosts(self) -> list[str]:
        return [request.url.host for request in self.sent]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    found = Names()
    monkeypatch.setattr("chat.outbound.sockets.system_resolver", found)
    return found


def target(host: str = "mcp.test", *, scheme: str = "https", internet: bool = False) -> Target:
    return Target("Small", url=f"{scheme}://{host}:8443/mcp", internet=internet)


async def post(to: Target, inner: Inner, times: int = 1) -> Wire:
    wire = Wire(to, inner)
    async with http_client(to, wire) as client:
        for _ in range(times):
            await client.post(to.url, content=b"{}")
    return wire


async def test_a_name_is_looked_up_once_and_certificates_are_its_own(names: Names) -> None:
    names.names["mcp.test"] = [[INSIDE], [OUTSIDE]]
    inner = Inner()

    await post(target(), inner, times=2)

    assert inner.hosts == [INSIDE, INSIDE]
    assert names.asked == ["mcp.test"]
    for request in inner.sent:
        assert request.headers["host"] == "mcp.test:8443"
        assert request.extensions["sni_hostname"] == "mcp.test"
        assert (request.url.port, request.url.path, await request.aread()) == (8443, "/mcp", b"{}")


async def test_a_name_that_changes_after_the_check_reaches_nothing(names: Names) -> None:
    names.names["mcp.test"] = [[INSIDE], [INSIDE, OUTSIDE]]
    await check(target())
    inner = Inner()

    with pytest.raises(httpx2.ConnectError):
        await post(target(), inner)

    assert inner.sent == []


async def test_what_was_refused_is_told_as_it_is(names: Names) -> None:
    names.names["mcp.test"] = [OUTSIDE]
    with pytest.raises(McpProblem, match="It is on the internet, which this hub does not use"):
        await list_tools(target())
    with pytest.raises(McpProblem, match=r"There is no other\.test"):
        await list_tools(target("other.test", internet=True))


async def test_the_next_address_is_tried_and_kept_to(names: Names) -> None:
    names.names["mcp.test"] = ["fd00::1", INSIDE]
    inner = Inner("fd00::1")

    await post(target(), inner, times=2)

    assert inner.hosts == ["fd00::1", INSIDE, INSIDE]


async def test_a_server_whose_addresses_all_refuse(names: Names) -> None:
    names.names["mcp.test"] = [INSIDE]
    wire = Wire(target(), Inner(INSIDE))
    async with http_client(target(), wire) as client:
        with pytest.raises(httpx2.ConnectError):
            await client.post(target().url)
    assert wire.problem == "It cannot be reached: refused"


async def test_with_the_internet_allowed_it_is_reached(names: Names) -> None:
    names.names["mcp.test"] = [OUTSIDE]
    inner = Inner()
    await post(target(internet=True), inner)
    assert inner.hosts == [OUTSIDE]


async def test_nothing_goes_to_another_host(names: Names) -> None:
    names.names |= {"mcp.test": [INSIDE], "other.test": [INSIDE]}
    inner = Inner()
    wire = Wire(target(), inner)
    async with http_client(target(), wire) as client:
        for other in ("https://other.test:8443/mcp", "https://mcp.test:8444/mcp", "https://mcp.test/mcp"):
            with pytest.raises(httpx2.ConnectError):
                await client.post(other)
            assert wire.problem == f"It sends the hub elsewhere, to {other}, which is not followed."
    assert inner.sent == []


@pytest.mark.parametrize(("host", "address"), [("127.0.0.1", "127.0.0.1"), ("[::1]", "::1")])
async def test_an_address_needs_no_name(names: Names, host: str, address: str) -> None:
    inner = Inner()
    await post(target(host, scheme="http"), inner)
    assert inner.hosts == [address]
    assert names.asked == []
