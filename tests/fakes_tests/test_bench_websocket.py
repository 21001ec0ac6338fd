"""The websocket client of the measurements, against a server of a few lines."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.bench import websocket
from tests.bench.websocket import (
    BINARY,
    CLOSE,
    PING,
    PONG,
    TEXT,
    FrameReader,
    WebSocketError,
    encode_frame,
    mask,
)
from tests.fakes.listening import listening

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]


@asynccontextmanager
async def stub(talk: Talk, status: str = "101 Switching Protocols") -> AsyncIterator[tuple[str, list[str]]]:
    """A server that shakes hands and then talks; gives its URL and the heads that it got."""
    heads: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
        key = next(
            line.split(": ")[1] for line in heads[-1].split("\r\n") if line.startswith("Sec-WebSocket-Key")
        )
        accept = base64.b64encode(hashlib.sha1(key.encode() + websocket.GUID).digest()).decode()  # noqa: S324
        writer.write(
            f"HTTP/1.1 {status}\r\nUpgrade: WebSocket\r\nSec-WebSocket-Accept: {accept}\r\n\r\n".encode()
        )
        await talk(reader, writer)
        writer.close()

    async with listening(serve) as port:
        yield f"ws://127.0.0.1:{port}/ws/1?revision=2", heads


def server_frame(opcode: int, payload: bytes) -> bytes:
    return encode_frame(opcode, payload, b"")


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65535, 65536, 200_000])
def test_frames_of_every_length(size: int) -> None:
    payload = bytes(index % 251 for index in range(size))
    data = server_frame(TEXT, payload) + server_frame(BINARY, b"after")
    assert FrameReader().feed(data) == [(TEXT, payload), (BINARY, b"after")]


def test_frames_cut_anywhere_and_in_fragments() -> None:
    first, last = bytearray(server_frame(TEXT, b"Hel")), bytearray(server_frame(0, b"lo"))
    first[0] &= 0x7F
    data = bytes(first) + server_frame(PING, b"!") + bytes(last)
    reader = FrameReader()
    found = [message for at in range(len(data)) for message in reader.feed(data[at : at + 1])]
    assert found == [(PING, b"!"), (TEXT, b"Hello")]


def test_masking_is_its_own_inverse() -> None:
    assert mask(mask(b"any bytes at all", b"1234"), b"1234") == b"any bytes at all"
    assert mask(b"abcde", b"\x01\x02\x03\x04") == bytes([0x60, 0x60, 0x60, 0x60, 0x64])


def test_a_masked_frame_from_a_server_is_refused() -> None:
    with pytest.raises(WebSocketError):
        FrameReader().feed(encode_frame(TEXT, b"x"))


async def test_messages_ping_and_goodbye() -> None:
    answered: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(server_frame(TEXT, "größe".encode()) + server_frame(PING, b"hi"))
        answered.append(await reader.readexactly(2 + 4 + 2))
        writer.write(server_frame(TEXT, b"second"))
        closing = await reader.readexactly(2 + 4 + 2)
        answered.append(closing)
        writer.write(server_frame(CLOSE, b"\x03\xe8"))

    messages: list[bytes] = []
    async with stub(talk) as (url, heads):
        client = await websocket.connect(
            url, lambda data, at: messages.append(data), cookie="sessionid=1", origin="http://here"
        )
        async with asyncio.timeout(2):
            while len(messages) < 2:
                await asyncio.sleep(0.001)
        await client.close()
    assert messages == ["größe".encode(), b"second"]
    assert [frame[0] & 0x0F for frame in answered] == [PONG, CLOSE]
    assert all(frame[1] & 0x80 for frame in answered), "clients mask"
    assert heads[0].startswith("GET /ws/1?revision=2 HTTP/1.1\r\n")
    assert "Cookie: sessionid=1\r\n" in heads[0]
    assert "Origin: http://here\r\n" in heads[0]


async def test_a_refused_handshake() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        pass

    async with stub(talk, "403 Forbidden") as (url, _):
        with pytest.raises(WebSocketError, match="403"):
            await websocket.connect(url, lambda data, at: None)
