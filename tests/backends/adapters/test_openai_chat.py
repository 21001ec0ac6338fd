"""The OpenAI-compatible chat against recordings of llama.cpp, Ollama, oLLM and Olla."""

# ruff: noqa: E501 - one case a line

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from backends.adapters.base import Capability, Endpoint, Secret
from backends.adapters.errors import (
    AuthFailed,
    BackendError,
    BadRequest,
    ContextOverflow,
    ModelNotFound,
    NotFound,
    Overloaded,
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
from backends.adapters.openai_chat import OpenAIChatAdapter, api_base, root_base
from backends.adapters.openai_wire import chat_body
from tests.backends.adapters.contract import AdapterContract, Case, Used
from tests.backends.adapters.wire import (
    HELLO,
    Script,
    Sent,
    answer,
    asked,
    play,
    recorded,
    response,
    routes,
    sse,
)

STOP, CALLED = Finish(FinishReason.STOP), Finish(FinishReason.TOOL_CALLS)
FRANCE = TextDelta("The capital of France is Paris.")
PARIS = {"city": "Paris"}


def tape(name: str) -> Script:
    return Script((recorded(name),))


class TestContract(AdapterContract):
    adapter = OpenAIChatAdapter
    cases = (
        Case(
            "llama.cpp",
            tape("llamacpp/chat-stream"),
            (
                FRANCE,
                Used(
                    input_tokens=30,
                    output_tokens=8,
                    cached_tokens=0,
                    tokens_per_second=28.737873643675,
                    ttft_s=0.223051,
                    total_s=0.466632,
                ),
                STOP,
            ),
        ),
        Case(
            "llama.cpp at once",
            tape("llamacpp/chat"),
            (TextDelta("Bonjour"), Used(input_tokens=37, output_tokens=2, cached_tokens=5), STOP),
        ),
        Case(
            "llama.cpp writes a call in pieces",
            tape("llamacpp/tools-auto-stream"),
            (
                ToolCall("Fjlo5nmgWxm5CYdbpXiw4aRs8K2HCuVD", "get_weather", PARIS),
                Used(input_tokens=178, output_tokens=21),
                CALLED,
            ),
        ),
        Case(
            "llama.cpp writes a call at once",
            tape("llamacpp/tools-auto"),
            (
                ToolCall("oquCEqaT9nsFxdkRNRTeMSzhCKilkPg4", "get_weather", PARIS),
                Used(output_tokens=21),
                CALLED,
            ),
        ),
        Case(
            "a call that leaks as text stays text",
            tape("llamacpp/tools-result-stream"),
            (
                TextDelta('```json\n{"name": "get_weather", "arguments": {"city": "Paris"}}\n```'),
                Used(output_tokens=21),
                STOP,
            ),
        ),
        Case(
            "Ollama",
            tape("ollama/v1-chat-stream"),
            (TextDelta("The capital of Spain is Madrid."), Used(input_tokens=40, output_tokens=8), STOP),
        ),
        Case(
            "Ollama writes a whole call",
            tape("ollama/v1-toolcall-stream"),
            (ToolCall("call_nt5dydgo", "get_weather", PARIS), CALLED),
        ),
        Case("oLLM", tape("ollm/chat-stream"), (TextDelta("Italy's capital is Rome."), STOP)),
        Case("oLLM at once", tape("ollm/chat"), (FRANCE, STOP)),
        Case("Olla before Ollama", tape("olla/ollama-v1-chat-stream"), (FRANCE, STOP)),
        Case(
            "Olla before LM Studio", tape("olla/lmstudio-chat-stream"), (FRANCE, Used(output_tokens=8), STOP)
        ),
        Case("Olla before anything", tape("olla/proxy-chat-stream"), (FRANCE, Used(output_tokens=8), STOP)),
        Case(
            "characters of several bytes",
            sse('data: {"choices":[{"delta":{"content":"Grüße, 世界 😀"}}]}\n\ndata: [DONE]\n\n'),
            (TextDelta("Grüße, 世界 😀"), Finish(FinishReason.INCOMPLETE)),
        ),
        Case(
            "Ollama: unknown model",
            tape("ollama/v1-err-no-model"),
            (),
            ModelNotFound,
            "try pulling",
            status=404,
        ),
        Case(
            "oLLM: unknown model", tape("ollm/err-unknown-model"), (), ModelNotFound, "resolved", status=400
        ),
        Case(
            "llama.cpp's router: unknown model",
            tape("llamacpp/router-err-unknown"),
            (),
            ModelNotFound,
            status=400,
        ),
        Case("too long", tape("llamacpp/err-context-exceeded"), (), ContextOverflow, "8192", status=400),
        Case("no key", tape("llamacpp/auth-none"), (), AuthFailed, "Invalid API Key", status=401),
        Case("loading", tape("llamacpp/loading-chat"), (), Overloaded, "Loading model", status=503),
        Case("not started for this", tape("llamacpp/embeddings"), (), Unsupported, status=501),
        Case("wrong path", tape("llamacpp/err-unknown-route"), (), NotFound, "File Not Found", status=404),
        Case("Olla: wrong path", tape("olla/err-bad-prefix"), (), NotFound, "404 page", status=404),
        Case("Olla: no backend", tape("olla/err-unknown-model"), (), ServerError, "no healthy", status=502),
    )


def test_start_has_the_model_that_answers_its_id_and_the_machine() -> None:
    [started] = [
        e for e in play(OpenAIChatAdapter, tape("olla/proxy-chat-stream")).raw if isinstance(e, Started)
    ]
    assert started.model == "qwen2.5-coder-0.5b"
    assert started.response_id == "chatcmpl-K8EQr456A4olcNV1ub8CpQnxsiHPSjCt"
    assert started.headers["x-olla-backend-type"] == "lm-studio"


def chunk(delta: dict[str, Any], finish: str | None = None) -> str:
    return (
        "data: " + json.dumps({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}) + "\n\n"
    )


def calls(*fragments: dict[str, Any], finish: str = "tool_calls") -> list[ToolCall]:
    frames = [chunk({"tool_calls": [fragment]}) for fragment in fragments]
    events = play(OpenAIChatAdapter, sse(*frames, chunk({}, finish), "data: [DONE]\n\n")).events
    return [event for event in events if isinstance(event, ToolCall)]


def part(arguments: object = None, **fields: Any) -> dict[str, Any]:
    name = {"name": fields.pop("name")} if "name" in fields else {}
    return {**fields, "function": {**name, **({} if arguments is None else {"arguments": arguments})}}


def test_two_calls_that_both_claim_index_0_are_told_apart_by_their_ids() -> None:
    assert calls(part("{}", index=0, id="a", name="f"), part("{}", index=0, id="b", name="g")) == [
        ToolCall("a", "f", {}, index=0),
        ToolCall("b", "g", {}, index=1),
    ]


def test_pieces_of_two_calls_may_alternate() -> None:
    made = calls(
        part('{"x"', index=0, id="a", name="f"),
        part('{"y"', index=1, id="b", name="g"),
        part(":1}", index=0),
        part(":2}", index=1),
    )
    assert [call.arguments for call in made] == [{"x": 1}, {"y": 2}]


def test_an_empty_name_later_does_not_erase_the_first() -> None:
    assert calls(part("", index=0, id="a", name="f"), part("{}", index=0, id="", name="")) == [
        ToolCall("a", "f", {})
    ]


def test_arguments_may_come_as_an_object() -> None:
    assert calls(part({"x": 1}, index=0, id="a", name="f")) == [ToolCall("a", "f", {"x": 1})]


def test_arguments_that_are_no_object_are_kept_as_text() -> None:
    assert calls(part("[1]", index=0, id="a", name="f")) == [ToolCall("a", "f", {}, raw="[1]")]


def test_missing_and_doubled_ids_are_replaced() -> None:
    made = calls(
        part("{}", index=0, name="f"),
        part("{}", index=1, id="x", name="g"),
        part("{}", index=2, id="x", name="h"),
    )
    assert [call.id for call in made] == ["call_0", "x", "call_1"]


def test_the_old_function_call_is_read_too() -> None:
    frames = sse(
        chunk({"function_call": {"name": "f", "arguments": "{"}}),
        chunk({"function_call": {"arguments": "}"}}, "function_call"),
    )
    assert play(OpenAIChatAdapter, frames).events == [ToolCall("call_0", "f", {}), CALLED]


def test_only_the_first_choice_counts() -> None:
    frame = {
        "choices": [
            {"index": 1, "delta": {"content": "B"}},
            {"index": 0, "delta": {"content": "A"}, "finish_reason": "stop"},
        ]
    }
    assert play(OpenAIChatAdapter, sse(f"data: {json.dumps(frame)}\n\n")).events == [TextDelta("A"), STOP]


def test_content_may_be_a_list_of_parts() -> None:
    frames = sse(chunk({"content": [{"type": "text", "text": "A"}, {"type": "text", "text": "B"}]}, "stop"))
    assert play(OpenAIChatAdapter, frames).events == [TextDelta("AB"), STOP]


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("length", FinishReason.LENGTH),
        ("content_filter", FinishReason.CONTENT_FILTER),
        ("abort", FinishReason.UNKNOWN),
    ],
)
def test_reasons(reason: str, finish: FinishReason) -> None:
    assert play(OpenAIChatAdapter, sse(chunk({"content": "A"}, reason))).events == [
        TextDelta("A"),
        Finish(finish),
    ]


