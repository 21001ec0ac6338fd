"""The guard against servers that redirect, rebind, drip, bomb and lie. Nothing leaves loopback."""

from __future__ import annotations

import asyncio
import gzip
import ssl
import time
import zlib
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path

import brotli
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from chat.outbound.client import JSON_TYPES, Limits, Request, get
from chat.outbound.errors import BadStatus, OutsideError, Refused, TooLarge, TooSlow, Unreachable, WrongType
from chat.outbound.policy import Policy
from chat.outbound.sockets import Contact, GuardedSockets, system_resolver
from tests.chat.outbound.test_addresses import SPECIAL
from tests.chat.outbound.world import PUBLIC, Names, answering, reply, serving

PAGE = reply(body=b"<p>hello</p>")


async def test_a_page_is_fetched_from_the_checked_address() -> None:
    async with serving(answering(PAGE)) as world:
        names = Names(example_org=[PUBLIC])
        answer = await get(Request("http://example.org/a?b=c"), world.sockets(names))
    assert answer.body == b"<p>hello</p>"
    assert answer.media_type == "text/html"
    assert world.cable.connected == [(PUBLIC, 80)]
    assert names.asked == ["example.org"]
    target, headers = world.requests[0]
    assert target == "/a?b=c"
    assert headers["host"] == "example.org"
    assert not headers.keys() & {"cookie", "authorization", "referer"}
    assert world.contacts == [Contact("example.org", 80, refused=False)]


@pytest.mark.parametrize("address", SPECIAL)
async def test_no_name_leads_inside(address: str) -> None:
    async with serving(answering(PAGE)) as world:
        with pytest.raises(Refused):
            await get(Request("http://inside.example/"), world.sockets(Names(inside_example=[address])))
    assert world.cable.connected == []
    assert world.contacts == [Contact("inside.example", 80, refused=True)]


@pytest.mark.parametrize("address", [address for address in SPECIAL if "%" not in address])
async def test_no_literal_leads_inside(address: str) -> None:
    host = f"[{address}]" if ":" in address else address
    async with serving(answering(PAGE)) as world:
        with pytest.raises(Refused):
            await get(Request(f"http://{host}/"), world.sockets(Names()))
    assert world.cable.connected == []


async def test_a_name_that_rebinds_is_asked_once() -> None:
    async with serving(answering(PAGE)) as world:
        names = Names(rebind_example=[[PUBLIC], ["127.0.0.1"]])
        await get(Request("http://rebind.example/"), world.sockets(names))
    assert names.asked == ["rebind.example"]
    assert world.cable.connected == [(PUBLIC, 80)]


async def test_a_name_that_rebinds_between_two_hops_is_checked_again() -> None:
    async with serving(answering(reply("302 Found", location="/again"))) as world:
        names = Names(rebind_example=[[PUBLIC], ["127.0.0.1"]])
        with pytest.raises(Refused):
            await get(Request("http://rebind.example/"), world.sockets(names))
    assert world.cable.connected == [(PUBLIC, 80)]


async def test_of_several_addresses_only_public_ones_are_tried() -> None:
    async with serving(answering(PAGE)) as world:
        names = Names(mixed_example=["10.0.0.1", "::1", PUBLIC])
        await get(Request("http://mixed.example/"), world.sockets(names))
    assert world.cable.connected == [(PUBLIC, 80)]


@pytest.mark.parametrize(
    "location",
    [
        *(
            "http://127.0.0.1/",
            "http://169.254.169.254/latest/meta-data/",
            "//[::1]/",
            "http://inside.example/",
        ),
        *("http://localhost/", "http://2130706433/", "file:///etc/passwd", "http://u:p@example.org/"),
        *("http://[::ffff:10.0.0.1]/", "http://example.org:22/"),
    ],
)
async def test_no_redirect_leads_inside(location: str) -> None:
    async with serving(answering(reply("302 Found", location=location))) as world:
        names = Names(example_org=[PUBLIC], inside_example=["192.168.1.1"], localhost=["127.0.0.1", "::1"])
        with pytest.raises(Refused):
            await get(Request("http://example.org/"), world.sockets(names))
    assert world.cable.connected == [(PUBLIC, 80)]


async def test_five_redirects_are_followed_and_no_sixth() -> None:
    async def count_down(target: str, headers: dict[str, str], writer: asyncio.StreamWriter) -> None:
        left = int(target[1:])
        writer.write(reply("301 Moved", location=f"/{left - 1}") if left else PAGE)

    async with serving(count_down) as world:
        names = Names(example_org=[PUBLIC])
        answer = await get(Request("http://example.org/5"), world.sockets(names))
        assert str(answer.url) == "http://example.org/0"
        with pytest.raises(Refused):
            await get(Request("http://example.org/6"), world.sockets(names))
    assert len(world.requests) == 12


