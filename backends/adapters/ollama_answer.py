"""Ollama's answers, line by line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from backends.adapters.base import Endpoint
from backends.adapters.calls import CallIds, arguments_of
from backends.adapters.classify import error_from_payload
from backends.adapters.errors import ProtocolError
from backends.adapters.events import (
    Event,
    Finish,
    FinishReason,
    ReasoningDelta,
    Started,
    TextDelta,
    ToolCall,
    Usage,
)
from backends.adapters.values import as_dict, as_float, as_int, as_list, as_str, parse_json

_NANOSECOND = 1e-9
_REASONS = {
    "": FinishReason.STOP,
    "stop": FinishReason.STOP,
    "load": FinishReason.STOP,
    "unload": FinishReason.STOP,
    "length": FinishReason.LENGTH,
}


class OllamaAnswer:
    """Reads the lines of ``/api/chat``."""

    def __init__(self, endpoint: Endpoint, ids: CallIds, headers: Mapping[str, str]) -> None:
        self._endpoint = endpoint
        self._ids = ids
        self._headers = headers
        self._started = False
        self._said = False
        self._calls = 0

    def feed(self, line: bytes) -> Iterator[Event]:
        """The events of one line. The last line may carry text and calls too."""
        frame = frame_of(line, self._endpoint)
        if not self._started:
            self._started = True
            yield Started(model=as_str(frame.get("model")) or None, headers=self._headers)
        message = frame.get("message")
        if isinstance(message, dict):
            yield from self._message(message)
        if frame.get("done") is True:
            yield from self._done(frame)

    def close(self) -> Iterator[Event]:
        """The server breaks off cleanly when a model repeats itself: what came is kept."""
        if not self._said:
            raise ProtocolError("empty stream")
        yield Finish(FinishReason.INCOMPLETE)

    def _message(self, message: dict[str, Any]) -> Iterator[Event]:
        if thinking := as_str(message.get("thinking")):
            self._said = True
            yield ReasoningDelta(thinking)
        if content := as_str(message.get("content")):
            self._said = True
            yield TextDelta(content)
        if calls := message.get("tool_calls"):
            self._said = True
            yield from map(self._call, as_list(calls))

    def _call(self, entry: Any) -> ToolCall:
        call = as_dict(entry)
        function = as_dict(call.get("function"))
        arguments, raw = arguments_of(function.get("arguments"))
        self._calls += 1
        call_id = self._ids.take(as_str(call.get("id")))
        return ToolCall(call_id, as_str(function.get("name")), arguments, raw, self._calls - 1)

    def _done(self, frame: Mapping[str, Any]) -> Iterator[Event]:
        if (usage := usage_of(frame)) is not None:
            yield usage
        reason = _REASONS.get(as_str(frame.get("done_reason")), FinishReason.UNKNOWN)
        yield Finish(FinishReason.TOOL_CALLS if self._calls else reason)


def frame_of(line: bytes, endpoint: Endpoint) -> dict[str, Any]:
    """The object on one line. Raises ProtocolError, or the error that the server put there."""
    try:
        frame = parse_json(line)
    except ValueError:
        raise ProtocolError("a line is not JSON") from None
    if not isinstance(frame, dict):
        raise ProtocolError("a line is not an object")
    if frame.get("error"):
        raise error_from_payload(frame, endpoint)
    return frame


def usage_of(frame: Mapping[str, Any]) -> Usage | None:
    """The metrics of the last line; all times there are nanoseconds, and zero is left out."""
    output, duration = as_int(frame.get("eval_count")), _seconds(frame, "eval_duration")
    load, prompt = _seconds(frame, "load_duration"), _seconds(frame, "prompt_eval_duration")
    usage = Usage(
        input_tokens=as_int(frame.get("prompt_eval_count")),
        output_tokens=output,
        tokens_per_second=output / duration if output and duration else None,
        ttft_s=(load or 0) + (prompt or 0) if load or prompt else None,
        load_s=load,
        total_s=_seconds(frame, "total_duration"),
    )
    return usage if usage != Usage() else None


def _seconds(frame: Mapping[str, Any], key: str) -> float | None:
    nanoseconds = as_float(frame.get(key))
    return nanoseconds * _NANOSECOND if nanoseconds and nanoseconds > 0 else None
