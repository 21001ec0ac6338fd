"""Objects of a stream, wherever it is cut."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chat.transfer.limits import BadFile
from chat.transfer.splitting import split

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text('ab"\\[]{},:é\n', max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text('k"\\{[', max_size=3), inner, max_size=3)
    ),
    max_leaves=10,
)
OBJECTS = st.lists(st.dictionaries(st.text(max_size=3), VALUES, max_size=3), max_size=4)


def pieces(data: bytes, size: int) -> list[bytes]:
    return [data[place : place + size] for place in range(0, len(data), size)]


@given(OBJECTS, st.integers(1, 9), st.booleans(), st.sampled_from([None, 1]))
def test_any_objects_in_pieces_of_any_size(
    objects: Any, size: int, ascii_only: bool, indent: int | None
) -> None:
    data = json.dumps(objects, ensure_ascii=ascii_only, indent=indent).encode()

    assert [json.loads(found or b"") for found in split(pieces(data, size))] == objects


@given(st.dictionaries(st.text(max_size=3), VALUES, max_size=3), st.integers(1, 9))
def test_a_single_object(value: Any, size: int) -> None:
    data = json.dumps(value).encode()

    assert [json.loads(found or b"") for found in split(pieces(data, size))] == [value]


def test_what_microsoft_puts_in_front() -> None:
    assert list(split([b"\xef\xbb\xbf \n[{}]"])) == [b"{}"]


@given(st.binary(max_size=60), st.integers(1, 9))
@example(b"{]", 1)
def test_any_bytes_end_in_objects_or_in_one_refusal(data: bytes, size: int) -> None:
    found: list[bytes | None] = []
    with suppress(BadFile):
        found.extend(split(pieces(data, size)))

    assert all(each is not None and each.startswith(b"{") and each.endswith(b"}") for each in found)


def test_nothing_at_all() -> None:
    with pytest.raises(BadFile):
        list(split([]))
