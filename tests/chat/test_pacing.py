"""Reads come at once while there is time, and rarer and larger under load."""

from __future__ import annotations

import pytest

from chat.generation import pacing
from chat.generation.pacing import LONGEST, SHORTEST, UNWATCHED, Pace, Pacer


class Clock:
    """Stands still until somebody waits."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(pacing, "time", clock)
    return clock


def busy(watched: int, cost: float) -> Pacer:
    """A pacer that has seen many reads of that cost, in seconds."""
    pacer = Pacer()
    pacer.watched = watched
    for _ in range(400):
        pacer.measured(cost)
    return pacer


@pytest.mark.parametrize("watched", [0, 1, 5])
def test_a_few_watched_runs_are_read_as_often_as_a_screen_can_show(watched: int) -> None:
    assert busy(watched, 0.0002).interval == SHORTEST


def test_the_interval_grows_with_the_number_of_watched_runs() -> None:
    intervals = [busy(watched, 0.0005).interval for watched in (1, 10, 20, 40)]

    assert intervals == sorted(intervals)
    assert SHORTEST < intervals[1] < intervals[2] < intervals[3]


def test_the_interval_grows_with_what_a_read_costs_and_shrinks_again() -> None:
    pacer = busy(20, 0.0002)
    light = pacer.interval
    for _ in range(200):
        pacer.measured(0.001)
    heavy = pacer.interval
    for _ in range(200):
        pacer.measured(0.0002)

    assert light < heavy
    assert pacer.interval == pytest.approx(light, rel=0.05)


def test_all_runs_together_stay_within_the_budget() -> None:
    watched, cost = 20, 0.0008
    pacer = busy(watched, cost)

    assert watched * (cost + pacing.OVERHEAD) / pacer.interval <= pacing.BUDGET * 1.01


def test_no_load_makes_text_come_in_jerks() -> None:
    assert busy(5000, 0.02).interval == LONGEST


def test_one_long_block_changes_little() -> None:
    pacer = busy(20, 0.0004)
    before = pacer.interval
    pacer.measured(3.0)

    assert pacer.interval < max(before, SHORTEST) * 4


def test_a_run_slower_than_the_rhythm_never_waits(clock: Clock) -> None:
    pace = Pace(Pacer())
    waits = []
    for _ in range(20):
        clock.now += SHORTEST * 2
        waits.append(pace.pause(watched=True))

    assert waits == [0.0] * 20


def test_a_fast_run_is_read_once_an_interval(clock: Clock) -> None:
    pace = Pace(Pacer())
    pace.pause(watched=True)
    began = clock.now
    for _ in range(50):
        clock.now += 0.001
        clock.now += pace.pause(watched=True)

    assert clock.now - began == pytest.approx(50 * SHORTEST, rel=0.05)


def test_a_run_that_nobody_watches_is_read_seldom(clock: Clock) -> None:
    pace = Pace(Pacer())
    pace.pause(watched=False)

    assert pace.pause(watched=False) == pytest.approx(UNWATCHED)


def test_only_runs_that_are_read_and_watched_count(clock: Clock) -> None:
    pacer = Pacer()
    first, second, third = Pace(pacer), Pace(pacer), Pace(pacer)
    for pace in (first, first, second):
        pace.pause(watched=True)
    third.pause(watched=False)
    assert pacer.watched == 2

    second.pause(watched=False)
    assert pacer.watched == 1

    for pace in (first, second, third):
        pace.end()
    assert pacer.watched == 0
