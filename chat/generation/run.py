"""The state of one running answer, in memory, while it grows."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import UUID

from django.utils import timezone

from backends.adapters.events import Finish, FinishReason, Started, ToolCall, Usage
from backends.adapters.messages import ChatRequest
from chat.generation.activities import Activities
from chat.generation.fit import Fit
from chat.generation.thinking import Thinking
from chat.generation.usage import total
from chat.models import Status, Step

if TYPE_CHECKING:
    from chat.generation.asks import Asks
    from chat.generation.cutting import DoesNotFit
    from chat.generation.receipt import Receipt


class ToolsEnd(StrEnum):
    """Why a model's calls ended before it was done, or were not possible."""

    STEPS = "steps"
    TIME = "time"
    REPEATED = "repeated"
    REFUSED = "refused"


class GrowingText:
    """Text that is appended to often and read as a whole seldom."""

    __slots__ = ("_pieces", "length")

    def __init__(self, text: str = "") -> None:
        self._pieces = [text] if text else []
        self.length = len(text)

    def append(self, piece: str) -> None:
        """Add to the end."""
        self._pieces.append(piece)
        self.length += len(piece)

    def cut(self, length: int) -> None:
        """Keep only the first characters."""
        self._pieces = [str(self)[:length]]
        self.length = len(self._pieces[0])

    def __str__(self) -> str:
        if len(self._pieces) > 1:
            self._pieces = ["".join(self._pieces)]
        return self._pieces[0] if self._pieces else ""