def test_a_body_that_does_not_stream_is_known_without_its_type() -> None:
    whole = {"choices": [{"message": {"content": "A"}, "finish_reason": "stop"}]}
    assert play(OpenAIChatAdapter, response(json.dumps(whole), kind="text/event-stream")).events == [
        TextDelta("A"),
        STOP,
    ]


def test_think_tags_stay_when_the_endpoint_says_so() -> None:
    frames = sse(chunk({"content": "<think>x</think>y"}, "stop"))
    played = play(OpenAIChatAdapter, frames, options={"think_tags": "off"})
    assert played.events == [TextDelta("<think>x</think>y"), STOP]


# The request


FULL = ChatRequest(
    model="m",
    system="Be brief.",
    messages=(
        ChatMessage(Role.USER, (TextPart("What is this?"), ImagePart(b"\x89PNG", "image/png"))),
        ChatMessage.of(Role.ASSISTANT, "A cat."),
        ChatMessage(Role.ASSISTANT, (ToolCallPart("c1", "weather", {"city": "Köln"}),), reasoning="hm"),
        ChatMessage(Role.TOOL, (ToolResultPart("c1", "weather", "18 C"),)),
    ),
    sampling=SamplingOptions(
        temperature=0.5, top_p=0.9, top_k=40, min_p=0.05, repeat_penalty=1.1, max_tokens=100, seed=7,
        stop=("END",), context_length=8192, keep_alive=-1, reasoning=Reasoning.HIGH,
    ),
    tools=(ToolSpec("weather", "The weather", {"type": "object"}),),
    response_schema={"type": "object"},
)  # fmt: skip


