"""Frames with the right names and anything inside: LM Studio's native wire and the Responses API."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backends.adapters.base import Adapter
from backends.adapters.errors import BackendError
from backends.adapters.events import Event, Started, ToolCall
from backends.adapters.lmstudio import LMStudioAdapter
from backends.adapters.lmstudio_models import entries_of, instances_of, is_named, model_info
from backends.adapters.openai_responses import OpenAIResponsesAdapter
from backends.adapters.values import as_dict
from tests.backends.adapters.contract import check_rules
from tests.backends.adapters.wire import answer, asked, play, sse

NAMES = {
    LMStudioAdapter: [
        "chat.start", "model_load.start", "model_load.progress", "prompt_processing.progress", "message.delta",
        "reasoning.delta", "tool_call.start", "tool_call.arguments", "tool_call.success", "tool_call.failure",
        "tool_call.", "error", "chat.end", "", "future.thing",
    ],
    OpenAIResponsesAdapter: [
        "response.created", "response.queued", "response.in_progress", "response.output_text.delta",
        "response.output_text.done", "response.refusal.delta", "response.reasoning_text.delta",
        "response.reasoning_summary_text.delta", "response.output_item.added", "response.output_item.done",
        "response.function_call_arguments.delta", "response.function_call_arguments.done", "response.completed",
        "response.incomplete", "response.failed", "response.cancelled", "error", "", "response.",
    ],
}  # fmt: skip
FIELDS = [
    "content", "progress", "model_instance_id", "tool", "arguments", "output", "reason", "metadata", "provider_info",
    "result", "stats", "response_id", "total_output_tokens", "error", "message", "response", "item", "item_id",
    "output_index", "delta", "text", "type", "id", "call_id", "name", "status", "usage", "input_tokens",
    "incomplete_details", "store", "previous_response_id", "object", "summary", "action", "timings", "prompt_ms",
]  # fmt: skip
KINDS = ["message", "reasoning", "function_call", "mcp_call", "tool_call", "invalid_tool_call", "completed"]
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(KINDS)
)
FIELD = st.sampled_from(FIELDS)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(FIELD, inner, max_size=6),
    max_leaves=20,
)
PAYLOADS = st.dictionaries(FIELD, VALUES, max_size=6)


def frame(name: str, payload: Any, *, typed: bool) -> str:
    body = {**payload, "type": name} if typed and isinstance(payload, dict) else payload
    return f"event: {name}\ndata: {json.dumps(body)}\n\n"


@pytest.mark.parametrize("adapter", [LMStudioAdapter, OpenAIResponsesAdapter])
def test_any_frame_ends_in_events_or_a_typed_error(adapter: type[Adapter]) -> None:
    frames = st.builds(
        frame, st.sampled_from(NAMES[adapter]), PAYLOADS | VALUES, typed=st.sampled_from([True, True, False])
    )

    @settings(max_examples=120, deadline=None, database=None)
    @given(st.lists(frames, max_size=8))
    def check(pieces: list[str]) -> None:
        played = play(adapter, sse(*pieces))
        check_rules(played)
        calls = [item.id for item in played.raw if isinstance(item, ToolCall)]
        assert len(set(calls)) == len(calls)

    check()


@pytest.mark.parametrize("adapter", [LMStudioAdapter, OpenAIResponsesAdapter])
def test_any_whole_body_ends_in_events_or_a_typed_error(adapter: type[Adapter]) -> None:
    @settings(max_examples=50, deadline=None, database=None)
    @given(PAYLOADS)
    def check(payload: dict[str, Any]) -> None:
        check_rules(play(adapter, answer(payload)))
        check_rules(play(adapter, answer({**payload, "object": "response"})))

    check()


@settings(max_examples=80, deadline=None, database=None)
@given(st.dictionaries(FIELD | st.sampled_from(["models", "data"]), VALUES, max_size=5), VALUES)
def test_any_list_of_models_is_read(answered: dict[str, Any], entry: Any) -> None:
    known = {
        "key": "m",
        "loaded_instances": entry,
        "capabilities": entry,
        "quantization": entry,
        "variants": entry,
    }
    for one in [*(entries_of(answered) or []), known, {**as_dict(entry), "key": "m"}]:
        assert model_info(one).id
        assert all(instance.instance for instance in instances_of(one))
        assert is_named(one, "m")


async def test_any_kept_response_is_read() -> None:
    examples: list[dict[str, Any]] = []

    @settings(max_examples=30, deadline=None, database=None)
    @given(PAYLOADS)
    def collect(payload: dict[str, Any]) -> None:
        examples.append(payload)

    collect()
    for payload in examples:
        script = answer({**payload, "object": "response"})
        try:
            events: list[Event] = (
                await asked(
                    OpenAIResponsesAdapter, lambda sent, script=script: script, lambda a: a.retrieve("x")
                )
            )[0]
        except BackendError:
            continue
        assert isinstance(events[0], Started)
