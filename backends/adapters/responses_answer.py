"""The stream of ``/v1/responses``, or a whole response at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from backends.adapters.base import Endpoint
from backends.adapters.classify import error_from_payload
from backends.adapters.errors import StateLost, Truncated
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
from backends.adapters.history import PREVIOUS
from backends.adapters.responses_items import Items
from backends.adapters.sse import ServerEvent, object_in
from backends.adapters.values import as_dict, as_float, as_int, as_list, as_str

_REASONS = {"max_output_tokens": FinishReason.LENGTH, "content_filter": FinishReason.CONTENT_FILTER}
_ENDS = ("completed", "incomplete", "failed", "cancelled")


class ResponsesAnswer:
    """Reads the events of one response.

    ``previous`` is the turn that the request built on, ``limit`` the number of tokens it asked for at
    most: several servers say ``completed`` even where that cut the answer.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        items: Items,
        headers: Mapping[str, str],
        *,
        previous: str,
        limit: int | None,
    ) -> None:
        self._endpoint = endpoint
        self._items = items
        self._headers = headers
        self._previous = previous
        self._limit = limit
        self._started = False
        self._stored = False
        self._said: set[str] = set()
        self._thinks = ""
        self._handlers: dict[str, Callable[[dict[str, Any]], Iterable[Event]]] = {
            "response.created": self._begin,
            "response.in_progress": self._begin,
            "response.queued": self._queued,
            "response.output_text.delta": self._text,
            "response.refusal.delta": self._text,
            "response.output_text.done": self._whole_text,
            "response.reasoning_text.delta": partial(self._reasoning, "text"),
            "response.reasoning_summary_text.delta": partial(self._reasoning, "summary"),
            "response.output_item.added": items.added,
            "response.output_item.done": items.done,
            "response.function_call_arguments.delta": items.arguments,
            "response.function_call_arguments.done": items.arguments,
            "error": self._failed,
            **{f"response.{end}": partial(self._terminal, end) for end in _ENDS},
        }

    def feed(self, frame: ServerEvent) -> Iterable[Event]:
        """The events of one frame; kinds that we don't know say nothing."""
        payload = _payload(frame.data)
        kind = as_str(payload.get("type")) or frame.event or _kind_of_whole(payload)
        handler = self._handlers.get(kind)
        return handler(payload) if handler and payload else ()

    def close(self) -> Iterable[Event]:
        """A response says how it ended; without that the server broke off (Ollama, on any failure)."""
        raise Truncated("the answer broke off")

    def _begin(self, payload: dict[str, Any]) -> Iterator[Event]:
        response = as_dict(payload.get("response"))
        self._stored = response.get("store") is True or self._stored
        if self._started:
            return
        if self._previous and PREVIOUS in response and not response[PREVIOUS]:
            raise StateLost("the server ignored the turn before")
        self._started = True
        model, response_id = as_str(response.get("model")), as_str(response.get("id"))
        yield Started(model or None, response_id or None, headers=self._headers)

    def _queued(self, payload: dict[str, Any]) -> Iterator[Event]:
        yield from self._begin(payload)
        yield Status(Phase.QUEUED)

    def _text(self, payload: dict[str, Any]) -> Iterator[Event]:
        if delta := as_str(payload.get("delta")):
            self._said.add(_item_of(payload))
            yield TextDelta(delta)

    def _whole_text(self, payload: dict[str, Any]) -> Iterator[Event]:
        """Only where no increment of this item came."""
        text = as_str(payload.get("text"))
        if text and _item_of(payload) not in self._said:
            self._said.add(_item_of(payload))
            yield TextDelta(text)

    def _reasoning(self, family: str, payload: dict[str, Any]) -> Iterator[Event]:
        """Some servers send the thoughts and a summary of them: the first of the two counts."""
        delta = as_str(payload.get("delta"))
        if delta and self._thinks in ("", family):
            self._thinks = family
            yield ReasoningDelta(delta)

    def _terminal(self, end: str, payload: dict[str, Any]) -> Iterator[Event]:
        response = as_dict(payload.get("response"))
        yield from self._begin(payload)
        status = as_str(response.get("status")) or end
        if status == "failed" or response.get("error"):
            raise error_from_payload(
                {"error": response.get("error")}, self._endpoint, fallback="the response failed"
            )
        yield from self._unsaid(response)
        reason = self._reason(status, response)
        yield from self._items.rest(response, only_whole=reason is not FinishReason.STOP)
        if (usage := usage_of(response, as_dict(payload.get("timings")))) is not None:
            yield usage
        called = self._items.called and reason is FinishReason.STOP
        response_id = as_str(response.get("id")) if self._stored else ""
        yield Finish(FinishReason.TOOL_CALLS if called else reason, response_id or None)

    def _failed(self, payload: dict[str, Any]) -> Iterable[Event]:
        raise error_from_payload(payload, self._endpoint)

    def _unsaid(self, response: Mapping[str, Any]) -> Iterator[Event]:
        """What is in the whole output and came in no increment."""
        for item in map(as_dict, as_list(response.get("output"))):
            if item.get("type") == "reasoning" and not self._thinks:
                yield from map(ReasoningDelta, _texts(item, "content") or _texts(item, "summary"))
            elif item.get("type") == "message" and not self._said:
                yield from map(TextDelta, _texts(item, "content"))

    def _reason(self, status: str, response: Mapping[str, Any]) -> FinishReason:
        if status == "cancelled":
            return FinishReason.CANCELLED
        if status != "completed":
            details = as_dict(response.get("incomplete_details"))
            return _REASONS.get(as_str(details.get("reason")), FinishReason.INCOMPLETE)
        tokens = as_int(as_dict(response.get("usage")).get("output_tokens"))
        cut = self._limit is not None and tokens is not None and tokens >= self._limit
        return FinishReason.LENGTH if cut else FinishReason.STOP