def test_request_has_everything_under_openais_names() -> None:
    assert chat_body(FULL, {"progress": "on"}) == {
        "model": "m",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "What is this?"},
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw=="}},
                ],
            },
            {"role": "assistant", "content": "A cat."},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Köln"}'}}
                ],
            },
            {"role": "tool", "tool_call_id": "c1", "content": "18 C"},
        ],
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0.5, "top_p": 0.9, "top_k": 40, "min_p": 0.05,
        "repeat_penalty": 1.1, "repetition_penalty": 1.1, "max_tokens": 100, "seed": 7, "stop": ["END"],
        "reasoning_effort": "high",
        "tools": [
            {
                "type": "function",
                "function": {"name": "weather", "description": "The weather", "parameters": {"type": "object"}},
            }
        ],
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "answer", "schema": {"type": "object"}, "strict": True},
        },
        "return_progress": True,
    }  # fmt: skip


def test_request_leaves_out_what_is_not_set() -> None:
    assert chat_body(HELLO, {}).keys() == {"model", "messages", "stream", "stream_options"}


def test_an_empty_schema_asks_for_any_json() -> None:
    assert chat_body(replace(HELLO, response_schema={}), {})["response_format"] == {"type": "json_object"}


def test_thinking_is_switched_off_in_both_ways_servers_know() -> None:
    body = chat_body(sampled(reasoning=Reasoning.OFF), {})
    assert body["reasoning_effort"] == "none"
    assert body["chat_template_kwargs"] == {"enable_thinking": False}


