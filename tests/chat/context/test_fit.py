"""What a generation keeps of its window."""

from __future__ import annotations

from backends.adapters.events import Usage
from chat.generation.estimate import Size
from chat.generation.fit import HISTORY, SUMMARY, Fit
from chat.generation.window import Source, Window

FIT = Fit(Window(4096, Source.ALLOCATED), 512, 4.0).having(HISTORY, Size(text=4000)).having(SUMMARY, Size())


def test_parts_are_estimates_and_the_whole_is_what_was_counted() -> None:
    stored = FIT.stored(Usage(input_tokens=1100, output_tokens=300, reasoning_tokens=250))
    assert stored == {
        "window": 4096,
        "source": "allocated",
        "reserve": 512,
        "parts": {"history": 1000},
        "input": 1100,
        "output": 50,
    }


def test_an_answer_that_nobody_counted_has_estimates_alone() -> None:
    assert "input" not in FIT.stored(None)
    assert "input" not in FIT.stored(Usage(output_tokens=7))


def test_a_server_that_counts_only_what_is_new_tells_nothing() -> None:
    assert "input" not in FIT.stored(Usage(input_tokens=40, output_tokens=7))


def test_it_tells_where_the_model_began_to_read() -> None:
    assert Fit(first=7).stored(None)["first"] == 7
