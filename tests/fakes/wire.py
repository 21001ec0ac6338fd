"""What the two dialects have in common: a head, frames for each kind of token, an end, replies."""

from __future__ import annotations

import json
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.records import Request

_compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
to_json = _compact.encode
"""Compact JSON with the characters as they are; quick for plain strings."""


@dataclass(slots=True)
class Tally:
    """What the last frame of an answer reports."""

    prompt_tokens: int
    tokens: int = 0
    started: float = field(default_factory=time.perf_counter)
    first: float | None = None

    def prompt_seconds(self) -> float:
        """From the request to the first token."""
        return (self.first or time.perf_counter()) - self.started

    def token_seconds(self) -> float:
        """From the first token until now, never zero."""
        return max(time.perf_counter() - (self.first or self.started), 1e-6)


class Wire(ABC):
    """One dialect, for one request. All methods give bytes ready for the body or the socket."""

    def __init__(self, request: Request, model: str) -> None:
        self.request = request
        self.model = model
        self.close = request.headers.get("connection", "").lower() == "close"

    @abstractmethod
    def stream_head(self) -> bytes:
        """Status line and headers of a streamed answer."""

    @abstractmethod
    def opening(self) -> bytes:
        """Frames before the first token."""

    @abstractmethod
    def text(self, text: str) -> bytes:
        """One token of the answer."""

    @abstractmethod
    def reasoning(self, text: str) -> bytes:
        """One token of the thinking."""

    @abstractmethod
    def call(self, index: int, name: str, arguments: Any) -> list[bytes]:
        """A tool call, as one frame or several."""

    @abstractmethod
    def closing(self, reason: str, tally: Tally) -> list[bytes]:
        """The frames of a proper end, each for a chunk of its own."""

    @abstractmethod
    def stream_error(self, message: str) -> bytes:
        """The frame of an error in mid-stream."""

    @abstractmethod
    def whole(
        self, text: str, reasoning: str, calls: list[dict[str, Any]], reason: str, tally: Tally
    ) -> bytes:
        """The whole response for ``"stream": false``."""

    @abstractmethod
    def error(self, status: int, message: str | None = None) -> bytes:
        """A whole response that says what is wrong, with the usual message of that status."""
