"""The tags around the thinking, wherever the stream cuts them."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backends.adapters.events import ReasoningDelta, TextDelta
from backends.adapters.think import ThinkSplitter


def split(*pieces: str, on: bool = True) -> tuple[str, str]:
    """Reasoning and text, joined."""
    splitter = ThinkSplitter(on=on)
    events = [event for piece in pieces for event in splitter.feed(piece)] + splitter.close()
    assert all(event.text for event in events)
    return (
        "".join(event.text for event in events if isinstance(event, ReasoningDelta)),
        "".join(event.text for event in events if isinstance(event, TextDelta)),
    )


@pytest.mark.parametrize(
    ("text", "reasoning", "answer"),
    [
        ("<think>a</think>b", "a", "b"),
        ("\n <think>\na\n</think>\n\nb\n", "\na\n", "b\n"),
        ("<think>a", "a", ""),
        ("<think>a</thi", "a</thi", ""),
        ("<think></think>b", "", "b"),
        ("<think>a</think>", "a", ""),
        ("<thi", "", "<thi"),
        ("b <think>a</think>", "", "b <think>a</think>"),
        ("<think>a</think>b<think>c</think>", "a", "b<think>c</think>"),
        ("<think>1 < 2 </th </think>b", "1 < 2 </th ", "b"),
        ("<thinking>", "", "<thinking>"),
        ("", "", ""),
    ],
)
def test_split(text: str, reasoning: str, answer: str) -> None:
    assert split(text) == (reasoning, answer)
    assert split(*text) == (reasoning, answer)


def test_off() -> None:
    assert split("<think>a</think>", on=False) == ("", "<think>a</think>")


def test_a_server_that_splits_by_itself_is_left_alone() -> None:
    splitter = ThinkSplitter()
    assert splitter.skip() == []
    assert splitter.feed("<think>") == [TextDelta("<think>")]


def test_what_was_held_back_comes_first_then() -> None:
    splitter = ThinkSplitter()
    assert splitter.feed("<th") == []
    assert splitter.skip() == [TextDelta("<th")]


@given(st.text(alphabet="<>/thinkab \n", max_size=40), st.lists(st.integers(1, 40)))
@settings(deadline=None, database=None, max_examples=300)
def test_cuts_change_nothing(text: str, cuts: list[int]) -> None:
    whole = f"<think>{text}</think>{text}"
    edges = [0, *sorted({cut for cut in cuts if cut < len(whole)}), len(whole)]
    pieces = [whole[a:b] for a, b in pairwise(edges)]
    assert split(*pieces) == split(whole)
