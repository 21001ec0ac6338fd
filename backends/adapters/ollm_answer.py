"""The event stream of oLLM's own routes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from backends.adapters.base import Endpoint
from backends.adapters.classify import error_from_payload
from backends.adapters.errors import ProtocolError, Truncated
from backends.adapters.events import Event, Finish, FinishReason, Phase, Started, Status, TextDelta
from backends.adapters.sse import ServerEvent, object_in
from backends.adapters.values import as_str


class Silent(ProtocolError):
    """The stream ended properly and said nothing: the server kept the answer to itself."""


class OLLMAnswer:
    """Reads ``status``, ``text``, ``complete`` and ``error``; other events say nothing."""

    def __init__(self, endpoint: Endpoint, started: Started) -> None:
        self._endpoint = endpoint
        self._started: Started | None = started
        self._said = False

    def feed(self, frame: ServerEvent) -> Iterator[Event]:
        """The events of one frame. ``complete`` repeats the whole text, which counts where no part came."""
        payload = object_in(frame.data)
        if frame.event == "error":
            raise error_from_payload(payload, self._endpoint)
        if self._started is not None:
            yield self._started
            self._started = None
        if frame.event == "status":
            yield Status(Phase.GENERATING, detail=as_str(payload.get("message")))
        elif frame.event == "text":
            yield from self._text(payload.get("delta"))
        elif frame.event == "complete":
            if not self._said:
                yield from self._text(payload.get("text"))
            yield Finish(FinishReason.STOP)

    def close(self) -> Iterator[Event]:
        """Raises Silent, or Truncated where some text came: this wire always says that it is complete."""
        if not self._said:
            raise Silent("the stream ended without text")
        raise Truncated("the stream ended before it was complete")

    def _text(self, value: Any) -> Iterator[Event]:
        if text := as_str(value):
            self._said = True
            yield TextDelta(text)
