"""Tokens without a tokenizer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.adapters.messages import (
    ChatMessage,
    ChatRequest,
    ImagePart,
    Role,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    ToolSpec,
)
from chat.generation import estimate
from chat.generation.estimate import AROUND_TURN, IMAGE, Size, learned


def test_everything_that_is_sent_counts() -> None:
    request = ChatRequest(
        model="m",
        system="x" * 100,
        messages=(
            ChatMessage(Role.USER, (TextPart("y" * 50), ImagePart(b"png", "image/png"))),
            ChatMessage(Role.ASSISTANT, (ToolCallPart("1", "add", {"a": 1}),)),
            ChatMessage(Role.TOOL, (ToolResultPart("1", "add", "z" * 30),)),
        ),
        tools=(ToolSpec("add", "Adds.", {"type": "object"}),),
    )
    size = estimate.of_request(request)
    assert size == Size(
        text=100 + 50 + len('add{"a": 1}') + 30 + len('addAdds.{"type": "object"}'), turns=5, images=1
    )
    assert size.tokens(4.0) == -(-size.text // 4) + 5 * AROUND_TURN + IMAGE


def test_scripts_differ_less_in_bytes_than_in_letters() -> None:
    assert estimate.of_text("猫").text == 3
    assert estimate.of_text("cat").text == 3


def test_a_lone_surrogate_is_no_trouble() -> None:
    assert estimate.of_text("\ud800").text == 1


def test_it_learns_and_comes_near() -> None:
    known: float | None = None
    size = Size(text=10_000, turns=5)
    for _ in range(12):
        known = learned(known, size, 2_530) or known
    assert known == pytest.approx(4.0, rel=0.03)
    assert learned(known, size, 2_530) is None, "what is known need not be written again"


@pytest.mark.parametrize(
    ("size", "tokens"),
    [
        (Size(text=100, turns=1), 30),  # too small
        (Size(text=9000, turns=1, images=1), 3000),  # an image is in it
        (Size(text=9000, turns=1), 40),  # only what was not cached
        (Size(text=9000, turns=1), 9000),  # prompts of the server's own
        (Size(text=9000, turns=1), 0),
        (Size(text=9000, turns=100), 500),
    ],
)
def test_what_teaches_nothing(size: Size, tokens: int) -> None:
    assert learned(4.0, size, tokens) is None


@given(st.integers(0, 10**6), st.integers(0, 10**4), st.floats(1.2, 9.0))
def test_more_is_never_fewer_tokens(text: int, turns: int, bytes_per_token: float) -> None:
    size = Size(text=text, turns=turns)
    assert (size + Size(text=1)).tokens(bytes_per_token) >= size.tokens(bytes_per_token)
