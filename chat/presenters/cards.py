"""Tool calls and open requests."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SourceView:
    """A page that an answer rests on. ``number``: by which the model was told of it, 0 for none."""

    url: str
    title: str
    site: str
    number: int = 0


def each_once(sources: Iterable[SourceView]) -> tuple[SourceView, ...]:
    """Those of one answer by their addresses, the ones with numbers first."""
    found: dict[str, SourceView] = {}
    for source in sorted(sources, key=lambda source: (not source.number, source.number)):
        found.setdefault(source.url, source)
    return tuple(found.values())


@dataclass(frozen=True, slots=True)
class ActivityView:
    """One tool call. ``input`` and ``output`` are plain text from outside; ``whole_url`` shows an output that
    is too long for the card. ``elapsed`` counts seconds since it began, ``duration`` says how long it took.
    """

    id: str
    name: str
    title: str
    state: str
    state_label: str
    input: str
    output: str
    size: str
    whole_url: str
    elapsed: int
    duration: str
    sources: tuple[SourceView, ...] = ()
    image_urls: tuple[str, ...] = ()

    @property
    def is_at_work(self) -> bool:
        """Whether it goes on."""
        return self.state in {"pending", "running"}


@dataclass(frozen=True, slots=True)
class OptionView:
    """One answer that a question offers."""

    label: str
    description: str


@dataclass(frozen=True, slots=True)
class QuestionView:
    """One question. ``custom``: words of one's own are welcome."""

    header: str
    text: str
    options: tuple[OptionView, ...]
    multiple: bool
    custom: bool


@dataclass(frozen=True, slots=True)
class AskView:
    """What a server asks the person while it answers: a permission, or questions.

    ``is_tool``: the hub itself asks, for one of its tools; ``once_only`` where a standing word would not do.
    """

    id: str
    url: str
    is_question: bool
    seconds_left: int
    permission: str = ""
    title: str = ""
    patterns: tuple[str, ...] = ()
    always: tuple[str, ...] = ()
    details: str = ""
    questions: tuple[QuestionView, ...] = ()
    is_tool: bool = False
    once_only: bool = False
