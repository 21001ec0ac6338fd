"""The stream of ``/v1/chat/completions`` and ``/v1/completions``, in all the dialects that servers speak."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from backends.adapters.base import Endpoint
from backends.adapters.calls import CallAssembler, CallIds
from backends.adapters.classify import error_from_payload
from backends.adapters.errors import ProtocolError
from backends.adapters.events import (
    Event,
    Finish,
    FinishReason,
    Phase,
    ReasoningDelta,
    Started,
    Status,
    Usage,
)
from backends.adapters.ndjson import BOM, MAX_FRAME
from backends.adapters.sse import ServerEvent, SSEDecoder, object_in
from backends.adapters.think import ThinkSplitter
from backends.adapters.values import as_dict, as_float, as_int, as_list, as_str

_REASONS = {
    "stop": FinishReason.STOP,
    "length": FinishReason.LENGTH,
    "tool_calls": FinishReason.TOOL_CALLS,
    "function_call": FinishReason.TOOL_CALLS,
    "content_filter": FinishReason.CONTENT_FILTER,
}


class SSEOrJSONDecoder:
    """Server-sent events, or one whole JSON object where the server did not stream after all.

    The first character tells: no event begins with a brace. The content type is no help, since
    proxies change it.
    """

    def __init__(self, max_frame: int = MAX_FRAME) -> None:
        self._max = max_frame
        self._sse = SSEDecoder(max_frame)
        self._body = bytearray()
        self._streams = False

    def feed(self, chunk: bytes) -> Iterable[ServerEvent]:
        """The events that this chunk completes; none of a JSON object before its end."""
        if self._streams:
            return self._sse.feed(chunk)
        self._body += chunk
        if len(self._body) > self._max:
            raise ProtocolError("frame too large")
        return self._decide()

    def close(self) -> Iterator[ServerEvent]:
        """The whole object, or the event that was open."""
        if not self._streams and self._body:
            yield ServerEvent("", self._body.decode("utf-8", "replace").removeprefix("\ufeff"))
        yield from self._sse.close()

    def _decide(self) -> Iterable[ServerEvent]:
        begun = bytes(self._body[:64]).removeprefix(BOM).lstrip()
        if not begun or begun.startswith(b"{") or BOM.startswith(begun):
            return ()
        self._streams = True
        body = bytes(self._body)
        self._body.clear()
        return self._sse.feed(body)


class OpenAIAnswer:
    """Reads the frames of one answer. Only the first choice counts."""

    def __init__(
        self, endpoint: Endpoint, ids: CallIds, headers: Mapping[str, str], *, think_tags: bool = True
    ) -> None:
        self._endpoint = endpoint
        self._headers = headers
        self._calls = CallAssembler(ids)
        self._splitter = ThinkSplitter(on=think_tags)
        self._started = False
        self._said = False
        self._reason = ""
        self._numbers: dict[str, Any] = {}

    def feed(self, frame: ServerEvent) -> Iterator[Event]:
        """The events of one frame. Tokens are counted, and the end is told, only at the very end."""
        data = frame.data.strip()
        if data == "[DONE]":
            yield from self._finish()
        elif data:
            payload = object_in(data)
            if _is_error(payload, frame.event):
                raise error_from_payload(payload, self._endpoint)
            yield from self._chunk(payload)

    def close(self) -> Iterator[Event]:
        """Many servers end without ``[DONE]``; without a reason either, the answer is incomplete."""
        yield from self._finish()

    def _chunk(self, payload: dict[str, Any]) -> Iterator[Event]:
        if payload and not self._started:
            self._started = True
            yield _started(payload, self._headers)
        for name in ("usage", "timings", "stats"):
            if numbers := as_dict(payload.get(name)):
                self._numbers[name] = numbers
        if progress := as_dict(payload.get("prompt_progress")):
            yield _progress(progress)
        if (choice := _first(payload.get("choices"))) is not None:
            yield from self._choice(choice)

    def _choice(self, choice: dict[str, Any]) -> Iterator[Event]:
        delta = as_dict(choice.get("delta")) or as_dict(choice.get("message"))
        self._reason = as_str(choice.get("finish_reason")) or self._reason
        if reasoning := as_str(delta.get("reasoning_content")) or as_str(delta.get("reasoning")):
            self._said = True
            yield from self._splitter.skip()
            yield ReasoningDelta(reasoning)
        if content := _content(delta.get("content")) or as_str(delta.get("refusal")) or _completed(choice):
            self._said = True
            yield from self._splitter.feed(content)
        for fragment in _fragments(delta):
            self._calls.add(fragment)

    def _finish(self) -> Iterator[Event]:
        yield from self._splitter.close()
        if not (self._said or self._calls or self._reason):
            raise ProtocolError("empty stream")
        broken_off = self._reason in ("length", "")
        calls = self._calls.calls(only_whole=broken_off)
        yield from calls
        if (usage := usage_of(self._numbers)) is not None:
            yield usage
        yield Finish(self._end(bool(calls)))

    def _end(self, called: bool) -> FinishReason:
        if called:
            return FinishReason.TOOL_CALLS
        if not self._reason:
            return FinishReason.INCOMPLETE
        return _REASONS.get(self._reason, FinishReason.UNKNOWN)


def usage_of(numbers: Mapping[str, Any]) -> Usage | None:
    """Tokens from ``usage``; times from llama.cpp's ``timings`` (milliseconds) or LM Studio's ``stats``."""
    usage, timings, stats = (as_dict(numbers.get(name)) for name in ("usage", "timings", "stats"))
    result = Usage(
        input_tokens=_first_int(usage.get("prompt_tokens"), _prompt_tokens(timings)),
        output_tokens=_first_int(usage.get("completion_tokens"), timings.get("predicted_n")),
        reasoning_tokens=as_int(as_dict(usage.get("completion_tokens_details")).get("reasoning_tokens")),
        cached_tokens=_first_int(
            as_dict(usage.get("prompt_tokens_details")).get("cached_tokens"), timings.get("cache_n")
        ),
        tokens_per_second=as_float(timings.get("predicted_per_second") or stats.get("tokens_per_second")),
        ttft_s=_seconds(timings.get("prompt_ms")) or as_float(stats.get("time_to_first_token")),
        total_s=_total(timings),
    )
    return result if result != Usage() else None


def _first_int(*values: Any) -> int | None:
    return next((number for value in values if (number := as_int(value)) is not None), None)


def _prompt_tokens(timings: Mapping[str, Any]) -> int | None:
    """The tokens that were read now and those that were remembered."""
    read = as_int(timings.get("prompt_n"))
    return None if read is None else read + (as_int(timings.get("cache_n")) or 0)


def _seconds(milliseconds: Any) -> float | None:
    number = as_float(milliseconds)
    return None if number is None else number / 1000


def _total(timings: Mapping[str, Any]) -> float | None:
    prompt, answer = _seconds(timings.get("prompt_ms")), _seconds(timings.get("predicted_ms"))
    return None if prompt is None or answer is None else prompt + answer


def _is_error(payload: Mapping[str, Any], event: str) -> bool:
    named = payload.get("error") or payload.get("error_message")
    return bool(named) or event == "error" or payload.get("object") == "error"


def _started(payload: Mapping[str, Any], headers: Mapping[str, str]) -> Started:
    return Started(as_str(payload.get("model")) or None, as_str(payload.get("id")) or None, headers=headers)


def _progress(progress: Mapping[str, Any]) -> Status:
    """How much of the prompt llama.cpp has read."""
    total, done = as_float(progress.get("total")), as_float(progress.get("processed"))
    share = min(1.0, max(0.0, done / total)) if total and done is not None else None
    return Status(Phase.PROMPT, share)


def _first(choices: Any) -> dict[str, Any] | None:
    """The choice with index 0; servers that give only one may leave the index out."""
    for choice in map(as_dict, as_list(choices)):
        if not choice.get("index"):
            return choice
    return None


def _content(content: Any) -> str:
    """A string, or a list of typed parts (Mistral)."""
    if isinstance(content, list):
        return "".join(as_str(as_dict(part).get("text")) for part in content)
    return as_str(content)


def _completed(choice: Mapping[str, Any]) -> str:
    """What ``/v1/completions`` says; there is no delta in it."""
    return as_str(choice.get("text"))


def _fragments(delta: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Pieces of tool calls; ``function_call`` is how the first servers wrote a single one."""
    fragments = [as_dict(entry) for entry in as_list(delta.get("tool_calls"))]
    if function := as_dict(delta.get("function_call")):
        fragments.append({"index": 0, "function": function})
    return fragments
