"""How far a download is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.adapters.management import PullProgress
from backends.pulls.tally import MAX_LAYERS, MOST, Layer, Tally


def tally(*steps: tuple[float, PullProgress]) -> Tally:
    result = Tally()
    for now, step in steps:
        result.add(step, now)
    return result


def at(layer: str, completed: int | None, total: int | None) -> PullProgress:
    return PullProgress(f"pulling {layer}", layer, completed, total)


def test_62_layers_add_up() -> None:
    result = tally(
        (0, PullProgress("pulling manifest")), (1, at("a", 0, 100)), (2, at("a", 40, 100)), (3, at("b", 7, 7))
    )
    assert result.layers == [Layer("a", 40, 100), Layer("b", 7, 7)]
    assert (result.completed, result.total, result.status) == (47, 107, "pulling b")


def test_nothing_is_known_at_first() -> None:
    result = tally((0, PullProgress("pulling manifest")))
    assert (result.layers, result.completed, result.total, result.speed(1)) == ([], 0, 0, None)


def test_speed_is_that_of_the_last_ten_seconds() -> None:
    result = tally((0, at("a", 0, 1000)), (100, at("a", 500, 1000)), (104, at("a", 700, 1000)))
    assert result.speed(104) == 50
    assert result.speed(108) == 25  # nothing more came


def test_a_download_at_one_moment_has_no_speed() -> None:
    assert tally((1, at("a", 0, 9)), (1, at("a", 9, 9))).speed(1) is None


def test_a_step_back_is_no_speed() -> None:
    assert tally((0, at("a", 9, 9)), (1, at("a", 0, 9))).speed(1) == 0


@pytest.mark.parametrize(
    ("completed", "total", "layer"),
    [
        (None, 5, Layer("a", 0, 5)),
        (5, None, Layer("a", 5, 0)),
        (9, 5, Layer("a", 5, 5)),
        (-1, -5, Layer("a", 0, 0)),
        (2**62, 2**62, Layer("a", MOST, MOST)),
    ],
)
def test_numbers_that_make_no_sense_are_bounded(
    completed: int | None, total: int | None, layer: Layer
) -> None:
    assert tally((0, at("a", completed, total))).layers == [layer]


@given(
    st.lists(
        st.builds(PullProgress, st.text(), st.text(), st.none() | st.integers(), st.none() | st.integers())
    )
)
def test_whatever_a_server_says_fits_the_row(steps: list[PullProgress]) -> None:
    result = tally(*enumerate(steps))
    assert 0 <= result.completed < 2**63
    assert 0 <= result.total < 2**63
    assert 0 <= (result.speed(len(steps)) or 0) < 2**63
    assert "\x00" not in result.status + "".join(layer.id for layer in result.layers)


def test_layers_without_end_do_not_fill_the_memory() -> None:
    result = tally(*((number, at(str(number), 1, 1)) for number in range(5000)))
    assert len(result.layers) == MAX_LAYERS
