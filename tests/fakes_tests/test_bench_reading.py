"""How the measurements read HTTP, pages and tokens."""

from __future__ import annotations

import asyncio
import gzip
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import brotli
import pytest

from tests.bench.direct import read_answer
from tests.bench.httpclient import HttpClient
from tests.bench.pages import (
    PageError,
    assets_of_file,
    assets_of_page,
    new_location,
    read_form,
    socket_path,
)
from tests.bench.report import Line, Report
from tests.bench.tokens import StreamFeeder, TokenCounter, percentile
from tests.fakes.listening import listening
from tests.fakes.server import FakeServer

PAGE = """<!doctype html><html><head>
<link rel="stylesheet" href="/static/app.css"><link rel="canonical" href="https://elsewhere.example/">
<script type="module" src="/static/js/app.js"></script>
</head><body hx-ws:connect="/ws/chat/7/?revision=3&amp;x=1">
<form action="/logout/" method="post"><input type="hidden" name="csrfmiddlewaretoken" value="other"></form>
<svg><use href="/static/sprite.svg#send"/></svg><img src="data:image/png;base64,AA">
<form id="composer" method="post" action="/chat/new/"><input type="hidden" name="csrfmiddlewaretoken" value="a&amp;b">
<textarea name="text"></textarea><select name="model"><optgroup label="Fake">
<option value="fake/fast" selected>fast</option><option value="fake/hf.co/fake/tiny:Q4_K_M">tiny</option>
</optgroup></select><input type="checkbox" name="no"><select name="other"><option value="x"></select></form>
<input type="hidden" form="composer" name="key" value="k-1">
<a href="https://elsewhere.example/">link</a></body></html>"""


def test_the_composer_and_what_the_page_needs() -> None:
    form = read_form(PAGE, "composer")
    assert form.action == "/chat/new/"
    assert form.fields == {"csrfmiddlewaretoken": "a&b", "key": "k-1"}
    assert form.models == ["fake/fast", "fake/hf.co/fake/tiny:Q4_K_M"]
    assert socket_path(PAGE) == "/ws/chat/7/?revision=3&x=1"
    assert list(assets_of_page(PAGE, "http://hub/chat/")) == [
        "http://hub/static/app.css",
        "http://hub/static/js/app.js",
        "http://hub/static/sprite.svg",
    ]
    with pytest.raises(PageError):
        read_form(PAGE, "missing")


def test_what_files_load() -> None:
    css = '@import "base.css"; /* url(no.png) */ a{background:url(../i.svg#x)} b{background:url("data:x")}'
    assert list(assets_of_file(css, "text/css", "http://h/static/css/a.css")) == [
        "http://h/static/css/base.css",
        "http://h/static/i.svg",
    ]
    script = 'import {a} from "./a.js";\nimport "./b.js";\nconst c = await import("/static/c.js"); import d from "d"'
    assert list(assets_of_file(script, "text/javascript", "http://h/static/js/m.js")) == [
        "http://h/static/js/a.js",
        "http://h/static/js/b.js",
        "http://h/static/c.js",
    ]


def test_where_a_response_leads() -> None:
    assert new_location({"hx-push-url": "/chat/1/"}) == "/chat/1/"
    assert new_location({"hx-push-url": "false", "hx-location": '{"path": "/chat/2/"}'}) == "/chat/2/"
    assert new_location({"location": "/chat/3/"}) == "/chat/3/"
    assert new_location({}) is None


@asynccontextmanager
async def scripted(*responses: bytes) -> AsyncIterator[tuple[str, list[bytes], list[int]]]:
    """A server that answers with these bytes in turn; gives its origin, the requests and the connections."""
    waiting, requests, connections = list(responses), [], []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(1)
        while waiting:
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.partition(b"Content-Length: ")[2].split(b"\r\n")[0] or 0)
            requests.append(head + await reader.readexactly(length))
            response = waiting.pop(0)
            writer.write(response)
            if b"Connection: close" in response:
                break
        writer.close()

    async with listening(serve) as port:
        yield f"http://127.0.0.1:{port}", requests, connections