@dataclass(slots=True)
class Run:
    """One generation in progress. Only the event loop's thread writes to it.

    ``kept_chars`` is the text that was there before (an answer that is continued), ``fingerprint`` that
    of what the model was sent. ``awaits_server``, ``waits`` and ``retry_at`` are those of the generation.
    ``unseen``: nobody looked when it ended.
    ``asks`` is there while the stream is read, ``asked`` tells whether the server ever wanted something of
    the person.

    ``think`` tells thinking between tags from the text of the current stream, and
    ``thought_from_start`` whether that turned out to be thinking from its first word.

    ``calls`` are those of the current round of a tool loop, ``steps`` the finished rounds; ``has_tool_output``
    tells whether the model has read anything that tools gave back.

    ``fit`` tells what was sent, ``refused`` why nothing was, ``last_usage`` what the server counted for the last
    request of the answer.
    """

    generation_id: UUID
    message_id: int
    conversation_id: str
    backend_id: int | None = None
    model_id: str = ""
    fingerprint: str = ""
    text: GrowingText = field(default_factory=GrowingText)
    reasoning: GrowingText = field(default_factory=GrowingText)
    kept_chars: int = 0
    phase: str = ""
    progress: int | None = None
    status: Status = Status.RUNNING
    started: Started | None = None
    usage: Usage | None = None
    finish: Finish | None = None
    error_kind: str = ""
    error_message: str = ""
    error_hint: str = ""
    awaits_server: bool = False
    unseen: bool = False
    waits: int = 0
    retry_at: datetime | None = None
    dirty: bool = False
    stop_requested: bool = False
    pieces: int = 0
    began: float = field(default_factory=time.monotonic)
    first_piece_at: float | None = None
    last_piece_at: float | None = None
    reasoning_began: float | None = None
    reasoning_ended: float | None = None
    finished_at: datetime | None = None
    activities: Activities = field(init=False)
    asks: Asks | None = None
    asked: bool = False
    think: Thinking = field(default_factory=Thinking)
    thought_from_start: bool = False
    calls: list[ToolCall] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    steps_saved: int = 0
    has_tool_output: bool = False
    tools_end: ToolsEnd | None = None
    receipt: Receipt | None = None
    fit: Fit | None = None
    refused: DoesNotFit | None = None
    last_usage: Usage | None = None
    _round_began: tuple[int, int] = (0, 0)
    _gaps: tuple[str, str] = ("", "")
    _usage_before: Usage | None = None

    def __post_init__(self) -> None:
        self.activities = Activities(self.generation_id)

    def continue_from(self, text: str, reasoning: str) -> None:
        """Begin with what was there before."""
        self.text.append(text)
        self.reasoning.append(reasoning)
        self.kept_chars = self.text.length

    def begin_round(self, *, apart: bool = True) -> None:
        """The next request of the same answer. ``apart``: a blank line comes between this and what was said before."""
        self.calls.clear()
        self._usage_before = self.usage
        self.kept_chars = self.text.length
        self._gaps = (gap_after(self.text), gap_after(self.reasoning)) if apart else ("", "")
        self._round_began = (self.text.length, self.reasoning.length)

    def spaced(self, text: str, reasoning: str) -> tuple[str, str]:
        """What arrived, with a blank line before the first words of a round."""
        text_gap, reasoning_gap = self._gaps
        self._gaps = ("" if text else text_gap, "" if reasoning else reasoning_gap)
        return (text_gap + text if text else "", reasoning_gap + reasoning if reasoning else "")

    def said_in_round(self) -> tuple[str, str]:
        """Text and reasoning since the round began."""
        text, reasoning = self._round_began
        return str(self.text)[text:].lstrip("\n"), str(self.reasoning)[reasoning:].lstrip("\n")

    def text_of_round(self) -> str:
        """What a restart would drop of the text."""
        return str(self.text)[self.kept_chars :]

    def take_usage(self, usage: Usage) -> None:
        """What the round took, on top of those before."""
        self.usage = total(self._usage_before, usage)
        self.last_usage = usage

    def take_receipt(self, request: ChatRequest) -> None:
        """What the model is asked now."""
        if self.receipt:
            refused = self.tools_end is ToolsEnd.REFUSED
            self.receipt.add_round(request, steps=len(self.steps), refused=refused)

    def unsaved_steps(self) -> list[Step]:
        """Finished rounds that no row holds yet, which count as saved from now on."""
        steps, self.steps_saved = self.steps[self.steps_saved :], len(self.steps)
        return steps

    def grow(self, text: str, reasoning: str) -> None:
        """Take what arrived."""
        now = time.monotonic()
        if self.first_piece_at is None:
            self.first_piece_at = now
        self.last_piece_at = now
        if reasoning:
            self.reasoning_began = self.reasoning_began or (
                self.first_piece_at if self.thought_from_start else now
            )
            self.reasoning.append(reasoning)
        if text:
            if self.reasoning_began and self.reasoning_ended is None:
                self.reasoning_ended = now
            self.text.append(text)
        self.pieces += 1
        self.dirty = True

    def restart(self, keep_chars: int) -> None:
        """Drop what this attempt had said."""
        self.text.cut(self.kept_chars + keep_chars)
        self.reasoning.cut(self._round_began[1])
        self.reasoning_began = self.reasoning_ended = None
        self.dirty = True

    def end(self, status: Status) -> None:
        """No more comes."""
        self.status = status
        self.finished_at = timezone.now()
        self.activities.end()
        if self.reasoning_began and self.reasoning_ended is None:
            self.reasoning_ended = time.monotonic()

    def wait_for_server(self, retry_at: datetime | None) -> None:
        """Give it back to the queue, to be tried at that time or when the backend is back."""
        self.awaits_server = True
        self.retry_at = retry_at
        self.status = Status.QUEUED

    def save_again(self) -> None:
        """What was given to be saved could not be."""
        self.dirty = True
        self.steps_saved = 0
        if self.receipt:
            self.receipt.unsaved = True
        self.activities.save_again()

    def fail(self, kind: str, message: str, hint: str) -> None:
        """End it for a reason that the person is told."""
        self.error_kind, self.error_message, self.error_hint = kind, message, hint
        self.end(Status.FAILED)

    @property
    def has_begun(self) -> bool:
        """Whether anything of the answer has arrived: words, a tool at work, a request."""
        return self.first_piece_at is not None or bool(self.activities) or self.asked

    @property
    def thought_seconds(self) -> int | None:
        """How long the model thought, None where it did not."""
        if self.reasoning_began is None:
            return None
        return round((self.reasoning_ended or time.monotonic()) - self.reasoning_began)

    @property
    def ttft_ms(self) -> int | None:
        """From the start of the run to the first piece, in milliseconds."""
        return None if self.first_piece_at is None else round((self.first_piece_at - self.began) * 1000)

    @property
    def tokens_per_second(self) -> float | None:
        """The server's own figure, or tokens over the time between first and last piece."""
        if self.usage is None:
            return None
        if self.usage.tokens_per_second:
            return self.usage.tokens_per_second
        tokens, span = self.usage.output_tokens, (self.last_piece_at or 0) - (self.first_piece_at or 0)
        return (tokens - 1) / span if tokens and tokens > 1 and span > 0.05 else None

    @property
    def was_cancelled_there(self) -> bool:
        """Whether somebody stopped it at the backend itself."""
        return self.finish is not None and self.finish.reason is FinishReason.CANCELLED

    @property
    def finish_reason(self) -> str:
        """Why it ended, as stored."""
        if self.status is Status.STOPPED:
            return FinishReason.CANCELLED.value
        return self.finish.reason.value if self.finish else ""


def gap_after(text: GrowingText) -> str:
    """A blank line, where there is something to stand apart from."""
    return "\n\n" if text.length else ""
