"""Pace, ends, disconnects and memory of the fake server."""

from __future__ import annotations

import asyncio
import json
import re
import time
import urllib.request

import pytest

from tests.fakes.server import FakeServer
from tests.fakes.thread import FakeServerThread
from tests.fakes_tests.client import chat_request, exchange, ndjson_frames, split_response

PATH = "/v1/chat/completions"


def _text(raw: bytes) -> str:
    return "".join(frame["message"]["content"] for frame in ndjson_frames(split_response(raw)[1]))


async def test_rated_streams_do_not_drift() -> None:
    async with FakeServer() as fake:
        raws = await asyncio.gather(
            *(exchange(fake, chat_request(PATH, "!stamped 51 rate 100")) for _ in range(20))
        )
    for raw in raws:
        stamps = [float(stamp) for stamp in re.findall(rb"t\d+@([\d.]+)", raw)]
        assert len(stamps) == 51
        assert 0.4 < stamps[-1] - stamps[0] < 3, "twenty that shared a rate would take ten seconds"


async def test_full_speed_is_fast() -> None:
    async with FakeServer() as fake:
        began = time.process_time()  # the server runs in this process
        async with asyncio.timeout(15):
            raw = await exchange(fake, chat_request(PATH, "!stamped 30000"))
        taken = time.process_time() - began
    assert raw.count(b"@") == 30000
    assert 30000 / taken > 20000, f"{30000 / taken:.0f} tokens a second"


async def test_a_hang_up_is_noticed_at_once() -> None:
    async with FakeServer() as fake:
        reader, writer = await asyncio.open_connection(fake.host, fake.port)
        writer.write(chat_request(PATH, "!tokens 1000", model="steady-50"))
        await reader.readuntil(b'"content":"the "')
        assert fake.open_connections == 1
        left = time.time()
        writer.close()
        await fake.wait_until(lambda: fake.disconnects, timeout=5)
    (stream,) = fake.disconnects
    assert stream.hung_up is not None
    assert stream.hung_up - left < 5  # of twenty seconds
    assert stream.tokens < 500
    assert stream.ended is None


async def test_a_reader_that_stops_holds_the_stream_back_and_loses_nothing() -> None:
    async with FakeServer() as fake:
        reader, writer = await asyncio.open_connection(fake.host, fake.port, limit=1024)
        writer.write(chat_request(PATH, "!stamped 100000"))
        await asyncio.sleep(0.1)
        held = fake.streams[0].tokens
        assert held < 100000
        raw = await reader.read()
        writer.close()
    numbers = [int(number) for number in re.findall(rb"t(\d+)@", raw)]
    assert numbers == list(range(100000))


async def test_ends_in_the_middle() -> None:
    async with FakeServer() as fake:
        eof = await exchange(fake, chat_request("/api/chat", "!eof after 3"))
        cut = await exchange(fake, chat_request("/api/chat", "!cut after 3"))
        error = await exchange(fake, chat_request("/api/chat", "!error after 3 boom"))
        with pytest.raises(ConnectionResetError):
            await exchange(fake, chat_request("/api/chat", "!drop after 3"))
    assert eof.endswith(b"\r\n0\r\n\r\n")
    assert b'"done":true' not in eof
    assert not cut.endswith(b"\r\n0\r\n\r\n")
    assert error.endswith(b'{"error":"boom"}\n\r\n0\r\n\r\n')
    assert [stream.tokens for stream in fake.streams] == [3, 3, 3, 3]
    assert fake.disconnects == []


@pytest.mark.parametrize("command", ["!hang", "!stall after 2", "!loading 30"])
async def test_silences_last_until_the_client_gives_up(command: str) -> None:
    async with FakeServer() as fake:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(exchange(fake, chat_request(PATH, command)), 0.1)
        await fake.wait_until(lambda: fake.disconnects, timeout=5)


@pytest.mark.parametrize(
    ("command", "line", "body"),
    [
        ("!error 500 out of memory", "500 Internal Server Error", b'{"error":"out of memory"}'),
        ("!error 503", "503 Service Unavailable", b'{"error":"server busy'),
        ("!status 401", "401 Unauthorized", b""),
        ("!html", "200 OK", b"<!doctype html>"),
        ("!html 502", "502 Bad Gateway", b"<html>"),
    ],
)
async def test_replies_in_place_of_a_stream(command: str, line: str, body: bytes) -> None:
    async with FakeServer() as fake:
        lines, found = split_response(await exchange(fake, chat_request("/api/chat", command)))
    assert lines[0] == f"HTTP/1.1 {line}"
    assert found.startswith(body)
    assert bool(found) == bool(body)


async def test_answers() -> None:
    async with FakeServer() as fake:

        async def ask(message: str, **more: object) -> str:
            return _text(await exchange(fake, chat_request("/api/chat", message, **more)))

        assert await ask("!echo one  two\n!three") == "one  two\n!three"
        assert "Where is Bern?" in await ask("Where is Bern?")
        assert (await ask("!words 10000")).count(" ") == 9999
        assert (await ask("!code 30")).count("\n") == 32
        assert "| Matina" in await ask("!markdown")
        assert len((await ask("!tokens 50", options={"num_predict": 7})).split()) == 7
        assert "The tool said: 18 C" in await ask(
            "!call f {}",
            messages=[{"role": "user", "content": "!call f {}"}, {"role": "tool", "content": "18 C"}],
        )


async def test_the_connection_is_kept_between_answers() -> None:
    async with FakeServer() as fake:
        reader, writer = await asyncio.open_connection(fake.host, fake.port)
        request = chat_request("/api/chat", "!echo hi").replace(b"Connection: close\r\n", b"")
        for _ in range(2):
            writer.write(request)
            await reader.readuntil(b"0\r\n\r\n")
        assert fake.open_connections == 1
        writer.close()
    assert [seen.messages[-1]["content"] for seen in fake.chats] == ["!echo hi"] * 2
    assert fake.disconnects == []


def test_in_a_thread() -> None:
    body = json.dumps(
        {"model": "fast", "stream": False, "messages": [{"role": "user", "content": "!echo hi"}]}
    )
    with FakeServerThread() as fake:
        request = urllib.request.Request(fake.url + "/api/chat", body.encode())
        with urllib.request.urlopen(request) as response:
            assert json.load(response)["message"]["content"] == "hi"
        fake.wait_until(lambda: fake.open_connections == 0)
        assert fake.requests[0].json["model"] == "fast"
        assert not fake.streams[0].running
