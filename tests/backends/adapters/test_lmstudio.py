"""LM Studio's native chat: the wire formats' vectors 86 to 97, and what goes over the wire."""

# ruff: noqa: E501 - one case a line

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from backends.adapters.base import Capability, Secret
from backends.adapters.errors import (
    AuthFailed,
    BadRequest,
    ContextOverflow,
    ModelNotFound,
    NotFound,
    ProtocolError,
    ServerError,
    StateLost,
    Truncated,
    WrongService,
)
from backends.adapters.events import (
    Finish,
    FinishReason,
    Phase,
    ReasoningDelta,
    Started,
    Status,
    TextDelta,
    ToolActivity,
    ToolState,
)
from backends.adapters.history import STATE_LOST
from backends.adapters.lmstudio import LMStudioAdapter
from backends.adapters.lmstudio_wire import chat_body, reasoning_setting
from backends.adapters.messages import (
    ChatMessage,
    ChatRequest,
    ImagePart,
    Reasoning,
    Role,
    SamplingOptions,
    TextPart,
    ToolSpec,
)
from tests.backends.adapters.contract import AdapterContract, Case, Used, check_rules
from tests.backends.adapters.test_vectors import HTTP
from tests.backends.adapters.wire import HELLO, Script, answer, asked, play, response, routes, sse

STOP = Finish(FinishReason.STOP)
OLD_PATH = {"error": "Unexpected endpoint or method. (POST /api/v1/chat)"}


def T(text: str) -> TextDelta:  # noqa: N802 - the notation of the vectors
    return TextDelta(text)


def event(name: str, **fields: Any) -> str:
    data = json.dumps({"type": name, **fields}, ensure_ascii=False)
    return f"event: {name}\ndata: {data}\n\n"


def end(output: list[Any] | None = None, response_id: str = "resp_1", **stats: float) -> str:
    result = {
        "model_instance_id": "m",
        "output": output or [],
        "stats": stats,
        "response_id": response_id,
    }
    return event("chat.end", result=result)


def said(text: str) -> str:
    return event("message.delta", content=text)


START = event("chat.start", model_instance_id="m")
DONE = Finish(FinishReason.STOP, "resp_1")
OUTPUT = [{"type": "message", "content": "Hi"}]
PROVIDER = {"type": "plugin", "plugin_id": "mcp/search"}
FAILURE = event("error", error={"type": "internal_error", "message": "x"})


def fails(message: str, status: int = 400, **error: Any) -> Script:
    return answer({"error": {"message": message, "type": "invalid_request", **error}}, status)


LOST = fails("Could not find stored response for previous_response_id 'resp_0'. Responses older than 30 days are automatically deleted.", param="previous_response_id", code="invalid_value")  # fmt: skip