async def test_http_cookies_redirects_encodings_and_kept_connections() -> None:
    zipped, squeezed = gzip.compress(b"zipped"), brotli.compress(b"squeezed")
    responses = [
        (
            b"HTTP/1.1 302 Found\r\nLocation: next/?a=1#part\r\nSet-Cookie: sessionid=s1; Path=/\r\n"
            b"Set-Cookie: csrftoken=c1; HttpOnly\r\nContent-Length: 0\r\n\r\n"
        ),
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"
        + b"%x\r\n%b\r\n0\r\n\r\n" % (len(zipped), zipped),
        b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nSet-Cookie: csrftoken=; Max-Age=0\r\n"
        b"Connection: close\r\n\r\n" + squeezed,
        b"HTTP/1.1 204 No Content\r\n\r\n",
    ]
    async with scripted(*responses) as (origin, requests, connections):
        http = HttpClient(origin)
        page = await http.follow(await http.get("/start/"))
        assert (page.url, page.body) == (f"{origin}/start/next/?a=1", b"zipped")
        assert page.wire_body == len(zipped) + len(f"{len(zipped):x}") + 4 + 5
        answer = await http.post("/send/", {"text": "ä b"}, {"HX-Request": "true"})
        assert answer.body == b"squeezed"
        assert (await http.get("/last/")).status == 204
        await http.close()
    assert b"Cookie: sessionid=s1; csrftoken=c1\r\n" in requests[1]
    assert requests[2].endswith(b"\r\n\r\ntext=%C3%A4+b")
    assert b"HX-Request: true\r\n" in requests[2]
    assert b"Cookie: sessionid=s1\r\n" in requests[3]
    assert len(connections) == 2
    with pytest.raises(ValueError, match="another origin"):
        await http.get("https://elsewhere.example/")


def token(number: int, at: float = 100.0) -> str:
    return f"t{number}@{at:.6f} "


def test_tokens_count_at_their_first_appearance() -> None:
    counter = TokenCounter(4)
    counter.feed(token(0).encode(), 100.5)
    counter.feed((token(0) + token(1) + token(2)).encode(), 101.0)
    counter.feed((token(0) + token(1) + token(2) + token(3)).encode(), 102.0)
    assert list(counter.delays) == [0.5, 1.0, 1.0, 2.0]
    assert (counter.first_at, counter.last_at, counter.lost) == (100.5, 102.0, 0)
    assert counter.done.is_set()


def test_a_gap_is_lost_until_it_is_filled() -> None:
    counter = TokenCounter(5)
    counter.feed((token(0) + token(3)).encode(), 100.0)
    assert (counter.seen, counter.lost) == (2, 3)
    counter.feed("".join(map(token, range(5))).encode(), 103.0)
    assert counter.lost == 0
    assert counter.done.is_set()


def test_tokens_of_an_older_answer_do_not_count() -> None:
    counter = TokenCounter(2, since=50.0)
    counter.feed((token(0, 10) + token(1, 10) + token(2, 10)).encode(), 60.0)
    assert counter.seen == 0
    counter.feed((token(0, 10) + token(1, 10) + token(0, 55) + token(1, 55)).encode(), 60.0)
    assert counter.seen == 2


def test_tokens_in_highlighted_code() -> None:
    calls: list[str] = []
    counter = TokenCounter(2, through_tags=True, at={1: lambda: calls.append("second")})
    html = '<span class="n">t0</span><span class="o">@</span><span class="mf">1.000000</span> t1@2.000000'
    counter.feed(html.encode(), 3.0)
    assert counter.seen == 2
    assert calls == ["second"]


def test_a_token_cut_by_a_read() -> None:
    counter = TokenCounter(2)
    feeder = StreamFeeder(counter)
    for byte in f'{{"c":"{token(0)}"}}\n{{"c":"{token(1)}"}}\n'.encode():
        feeder.feed(bytes([byte]), 101.0)
    assert list(counter.delays) == [1.0, 1.0]


async def test_the_backend_alone() -> None:
    counter = TokenCounter(2000)
    async with FakeServer() as fake:
        began = time.time()
        await read_answer(fake.url, "!stamped 2000 as paragraphs", counter)
    assert counter.lost == 0
    assert counter.first_at >= began
    assert percentile(counter.delays, 0.5) < 1


def test_the_report() -> None:
    report = Report()
    report.add(Line("Relay", "delay p95", 12.345, "ms", direct=0.5, bar=("<", 16.0)))
    report.add(Line("Relay", "tokens lost", 3, bar=("<=", 0), note="of 1,000"))
    report.add(Line("Speed", "1 stream", 12345.6, "tokens/s", bar=(">", 10_000.0)))
    report.fail("rush", "no page")
    table = report.table()
    row = next(line.split() for line in table.splitlines() if "p95" in line)
    assert row == ["delay", "p95", "12.3", "ms", "0.5", "ms", "24.69x", "<", "16", "ms", "ok"]
    assert "MISSED" in next(line for line in table.splitlines() if "lost" in line)
    assert "12,346 tokens/s" in table
    assert "not measured: rush: no page" in table