async def test_neither_cookies_nor_headers_are_carried_to_another_host() -> None:
    async def lead_away(target: str, headers: dict[str, str], writer: asyncio.StreamWriter) -> None:
        leads = {"/": "/second", "/second": "http://other.example/third"}
        writer.write(
            reply("307 Away", location=leads[target], set_cookie="a=b; Path=/") if target in leads else PAGE
        )

    async with serving(lead_away) as world:
        names = Names(example_org=[PUBLIC], other_example=[PUBLIC])
        request = Request("http://example.org/", headers={"authorization": "Bearer k"})
        await get(request, world.sockets(names))
    assert [headers.get("authorization") for _target, headers in world.requests] == [
        "Bearer k",
        "Bearer k",
        None,
    ]
    assert not any("cookie" in headers for _target, headers in world.requests)


async def test_the_environments_proxy_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    async with serving(answering(PAGE)) as world:
        await get(Request("http://example.org/"), world.sockets(Names(example_org=[PUBLIC])))
    assert world.cable.connected == [(PUBLIC, 80)]


async def test_a_listed_network_is_reached_over_real_sockets() -> None:
    async with serving(answering(PAGE)) as world:
        policy = Policy(networks=(ip_network("127.0.0.0/8"),))
        sockets = GuardedSockets(policy, world.note, resolver=system_resolver)
        answer = await get(Request(f"http://127.0.0.1:{world.port}/"), sockets)
        assert answer.body == b"<p>hello</p>"
        with pytest.raises(Refused):
            await get(Request(f"http://[::ffff:127.0.0.1]:{world.port}/"), sockets)


@pytest.mark.parametrize("backend", ["127.0.0.1", "127.0.0.2", "localhost", "ollama.home"])
@pytest.mark.parametrize("asked", ["127.0.0.1", "localhost", "ollama.home", "127.0.0.2"])
async def test_no_list_opens_an_ai_server(backend: str, asked: str) -> None:
    names = Names(localhost=["127.0.0.1"], ollama_home=["127.0.0.2"])
    async with serving(answering(PAGE)) as world:
        policy = Policy(networks=(ip_network("127.0.0.0/8"),), shielded=frozenset({(backend, 11434)}))
        with pytest.raises(Refused):
            await get(Request(f"http://{asked}:11434/api/tags"), world.sockets(names, policy))
        await get(Request(f"http://{asked}:8080/"), world.sockets(names, policy))
    assert [port for _host, port in world.cable.connected] == [8080]


async def test_a_trusted_host_is_reached_at_its_port_only() -> None:
    names = Names(searx_home=["192.168.1.5"])
    policy = Policy(trusted=frozenset({("searx.home", 8888)}))
    async with serving(answering(PAGE)) as world:
        await get(Request("http://searx.home:8888/"), world.sockets(names, policy))
        with pytest.raises(Refused):
            await get(Request("http://searx.home/"), world.sockets(names, policy))
        with pytest.raises(Refused):
            await get(Request("http://192.168.1.5:8888/"), world.sockets(names, policy))
    assert world.cable.connected == [("192.168.1.5", 8888)]


SMALL = Limits(seconds=5, size=10_000)


async def fetch(data: bytes, limits: Limits = SMALL, types: frozenset[str] | None = None) -> bytes:
    request = Request("http://example.org/", limits=limits)
    if types:
        request = Request("http://example.org/", types=types, limits=limits)
    async with serving(answering(data)) as world:
        return (await get(request, world.sockets(Names(example_org=[PUBLIC])))).body


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    ("coding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress), ("deflate", raw_deflate)]
)
async def test_packed_bodies(coding: str, pack: object) -> None:
    body = b"<p>" + b"hello " * 500
    assert await fetch(reply(body=pack(body), content_encoding=coding)) == body  # type: ignore[operator]
    with pytest.raises(TooLarge):
        await fetch(reply(body=pack(b"0" * 50_000_000), content_encoding=coding), Limits(size=100_000))  # type: ignore[operator]
    with pytest.raises(Unreachable):
        await fetch(reply(body=pack(body)[:-6], content_encoding=coding))  # type: ignore[operator]
    with pytest.raises(Unreachable):
        await fetch(reply(body=b"not packed at all", content_encoding=coding))


async def test_a_bomb_takes_no_memory() -> None:
    import tracemalloc

    bomb = gzip.compress(b"0" * 200_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge):
            await fetch(reply(body=bomb, content_encoding="gzip"), Limits(size=300_000))
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, gzip", "compress", "x"])
async def test_other_packings_are_refused(coding: str) -> None:
    with pytest.raises(WrongType):
        await fetch(reply(body=brotli.compress(b"x" * 1000), content_encoding=coding))


