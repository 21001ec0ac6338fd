"""JSON that nobody vouches for."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backends.adapters.values import as_dict, as_float, as_int, as_list, as_str, parse_json


@pytest.mark.parametrize("text", ["", "{", "[1,", "{'a': 1}", "[" * 100_000, "1" * 10_000, '{"a":' * 50_000])
def test_what_is_not_json_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_json(text)


def test_lone_surrogates_are_replaced_everywhere() -> None:
    value = parse_json(r'{"\ud83d": ["\uDE00x", {"a": "\ud83d\ude00"}]}')
    assert value == {"\ufffd": ["\ufffdx", {"a": "😀"}]}
    repr(value).encode()


def test_control_characters_and_broken_utf8_are_let_through() -> None:
    assert parse_json(b'"a\tb\xff"') == "a\tb\ufffd"


@given(st.binary(max_size=60))
@settings(deadline=None, database=None)
def test_bytes_are_a_value_or_a_value_error(data: bytes) -> None:
    with suppress(ValueError):
        repr(parse_json(data)).encode()


@pytest.mark.parametrize("value", [None, True, "1", [], {}, float("nan"), float("inf"), 10**400, -(10**30)])
def test_what_is_no_number(value: object) -> None:
    assert as_int(value) is None
    assert as_float(value) is None


@pytest.mark.parametrize(("value", "number"), [(0, 0), (5, 5), (5.9, 5), (-2, -2)])
def test_numbers(value: float, number: int) -> None:
    assert as_int(value) == number


def test_other_types_are_empty() -> None:
    for value in (None, 5, "x", [1], {"a": 1}):
        assert as_dict(value) == (value if isinstance(value, dict) else {})
        assert as_list(value) == (value if isinstance(value, list) else [])
        assert as_str(value) == (value if isinstance(value, str) else "")
