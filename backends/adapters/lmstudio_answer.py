"""LM Studio's native stream, event by event, or the same answer in one piece."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from backends.adapters.base import Endpoint
from backends.adapters.classify import error_from_payload
from backends.adapters.errors import BackendError, Truncated
from backends.adapters.events import (
    Event,
    Finish,
    FinishReason,
    Phase,
    ReasoningDelta,
    Started,
    Status,
    TextDelta,
    Usage,
)
from backends.adapters.lmstudio_tools import ToolRuns
from backends.adapters.sse import ServerEvent, object_in
from backends.adapters.values import as_dict, as_float, as_int, as_list, as_str

#: The share done at the events that name none.
_SHARES = {"start": 0.0, "end": 1.0}
_PHASES = {"model_load": Phase.LOADING, "prompt_processing": Phase.PROMPT}


class LMStudioAnswer:
    """Reads the events of ``/api/v1/chat``.

    An ``error`` is not the last event: ``chat.end`` follows with what there was, and only then it is
    raised. ``limit`` is the number of tokens that was asked for at most: no event says why an answer
    ended.
    """

    def __init__(self, endpoint: Endpoint, headers: Mapping[str, str], limit: int | None) -> None:
        self._endpoint = endpoint
        self._headers = headers
        self._limit = limit
        self._tools = ToolRuns()
        self._started = False
        self._seen: set[str] = set()
        self._error: BackendError | None = None
        self._handlers: dict[str, Callable[[dict[str, Any]], Iterable[Event]]] = {
            "chat.start": self._start,
            "message.delta": self._text,
            "reasoning.delta": self._reasoning,
            "error": self._remember,
            "chat.end": self._end,
        }

    def feed(self, frame: ServerEvent) -> Iterable[Event]:
        """The events of one frame. ``type`` names it, or else the frame's own name; unknown ones say nothing."""
        payload = _payload(frame.data)
        kind = as_str(payload.get("type")) or frame.event or _kind_of_whole(payload)
        if kind == "whole error":
            raise error_from_payload(payload, self._endpoint)
        if (handler := self._handlers.get(kind)) is not None:
            return handler(payload)
        family, _, step = kind.partition(".")
        if family == "tool_call":
            return self._tools.step(step, payload)
        if family in _PHASES and payload:
            return [Status(_PHASES[family], _share(payload, step))]
        return ()

    def close(self) -> Iterable[Event]:
        """The proper end is ``chat.end``; without it the server broke off."""
        raise self._error or Truncated("the answer broke off")

    def _start(self, payload: dict[str, Any]) -> Iterator[Event]:
        if not self._started:
            self._started = True
            yield Started(as_str(payload.get("model_instance_id")) or None, headers=self._headers)

    def _text(self, payload: dict[str, Any]) -> Iterator[Event]:
        if content := as_str(payload.get("content")):
            self._seen.add("text")
            yield TextDelta(content)

    def _reasoning(self, payload: dict[str, Any]) -> Iterator[Event]:
        if content := as_str(payload.get("content")):
            self._seen.add("reasoning")
            yield ReasoningDelta(content)

    def _remember(self, payload: dict[str, Any]) -> Iterable[Event]:
        self._error = self._error or error_from_payload(payload, self._endpoint)
        return ()

    def _end(self, payload: dict[str, Any]) -> Iterator[Event]:
        """The whole answer once more, with what no delta said, the figures and the id."""
        result = as_dict(payload.get("result")) or payload
        yield from self._start(result)
        seen = self._seen | ({"tools"} if self._tools.seen else set())
        for item in map(as_dict, as_list(result.get("output"))):
            yield from self._item(item, seen)
        if self._error is not None:
            raise self._error
        stats = as_dict(result.get("stats"))
        if (usage := usage_of(stats)) is not None:
            yield usage
        response_id = as_str(result.get("response_id")) or as_str(payload.get("response_id"))
        yield Finish(self._reason(as_int(stats.get("total_output_tokens"))), response_id or None)

    def _item(self, item: dict[str, Any], seen: set[str]) -> Iterable[Event]:
        match as_str(item.get("type")):
            case "message" | "text" if "text" not in seen:
                return self._text(item)
            case "reasoning" if "reasoning" not in seen:
                return self._reasoning(item)
            case "tool_call" if "tools" not in seen:
                return self._tools.whole("success", item)
            case "invalid_tool_call" if "tools" not in seen:
                return self._tools.whole("failure", item)
            case _:
                return ()

    def _reason(self, tokens: int | None) -> FinishReason:
        cut = self._limit is not None and tokens is not None and tokens >= self._limit
        return FinishReason.LENGTH if cut else FinishReason.STOP


def usage_of(stats: Mapping[str, Any]) -> Usage | None:
    """Tokens and seconds from ``stats``."""
    usage = Usage(
        input_tokens=as_int(stats.get("input_tokens")),
        output_tokens=as_int(stats.get("total_output_tokens")),
        reasoning_tokens=as_int(stats.get("reasoning_output_tokens")),
        tokens_per_second=as_float(stats.get("tokens_per_second")),
        ttft_s=as_float(stats.get("time_to_first_token_seconds")),
        load_s=as_float(stats.get("model_load_time_seconds")),
    )
    return usage if usage != Usage() else None


def _payload(data: str) -> dict[str, Any]:
    """An object; anything else that is JSON says nothing, and neither does OpenAI's end mark."""
    return {} if data.strip() in ("", "[DONE]") else object_in(data)


def _kind_of_whole(payload: Mapping[str, Any]) -> str:
    """What a body is that did not stream: an answer, or an error put into a 200."""
    if payload.get("error"):
        return "whole error"
    return "chat.end" if "output" in payload or "result" in payload else ""


def _share(payload: Mapping[str, Any], step: str) -> float | None:
    progress = as_float(payload.get("progress"))
    return _SHARES.get(step) if progress is None else min(1.0, max(0.0, progress))
