"""What a stream yields: one frozen dataclass per kind of event.

Every adapter turns its server's frames into these, so that nothing above it knows a wire format.
A stream yields any number of events and then either exactly one :class:`Finish`, or it raises a
:class:`~backends.adapters.errors.BackendError`. Nothing follows either of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Phase(StrEnum):
    """What a server says it is doing before or between the tokens."""

    QUEUED = "queued"
    LOADING = "loading"
    PROMPT = "prompt"
    THINKING = "thinking"
    GENERATING = "generating"
    RETRYING = "retrying"
    TOOL = "tool"


class FinishReason(StrEnum):
    """Why an answer ended. ``INCOMPLETE``: the body ended cleanly but without a terminal frame."""

    STOP = "stop"
    LENGTH = "length"
    TOOL_CALLS = "tool_calls"
    CONTENT_FILTER = "content_filter"
    CANCELLED = "cancelled"
    INCOMPLETE = "incomplete"
    UNKNOWN = "unknown"


class ToolState(StrEnum):
    """The life of a tool that the server itself runs."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Started:
    """The server began. At most one a stream. ``model`` is what the server says answers."""

    model: str | None = None
    response_id: str | None = None
    session_id: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Status:
    """Progress to show, never part of the answer. ``progress`` is 0 to 1."""

    phase: Phase
    progress: float | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    """An increment of the model's visible thinking."""

    text: str


@dataclass(frozen=True, slots=True)
class TextDelta:
    """An increment of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Restart:
    """The server gave up this attempt and begins again: drop text and reasoning shown so far."""

    keep_chars: int = 0


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call that *we* must run. Emitted once, complete.

    ``raw`` holds the argument text when it was not valid JSON; ``arguments`` is then empty.
    """

    id: str
    name: str
    arguments: Mapping[str, Any]
    raw: str | None = None
    index: int = 0


@dataclass(frozen=True, slots=True)
class ToolActivity:
    """A call that the *server* runs; to display only."""

    id: str
    name: str
    state: ToolState
    input: Mapping[str, Any] | None = None
    output: str | None = None
    title: str | None = None


class Verdict(StrEnum):
    """A person's word on a permission. ``ALWAYS`` holds for the rest of the server's session."""

    ONCE = "once"
    ALWAYS = "always"
    DENY = "deny"


#: What answers an :class:`Ask`: a verdict, or for each question the labels that were chosen.
AskAnswer = Verdict | tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Ask:
    """The server waits for a person's word (OpenCode): ``kind`` is ``permission`` or ``question``.

    The payload of a permission has ``permission``, ``patterns``, ``always`` (the patterns that
    ``ALWAYS`` would allow), ``title`` and ``metadata``; that of a question has ``questions``, each with
    ``question``, ``header``, ``options`` (``label``, ``description``), ``multiple`` and ``custom``. Both
    have the ``session_id``. Answer with :meth:`~backends.adapters.base.Adapter.reply`: the stream waits
    for ever otherwise. The end of the stream closes it too.
    """

    kind: str
    id: str
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AskClosed:
    """An :class:`Ask` needs no answer any more: somebody gave one, here or elsewhere."""

    id: str


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens and times of one answer. Times are seconds as the server measured them."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None
    cached_tokens: int | None = None
    tokens_per_second: float | None = None
    ttft_s: float | None = None
    load_s: float | None = None
    total_s: float | None = None


@dataclass(frozen=True, slots=True)
class Finish:
    """The answer ended. ``response_id`` is what a stateful server wants to see in the next turn."""

    reason: FinishReason
    response_id: str | None = None


Event = (
    Started
    | Status
    | ReasoningDelta
    | TextDelta
    | Restart
    | ToolCall
    | ToolActivity
    | Ask
    | AskClosed
    | Usage
    | Finish
)