class TestContract(AdapterContract):
    adapter = LMStudioAdapter
    cases = (
        Case(
            "86",
            sse(START, event("message.start"), said("Hi"), event("message.end"), end(OUTPUT, input_tokens=3, total_output_tokens=1, tokens_per_second=9.5, time_to_first_token_seconds=0.2)),
            (T("Hi"), Used(input_tokens=3, output_tokens=1, tokens_per_second=9.5, ttft_s=0.2), DONE),
        ),
        Case(
            "87 frames without a type",
            sse('event: message.delta\ndata: {"content":"Hi"}\n\n', 'event: chat.end\ndata: {"result":{"output":[{"type":"text","content":"Hi"}]}}\n\n'),
            (T("Hi"), STOP),
        ),
        Case("88 no increments", sse(START, end(OUTPUT)), (T("Hi"), DONE)),
        Case("88 the older name", sse(START, end([{"type": "text", "content": "Hi"}])), (T("Hi"), DONE)),
        Case(
            "89",
            sse(START, event("model_load.start"), event("model_load.progress", progress=0.5), event("model_load.end", load_time_seconds=9.1), event("prompt_processing.progress", progress=1.0), said("Hi"), end(OUTPUT, model_load_time_seconds=9.1)),
            (Status(Phase.LOADING, 0.0), Status(Phase.LOADING, 0.5), Status(Phase.LOADING, 1.0), Status(Phase.PROMPT, 1.0), T("Hi"), Used(load_s=9.1), DONE),
        ),
        Case(
            "90",
            sse(
                START,
                event("reasoning.delta", content="Hm."),
                event("tool_call.start", tool="search", provider_info=PROVIDER),
                event("tool_call.arguments", tool="search", arguments={"q": "x"}),
                event("tool_call.success", tool="search", arguments={"q": "x"}, output='["y"]'),
                said("A"), said("B"), end(OUTPUT),
            ),
            (
                ReasoningDelta("Hm."),
                ToolActivity("tool_0", "search", ToolState.PENDING, title="mcp/search"),
                ToolActivity("tool_0", "search", ToolState.RUNNING, {"q": "x"}, title="mcp/search"),
                ToolActivity("tool_0", "search", ToolState.DONE, {"q": "x"}, '["y"]', "mcp/search"),
                T("AB"), DONE,
            ),
        ),
        Case("91", sse(START, said("A"), FAILURE, end(OUTPUT)), (T("A"),), ServerError, "x", partial=True),
        Case("91 and then nothing", sse(START, FAILURE), (), ServerError, "x"),
        Case("92", sse(said("A"), end(OUTPUT, total_output_tokens=50)), (T("A"), Used(output_tokens=50), Finish(FinishReason.LENGTH, "resp_1")), request=replace(HELLO, sampling=SamplingOptions(max_tokens=50))),
        Case("96", sse(event("future.thing"), event("tool_call.future", tool="t"), said("A"), end(OUTPUT)), (T("A"), DONE)),
        Case("97", sse(START, said("A")), (T("A"),), Truncated, partial=True),
        Case("nothing at all", sse(), (), Truncated),
        Case("a reset", sse(START, said("A"), end="reset"), (T("A"),), Truncated, partial=True),
        Case("not JSON", sse(said("A"), "data: {oops\n\n"), (T("A"),), ProtocolError, "not JSON", partial=True),
        Case("JSON that is no object", sse("data: null\n\n", "data: [1]\n\n", "event: chat.start\ndata: 5\n\n", "data: [DONE]\n\n", said("A"), end(OUTPUT)), (T("A"), DONE)),
        Case("a tool that fails", sse(event("tool_call.failure", reason="no such tool", metadata={"type": "invalid_name", "tool_name": "t", "arguments": {"a": 1}}), said("A"), end(OUTPUT)), (ToolActivity("tool_0", "t", ToolState.ERROR, {"a": 1}, "no such tool"), T("A"), DONE)),
        Case(
            "all at once",
            answer({"model_instance_id": "m", "response_id": "resp_1", "stats": {"input_tokens": 3}, "output": [
                {"type": "reasoning", "content": "Hm."},
                {"type": "tool_call", "tool": "search", "arguments": {}, "output": "y", "provider_info": {"server_label": "s"}},
                {"type": "invalid_tool_call", "reason": "bad", "metadata": {"tool_name": "t"}},
                {"type": "message", "content": "Grüße, 世界 😀"}, None, {"type": "new"},
            ]}),
            (
                ReasoningDelta("Hm."),
                ToolActivity("tool_0", "search", ToolState.DONE, {}, "y", "s"),
                ToolActivity("tool_1", "t", ToolState.ERROR, None, "bad"),
                T("Grüße, 世界 😀"), Used(input_tokens=3), DONE,
            ),
        ),
        Case("an unknown model", fails('Invalid model identifier "x"', code="model_not_found", param="model"), (), ModelNotFound, "identifier", status=400),
        Case("an unknown model, told late", sse(START, event("error", error={"type": "model_not_found", "message": "gone"}), end()), (), ModelNotFound, "gone"),
        Case("too long", sse(START, event("error", error={"type": "internal_error", "message": "n_keep: 13055>= n_ctx: 4096"}), end()), (), ContextOverflow, "n_ctx"),
        Case("no token", fails("Missing API token", 401, code="invalid_api_key"), (), AuthFailed, "Missing", status=401),
    )  # fmt: skip


@pytest.mark.parametrize("case", HTTP, ids=str)
def test_what_servers_and_proxies_say_before_an_answer(case: Case) -> None:
    case.check(play(LMStudioAdapter, case.script))


