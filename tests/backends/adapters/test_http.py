"""The HTTP client against a real server on the loopback interface."""

from __future__ import annotations

import asyncio
import gc
import json
import socket
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from backends.adapters.base import Endpoint, Secret, Timeouts
from backends.adapters.errors import (
    AuthFailed,
    BackendError,
    CannotConnect,
    ProtocolError,
    ServerError,
    Stalled,
    TimedOut,
    Truncated,
    WrongService,
)
from backends.adapters.events import TextDelta
from backends.adapters.http import Http, auth_headers, join
from backends.adapters.ollama import OllamaAdapter
from backends.adapters.sockets import _first_that_answers
from tests.backends.adapters.server import Connection, serving
from tests.backends.adapters.wire import HELLO
from tests.fakes.listening import listening

SHORT = Timeouts(connect=0.5, first_byte=0.15, stall=0.15, request=0.3)
LINE = b'{"message":{"content":"A"},"done":false}\n'
END = b'{"done":true,"done_reason":"stop"}\n'


@pytest.fixture
async def http() -> AsyncIterator[Http]:
    client = Http()
    yield client
    await client.aclose()


PATIENT = Timeouts(connect=10, first_byte=10, stall=10, request=10)


def at(url: str, timeouts: Timeouts = PATIENT) -> Endpoint:
    return Endpoint(url, timeouts=timeouts)


def whole(body: bytes, status: int = 200, kind: str = "application/json", extra: str = "") -> bytes:
    head = f"HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n{extra}\r\n"
    return head.encode() + body


# Before the answer


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_vector_25_nothing_listens(http: Http) -> None:
    with pytest.raises(CannotConnect, match="connection refused"):
        await http.request_json(at(f"http://127.0.0.1:{free_port()}"), "GET", "/")


@pytest.mark.parametrize(
    "url", ["http://[::1", "nonsense", "", "http://host:99999", "ftp://host", "http://a b", "http://"]
)
async def test_an_address_that_is_none(http: Http, url: str) -> None:
    with pytest.raises(CannotConnect) as caught:
        await http.request_json(at(url), "GET", "/")
    assert caught.value.hint != CannotConnect.default_hint


