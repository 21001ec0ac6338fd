"""What an answer rests on, as files for people tell it: calls of tools, and sources with their numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from chat.cards import source_views
from chat.generation.texts import shortened
from chat.markdown import Citation, Citations
from chat.models import ActivityState
from chat.presenters.cards import SourceView, each_once
from chat.presenting.citations import label_of
from chat.presenting.excerpts import place_in_words
from chat.transfer.portable import Turn

#: Characters of a call's arguments, and of its result, that are told; the file of JSON holds all of them.
LONGEST = 4000


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a tool. ``state`` is a word for people; arguments and result are text from outside."""

    name: str
    title: str
    state: str
    arguments: str
    result: str


@dataclass(frozen=True, slots=True)
class Ground:
    """A page or a passage of a document; ``url`` is empty for a passage, ``number`` 0 where it has none."""

    number: int
    title: str
    url: str = ""


def calls_of(turn: Turn) -> tuple[Call, ...]:
    """All calls that were made for it, in their order."""
    return tuple(
        Call(
            name=one_line(call["name"]),
            title=one_line(call["title"]),
            state=str(ActivityState(call["state"]).label),
            arguments=bounded(call["input"]),
            result=bounded(call["output"]),
        )
        for call in _calls(turn)
    )


def grounds_of(turn: Turn) -> tuple[Ground, ...]:
    """The pages that its tools found, each once, then the passages of documents that were sent."""
    pages = (Ground(page.number, page.title, page.url) for page in each_once(_pages(turn)))
    return (*pages, *passages_of(turn))


def citations_of(turn: Turn) -> Citations:
    """The pages by their numbers. A number that stands for several sources stands for none."""
    found: dict[int, dict[str, SourceView]] = {}
    for page in _pages(turn):
        found.setdefault(page.number, {}).setdefault(page.url, page)
    taken = {0, *(passage.number for passage in passages_of(turn))}
    return {
        number: Citation(page.url, label_of(page))
        for number, pages in found.items()
        if number not in taken and len(pages) == 1
        for page in pages.values()
    }


def passages_of(turn: Turn) -> tuple[Ground, ...]:
    """With the numbers that they have in each run."""
    return tuple(dict.fromkeys(_passages(run.values.get("passages") or {} for run in turn.runs)))


def _passages(told: Iterable[Mapping[str, Any]]) -> Iterator[Ground]:
    for found in told:
        for number, passage in enumerate(found.get("passages", ()), 1):
            name, place = found["files"][passage["file"]], place_in_words(passage["place"])
            yield Ground(number, one_line(f"{name} {place}"))


def _pages(turn: Turn) -> tuple[SourceView, ...]:
    """Only those that a browser may be led to."""
    return source_views(named for call in _calls(turn) for named in call["sources"])


def _calls(turn: Turn) -> Iterator[Mapping[str, Any]]:
    return (call for run in turn.runs for call in run.activities)


def bounded(text: str) -> str:
    """No longer than a file for people tells it."""
    return text if len(text) <= LONGEST else f"{shortened(text, LONGEST)}…"


def one_line(text: str) -> str:
    """Without its line breaks."""
    return " ".join(text.split())
