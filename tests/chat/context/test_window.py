"""What goes into a request when not all of it fits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.generation.window import COMFORTABLE, Plan, Source, Turn, Window, exchanges, plan

turns = st.lists(st.builds(Turn, st.booleans(), st.integers(1, 500)), min_size=1, max_size=60)
sizes = st.integers(0, 3000)


def ask(tokens: int = 10) -> Turn:
    return Turn(asks=True, tokens=tokens)


def answer(tokens: int = 10) -> Turn:
    return Turn(asks=False, tokens=tokens)


def test_what_fits_is_sent_whole() -> None:
    assert plan([ask(), answer(), ask()], 10, 40) == Plan(0, 40)


def test_the_oldest_exchanges_go_first_and_leave_room_for_more() -> None:
    conversation = [ask(), answer(), ask(), answer(), ask(), answer(), ask()]
    assert plan(conversation, 0, 69) == Plan(4, 30)
    assert plan(conversation, 100, 169) == Plan(4, 130)


def test_the_last_question_stays_though_it_is_too_much() -> None:
    assert plan([ask(), answer(), ask(100)], 20, 60) == Plan(2, 120, fits=False)


def test_all_the_room_is_used_where_less_would_not_hold_the_last_question() -> None:
    assert plan([ask(), answer(), ask(90)], 0, 100) == Plan(2, 90)


def test_nothing_is_asked_yet() -> None:
    assert plan([], 30, 20) == Plan(0, 30, fits=False)
    assert exchanges([]) == []


@given(turns, sizes, sizes)
def test_it_never_drops_the_last_question_nor_parts_an_exchange(
    conversation: list[Turn], fixed: int, room: int
) -> None:
    found = plan(conversation, fixed, room)
    questions = [at for at, turn in enumerate(conversation) if turn.asks]
    assert found.start == 0 or conversation[found.start].asks
    assert found.start <= (questions[-1] if questions else 0)


@given(turns, sizes, sizes)
def test_it_counts_what_it_sends_and_the_fixed_part_is_always_in(
    conversation: list[Turn], fixed: int, room: int
) -> None:
    found = plan(conversation, fixed, room)
    assert found.tokens == fixed + sum(turn.tokens for turn in conversation[found.start :])
    assert found.fits == (found.tokens <= room)


@given(turns, sizes, sizes)
def test_it_gives_up_no_more_than_it_must(conversation: list[Turn], fixed: int, room: int) -> None:
    found = plan(conversation, fixed, room)
    starts = exchanges(conversation)
    if found.start == 0:
        return
    earlier = starts[starts.index(found.start) - 1]
    one_more = fixed + sum(turn.tokens for turn in conversation[earlier:])
    limit = fixed + int((room - fixed) * COMFORTABLE)
    assert one_more > limit
    assert fixed + sum(turn.tokens for turn in conversation) > room


@given(turns, sizes, st.integers(500, 3000), turns)
def test_a_cut_stays_for_a_while(conversation: list[Turn], fixed: int, room: int, more: list[Turn]) -> None:
    """What was cut to a comfortable size still fits with a little more."""
    found = plan(conversation, fixed, room)
    rest = conversation[found.start :]
    little = [Turn(turn.asks, 1) for turn in more][: int(max(room - found.tokens, 0))]
    if found.fits:
        assert plan([*rest, *little], fixed, room).start == 0


@pytest.mark.parametrize(
    ("tokens", "asked", "kept"),
    [
        (4096, None, 512),
        (4096, 300, 300),
        (4096, 100_000, 2048),
        (1000, None, 256),
        (262_144, None, 4096),
        (None, None, 0),
        (None, 700, 700),
    ],
)
def test_room_is_kept_for_the_answer(tokens: int | None, asked: int | None, kept: int) -> None:
    assert Window(tokens, Source.ALLOCATED).reserve(asked) == kept