def sampled(**options: Any) -> ChatRequest:
    return replace(HELLO, sampling=SamplingOptions(**options))


# Servers that refuse a field


DONE = sse(chunk({"content": "A"}, "stop"), "data: [DONE]\n\n")


def refused(message: str, **more: Any) -> Script:
    return answer({"error": {"message": message, **more}}, 400)


def test_ollm_gets_the_request_again_without_stream_options() -> None:
    played = play(OpenAIChatAdapter, tape("ollm/err-stream-options"), tape("ollm/chat-stream"))
    assert played.events == [TextDelta("Italy's capital is Rome."), STOP]
    first, second = (sent.body for sent in played.server.requests)
    assert first.keys() - second.keys() == {"stream_options"}


@pytest.mark.parametrize(
    ("script", "options", "left_out"),
    [
        (refused("Unrecognized request arguments supplied: min_p, top_k"), {"min_p": 0.1, "top_k": 5}, {"min_p", "top_k"}),
        (refused("Unsupported value", param="temperature"), {"temperature": 0.2}, {"temperature"}),
        (refused("'seed' is not supported with this model"), {"seed": 1}, {"seed"}),
        (refused("Extra inputs are not permitted", param="chat_template_kwargs.x"), {"reasoning": Reasoning.ON}, {"chat_template_kwargs"}),
    ],
)  # fmt: skip
def test_an_option_that_is_refused_by_name_is_left_out_and_said_so(
    script: Script, options: dict[str, Any], left_out: set[str]
) -> None:
    played = play(OpenAIChatAdapter, script, DONE, request=sampled(**options))
    assert played.events == [Status(Phase.RETRYING, detail=", ".join(sorted(left_out))), TextDelta("A"), STOP]
    first, second = (sent.body for sent in played.server.requests)
    assert first.keys() - second.keys() == left_out


def test_openai_gets_max_completion_tokens() -> None:
    wants = refused(
        "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.", param="max_tokens"
    )
    played = play(OpenAIChatAdapter, wants, DONE, request=sampled(max_tokens=9))
    assert played.events == [TextDelta("A"), STOP]
    assert "max_tokens" not in played.server.requests[1].body
    assert played.server.requests[1].body["max_completion_tokens"] == 9


def test_tools_are_never_left_out() -> None:
    request = replace(HELLO, tools=(ToolSpec("f", "", {}),))
    played = play(OpenAIChatAdapter, tape("ollm/err-tools"), request=request)
    assert isinstance(played.error, Unsupported)
    assert len(played.server.requests) == 1


def test_a_server_that_refuses_forever_is_asked_four_times_at_most() -> None:
    fields = iter(["min_p", "top_k", "seed", "temperature", "top_p"])
    server_says = [refused(f"unknown field {name}") for name in fields]
    request = sampled(min_p=0.1, top_k=1, seed=1, temperature=1.0, top_p=1.0)
    played = play(OpenAIChatAdapter, *server_says, request=request)
    assert isinstance(played.error, BadRequest)
    assert len(played.server.requests) == 4


def test_a_refusal_of_something_else_is_final() -> None:
    played = play(
        OpenAIChatAdapter, refused("temperature must be between 0 and 2"), request=sampled(temperature=9.0)
    )
    assert isinstance(played.error, BadRequest)
    assert len(played.server.requests) == 1


# Addresses


@pytest.mark.parametrize(
    ("given", "api", "root"),
    [
        ("http://h:8080", "http://h:8080/v1", "http://h:8080"),
        ("http://h:8080/", "http://h:8080/v1", "http://h:8080"),
        ("http://h:8080/v1", "http://h:8080/v1", "http://h:8080"),
        ("http://h:8080/v1/", "http://h:8080/v1", "http://h:8080"),
        ("http://h/olla/openai", "http://h/olla/openai/v1", "http://h/olla/openai"),
        ("https://h/v1beta/openai", "https://h/v1beta/openai", "https://h/v1beta/openai"),
        ("https://h/api/v3", "https://h/api/v3", "https://h/api/v3"),
        ("http://v1", "http://v1/v1", "http://v1"),
    ],
)
def test_the_version_may_be_in_the_address_or_not(given: str, api: str, root: str) -> None:
    assert (api_base(given), root_base(given)) == (api, root)


