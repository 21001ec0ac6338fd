"""A conversation outside of any database: what every export is made of and every import becomes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from hashlib import blake2b
from typing import Any

#: The name of this hub's own format, also as the source of what was imported from it.
HUB = "private-chat-hub"


class LeftOut(StrEnum):
    """What an import cannot take along, of a conversation or as a whole one."""

    FILE = "file"
    EMPTY = "empty"
    HIDDEN = "hidden"
    BROKEN = "broken"
    TOO_LONG = "long"
    NO_MESSAGES = "no-messages"
    RECEIPT = "receipt"
    UNREADABLE = "unreadable"
    UNKNOWN = "unknown"


class Unreadable(Exception):
    """A conversation of a file does not have the shape that its format promises."""


#: First and last place of turns that follow each other in ``Talk.turns``, counted from 0.
Stretch = tuple[int, int]


@dataclass(frozen=True, slots=True)
class SentRequest:
    """What a model was asked, see ``chat.generation.receipt``.

    ``turns`` are the messages that were sent, in ascending stretches; ``gone`` counts those that are not here.
    ``repeats``: the place of the turn and the number of its run whose request was sent again. ``reminded``: the
    server was only sent what was new to it.
    """

    rounds: tuple[Mapping[str, Any], ...]
    turns: tuple[Stretch, ...] = ()
    gone: int = 0
    system: str = ""
    tools: str = ""
    summary: str = ""
    begun: int | None = None
    plain: bool = False
    reminded: bool = False
    capabilities: tuple[str, ...] | None = None
    repeats: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a model. Each mapping holds the fields of one row by name (see ``fields``).

    ``asked`` tells of model and server, see ``chat.transfer.asked``; ``sent`` of the exact request, where that
    is known.
    """

    values: Mapping[str, Any]
    activities: tuple[Mapping[str, Any], ...] = ()
    asks: tuple[Mapping[str, Any], ...] = ()
    steps: tuple[Mapping[str, Any], ...] = ()
    asked: Mapping[str, Any] = field(default_factory=dict)
    sent: SentRequest | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """One message; ``parent`` is the id of the one before it, None for a first one.

    ``edited``: an answer in the person's words. ``chosen`` is the id of the turn that was chosen to be shown after
    it, None for the newest.
    ``files`` tells of what came with it: ``name``, ``media_type``, ``size`` in bytes, ``digest`` (SHA-256 as
    hexadecimal digits, empty where nobody knows it). The bytes travel beside it.
    """

    id: str
    parent: str | None
    role: str
    text: str
    reasoning: str = ""
    reasoning_seconds: int | None = None
    created_at: datetime | None = None
    edited: bool = False
    chosen: str | None = None
    runs: tuple[Run, ...] = ()
    files: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Prompt:
    """An entry of the library of system prompts; ``shared`` ones were everybody's."""

    id: str
    name: str
    description: str
    text: str
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Preset:
    """Sampling options under a name; of one that every hub has only that name, ``builtin``."""

    name: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    builtin: str = ""


@dataclass(frozen=True, slots=True)
class Library:
    """System prompts and presets of one person."""

    prompts: tuple[Prompt, ...] = ()
    presets: tuple[Preset, ...] = ()

    def __len__(self) -> int:
        return len(self.prompts) + len(self.presets)


@dataclass(frozen=True, slots=True)
class ModelName:
    """A model by the name of its server."""

    backend: str
    model_id: str


@dataclass(frozen=True, slots=True)
class Wish:
    """A favourite, or a model that the person does not want to be offered."""

    model: ModelName
    favourite: bool = False
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Settings:
    """What a person has set for themselves. ``values`` and ``votes`` hold the fields of rows (see ``fields``)."""

    values: Mapping[str, Any]
    default_model: ModelName | None = None
    last_model: ModelName | None = None
    wishes: tuple[Wish, ...] = ()
    votes: tuple[Mapping[str, Any], ...] = ()

    def __bool__(self) -> bool:
        """Whether anything is set."""
        models = self.default_model or self.last_model
        return any(self.values.values()) or bool(models or self.wishes or self.votes)