def test_start_names_the_instance_that_answers() -> None:
    started = [
        item for item in play(LMStudioAdapter, sse(START, START, end())).raw if isinstance(item, Started)
    ]
    assert [item.model for item in started] == ["m"]


def test_the_id_of_a_failed_turn_is_not_given_back() -> None:
    played = play(LMStudioAdapter, sse(START, said("A"), FAILURE, end(OUTPUT)))
    assert not any(isinstance(item, Finish) for item in played.raw)


def test_calls_are_told_apart_by_their_tool() -> None:
    frames = [
        event("tool_call.start", tool="a"), event("tool_call.start", tool="b"),
        event("tool_call.success", tool="a", output="1"), event("tool_call.success", tool="b", output="2"),
        event("tool_call.start", tool="a"), event("tool_call.failure", reason="no"),
    ]  # fmt: skip
    seen = [item for item in play(LMStudioAdapter, sse(*frames, end())).raw if isinstance(item, ToolActivity)]
    assert [(item.id, item.state) for item in seen] == [
        ("tool_0", ToolState.PENDING), ("tool_1", ToolState.PENDING),
        ("tool_0", ToolState.DONE), ("tool_1", ToolState.DONE),
        ("tool_2", ToolState.PENDING), ("tool_2", ToolState.ERROR),
    ]  # fmt: skip


def test_an_endless_line_is_given_up() -> None:
    played = play(LMStudioAdapter, sse(*[b"x" * 65536] * 200))
    assert isinstance(played.error, ProtocolError)
    check_rules(played)
    assert played.server.transports[0].delivered < 9 * 1024 * 1024


# The request


IMAGE = ImagePart(b"\x89PNG", "image/png")
ITEM = {"type": "image", "data_url": "data:image/png;base64,iVBORw=="}
TALK = (
    ChatMessage.of(Role.USER, "Name a city."),
    ChatMessage.of(Role.ASSISTANT, "Rome."),
    ChatMessage.of(Role.USER, "And another?"),
)
CHAT = ChatRequest(model="m", messages=TALK, system="Be brief.", state={"response_id": "resp_0"})


def bodies(*scripts: Script, request: ChatRequest, **endpoint: Any) -> list[Any]:
    played = play(LMStudioAdapter, *scripts, request=request, **endpoint)
    return [sent.body for sent in played.server.requests]


def body(request: ChatRequest, previous: str = "", reasoning: str = "", **settings: str) -> dict[str, Any]:
    return chat_body(request, settings, previous, reasoning)


def test_a_first_question_is_a_plain_string_beside_the_system_prompt() -> None:
    assert body(replace(HELLO, system="Be brief.")) == {
        "model": "m", "input": "Hello", "system_prompt": "Be brief.", "stream": True,
    }  # fmt: skip


def test_only_fields_that_lm_studio_knows_are_sent() -> None:
    options = SamplingOptions(
        temperature=1.7, top_p=0.9, top_k=40, min_p=0.05, repeat_penalty=1.1, max_tokens=100,
        context_length=8192, keep_alive=60,
    )  # fmt: skip
    sent = body(replace(HELLO, sampling=options), reasoning="high", store="off", integrations="mcp/a, mcp/b,")
    assert sent == {
        "model": "m", "input": "Hello", "stream": True, "temperature": 1.0, "top_p": 0.9, "top_k": 40,
        "min_p": 0.05, "repeat_penalty": 1.1, "max_output_tokens": 100, "context_length": 8192,
        "reasoning": "high", "store": False, "integrations": ["mcp/a", "mcp/b"],
    }  # fmt: skip


def test_images_make_the_input_a_list_in_the_order_of_the_message() -> None:
    question = ChatMessage(Role.USER, (TextPart("What is"), IMAGE, TextPart(""), TextPart("this?")))
    assert body(replace(HELLO, messages=(question,)))["input"] == [
        {"type": "text", "content": "What is"}, ITEM, {"type": "text", "content": "this?"},
    ]  # fmt: skip


def test_a_chain_sends_only_what_is_new() -> None:
    assert bodies(sse(end(OUTPUT)), request=CHAT) == [
        {"model": "m", "input": "And another?", "stream": True, "previous_response_id": "resp_0"}
    ]