async def test_a_body_is_no_larger_than_allowed() -> None:
    assert len(await fetch(reply(body=b"x" * 10_000))) == 10_000
    with pytest.raises(TooLarge):
        await fetch(reply(body=b"x" * 10_001))
    with pytest.raises(TooLarge):
        await fetch(reply(body=b"x" * 20_000, content_length=""))
    chunk = b"2710\r\n" + b"x" * 10_000 + b"\r\n"
    with pytest.raises(TooLarge):
        await fetch(reply(content_length="", transfer_encoding="chunked") + chunk * 3 + b"0\r\n\r\n")


async def test_a_lie_about_the_length_ends_the_fetch() -> None:
    with pytest.raises(OutsideError):
        await fetch(reply(body=b"x" * 100, content_length="9000"))
    with pytest.raises(TooLarge):
        await fetch(reply(content_length="999999999999"))


@pytest.mark.parametrize(
    "kind", ["", "image/png", "application/octet-stream", "video/mp4", "text/htmlx", "x"]
)
async def test_other_types_are_not_read(kind: str) -> None:
    with pytest.raises(WrongType):
        await fetch(reply(body=b"x", content_type=kind))
    assert await fetch(reply(body=b"{}", content_type="application/json; x=y"), types=JSON_TYPES) == b"{}"


@pytest.mark.parametrize("status", ["404 Not Found", "500 No", "304 Same", "300 Choose"])
async def test_a_refusal_is_told_with_its_status(status: str) -> None:
    with pytest.raises(BadStatus, match=status[:3]) as told:
        await fetch(reply(status, body=b"x"))
    assert told.value.status == int(status[:3])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.1 200",
        b"\x00" * 1000,
        b"HTTP/1.1 200 OK\r\nx: " + b"y" * 300_000,
    ],
)
async def test_what_is_not_http_is_unreachable(data: bytes) -> None:
    with pytest.raises(Unreachable):
        await fetch(data)


async def test_a_dripping_server_is_left_in_time() -> None:
    gone = asyncio.Event()

    async def drip(target: str, headers: dict[str, str], writer: asyncio.StreamWriter) -> None:
        writer.write(reply(content_length="100000"))
        try:
            while True:
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.02)
        except ConnectionError:
            gone.set()

    async with serving(drip) as world:
        began = time.monotonic()
        with pytest.raises(TooSlow):
            await get(
                Request("http://example.org/", limits=Limits(seconds=0.4)),
                world.sockets(Names(example_org=[PUBLIC])),
            )
        assert time.monotonic() - began < 10  # all of it would take half an hour
        await asyncio.wait_for(gone.wait(), 3)


async def test_redirects_share_the_time() -> None:
    async def slow(target: str, headers: dict[str, str], writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.15)
        writer.write(reply("302 Found", location="/next"))

    async with serving(slow) as world:
        with pytest.raises(TooSlow):
            await get(
                Request("http://example.org/", limits=Limits(seconds=0.4)),
                world.sockets(Names(example_org=[PUBLIC])),
            )


async def test_an_unknown_name_and_a_closed_port() -> None:
    async with serving(answering(PAGE)) as world:
        with pytest.raises(Unreachable, match="nowhere"):
            await get(Request("http://nowhere.example/"), world.sockets(Names()))
    with pytest.raises(Unreachable):
        await get(Request("http://example.org/"), world.sockets(Names(example_org=[PUBLIC])))


async def test_an_https_address_is_never_spoken_to_in_the_clear() -> None:
    async with serving(answering(PAGE)) as world:
        with pytest.raises(Unreachable):
            await get(Request("https://example.org/"), world.sockets(Names(example_org=[PUBLIC])))
    assert world.cable.connected == [(PUBLIC, 443)]
    assert world.requests == []


async def test_https_checks_the_name_although_an_address_is_connected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pem = certificate_for("example.org", tmp_path / "server.pem")
    monkeypatch.setattr("chat.outbound.client._tls", lambda: ssl.create_default_context(cafile=str(pem)))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pem)
    names = Names(example_org=[PUBLIC], other_example=[PUBLIC])
    async with serving(answering(PAGE), tls=server) as world:
        answer = await get(Request("https://example.org/"), world.sockets(names))
        assert answer.body == b"<p>hello</p>"
        with pytest.raises(Unreachable):
            await get(Request("https://other.example/"), world.sockets(names))
    assert len(world.requests) == 1
    assert world.cable.connected == [(PUBLIC, 443), (PUBLIC, 443)]


def certificate_for(host: str, path: Path) -> Path:
    """A key and a certificate of that name, signed by itself, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(secret + built.public_bytes(pem))
    return path


async def test_a_header_cannot_be_smuggled() -> None:
    async with serving(answering(PAGE)) as world:
        with pytest.raises(Refused):
            await get(
                Request("http://example.org/", headers={"x": "a\r\nb: c"}),
                world.sockets(Names(example_org=[PUBLIC])),
            )
    assert world.requests == []
