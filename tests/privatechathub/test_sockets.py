"""Our own frames are those that every websocket client reads."""

from __future__ import annotations

import pytest

from privatechathub.ops.sockets import text_frame
from tests.bench.websocket import TEXT, FrameReader


@pytest.mark.parametrize("length", [0, 1, 125, 126, 65_535, 65_536, 200_000])
def test_a_text_of_any_length_is_one_frame(length: int) -> None:
    payload = b"x" * length

    assert FrameReader().feed(text_frame(payload)) == [(TEXT, payload)]


def test_a_frame_is_read_whole_from_any_pieces() -> None:
    reader, frame = FrameReader(), text_frame("grün ".encode() * 100)
    found = [message for byte in frame for message in reader.feed(bytes([byte]))]

    assert found == [(TEXT, "grün ".encode() * 100)]