def test_without_a_chain_the_whole_conversation_is_one_text() -> None:
    [sent] = bodies(sse(end(OUTPUT)), request=replace(CHAT, state={}))
    assert sent["input"] == "User: Name a city.\n\nAssistant: Rome.\n\nUser: And another?"
    assert sent["system_prompt"] == "Be brief."
    assert "previous_response_id" not in sent


def test_images_of_earlier_turns_go_along() -> None:
    earlier = ChatMessage(Role.USER, (TextPart("What is this?"), IMAGE))
    [sent] = bodies(sse(end(OUTPUT)), request=replace(CHAT, messages=(earlier, *TALK[1:]), state={}))
    text = "User: What is this?\n[image 1]\n\nAssistant: Rome.\n\nUser: And another?"
    assert sent["input"] == [{"type": "text", "content": text}, ITEM]


def test_a_server_that_must_not_remember_gets_no_chain() -> None:
    [sent] = bodies(sse(end(OUTPUT)), request=CHAT, options={"store": "off"})
    assert "previous_response_id" not in sent
    assert sent["store"] is False


def test_vector_93_a_forgotten_turn_sends_the_whole_history_once() -> None:
    played = play(LMStudioAdapter, LOST, sse(START, said("Oslo."), end(OUTPUT)), request=CHAT)
    assert played.events == [Status(Phase.RETRYING, detail=STATE_LOST), T("Oslo."), DONE]
    first, second = (sent.body for sent in played.server.requests)
    assert first["previous_response_id"] == "resp_0"
    assert "previous_response_id" not in second
    assert second["input"].startswith("User: Name a city.")
    assert second["system_prompt"] == "Be brief."


def test_vector_93_a_second_failure_is_final() -> None:
    played = play(LMStudioAdapter, LOST, request=CHAT)
    assert type(played.error) is StateLost
    assert len(played.server.requests) == 2


def test_other_refusals_of_a_chained_turn_are_not_repeated() -> None:
    played = play(LMStudioAdapter, fails("temperature is wrong"), request=CHAT)
    assert type(played.error) is BadRequest
    assert len(played.server.requests) == 1


@pytest.mark.parametrize("wanted", ["text", "message"])
def test_vector_94_the_other_name_of_a_text_item(wanted: str) -> None:
    question = ChatMessage(Role.USER, (TextPart("What?"), IMAGE))
    refusal = fails(
        f"Invalid discriminator value. Expected '{wanted}' | 'image'", code="invalid_union", param="input"
    )
    played = play(LMStudioAdapter, refusal, sse(end(OUTPUT)), request=replace(HELLO, messages=(question,)))
    types = [sent.body["input"][0]["type"] for sent in played.server.requests]
    if wanted == "message":
        assert types == ["text", "message"]
        assert played.events == [T("Hi"), DONE]
    else:  # it is what was sent
        assert types == ["text"]
        assert type(played.error) is BadRequest


def test_vector_95_a_key_that_is_not_known_is_left_out_once() -> None:
    request = replace(HELLO, sampling=SamplingOptions(min_p=0.1, top_k=5))
    refusal = fails("Unrecognized key(s) in object: 'min_p'", code="unrecognized_keys")
    played = play(LMStudioAdapter, refusal, sse(end(OUTPUT)), request=request)
    assert played.events == [Status(Phase.RETRYING, detail="min_p"), T("Hi"), DONE]
    assert [("min_p" in sent.body, "top_k" in sent.body) for sent in played.server.requests] == [
        (True, True),
        (False, True),
    ]
    again = play(LMStudioAdapter, refusal, request=request)
    assert type(again.error) is BadRequest
    assert len(again.server.requests) == 2


# Reasoning