@pytest.mark.parametrize("base", ["http://server.test", "http://server.test/v1", "http://server.test/v1/"])
def test_the_path_has_one_version(base: str) -> None:
    assert play(OpenAIChatAdapter, DONE, base=base).server.requests[0].path == "/v1/chat/completions"


# Models and health


LLAMA = {
    "GET /v1/models": tape("llamacpp/models"),
    "GET /props": tape("llamacpp/props"),
    "GET /health": tape("llamacpp/health"),
}


async def models_of(
    table: dict[str, Script], base: str = "http://server.test"
) -> tuple[list[Any], list[str]]:
    models, server = await asked(OpenAIChatAdapter, routes(table), lambda a: a.list_models(), base)
    return models, [sent.path for sent in server.requests]


async def test_llamacpp_tells_its_window_and_what_it_can_do() -> None:
    [model], paths = await models_of(LLAMA)
    assert paths == ["/v1/models", "/props"]
    assert (model.id, model.context_length, model.max_context_length) == ("qwen2.5-coder-0.5b", 8192, 32768)
    assert model.capabilities == {Capability.CHAT, Capability.COMPLETION, Capability.TOOLS}
    assert (model.quantization, model.parameter_size, model.size_bytes) == (
        "Q4_K - Medium",
        "630M",
        485452288,
    )
    assert model.details["file"] == "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf"  # not where it lies
    assert model.details["build"].startswith("b")


async def test_llamacpp_without_props_still_lists() -> None:
    [model], _ = await models_of({"GET /v1/models": tape("llamacpp/models")})
    assert (model.context_length, model.capabilities) == (8192, {Capability.CHAT})


async def test_a_router_is_not_asked_for_props() -> None:
    models, paths = await models_of({"GET /v1/models": tape("llamacpp/router-models")})
    assert [model.loaded for model in models] == [False, False]
    assert paths == ["/v1/models"]


VISION = {"modalities": {"vision": True}, "default_generation_settings": {"n_ctx": 2048}}


async def test_llamacpp_tells_that_it_can_see() -> None:
    [model], _ = await models_of({**LLAMA, "GET /props": answer(VISION)})
    assert Capability.VISION in model.capabilities
    assert Capability.TOOLS not in model.capabilities
    assert model.context_length == 2048


LMSTUDIO = {
    "object": "list",
    "data": [
        {
            "id": "qwen2-vl-7b", "object": "model", "type": "vlm", "publisher": "q", "arch": "qwen2_vl",
            "quantization": "4bit", "state": "not-loaded", "max_context_length": 32768,
        },
        {
            "id": "llama", "object": "model", "type": "llm", "arch": "llama", "quantization": "Q4_K_M",
            "state": "loaded", "max_context_length": 131072, "loaded_context_length": 4096, "capabilities": ["tool_use"],
        },
        {"id": "nomic", "object": "model", "type": "embeddings", "state": "not-loaded", "max_context_length": 2048},
    ],
}  # fmt: skip
PLAIN = {
    "object": "list",
    "data": [{"id": i, "object": "model"} for i in ("llama", "nomic", "qwen2-vl-7b", "new")],
}


async def test_lmstudio_tells_more_in_a_list_of_its_own() -> None:
    models, _ = await models_of({"GET /v1/models": answer(PLAIN), "GET /api/v0/models": answer(LMSTUDIO)})
    llama, nomic, qwen, new = models
    assert (llama.loaded, llama.context_length, llama.max_context_length, llama.family) == (
        True,
        4096,
        131072,
        "llama",
    )
    assert llama.capabilities == {Capability.CHAT, Capability.TOOLS}
    assert nomic.capabilities == {Capability.EMBEDDING}
    assert (qwen.loaded, qwen.capabilities) == (False, {Capability.CHAT, Capability.VISION})
    assert (new.id, new.capabilities) == ("new", None)