@dataclass(frozen=True, slots=True)
class ProjectName:
    """The project that a conversation belongs to, by its id where it was made."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class PortableProject:
    """A project without its conversations. ``values`` and ``earlier`` hold the fields of its rows (see ``fields``),
    ``files`` what ``Turn`` tells of files.
    """

    id: str
    values: Mapping[str, Any]
    backend: str = ""
    model_id: str = ""
    earlier: tuple[Mapping[str, Any], ...] = ()
    files: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """A line in a conversation above which its model does not see: below the turn ``after``, or above the first one.

    ``values`` hold the other fields of its row (see ``fields``).
    """

    after: str | None
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Upcoming:
    """A question that was typed ahead, and the model that it was for."""

    text: str
    backend: str = ""
    model_id: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """The place of a conversation in a comparison, ``id`` where it was made; ``number`` counts from 0."""

    id: str
    number: int
    blind: bool = False
    voted_at: datetime | None = None
    created_at: datetime | None = None

    @property
    def wants_vote(self) -> bool:
        """Whether the name of its model is still hidden."""
        return self.blind and self.voted_at is None


@dataclass(frozen=True, slots=True)
class Talk:
    """A whole conversation. Parents stand before their children; ``head`` ends the path that is shown.

    With a ``prompt`` it follows that entry of a library; ``prompt_values`` answers what the text asks.
    ``tools`` says which are on here. ``draft`` was typed and not sent, ``upcoming`` was to be asked later.
    ``source`` and ``source_id`` name it at its origin. ``left_out`` counts what could not be kept.
    """

    source: str
    source_id: str
    title: str
    turns: tuple[Turn, ...]
    head: str | None = None
    system_prompt: str = ""
    prompt: Prompt | None = None
    prompt_values: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    preset: Preset | None = None
    backend: str = ""
    model_id: str = ""
    project: ProjectName | None = None
    tags: tuple[str, ...] = ()
    pinned_at: datetime | None = None
    archived_at: datetime | None = None
    overflow: str = "ask"
    lines: tuple[Line, ...] = ()
    tools: Mapping[str, bool] = field(default_factory=dict)
    unread: bool = False
    draft: str = ""
    upcoming: tuple[Upcoming, ...] = ()
    column: Column | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    left_out: Counter[LeftOut] = field(default_factory=Counter)

    def digest(self) -> str:
        """What it says, in 32 characters: the same for the same tree of texts, whatever its ids, its title and
        its line ends.
        """
        places = {turn.id: str(place) for place, turn in enumerate(self.turns)}
        found = blake2b(digest_size=16)
        found.update(_packed(self.system_prompt))
        for turn in self.turns:
            for part in (places.get(turn.parent or "", "-"), turn.role, turn.text, turn.reasoning):
                found.update(_packed(part))
        return found.hexdigest()

    @property
    def instructions(self) -> str:
        """What its model is told, as it was written."""
        return self.prompt.text if self.prompt else self.system_prompt

    def without_requests(self) -> Talk:
        """The same without what models were asked."""
        turns = (
            replace(turn, runs=tuple(replace(run, sent=None) for run in turn.runs)) for turn in self.turns
        )
        return replace(self, turns=tuple(turns))

    def path(self) -> tuple[Turn, ...]:
        """The turns from the first to the head, which are what the page shows."""
        by_id = {turn.id: turn for turn in self.turns}
        found: list[Turn] = []
        step = by_id.get(self.head or "")
        while step is not None and len(found) < len(self.turns):
            found.append(step)
            step = by_id.get(step.parent or "")
        return tuple(reversed(found))


def unified(text: str) -> str:
    """A text with line ends as the hub has them."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _packed(text: str) -> bytes:
    data = unified(text).encode("utf-8", "replace")
    return len(data).to_bytes(8, "big") + data