@pytest.mark.parametrize(
    ("wanted", "allowed", "sent"),
    [
        (Reasoning.OFF, ["off", "on"], "off"),
        (Reasoning.ON, ["off", "on"], "on"),
        (Reasoning.HIGH, ["off", "on"], "on"),
        (Reasoning.HIGH, ["low", "medium", "high"], "high"),
        (Reasoning.ON, ["low", "medium", "high"], "medium"),
        (Reasoning.OFF, ["low", "medium", "high"], ""),
        (Reasoning.LOW, [], ""),
        (Reasoning.LOW, None, "low"),
    ],
)
def test_each_model_gets_a_setting_of_its_own(
    wanted: Reasoning, allowed: list[str] | None, sent: str
) -> None:
    assert reasoning_setting(wanted, allowed) == sent


def thinking(level: Reasoning, model: str = "google/gemma") -> ChatRequest:
    return replace(HELLO, model=model, sampling=SamplingOptions(reasoning=level))


def test_the_list_of_models_tells_which_settings_there_are() -> None:
    sent = bodies(answer(LIST), sse(end(OUTPUT)), request=thinking(Reasoning.HIGH))
    assert sent[1]["reasoning"] == "on"


@pytest.mark.parametrize("script", [fails("no", 500), answer(OLD_PATH), answer({"models": []})])
def test_without_that_list_the_server_has_to_judge(script: Script) -> None:
    assert bodies(script, sse(end(OUTPUT)), request=thinking(Reasoning.LOW))[1]["reasoning"] == "low"


# What only /v1 can carry, and servers that have nothing else


COMPATIBLE = sse('data: {"choices":[{"delta":{"content":"Hi"},"finish_reason":"stop"}]}\n\n')


@pytest.mark.parametrize(
    "request_",
    [
        replace(CHAT, tools=(ToolSpec("f", "", {}),)),
        replace(CHAT, response_schema={"type": "object"}),
        replace(CHAT, sampling=SamplingOptions(seed=1)),
        replace(CHAT, sampling=SamplingOptions(stop=("END",))),
    ],
)
def test_tools_schemas_seeds_and_stop_words_go_by_way_of_v1(request_: ChatRequest) -> None:
    played = play(LMStudioAdapter, COMPATIBLE, request=request_)
    [sent] = played.server.requests
    assert sent.path == "/v1/chat/completions"
    assert [message["role"] for message in sent.body["messages"]] == ["system", "user", "assistant", "user"]
    assert played.events == [T("Hi"), STOP]


@pytest.mark.parametrize(
    "script", [answer(OLD_PATH), response("404 page not found", status=404, kind="text/plain")]
)
def test_servers_before_the_native_chat_are_asked_by_v1_with_the_whole_history(script: Script) -> None:
    played = play(LMStudioAdapter, script, COMPATIBLE, request=CHAT)
    assert played.events == [T("Hi"), STOP]
    assert [sent.path for sent in played.server.requests] == ["/api/v1/chat", "/v1/chat/completions"]
    assert len(played.server.requests[1].body["messages"]) == 4


def test_something_that_has_neither_says_so() -> None:
    played = play(LMStudioAdapter, response("404 page not found", status=404, kind="text/plain"))
    assert type(played.error) is NotFound
    assert type(play(LMStudioAdapter, answer(OLD_PATH)).error) is WrongService


@pytest.mark.parametrize(
    "base",
    [
        "http://server.test",
        "http://server.test/v1/",
        "http://server.test/api/v1",
        "http://server.test/api/v0",
    ],
)
def test_the_address_may_end_in_any_of_its_apis(base: str) -> None:
    assert play(LMStudioAdapter, sse(end()), base=base).server.requests[0].path == "/api/v1/chat"
    seeded = replace(HELLO, sampling=SamplingOptions(seed=1))
    assert (
        play(LMStudioAdapter, COMPATIBLE, base=base, request=seeded).server.requests[0].path
        == "/v1/chat/completions"
    )


def test_the_token_goes_as_bearer_and_never_comes_back() -> None:
    played = play(
        LMStudioAdapter, fails("Invalid token sk-lm-abcdef12", 401), api_key=Secret("sk-lm-abcdef12")
    )
    assert played.server.requests[0].headers["authorization"] == "Bearer sk-lm-abcdef12"
    assert "abcdef" not in played.error.message


# Models and health


