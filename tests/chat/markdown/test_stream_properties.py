"""Patches and snapshots always describe the same page, and the page ends up as the finished text."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chat.markdown import MarkdownStream, Patch, render
from tests.chat.markdown.dom import Page, parse
from tests.chat.markdown.texts import cut, documents, noise

sizes = st.lists(st.sampled_from([1, 2, 3, 7, 30, 200]), min_size=1, max_size=6)
pauses = st.lists(st.booleans(), min_size=1, max_size=5)
quick = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def play(text: str, sizes: list[int], pauses: list[bool]) -> tuple[MarkdownStream, Page]:
    stream, page = MarkdownStream("m12"), Page("m12-body")
    pieces = cut(text, sizes)
    for number, piece in enumerate(pieces):
        stream.feed(piece)
        if not pauses[number % len(pauses)] or number == len(pieces) - 1:
            page.apply(stream.flush())
            assert page.html() == parse(stream.snapshot()).inside()
    return stream, page


@given(documents, sizes, pauses)
@quick
def test_patches_add_up_to_the_snapshot(text: str, sizes: list[int], pauses: list[bool]) -> None:
    play(text, sizes, pauses)


@given(noise, sizes, pauses)
@quick
def test_patches_add_up_to_the_snapshot_for_any_nonsense(
    text: str, sizes: list[int], pauses: list[bool]
) -> None:
    play(text, sizes, pauses)


@given(documents, sizes)
@quick
def test_when_all_blocks_have_ended_the_page_reads_like_the_finished_text(
    text: str, sizes: list[int]
) -> None:
    stream, page = play(f"{text}\n\nThe end.\n\n", sizes, [False])
    assert page.body.text() == parse(stream.finish()).text()


@given(documents, sizes, st.integers(0, 400))
@quick
def test_a_page_loaded_in_between_goes_on_like_one_that_was_there(
    text: str, sizes: list[int], at: int
) -> None:
    stream = MarkdownStream("m1")
    stream.feed(text[:at])
    stream.flush()
    late = Page("m1-body", stream.snapshot())
    for piece in cut(text[at:], sizes):
        stream.feed(piece)
        late.apply(stream.flush())
    assert late.html() == parse(stream.snapshot()).inside()


@given(documents, sizes)
@quick
def test_how_a_text_is_cut_does_not_change_where_it_ends(text: str, sizes: list[int]) -> None:
    stream, _ = play(f"{text}\n\nend\n", sizes, [False])
    assert stream.text == f"{text}\n\nend\n"
    assert stream.finish() == render(stream.text)


@given(documents, sizes, documents)
@quick
def test_a_reset_replaces_everything(text: str, sizes: list[int], other: str) -> None:
    stream, page = play(text, sizes, [False])
    stream.reset(other)
    patches = stream.flush()
    page.apply(patches)
    assert [patch.swap for patch in patches] == ["innerHTML"]
    assert page.html() == parse(stream.snapshot()).inside()
    stream.feed(" and more")
    page.apply(stream.flush())
    assert page.html() == parse(stream.snapshot()).inside()


def test_a_patch_is_a_plain_value() -> None:
    assert Patch("a", "delete", "") == Patch("a", "delete", "")
    assert not hasattr(Patch("a", "delete", ""), "__dict__")
