"""Ollama's native API against recordings of Ollama 0.9.3 and of Olla in front of it."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from backends.adapters.base import Capability, ModelInfo
from backends.adapters.errors import (
    BackendError,
    BadRequest,
    CannotConnect,
    ErrorKind,
    ModelNotFound,
    NotFound,
    ServerError,
    Unsupported,
    WrongService,
)
from backends.adapters.events import Finish, FinishReason, Phase, Started, Status, TextDelta, ToolCall
from backends.adapters.messages import (
    ChatMessage,
    ChatRequest,
    ImagePart,
    Reasoning,
    Role,
    SamplingOptions,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    ToolSpec,
)
from backends.adapters.ollama import OllamaAdapter
from backends.adapters.ollama_wire import chat_body
from tests.backends.adapters.contract import AdapterContract, Case, Used
from tests.backends.adapters.wire import (
    HELLO,
    Script,
    answer,
    asked,
    ndjson,
    play,
    recorded,
    response,
    routes,
)

STOP, CALLED = Finish(FinishReason.STOP), Finish(FinishReason.TOOL_CALLS)
PARIS = ToolCall("call_0", "get_weather", {"city": "Paris"})
DONE = '{"model":"m","message":{"role":"assistant","content":""},"done_reason":"stop","done":true}\n'


def tape(name: str) -> Script:
    return Script((recorded(name),))


class TestContract(AdapterContract):
    adapter = OllamaAdapter
    cases = (
        Case(
            "a streamed answer",
            tape("ollama/chat-stream"),
            (
                TextDelta("Paris is the capital of France."),
                Used(
                    input_tokens=32,
                    output_tokens=8,
                    tokens_per_second=9.041635,
                    load_s=1.185687505,
                    total_s=3.027569115,
                ),
                STOP,
            ),
        ),
        Case(
            "an answer that did not stream",
            tape("ollama/chat-nostream"),
            (TextDelta("Bonjour"), Used(input_tokens=37, output_tokens=2), STOP),
        ),
        Case(
            "a call that leaks as text stays text",
            tape("ollama/chat-tools-stream"),
            (
                TextDelta(
                    '```json\n{\n  "name": "get_weather",\n  "arguments": {\n    "city": "Paris"\n  }\n}\n```'
                ),
                Used(output_tokens=29),
                STOP,
            ),
        ),
        Case("a tool call", tape("ollama/toolcall-stream"), (PARIS, Used(output_tokens=29), CALLED)),
        Case(
            "a tool call at once", tape("ollama/toolcall-nostream"), (PARIS, Used(output_tokens=29), CALLED)
        ),
        Case("a model that was loaded", tape("ollama/load"), (STOP,)),
        Case(
            "through Olla",
            tape("olla/ollama-chat-stream"),
            (TextDelta("The capital of France is Paris."), Used(input_tokens=40), STOP),
        ),
        Case(
            "characters of several bytes",
            ndjson('{"message":{"content":"Grüße, 世界 😀"},"done":false}\n', DONE),
            (TextDelta("Grüße, 世界 😀"), STOP),
        ),
        Case(
            "unknown model",
            tape("ollama/err-no-model"),
            (),
            ModelNotFound,
            "not found, try pulling",
            status=404,
        ),
        Case(
            "no thinking",
            tape("ollama/err-think-unsupported"),
            (),
            Unsupported,
            "does not support thinking",
            status=400,
        ),
        Case("not understood", tape("ollama/err-bad-json"), (), BadRequest, "unexpected EOF", status=400),
        Case(
            "Olla has no such provider",
            tape("olla/err-wrong-provider"),
            (),
            NotFound,
            "No lm-studio",
            status=404,
        ),
    )


def test_start_names_the_model_and_the_machine_behind_olla() -> None:
    [started] = [
        e for e in play(OllamaAdapter, tape("olla/ollama-chat-stream")).raw if isinstance(e, Started)
    ]
    assert started.model == "qwen2.5-coder:0.5b"
    assert started.headers["x-olla-endpoint"] == "local-ollama"


def test_all_events_of_one_read_come_as_one_batch() -> None:
    assert len(play(OllamaAdapter, tape("ollama/chat-stream")).batches) == 1


def test_invented_ids_differ_from_those_of_earlier_turns() -> None:
    earlier = ChatMessage(Role.ASSISTANT, (ToolCallPart("call_0", "f", {}), ToolCallPart("call_2", "f", {})))
    request = replace(HELLO, messages=(earlier,))
    line = '{"message":{"tool_calls":[{"function":{"name":"g"}},{"function":{"name":"g"}}]},"done":true}\n'
    calls = [
        e.id for e in play(OllamaAdapter, ndjson(line), request=request).events if isinstance(e, ToolCall)
    ]
    assert calls == ["call_3", "call_4"]


# The request


FULL = ChatRequest(
    model="qwen3:8b",
    system="Be brief.",
    messages=(
        ChatMessage(Role.USER, (TextPart("What is this?"), ImagePart(b"\x89PNG", "image/png"))),
        ChatMessage(Role.ASSISTANT, (TextPart("A cat."),), reasoning="old thoughts"),
        ChatMessage.of(Role.USER, "And the weather?"),
        ChatMessage(Role.ASSISTANT, (ToolCallPart("c1", "weather", {"city": "Rome"}),), reasoning="look it up"),
        ChatMessage(Role.TOOL, (ToolResultPart("c1", "weather", "18 C"),)),
    ),
    sampling=SamplingOptions(
        temperature=0.5, top_p=0.9, top_k=40, min_p=0.05, repeat_penalty=1.1, max_tokens=100, seed=7,
        stop=("END",), context_length=8192, keep_alive=-1, reasoning=Reasoning.HIGH,
    ),
    tools=(ToolSpec("weather", "The weather", {"type": "object"}),),
    response_schema={"type": "object"},
)  # fmt: skip


def test_request_has_everything_under_ollamas_names() -> None:
    assert chat_body(FULL, {}) == {
        "model": "qwen3:8b",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "What is this?", "images": ["iVBORw=="]},
            {"role": "assistant", "content": "A cat."},
            {"role": "user", "content": "And the weather?"},
            {
                "role": "assistant",
                "content": "",
                "thinking": "look it up",
                "tool_calls": [{"id": "c1", "function": {"name": "weather", "arguments": {"city": "Rome"}}}],
            },
            {"role": "tool", "tool_name": "weather", "tool_call_id": "c1", "content": "18 C"},
        ],
        "stream": True,
        "truncate": False,
        "shift": False,
        "options": {
            "temperature": 0.5, "top_p": 0.9, "top_k": 40, "min_p": 0.05, "repeat_penalty": 1.1,
            "num_predict": 100, "seed": 7, "num_ctx": 8192, "stop": ["END"],
        },
        "tools": [
            {
                "type": "function",
                "function": {"name": "weather", "description": "The weather", "parameters": {"type": "object"}},
            }
        ],
        "format": {"type": "object"},
        "think": "high",
        "keep_alive": -1,
    }  # fmt: skip


def test_request_leaves_out_what_is_not_set() -> None:
    assert chat_body(HELLO, {}).keys() == {"model", "messages", "stream", "truncate", "shift"}


def test_an_empty_schema_asks_for_any_json() -> None:
    assert chat_body(replace(HELLO, response_schema={}), {})["format"] == "json"


def test_nothing_lets_ollama_cut_the_conversation_in_silence() -> None:
    body = chat_body(HELLO, {"truncate": "on", "shift": "true", "keep_alive": "5m"})
    assert (body["truncate"], body["shift"], body["keep_alive"]) == (False, False, "5m")


@pytest.mark.parametrize(
    ("reasoning", "think"),
    [(Reasoning.OFF, False), (Reasoning.ON, True), (Reasoning.LOW, "low"), (Reasoning.MEDIUM, "medium")],
)
def test_thinking_is_a_switch_or_a_level(reasoning: Reasoning, think: object) -> None:
    assert chat_body(thinking(reasoning), {})["think"] == think


def thinking(level: Reasoning) -> ChatRequest:
    return replace(HELLO, sampling=SamplingOptions(reasoning=level))


OLD = response(
    '{"error":"json: cannot unmarshal string into Go struct field ChatRequest.think of type bool"}',
    status=400,
)


def test_old_servers_are_asked_again_with_a_plain_yes() -> None:
    played = play(OllamaAdapter, OLD, ndjson(DONE), request=thinking(Reasoning.LOW))
    assert played.events == [STOP]
    assert [sent.body["think"] for sent in played.server.requests] == ["low", True]


NO_THINKER = response('{"error":"registry.ollama.ai/library/x:1b does not support thinking"}', status=400)


def test_a_model_that_does_not_think_is_asked_again_without() -> None:
    played = play(OllamaAdapter, NO_THINKER, ndjson(DONE), request=thinking(Reasoning.LOW))
    assert played.events == [Status(Phase.RETRYING, detail="think"), STOP]
    assert ["think" in sent.body for sent in played.server.requests] == [True, False]


def test_they_are_not_asked_a_third_time() -> None:
    played = play(OllamaAdapter, OLD, OLD, request=thinking(Reasoning.LOW))
    assert isinstance(played.error, BadRequest)
    assert len(played.server.requests) == 2


def test_other_refusals_are_not_repeated() -> None:
    played = play(OllamaAdapter, response('{"error":"no"}', status=400), request=thinking(Reasoning.LOW))
    assert isinstance(played.error, BadRequest)
    assert len(played.server.requests) == 1


# Models


async def test_list_fills_in_what_old_servers_tell_only_one_by_one() -> None:
    table = {name: tape(f"ollama/{tape_name}") for name, tape_name in
             {"GET /api/tags": "tags", "GET /api/ps": "ps", "POST /api/show": "show"}.items()}  # fmt: skip
    [model], server = await asked(OllamaAdapter, routes(table), lambda a: a.list_models())
    assert model == ModelInfo(
        id="qwen2.5-coder:0.5b",
        name="qwen2.5-coder:0.5b",
        family="qwen2",
        parameter_size="630.17M",
        quantization="Q4_K_M",
        size_bytes=491402178,
        context_length=4096,
        max_context_length=32768,
        capabilities=frozenset({Capability.COMPLETION, Capability.CHAT, Capability.TOOLS}),
        loaded=True,
        digest="c417e9c0a70ba1f63733d9fa790c9677631240605ca7df30842dd0bd6e8c5129",
        details={"modified_at": "2026-11-21T09:41:43.719797994Z"},
    )
    assert [sent.path for sent in server.requests] == ["/api/tags", "/api/ps", "/api/show"]


NEW = {
    "models": [
        {
            "name": "qwen3:8b",
            "model": "qwen3:8b",
            "details": {"context_length": 40960},
            "capabilities": ["completion", "tools", "thinking", "vision", "insert"],
        },
        {"name": "gpt-oss:120b-cloud", "details": {"context_length": 1}, "capabilities": ["embedding"]},
    ]
}


async def test_list_asks_nothing_more_of_new_servers() -> None:
    table = {"GET /api/tags": answer(NEW), "GET /api/ps": answer({"models": []})}
    models, server = await asked(OllamaAdapter, routes(table), lambda a: a.list_models())
    assert len(server.requests) == 2
    assert [(m.remote, m.loaded, m.max_context_length) for m in models] == [
        (False, False, 40960),
        (True, False, 1),
    ]
    assert models[0].capabilities == {
        Capability.COMPLETION, Capability.CHAT, Capability.TOOLS, Capability.REASONING, Capability.VISION
    }  # fmt: skip
    assert models[1].capabilities == {Capability.EMBEDDING}


async def test_a_model_in_memory_has_the_window_that_was_allocated() -> None:
    running = {"models": [{"name": "qwen3:8b", "context_length": 4096}]}
    table = {"GET /api/tags": answer(NEW), "GET /api/ps": answer(running)}
    models, _ = await asked(OllamaAdapter, routes(table), lambda a: a.list_models())
    assert [(m.loaded, m.context_length) for m in models] == [(True, 4096), (False, None)]


async def test_the_window_may_be_fixed_by_the_model() -> None:
    shown = {"parameters": 'stop  "x"\nnum_ctx                        16384\n', "details": {}}
    model, _ = await asked(OllamaAdapter, lambda sent: answer(shown), lambda a: a.show("m"))
    assert (model.id, model.context_length) == ("m", 16384)


def names(count: int) -> Script:
    return answer({"models": [{"name": f"m{number}"} for number in range(count)]})


async def test_a_proxy_that_refuses_details_is_asked_only_once() -> None:
    refused = tape("olla/ollama-pull-refused")
    table = {"GET /api/tags": names(5), "POST /api/show": refused}
    models, server = await asked(OllamaAdapter, routes(table), lambda a: a.list_models())
    assert [(m.id, m.capabilities, m.loaded) for m in models] == [(f"m{n}", None, None) for n in range(5)]
    assert sum(sent.path == "/api/show" for sent in server.requests) == 1


async def test_one_failing_detail_leaves_the_others() -> None:
    def respond(sent: Any) -> Script:
        if sent.path == "/api/show":
            bad = sent.body["model"] == "m1"
            return answer({"error": "broken"}, 500) if bad else answer({"capabilities": ["completion"]})
        return names(4) if sent.path == "/api/tags" else answer({"models": None})

    models, _ = await asked(OllamaAdapter, respond, lambda a: a.list_models())
    assert [m.capabilities is None for m in models] == [False, True, False, False]


async def test_ps_lists_what_is_in_memory() -> None:
    [model], _ = await asked(OllamaAdapter, lambda sent: tape("ollama/ps"), lambda a: a.ps())
    assert (model.id, model.loaded) == ("qwen2.5-coder:0.5b", True)
    assert model.details["expires_at"] == "2026-11-21T09:46:47.509818466Z"


async def test_an_empty_list_is_empty() -> None:
    models, _ = await asked(OllamaAdapter, lambda sent: tape("ollama/ps-empty"), lambda a: a.ps())
    assert models == []


# Health


async def test_health_has_the_version() -> None:
    table = {"GET /api/version": tape("ollama/version"), "GET /api/tags": tape("ollama/tags")}
    health, _ = await asked(OllamaAdapter, routes(table), lambda a: a.health())
    assert (health.version, health.detail) == ("0.9.3", "1 models")


async def test_health_needs_no_version() -> None:
    health, _ = await asked(
        OllamaAdapter, routes({"GET /api/tags": tape("olla/ollama-tags")}), lambda a: a.health()
    )
    assert health.version == ""


@pytest.mark.parametrize(
    ("script", "error"),
    [
        (tape("llamacpp/api-tags"), NotFound),
        (answer({"error": "Unexpected endpoint or method. (GET /api/version)"}), WrongService),
        (answer({"hello": "world"}), WrongService),
        (response("<html>Router</html>", kind="text/html"), WrongService),
    ],
)
async def test_health_knows_another_program(script: Script, error: type[BackendError]) -> None:
    with pytest.raises(error):
        await asked(OllamaAdapter, lambda sent: script, lambda a: a.health())


def test_hints_speak_of_ollama() -> None:
    adapter = OllamaAdapter(None, None)  # type: ignore[arg-type]
    assert "OLLAMA_HOST=0.0.0.0" in adapter.hint_for(CannotConnect())
    assert adapter.hint_for(CannotConnect(hint="Check the certificate.")) == "Check the certificate."
    assert adapter.hint_for(ServerError()) == ServerError.default_hint
    assert set(OllamaAdapter.hints) <= set(ErrorKind)


def test_requests_under_way_at_once_are_bounded() -> None:
    under_way, most = 0, 0

    class Slow(OllamaAdapter):
        async def show(self, model: str) -> ModelInfo:
            nonlocal under_way, most
            under_way += 1
            most = max(most, under_way)
            await asyncio.sleep(0)
            under_way -= 1
            return ModelInfo(id=model)

    asyncio.run(asked(Slow, routes({"GET /api/tags": names(30)}), lambda a: a.list_models()))
    assert most == 4


def test_request_is_json_with_the_model() -> None:
    sent = play(OllamaAdapter, ndjson(DONE)).server.requests[0]
    assert (sent.method, sent.path, sent.body["model"]) == ("POST", "/api/chat", "m")
    assert sent.headers["content-type"] == "application/json"
    assert json.dumps(sent.body["messages"]) == '[{"role": "user", "content": "Hello"}]'