async def test_other_servers_do_not_have_that_list() -> None:
    refusal = answer({"error": "Unexpected endpoint or method. (GET /api/v0/models)"})
    for script in (
        refusal,
        tape("llamacpp/lmstudio-models"),
        response("<html>", kind="text/html"),
        answer([1]),
    ):
        models, _ = await models_of(
            {"GET /v1/models": tape("ollama/v1-models"), "GET /api/v0/models": script}
        )
        assert [model.id for model in models] == ["qwen2.5-coder:0.5b"]


@pytest.mark.parametrize(
    ("payload", "ids"),
    [
        ({"object": "list", "data": None}, []),
        ({"data": [], "models": [{"name": "a"}]}, ["a"]),
        ({"models": [{"name": "a", "context_window": 4096}]}, ["a"]),
        ([{"id": "a"}, {"id": ""}, None, 5], ["a"]),
    ],
)
async def test_every_dialect_of_a_list(payload: object, ids: list[str]) -> None:
    models, _ = await models_of({"GET /v1/models": answer(payload)})
    assert [model.id for model in models] == ids


async def test_vllm_tells_its_window() -> None:
    [model], _ = await models_of({"GET /v1/models": answer({"data": [{"id": "m", "max_model_len": 4096}]})})
    assert (model.context_length, model.max_context_length) == (4096, 4096)


async def test_openrouter_tells_what_a_model_takes() -> None:
    entry = {
        "id": "m",
        "context_length": 1000,
        "architecture": {"input_modalities": ["text", "image"]},
        "supported_parameters": ["tools", "reasoning", "seed"],
    }
    [model], _ = await models_of({"GET /v1/models": answer({"data": [entry]})})
    assert model.capabilities == {Capability.CHAT, Capability.VISION, Capability.TOOLS, Capability.REASONING}


@pytest.mark.parametrize("name", ["ollm/models", "olla/openai-models", "olla/models"])
async def test_recorded_lists(name: str) -> None:
    models, _ = await models_of(
        {"GET /v1/models": tape(name), "GET /api/v0/models": tape("olla/lmstudio-api-v0-models")}
    )
    assert any("qwen2.5-coder" in model.id for model in models)


async def test_something_that_is_no_list_is_another_program() -> None:
    with pytest.raises(WrongService):
        await models_of({"GET /v1/models": answer({"hello": "world"})})


async def test_health_of_llamacpp() -> None:
    health, _ = await asked(OpenAIChatAdapter, routes(LLAMA), lambda a: a.health())
    assert (health.slots, health.detail) == (2, "1 models")
    assert health.version


async def test_health_without_a_health_page() -> None:
    health, _ = await asked(
        OpenAIChatAdapter, routes({"GET /v1/models": tape("ollm/models")}), lambda a: a.health()
    )
    assert (health.slots, health.detail) == (None, "8 models")


async def test_health_while_loading() -> None:
    with pytest.raises(Overloaded, match="Loading model"):
        await asked(
            OpenAIChatAdapter, routes({"GET /health": tape("llamacpp/loading-health")}), lambda a: a.health()
        )


@pytest.mark.parametrize(
    ("script", "error"),
    [
        (tape("llamacpp/auth-none"), AuthFailed),
        (answer({"error": "Unexpected endpoint or method. (GET /v1/models)"}), WrongService),
        (response("<html>", kind="text/html"), WrongService),
    ],
)
async def test_health_tells_what_is_wrong(script: Script, error: type[BackendError]) -> None:
    with pytest.raises(error):
        await asked(OpenAIChatAdapter, lambda sent: script, lambda a: a.health())


def test_key_goes_as_bearer() -> None:
    played = play(OpenAIChatAdapter, DONE, api_key=Secret("sk-1234567"))
    sent: Sent = played.server.requests[0]
    assert sent.headers["authorization"] == "Bearer sk-1234567"
    assert "sk-1234567" not in repr(Endpoint("http://x", api_key=Secret("sk-1234567")))
