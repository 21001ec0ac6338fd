"""Bytes to lines, events and bodies: the same whatever the network does to them, and cheap."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backends.adapters.body import Chunked, Sized, UntilClosed, framing
from backends.adapters.errors import ProtocolError, Truncated
from backends.adapters.ndjson import NDJSONDecoder
from backends.adapters.openai_answer import SSEOrJSONDecoder
from backends.adapters.sse import ServerEvent, SSEDecoder

quick = settings(max_examples=150, deadline=None, database=None)


def decoded(decoder: Any, chunks: list[bytes]) -> list[Any]:
    frames = [frame for chunk in chunks for frame in decoder.feed(chunk)]
    return [*frames, *decoder.close()]


def lines(*chunks: bytes) -> list[bytes]:
    return decoded(NDJSONDecoder(), list(chunks))


def events(*chunks: bytes) -> list[ServerEvent]:
    return decoded(SSEDecoder(), list(chunks))


def data(*chunks: bytes) -> list[str]:
    return [event.data for event in events(*chunks)]


def cut(whole: bytes, positions: list[int]) -> list[bytes]:
    edges = [0, *sorted({at for at in positions if at < len(whole)}), len(whole)]
    return [whole[a:b] for a, b in pairwise(edges) if a < b]


# NDJSON


def test_lines_are_cut_at_lf_only() -> None:
    text = "a\u2028b\x85c\x0bd\x0ce\x1cf\rg".encode()
    assert lines(text + b"\n" + b"x\n") == [text, b"x"]


def test_the_last_line_needs_no_end() -> None:
    assert lines(b"a\nb") == [b"a", b"b"]


def test_blank_lines_are_nothing() -> None:
    assert lines(b"\n \n\r\n\ta\n\n") == [b"\ta"]


def test_a_bom_in_three_pieces() -> None:
    assert lines(b"\xef", b"\xbb", b"\xbfa\nb\n") == [b"a", b"b"]


def test_a_line_may_have_exactly_the_limit() -> None:
    decoder = NDJSONDecoder(max_frame=4)
    assert decoded(decoder, [b"abcd\n", b"ab", b"cd\n"]) == [b"abcd", b"abcd"]


@pytest.mark.parametrize("chunks", [[b"ok\nabcde\n"], [b"ok\nabc", b"de"], [b"ok\nab", b"cde\n"]])
def test_a_line_too_long_comes_after_the_lines_before_it(chunks: list[bytes]) -> None:
    decoder = NDJSONDecoder(max_frame=4)
    frames = (line for chunk in chunks for line in decoder.feed(chunk))
    assert next(frames) == b"ok"
    with pytest.raises(ProtocolError, match="frame too large"):
        next(frames)


# Server-sent events


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_three_line_ends(end: bytes) -> None:
    stream = end.join([b"event: x", b"data: 1", b"", b"data: 2", b"", b""])
    assert events(stream) == [("x", "1"), ("", "2")]


def test_crlf_between_two_chunks_is_one_end() -> None:
    assert data(b"data: 1\r", b"\ndata: 2\r", b"\n\r", b"\n") == ["1\n2"]


def test_a_lone_cr_between_two_chunks_is_an_end() -> None:
    assert data(b"data: 1\r", b"data: 2\r", b"\r") == ["1\n2"]


def test_only_one_space_is_stripped() -> None:
    assert data(b"data:a\ndata: b\ndata:  c\n\n") == ["a\nb\n c"]


def test_a_field_without_colon_has_no_value() -> None:
    assert data(b"data\n\n", b"data:\ndata\n\n") == ["", "\n"]


def test_the_last_event_needs_no_end() -> None:
    assert events(b"event: error\ndata: x") == [("error", "x")]


def test_the_name_belongs_to_one_event() -> None:
    assert events(b"event: a\ndata: 1\n\ndata: 2\n\nevent: b\n\ndata: 3\n\n") == [
        ("a", "1"),
        ("", "2"),
        ("", "3"),
    ]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ('{"code": 1}', '{"error": {"code": 1}}'),
        ('oh "no"', '{"error": "oh \\"no\\""}'),
        ("", '{"error": ""}'),
    ],
)
def test_an_error_field_reads_as_data(value: str, expected: str) -> None:
    assert data(f"error: {value}\n\n".encode()) == [expected]


def test_many_small_lines_of_one_event_are_limited_too() -> None:
    decoder = SSEDecoder(max_frame=100)
    with pytest.raises(ProtocolError, match="frame too large"):
        decoded(decoder, [b"data: 12345\n"] * 50)


def test_the_limit_counts_for_each_event() -> None:
    assert len(decoded(SSEDecoder(max_frame=100), [b"data: 12345\n\n"] * 50)) == 50


def test_an_endless_comment_is_limited() -> None:
    with pytest.raises(ProtocolError):
        decoded(SSEDecoder(max_frame=100), [b":", b"x" * 200])


# Events or one JSON object


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        ([b'{"a":', b" 1}"], ['{"a": 1}']),
        ([b"\xef\xbb", b"\xbf", b' {"a": 1}'], [' {"a": 1}']),
        ([b"d", b"ata: 1\n\n"], ["1"]),
        ([b"\n", b"\xef\xbb\xbf", b"data: 1\n\n"], ["1"]),
        ([b": {\n\n", b"data: 1\n\n"], ["1"]),
        ([], []),
    ],
)
def test_the_first_character_tells_a_stream_from_an_object(chunks: list[bytes], expected: list[str]) -> None:
    assert [event.data for event in decoded(SSEOrJSONDecoder(), chunks)] == expected


def test_an_object_too_large() -> None:
    with pytest.raises(ProtocolError):
        decoded(SSEOrJSONDecoder(max_frame=10), [b"{", b" " * 20])


# All of them, however the bytes are cut

DECODERS: list[Callable[[], Any]] = [NDJSONDecoder, SSEDecoder, SSEOrJSONDecoder]
PIECES = b"data: x\n\n|data:|event: e\n|\n|\r|\r\n|\xef\xbb\xbf|\xe2\x80\xa8|\x85|{| |error: 1\n".split(b"|")
pieces = st.sampled_from(PIECES)


@pytest.mark.parametrize("decoder", DECODERS)
@given(
    stream=st.lists(pieces | st.binary(max_size=6), max_size=12).map(b"".join),
    cuts=st.lists(st.integers(1, 80)),
)
@quick
def test_cuts_change_nothing(decoder: Callable[[], Any], stream: bytes, cuts: list[int]) -> None:
    assert decoded(decoder(), cut(stream, cuts)) == decoded(decoder(), [stream] if stream else [])


@given(stream=st.binary(max_size=200), cuts=st.lists(st.integers(1, 200)))
@quick
def test_chunked_bodies_end_in_bytes_or_a_typed_error(stream: bytes, cuts: list[int]) -> None:
    def outcome(chunks: list[bytes]) -> object:
        coding, body = Chunked(), b""
        for chunk in chunks:
            body += coding.feed(chunk)
            if coding.failure is not None:
                return body, str(coding.failure)
        try:
            coding.close()
        except Truncated:
            return body, "truncated"
        return body

    assert outcome(cut(stream, cuts)) == outcome([stream])


@given(bodies=st.lists(st.binary(min_size=1, max_size=30), max_size=8), cuts=st.lists(st.integers(1, 400)))
@quick
def test_chunks_are_joined(bodies: list[bytes], cuts: list[int]) -> None:
    whole = (
        b"".join(b"%X;ext=1\r\n%s\r\n" % (len(body), body) for body in bodies) + b"0\r\nTrailer: x\r\n\r\n"
    )
    coding = Chunked()
    assert b"".join(coding.feed(chunk) for chunk in cut(whole, cuts)) == b"".join(bodies)
    assert coding.done


@pytest.mark.parametrize(
    "broken",
    [b"x\r\n", b"-1\r\n", b"0x5\r\n", b"1_0\r\n", b"\r\n", b"+5\r\n", b"1\r\nabc\r\n", b"1" * 17 + b"\r\n"],
)
def test_broken_chunks(broken: bytes) -> None:
    coding = Chunked()
    assert coding.feed(b"2\r\nok\r\n" + broken)[:2] == b"ok"
    assert coding.failure is not None


@pytest.mark.parametrize("endless", [b"1" * 20_000, b"0\r\n" + b"a: b\r\n" * 10_000])
def test_endless_lines_between_chunks(endless: bytes) -> None:
    coding = Chunked()
    coding.feed(endless)
    assert coding.failure is not None


def test_a_body_that_ends_too_soon() -> None:
    for coding in (Chunked(), Sized(5)):
        coding.feed(b"1\r\n")
        with pytest.raises(Truncated):
            coding.close()


def test_a_body_of_known_length_ignores_what_follows() -> None:
    coding = Sized(3)
    assert coding.feed(b"abcdef") == b"abc"
    assert coding.done


@pytest.mark.parametrize(
    ("status", "headers", "kind"),
    [
        (200, {"transfer-encoding": "Chunked", "content-length": "5"}, Chunked),
        (200, {"content-length": "5"}, Sized),
        (204, {"transfer-encoding": "chunked"}, Sized),
        (200, {}, UntilClosed),
        (200, {"transfer-encoding": "gzip, chunked"}, type(None)),
        (200, {"content-encoding": "gzip", "content-length": "5"}, type(None)),
        (200, {"content-length": "-5"}, type(None)),
    ],
)
def test_framing(status: int, headers: dict[str, str], kind: type) -> None:
    assert type(framing(status, headers)) is kind


# Cost: no step may look at the same bytes again and again


@pytest.mark.parametrize("make", [NDJSONDecoder, SSEDecoder])
@pytest.mark.parametrize("size", [1, 100, 10**9])
def test_the_cost_of_a_frame_does_not_grow(make: Callable[[], Any], size: int) -> None:
    frame = b"data: " + b"x" * 120 + b"\n\n"

    def seconds(frames: int) -> float:
        stream = frame * frames
        best = 1e9
        for _ in range(3):
            decoder, began = make(), time.process_time()
            for start in range(0, len(stream), size):
                for _ in decoder.feed(stream[start : start + size]):
                    pass
            best = min(best, time.process_time() - began)
        return best

    assert seconds(800) < 8 * seconds(200) + 0.01


@pytest.mark.parametrize("make", [NDJSONDecoder, SSEDecoder])
def test_one_long_line_in_small_pieces_is_cheap(make: Callable[[], Any]) -> None:
    began = time.process_time()
    frames = decoded(make(), [b"data: ", *[b"x" * 16] * 100_000, b"\n\n"])
    assert len(frames) == 1
    assert time.process_time() - began < 2