async def test_an_unknown_name(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    async def unknown(*args: object, **kwargs: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", unknown)
    with pytest.raises(CannotConnect, match="unknown host name") as caught:
        await http.request_json(at("http://nobody.test"), "GET", "/")
    assert "unknown on this network" in caught.value.hint


async def test_tls_where_there_is_none(http: Http) -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with listening(plain) as port:
        with pytest.raises(CannotConnect, match="TLS failed") as caught:
            await http.request_json(at(f"https://127.0.0.1:{port}"), "GET", "/")
    assert "https://" in caught.value.hint


async def test_tls_with_a_certificate_that_nobody_knows(http: Http, certificate: Path) -> None:
    async with serving(endless_answer, tls=certificate) as server:
        with pytest.raises(CannotConnect, match="TLS failed"):
            await http.request_json(at(server.url), "GET", "/")


async def test_a_stream_over_tls(http: Http, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trusting = ssl.create_default_context(cafile=str(certificate))
    monkeypatch.setattr("backends.adapters.http.client.certificates", lambda: trusting)
    async with serving(endless_answer, tls=certificate) as server:
        async with aclosing(OllamaAdapter(at(server.url), http).batches(HELLO)) as batches:
            for _ in range(3):
                assert await anext(batches)
                await asyncio.sleep(0.01)
        await closed(server)


async def endless_answer(connection: Connection) -> None:
    await connection.head_of_stream()
    while True:
        await connection.chunk(LINE)
        await asyncio.sleep(0.001)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate for 127.0.0.1, signed by itself, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(secret + built.public_bytes(pem))
    return path


async def test_a_dead_address_is_followed_by_the_next() -> None:
    async with serving(endless_answer) as server:
        port = int(server.url.rpartition(":")[2])
        connection = await _first_that_answers([("127.0.0.1", free_port()), ("127.0.0.1", port)], 5)
        assert connection.get_extra_info("server_addr") == ("127.0.0.1", port)
        await connection.aclose()


async def test_something_that_is_not_http(http: Http) -> None:
    async def handler(connection: Connection) -> None:
        await connection.send(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")

    async with serving(handler) as server:
        with pytest.raises(WrongService, match="not HTTP"):
            await http.request_json(at(server.url), "GET", "/")


async def test_a_server_that_closes_at_once(http: Http) -> None:
    async def handler(connection: Connection) -> None:
        connection.writer.close()

    async with serving(handler) as server:
        with pytest.raises(Truncated):
            await http.request_json(at(server.url), "GET", "/")


# Time


async def test_vector_26_no_first_byte(http: Http) -> None:
    async def handler(connection: Connection) -> None:
        assert await connection.until_closed()

    async with serving(handler) as server:
        with pytest.raises(TimedOut) as caught:
            await anext(OllamaAdapter(at(server.url, SHORT), http).batches(HELLO))
        assert not caught.value.partial
        await closed(server)


async def test_headers_but_no_first_byte(http: Http) -> None:
    async def handler(connection: Connection) -> None:
        await connection.head_of_stream()
        assert await connection.until_closed()

    async with serving(handler) as server:
        with pytest.raises(TimedOut):
            await anext(OllamaAdapter(at(server.url, SHORT), http).batches(HELLO))
        await closed(server)


async def test_vector_27_silence_in_the_middle(http: Http) -> None:
    async def handler(connection: Connection) -> None:
        await connection.head_of_stream()
        await connection.chunk(LINE)
        assert await connection.until_closed()

    async with serving(handler) as server:
        batches = OllamaAdapter(at(server.url, SHORT), http).batches(HELLO)
        assert (await anext(batches))[-1] == TextDelta("A")
        with pytest.raises(Stalled) as caught:
            await anext(batches)
        assert caught.value.partial
        await closed(server)


async def test_keep_alives_hold_the_stall_off(http: Http) -> None:
    async def handler(connection: Connection) -> None:
        await connection.head_of_stream()
        await connection.chunk(LINE)
        for _ in range(8):
            await asyncio.sleep(0.1)
            await connection.chunk(b"\n")
        await connection.chunk(END)
        await connection.end()

    async with serving(handler) as server:
        assert await answer_of(http, at(server.url, replace(PATIENT, stall=0.6))) == "A"


async def test_a_slow_consumer_is_not_a_stalled_server(http: Http) -> None:
    async def handler(connection: Connection) -> None:
        await connection.head_of_stream()
        await connection.chunk(LINE)
        await asyncio.sleep(0.05)
        await connection.chunk(LINE + END)
        await connection.end()

    async with serving(handler) as server:
        text = ""
        async for batch in OllamaAdapter(at(server.url, SHORT), http).batches(HELLO):
            await asyncio.sleep(0.3)
            text += "".join(getattr(event, "text", "") for event in batch)
        assert text == "AA"


async def test_a_request_that_takes_too_long(http: Http) -> None:
    async def handler(connection: Connection) -> None:
        await connection.send(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n{")
        await connection.until_closed()

    async with serving(handler) as server:
        with pytest.raises(TimedOut, match=r"0\.3 s"):
            await http.request_json(at(server.url, SHORT), "GET", "/")
        with pytest.raises(TimedOut, match=r"0\.05 s"):
            await http.request_json(at(server.url, SHORT), "GET", "/", timeout=0.05)
        await closed(server)


# Reading


async def test_a_paced_reader_gets_all_that_has_gathered_at_once(http: Http) -> None:
    sent = asyncio.Event()

    async def handler(connection: Connection) -> None:
        await connection.head_of_stream()
        await connection.chunk(LINE)
        for _ in range(200):
            await connection.chunk(LINE)
        await connection.chunk(END)
        await connection.end()
        sent.set()

    async with serving(handler) as server:
        batches = OllamaAdapter(at(server.url), http).batches(HELLO)
        counts = [len(await anext(batches))]
        await sent.wait()
        async for batch in batches:
            counts.append(len(batch))  # noqa: PERF401 - one read after the other
        assert len(counts) <= 3


async def test_nothing_is_read_ahead(http: Http) -> None:
    progress = 0

    async def handler(connection: Connection) -> None:
        nonlocal progress
        await connection.head_of_stream()
        while True:
            await connection.chunk(b'{"message":{"content":"%s"},"done":false}\n' % (b"x" * 60_000))
            progress += 1

    async with (
        serving(handler) as server,
        aclosing(OllamaAdapter(at(server.url), http).batches(HELLO)) as batches,
    ):
        await anext(batches)
        await asyncio.sleep(0.05)
        before = progress
        await asyncio.sleep(0.1)
        assert progress == before
        await anext(batches)


@pytest.mark.parametrize("cut", [1, 7, 100_000])
async def test_every_framing_of_a_body(http: Http, cut: int) -> None:
    body = LINE + END
    heads = [
        b"content-length: %d\r\n\r\n%s" % (len(body), body),
        b"transfer-encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(body), body),
        b"connection: close\r\n\r\n" + body,
    ]
    index = iter(heads)

    async def handler(connection: Connection) -> None:
        whole_answer = b"HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\n" + next(index)
        for start in range(0, len(whole_answer), cut):
            await connection.send(whole_answer[start : start + cut])
        connection.writer.close()

    async with serving(handler) as server:
        for _ in heads:
            assert await answer_of(http, at(server.url)) == "A"


async def test_an_early_hint_before_the_head(http: Http) -> None:
    async def handler(connection: Connection) -> None:
        await connection.send(b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n")
        await connection.head_of_stream()
        await connection.chunk(LINE + END)
        await connection.end()

    async with serving(handler) as server:
        assert await answer_of(http, at(server.url)) == "A"


@pytest.mark.parametrize("tail", [b"", b'5\r\n{"me', b"zz\r\n"])
async def test_a_body_that_breaks_off(http: Http, tail: bytes) -> None:
    async def handler(connection: Connection) -> None:
        await connection.head_of_stream()
        await connection.chunk(LINE)
        await connection.send(tail)
        connection.writer.close()

    async with serving(handler) as server:
        with pytest.raises((Truncated, ProtocolError)) as caught:
            await answer_of(http, at(server.url))
        assert caught.value.partial


async def test_other_transports_work_too() -> None:
    def respond(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"content-type": "application/x-ndjson"}, content=LINE + END)

    http = Http(httpx.MockTransport(respond))
    assert await answer_of(http, at("http://mock.test")) == "A"
    await http.aclose()


@pytest.mark.parametrize("kind", ["image/png", "video/mp4", "application/pdf"])
async def test_a_type_that_holds_no_text(http: Http, kind: str) -> None:
    async def handler(connection: Connection) -> None:
        await connection.send(whole(b"x", kind=kind))

    async with serving(handler) as server:
        with pytest.raises(WrongService, match=kind):
            await answer_of(http, at(server.url))


# Whole answers


async def test_request_json(http: Http) -> None:
    seen: list[Connection] = []

    async def handler(connection: Connection) -> None:
        seen.append(connection)
        await connection.send(whole(b'\xef\xbb\xbf{"a": "\xc3\xa9"}'))

    async with serving(handler) as server:
        endpoint = replace(at(server.url + "/base/"), username="u", password=Secret("p"))
        answer = await http.request_json(
            endpoint, "POST", "/x", body={"q": "ü"}, params={"d": "a b"}, headers={"x-y": "z"}
        )
    assert answer == {"a": "é"}
    head = seen[0].head.lower()
    assert head.startswith(("post /base/x?d=a%20b http/1.1", "post /base/x?d=a+b http/1.1"))
    assert "authorization: basic dtpw" in head
    assert "x-y: z" in head
    assert json.loads(seen[0].body) == {"q": "ü"}


@pytest.mark.parametrize("status", [200, 204])
async def test_an_empty_answer_is_none(http: Http, status: int) -> None:
    async def handler(connection: Connection) -> None:
        await connection.send(b"HTTP/1.1 %d X\r\ncontent-length: 0\r\n\r\n" % status)

    async with serving(handler) as server:
        assert await http.request_json(at(server.url), "GET", "/") is None


@pytest.mark.parametrize(
    ("body", "kind", "error"),
    [
        (b"<html>", "text/html", WrongService),
        (b" <!doctype html>", "application/json", WrongService),
        (b"{oops", "application/json", ProtocolError),
        (b"[" * 100_000, "application/json", ProtocolError),
        (b"1" * 10_000, "application/json", ProtocolError),
    ],
)
async def test_an_answer_that_is_not_json(
    http: Http, body: bytes, kind: str, error: type[BackendError]
) -> None:
    async def handler(connection: Connection) -> None:
        await connection.send(whole(body, kind=kind))

    async with serving(handler) as server:
        with pytest.raises(error):
            await http.request_json(at(server.url), "GET", "/")


async def test_vector_38_only_the_beginning_of_a_huge_error_is_read(http: Http) -> None:
    sent = 0

    async def handler(connection: Connection) -> None:
        nonlocal sent
        await connection.send(
            b"HTTP/1.1 500 X\r\ncontent-type: text/plain\r\ncontent-length: 50000000\r\n\r\n"
        )
        while True:
            await connection.send(b"x" * 65536)
            sent += 65536

    async with serving(handler) as server:
        for call in (lambda e: http.request_json(e, "GET", "/"), lambda e: answer_of(http, e)):
            with pytest.raises(ServerError) as caught:
                await call(at(server.url))
            assert len(caught.value.message) == 300
        await closed(server)
    assert sent < 16_000_000


async def test_a_huge_answer_is_refused(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backends.adapters.http.client.MAX_JSON_BODY", 1000)

    async def handler(connection: Connection) -> None:
        await connection.send(whole(b"1" * 5000))

    async with serving(handler) as server:
        with pytest.raises(ProtocolError, match="too large"):
            await http.request_json(at(server.url), "GET", "/")


# Connections


async def test_vector_42_closing_after_two_frames_closes_the_connection(http: Http) -> None:
    gone = asyncio.Event()

    async def handler(connection: Connection) -> None:
        await connection.head_of_stream()
        await connection.chunk(LINE)
        await connection.chunk(LINE)
        assert await connection.until_closed()
        gone.set()

    async with serving(handler) as server:
        began = time.perf_counter()
        batches = OllamaAdapter(at(server.url), http).batches(HELLO)
        await anext(batches)
        await batches.aclose()
        async with asyncio.timeout(10):
            await gone.wait()
        assert time.perf_counter() - began < 5  # the server waits for ever
    gc.collect()


async def test_cancelling_the_task_closes_the_connection_while_it_waits(http: Http) -> None:
    for wait in ("headers", "body"):
        gone, begun = asyncio.Event(), asyncio.Event()

        async def handler(
            connection: Connection, wait: str = wait, gone: asyncio.Event = gone, begun: asyncio.Event = begun
        ) -> None:
            if wait == "body":
                await connection.head_of_stream()
            begun.set()
            assert await connection.until_closed()
            gone.set()

        async with serving(handler) as server:
            task = asyncio.create_task(answer_of(http, at(server.url)))
            await begun.wait()
            await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            async with asyncio.timeout(10):
                await gone.wait()


async def test_hundreds_of_streams_at_once(http: Http) -> None:
    begun, go = 0, asyncio.Event()

    async def handler(connection: Connection) -> None:
        nonlocal begun
        await connection.head_of_stream()
        await connection.chunk(LINE)
        begun += 1
        if begun == 100:
            go.set()
        await go.wait()
        await connection.chunk(END)
        await connection.end()

    async with serving(handler) as server:
        endpoint = at(server.url)
        texts = await asyncio.gather(*(answer_of(http, endpoint) for _ in range(100)))
    assert texts == ["A"] * 100


async def test_short_requests_share_a_connection(http: Http) -> None:
    async def handler(connection: Connection) -> None:
        await connection.send(whole(b"{}"))

    async with serving(handler) as server:
        for _ in range(5):
            await http.request_json(at(server.url), "GET", "/")
        assert (server.connections, server.requests) == (1, 5)


async def test_a_connection_that_the_server_closed_is_not_used_again(http: Http) -> None:
    async def handler(connection: Connection) -> None:
        await connection.send(whole(b"{}"))
        connection.writer.close()

    async with serving(handler) as server:
        for _ in range(3):
            await http.request_json(at(server.url), "GET", "/")
            await asyncio.sleep(0.01)
        assert server.connections == 3


async def test_a_large_request_is_sent_whole(http: Http) -> None:
    size = 8 * 1024 * 1024

    async def handler(connection: Connection) -> None:
        await connection.send(whole(b"%d" % len(connection.body)))

    async with serving(handler) as server:
        endpoint = at(server.url)
        assert await http.request_json(endpoint, "POST", "/", body="x" * size) == size + 2


async def test_closing_twice_is_fine(http: Http) -> None:
    await http.aclose()
    await http.aclose()


# Addresses and credentials


@pytest.mark.parametrize(
    ("base", "path", "url"),
    [
        ("http://h", "/a", "http://h/a"),
        ("http://h/", "a", "http://h/a"),
        ("http://h/v1/", "/a", "http://h/v1/a"),
    ],
)
def test_join(base: str, path: str, url: str) -> None:
    assert join(base, path) == url


@pytest.mark.parametrize("key", ["sk-\n123456", "schlüssel", "a\x00b"])
def test_a_key_that_no_header_can_carry(key: str) -> None:
    with pytest.raises(AuthFailed) as caught:
        auth_headers(Endpoint("http://h", api_key=Secret(key)))
    assert key not in str(caught.value)


def test_credentials() -> None:
    assert auth_headers(Endpoint("http://h")) == {}
    assert auth_headers(Endpoint("http://h", api_key=Secret("k"), username="u")) == {
        "authorization": "Bearer k"
    }
    assert auth_headers(Endpoint("http://h", username="ü", password=Secret("p"))) == {
        "authorization": "Basic w7w6cA=="
    }


async def closed(server: object) -> None:
    """Wait until the server has seen all connections end."""
    async with asyncio.timeout(10):
        while server.open:  # type: ignore[attr-defined]
            await asyncio.sleep(0.005)


async def answer_of(http: Http, endpoint: Endpoint) -> str:
    async with aclosing(OllamaAdapter(endpoint, http).stream(HELLO)) as events:
        return "".join([getattr(event, "text", "") async for event in events])
