"""What a person types into the search field, as values. Every text means something; none is an error.

``word``, ``"exact phrase"``, ``-without``, and filters: ``from:me|model model: project: tag: has:file|image|code|tool
before: after: in:archive``. A filter's value may stand in quotation marks. What is no filter is words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum

from django.utils import timezone

from chat.searching.folding import UNSPACED, tokens

#: Characters of a query, and words in it, that count; also names of one filter (SQLite joins at most 64 tables).
LONGEST = 500
MOST_WORDS = 16


class Speaker(StrEnum):
    """Who said it; the values are those of ``Message.role``."""

    ME = "user"
    MODEL = "assistant"


class Has(StrEnum):
    """What a message has beside its words."""

    FILE = "file"
    IMAGE = "image"
    CODE = "code"
    TOOL = "tool"


@dataclass(frozen=True, slots=True)
class Term:
    """Words that follow each other, folded. ``exact``: the last is whole; otherwise it may go on."""

    words: tuple[str, ...]
    exact: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """What is wanted: all ``terms``, none of ``without``, and what the filters say.

    ``fragments`` are words of scripts without spaces (Chinese, Japanese), which may stand anywhere in a message.

    ``before`` is a day before which, ``after`` one from which on. ``unclear`` holds filters whose value means nothing.
    """

    terms: tuple[Term, ...] = ()
    without: tuple[Term, ...] = ()
    fragments: tuple[str, ...] = ()
    speaker: Speaker | None = None
    models: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    has: frozenset[Has] = field(default_factory=frozenset)
    before: date | None = None
    after: date | None = None
    in_archive: bool = False
    unclear: tuple[str, ...] = ()

    @property
    def is_about_messages(self) -> bool:
        """Whether a filter says something of single messages."""
        return bool(self.fragments or self.speaker or self.models or self.has or self.before or self.after)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is wanted."""
        return not (self.terms or self.is_about_messages or self.projects or self.tags or self.in_archive)


_FILTERS = ("from", "model", "project", "tag", "has", "before", "after", "in")
_PART = re.compile(
    rf"""(-?)(?:({"|".join(_FILTERS)}):(?:"([^"]*)"?|(\S*))|"([^"]*)"?|(\S+))""", re.IGNORECASE
)
_SPEAKERS = {"me": Speaker.ME, "user": Speaker.ME, "model": Speaker.MODEL, "assistant": Speaker.MODEL}
_DAYS_AGO = re.compile(r"(\d{1,4})d")
_DATE = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?")


def parse(text: str) -> Query:
    """The query that a text means."""
    terms: list[Term] = []
    fragments: list[str] = []
    without: list[Term] = []
    filters: dict[str, list[str]] = {name: [] for name in _FILTERS}
    for minus, name, value, bare_value, quoted, bare in _PART.findall(text[:LONGEST].replace("\x00", " ")):
        if name and not minus:
            filters[name.lower()].append(value or bare_value)
        elif not minus and UNSPACED.search(said := f"{value}{bare_value}{quoted}{bare}"):
            fragments.append(said.strip())
        elif words := tokens(f"{name} {value}{bare_value}{quoted}{bare}"):
            (without if minus else terms).append(Term(words, exact=bool(quoted) or is_letter(words[-1])))
    understood = _Understood()
    for name, values in filters.items():
        for value in values:
            understood.take(name, value.strip())
    return Query(
        terms=tuple(dict.fromkeys(terms))[:MOST_WORDS],
        without=tuple(dict.fromkeys(without))[:MOST_WORDS],
        fragments=tuple(dict.fromkeys(fragments))[:MOST_WORDS],
        speaker=understood.speaker,
        models=tuple(understood.names["model"])[:MOST_WORDS],
        projects=tuple(understood.names["project"])[:MOST_WORDS],
        tags=tuple(understood.names["tag"])[:MOST_WORDS],
        has=frozenset(understood.has),
        before=understood.days.get("before"),
        after=understood.days.get("after"),
        in_archive=understood.in_archive,
        unclear=tuple(understood.unclear),
    )


def is_letter(word: str) -> bool:
    """Whether it is a single letter, which too many words begin with; in Chinese that is a word."""
    return len(word) == 1 and word.isascii()


@dataclass(slots=True)
class _Understood:
    """The filters read so far; of those that can hold but once, the last counts."""

    speaker: Speaker | None = None
    names: dict[str, dict[str, None]] = field(
        default_factory=lambda: {name: {} for name in ("model", "project", "tag")}
    )
    has: set[Has] = field(default_factory=set)
    days: dict[str, date] = field(default_factory=dict)
    in_archive: bool = False
    unclear: list[str] = field(default_factory=list)

    def take(self, name: str, value: str) -> None:
        """One filter."""
        word = value.lower()
        if name in self.names:
            if bare := value.lstrip("#"):
                self.names[name][bare] = None
        elif name == "from" and word in _SPEAKERS:
            self.speaker = _SPEAKERS[word]
        elif name == "has" and word.removesuffix("s") in set(Has):
            self.has.add(Has(word.removesuffix("s")))
        elif name in ("before", "after") and (day := day_of(word)):
            self.days[name] = day
        elif name == "in" and word in ("archive", "archived"):
            self.in_archive = True
        elif word:  # and not just begun
            self.unclear.append(f"{name}:{value}")


def day_of(word: str) -> date | None:
    """A day: ``2026-05-01``, the first of ``2026-05`` or ``2026``, ``today``, ``yesterday``, ``7d`` ago."""
    today = timezone.localdate()
    if word in ("today", "yesterday"):
        return today - timedelta(days=word == "yesterday")
    if ago := _DAYS_AGO.fullmatch(word):
        return today - timedelta(days=int(ago[1]))
    if not (found := _DATE.fullmatch(word)):
        return None
    try:
        day = date(int(found[1]), int(found[2] or 1), int(found[3] or 1))
    except ValueError:
        return None
    return day if 1900 < day.year < 9999 else None  # near its ends the calendar knows no time zones
