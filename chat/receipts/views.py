"""What the page of a receipt is given: plain values, no rows."""

from __future__ import annotations

from dataclasses import dataclass

from chat.presenters.message import Fact
from chat.presenters.models import ModelGroup


@dataclass(frozen=True, slots=True)
class PieceView:
    """A part of a request that unfolds: its heading, how long it is, and its text as it was sent."""

    label: str
    size: str
    text: str
    start: str = ""


@dataclass(frozen=True, slots=True)
class RoundView:
    """One of several requests."""

    number: int
    sha256: str
    same: bool
    has_tools: bool


@dataclass(frozen=True, slots=True)
class RepeatedView:
    """The answer whose request was sent again. ``same``: to the letter, but for the model."""

    url: str
    model: str
    same: bool


@dataclass(frozen=True, slots=True)
class ReceiptView:
    """A receipt. ``kept`` is false where there is none; ``same`` whether the rows still tell what was sent.

    ``cut`` is a sentence where the conversation goes further up than what was sent. ``earlier_url`` shows the
    turns before the first of these. ``curl`` is empty for servers that are not asked by one request;
    ``repeat_url`` where it cannot be sent again. ``names_model``: its model is known here and need not be chosen.
    """

    kept: bool
    same: bool
    changes: tuple[str, ...]
    model_label: str
    facts: tuple[Fact, ...]
    options: tuple[Fact, ...]
    system: PieceView | None
    tools: tuple[PieceView, ...]
    turns: tuple[PieceView, ...]
    cut: str
    earlier: int
    earlier_url: str
    rounds: tuple[RoundView, ...]
    sha256: str
    request_url: str
    json_url: str
    curl: str
    body_url: str
    repeat_url: str
    names_model: bool
    repeated: RepeatedView | None
    models: tuple[ModelGroup, ...]
    compare_url: str
    conversation_id: str
    thread_url: str
    thread_title: str