LIST = {
    "models": [
        {
            "type": "llm", "publisher": "google", "key": "google/gemma", "display_name": "Gemma", "architecture": "gemma4",
            "quantization": {"name": "Q4_K_M", "bits_per_weight": 4}, "size_bytes": 17990911801, "params_string": "26B-A4B",
            "loaded_instances": [{"id": "google/gemma", "config": {"context_length": 4096, "parallel": 4}}, {"id": "google/gemma:2", "config": {}}],
            "max_context_length": 262144, "format": "gguf",
            "capabilities": {"vision": True, "trained_for_tool_use": True, "reasoning": {"allowed_options": ["off", "on"], "default": "on"}},
            "description": None, "variants": ["google/gemma@q4_k_m"], "selected_variant": "google/gemma@q4_k_m",
        },
        {"type": "embedding", "key": "nomic", "quantization": None, "params_string": None, "max_context_length": 2048, "loaded_instances": []},
        {"type": "llm", "key": "plain", "capabilities": {"vision": False, "trained_for_tool_use": False}},
        {"type": "llm"}, None, 5,
    ]
}  # fmt: skip


async def test_list_tells_what_each_model_can_do_and_whether_it_is_loaded() -> None:
    table = routes({"GET /api/v1/models": answer(LIST)})
    models, _ = await asked(LMStudioAdapter, table, lambda a: a.list_models())
    gemma, nomic, plain = models
    assert (gemma.id, gemma.name, gemma.family, gemma.parameter_size) == (
        "google/gemma",
        "Gemma",
        "gemma4",
        "26B-A4B",
    )
    assert (gemma.quantization, gemma.size_bytes, gemma.loaded) == ("Q4_K_M", 17990911801, True)
    assert (gemma.context_length, gemma.max_context_length) == (4096, 262144)
    assert gemma.capabilities == {Capability.CHAT, Capability.VISION, Capability.TOOLS, Capability.REASONING}
    assert gemma.details == {
        "owned_by": "google",
        "format": "gguf",
        "variant": "google/gemma@q4_k_m",
        "reasoning": "off, on",
    }
    assert (nomic.capabilities, nomic.loaded, nomic.context_length) == ({Capability.EMBEDDING}, False, 2048)
    assert (plain.capabilities, plain.name) == ({Capability.CHAT}, "plain")


V1 = {"data": [{"id": "llama", "object": "model"}]}
V0 = {"data": [{"id": "llama", "type": "llm", "state": "loaded", "loaded_context_length": 4096}]}


@pytest.mark.parametrize(
    "native",
    [{"error": "Unexpected endpoint or method. (GET /api/v1/models)"}, {"object": "list", "data": []}],
)
async def test_older_servers_list_by_v1(native: Any) -> None:
    table = routes(
        {"GET /api/v1/models": answer(native), "GET /v1/models": answer(V1), "GET /api/v0/models": answer(V0)}
    )
    [model], _ = await asked(LMStudioAdapter, table, lambda a: a.list_models())
    assert (model.id, model.loaded, model.context_length) == ("llama", True, 4096)
    health, _ = await asked(LMStudioAdapter, table, lambda a: a.health())
    assert health.detail == "1 models"


async def test_health_counts_models() -> None:
    health, server = await asked(LMStudioAdapter, lambda sent: answer(LIST), lambda a: a.health())
    assert health.detail == "3 models"
    assert [sent.path for sent in server.requests] == ["/api/v1/models"]


@pytest.mark.parametrize(
    ("script", "error"),
    [
        (answer({"hello": "world"}), WrongService),
        (answer({"models": None}), WrongService),
        (response("<html>", kind="text/html"), WrongService),
        (response("404", status=404, kind="text/plain"), NotFound),
        (fails("no", 401), AuthFailed),
    ],
)
async def test_health_of_something_else(script: Script, error: type[Exception]) -> None:
    with pytest.raises(error):
        await asked(LMStudioAdapter, lambda sent: script, lambda a: a.health())


async def test_embeddings_come_by_way_of_v1() -> None:
    table = routes({"POST /v1/embeddings": answer({"data": [{"index": 0, "embedding": [0.5, 1.0]}]})})
    vectors, _ = await asked(LMStudioAdapter, table, lambda a: a.embed("nomic", ["x"]))
    assert vectors == [[0.5, 1.0]]