def usage_of(response: Mapping[str, Any], timings: Mapping[str, Any]) -> Usage | None:
    """Tokens from ``usage``; times from llama.cpp's ``timings`` beside the response (milliseconds)."""
    usage = as_dict(response.get("usage"))
    prompt, answer = as_float(timings.get("prompt_ms")), as_float(timings.get("predicted_ms"))
    result = Usage(
        input_tokens=as_int(usage.get("input_tokens")),
        output_tokens=as_int(usage.get("output_tokens")),
        reasoning_tokens=as_int(as_dict(usage.get("output_tokens_details")).get("reasoning_tokens")),
        cached_tokens=as_int(as_dict(usage.get("input_tokens_details")).get("cached_tokens")),
        tokens_per_second=as_float(timings.get("predicted_per_second")),
        ttft_s=None if prompt is None else prompt / 1000,
        total_s=None if prompt is None or answer is None else (prompt + answer) / 1000,
    )
    return result if result != Usage() else None


def _payload(data: str) -> dict[str, Any]:
    """An object; a whole response is put where events have theirs."""
    payload = {} if data.strip() in ("", "[DONE]") else object_in(data)
    return {"response": payload} if payload.get("object") == "response" else payload


def _kind_of_whole(payload: Mapping[str, Any]) -> str:
    """What a body is that did not stream."""
    if payload.get("error") or payload.get("object") == "error":
        return "error"
    return f"response.{as_str(as_dict(payload.get('response')).get('status'))}"


def _item_of(payload: Mapping[str, Any]) -> str:
    return as_str(payload.get("item_id")) or str(as_int(payload.get("output_index")))


def _texts(item: Mapping[str, Any], field: str) -> list[str]:
    parts = map(as_dict, as_list(item.get(field)))
    texts = (as_str(part.get("text")) or as_str(part.get("refusal")) for part in parts)
    return [text for text in texts if text]
