"""The Responses API: recordings of llama.cpp and oLLM, the wire formats' vectors 126 to 130, chains."""

# ruff: noqa: E501 - one case a line

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from backends.adapters.errors import (
    BackendError,
    BadRequest,
    ModelNotFound,
    NotFound,
    ProtocolError,
    ServerError,
    StateLost,
    Truncated,
    Unsupported,
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
    ToolCall,
    ToolState,
)
from backends.adapters.history import STATE_LOST
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
from backends.adapters.openai_responses import OpenAIResponsesAdapter
from backends.adapters.responses_wire import responses_body
from tests.backends.adapters.contract import AdapterContract, Case, Used, check_rules
from tests.backends.adapters.test_vectors import HTTP
from tests.backends.adapters.wire import HELLO, Script, answer, asked, play, recorded, response, routes, sse

STOP, CALLED, LENGTH = Finish(FinishReason.STOP), Finish(FinishReason.TOOL_CALLS), Finish(FinishReason.LENGTH)


def T(text: str) -> TextDelta:  # noqa: N802 - the notation of the vectors
    return TextDelta(text)


def tape(name: str) -> Script:
    return Script((recorded(name),))


def event(kind: str, **fields: Any) -> str:
    data = json.dumps({"type": kind, **fields}, ensure_ascii=False)
    return f"event: {kind}\ndata: {data}\n\n"


def ended(how: str = "completed", **fields: Any) -> str:
    return event(f"response.{how}", response={"id": "resp_1", "status": how, "output": [], **fields})


def said(text: str, item: str = "msg_1") -> str:
    return event("response.output_text.delta", item_id=item, output_index=0, delta=text)


def created(**fields: Any) -> str:
    return event(
        "response.created", response={"id": "resp_1", "model": "m", "status": "in_progress", **fields}
    )


def added(item: dict[str, Any], index: int = 0) -> str:
    return event("response.output_item.added", output_index=index, item=item)


def done(item: dict[str, Any], index: int = 0) -> str:
    return event("response.output_item.done", output_index=index, item=item)


CREATED = created()
USAGE = {"input_tokens": 9, "output_tokens": 3, "total_tokens": 12, "input_tokens_details": {"cached_tokens": 4}, "output_tokens_details": {"reasoning_tokens": 2}}  # fmt: skip
USED = Used(input_tokens=9, output_tokens=3, cached_tokens=4, reasoning_tokens=2)
CALL = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "f", "arguments": "", "status": "in_progress"}  # fmt: skip
WHOLE = {**CALL, "arguments": '{"a":1}', "status": "completed"}
CALL_1 = ToolCall("call_1", "f", {"a": 1})
PIECES = [
    event("response.function_call_arguments.delta", item_id="fc_1", delta=piece) for piece in ('{"a"', ":1}")
]
MESSAGE = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hi"}]}
LIMIT = replace(HELLO, sampling=SamplingOptions(max_tokens=3))


def refusal(message: str, status: int = 400, **error: Any) -> Script:
    return answer({"error": {"message": message, "type": "invalid_request_error", **error}}, status)


class TestContract(AdapterContract):
    adapter = OpenAIResponsesAdapter
    cases = (
        Case(
            "llama.cpp",
            tape("llamacpp/responses-stream"),
            (T("The capital of Spain is Madrid."), Used(input_tokens=40, output_tokens=8, cached_tokens=27, tokens_per_second=25.10013159640423, ttft_s=0.136192, total_s=0.415075), STOP),
        ),
        Case("llama.cpp at once", tape("llamacpp/responses"), (T("The capital of Spain is Madrid."), Used(input_tokens=40, output_tokens=8), STOP)),
        Case("oLLM", tape("ollm/responses-stream"), (T("Spain's capital is Madrid."), Finish(FinishReason.STOP, "resp_d3d91dd4ef8a49399f252be2f7539e2f"))),
        Case("126", sse(CREATED, event("response.in_progress", response={"id": "resp_1"}), said("Hi"), ended(usage=USAGE)), (T("Hi"), USED, STOP)),
        Case("127", sse(CREATED, added(CALL), *PIECES, done({**CALL, "status": "completed"}), ended()), (CALL_1, CALLED)),
        Case("127 in whole", sse(CREATED, added(CALL), done(WHOLE), ended(output=[WHOLE])), (CALL_1, CALLED)),
        Case("127 with the arguments at the end", sse(CREATED, added(CALL), event("response.function_call_arguments.done", item_id="fc_1", arguments='{"a":1}'), ended()), (CALL_1, CALLED)),
        Case("127 only in the whole output", sse(CREATED, ended(output=[WHOLE])), (CALL_1, CALLED)),
        Case(
            "two calls without ids of items",
            sse(CREATED, added({"type": "function_call", "call_id": "a", "name": "f"}, 0), added({"type": "function_call", "call_id": "b", "name": "g"}, 1),
                event("response.function_call_arguments.delta", output_index=1, delta="{}"), event("response.function_call_arguments.delta", output_index=0, delta='{"a":1}'), ended()),
            (ToolCall("a", "f", {"a": 1}), ToolCall("b", "g", {}, index=1), CALLED),
        ),
        Case("arguments that are no JSON", sse(CREATED, done({**WHOLE, "arguments": '{"a":'}), ended()), (ToolCall("call_1", "f", {}, '{"a":'), CALLED)),
        Case("128", sse(CREATED, said("A"), ended("incomplete", incomplete_details={"reason": "max_output_tokens"}, usage=USAGE)), (T("A"), USED, LENGTH)),
        Case("128 in the middle of a call", sse(CREATED, added(CALL), PIECES[0], done({**CALL, "status": "incomplete"}), ended("incomplete", incomplete_details={"reason": "max_output_tokens"}, output=[{**CALL, "status": "incomplete"}])), (LENGTH,)),
        Case("128 filtered", sse(CREATED, ended("incomplete", incomplete_details={"reason": "content_filter"})), (Finish(FinishReason.CONTENT_FILTER),)),
        Case("128 for another reason", sse(CREATED, ended("incomplete")), (Finish(FinishReason.INCOMPLETE),)),
        Case("cut, but called completed", sse(CREATED, said("A"), ended(usage=USAGE)), (T("A"), USED, LENGTH), request=LIMIT),
        Case("129", sse(CREATED, said("A"), ended("failed", error={"code": "server_error", "message": "boom"})), (T("A"),), ServerError, "boom", partial=True),
        Case("129 without a word", sse(CREATED, ended("failed", error=None)), (), ServerError, "failed"),
        Case("129 as an error", sse(CREATED, event("error", code="server_error", message="boom", param=None)), (), ServerError, "boom"),
        Case("129 as an object", sse('event: error\ndata: {"error":{"message":"boom"}}\n\n'), (), ServerError, "boom"),
        Case("130", sse(CREATED, said("A")), (T("A"),), Truncated, partial=True),
        Case("130 with OpenAI's mark", sse(CREATED, said("A"), "data: [DONE]\n\n"), (T("A"),), Truncated, partial=True),
        Case("a reset", sse(CREATED, said("A"), end="reset"), (T("A"),), Truncated, partial=True),
        Case("not JSON", sse(said("A"), "data: {oops\n\n"), (T("A"),), ProtocolError, "not JSON", partial=True),
        Case("JSON that is no object", sse("data: null\n\n", "data: [1]\n\n", "event: error\ndata: 5\n\n", said("Grüße 😀"), ended()), (T("Grüße 😀"), STOP)),
        Case("no increment", sse(CREATED, event("response.output_text.done", item_id="msg_1", text="Hi"), ended(output=[MESSAGE])), (T("Hi"), STOP)),
        Case("no increment of the second text", sse(CREATED, said("A"), event("response.output_text.done", item_id="msg_1", text="A"), event("response.output_text.done", item_id="msg_2", text="B"), ended()), (T("AB"), STOP)),
        Case("only the whole output", sse(CREATED, ended(output=[{"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}]}, MESSAGE])), (ReasoningDelta("Hm."), T("Hi"), STOP)),
        Case("a refusal", sse(CREATED, event("response.refusal.delta", item_id="m", delta="No."), ended()), (T("No."), STOP)),
        Case("thoughts", sse(CREATED, event("response.reasoning_text.delta", delta="Hm."), event("response.reasoning_summary_text.delta", delta="Short."), said("A"), ended()), (ReasoningDelta("Hm."), T("A"), STOP)),
        Case("a summary of thoughts", sse(CREATED, event("response.reasoning_summary_text.delta", delta="Short."), said("A"), ended()), (ReasoningDelta("Short."), T("A"), STOP)),
        Case("queued", sse(event("response.queued", response={"id": "resp_1"}), CREATED, said("A"), ended()), (Status(Phase.QUEUED), T("A"), STOP)),
        Case("cancelled", sse(CREATED, said("A"), ended("cancelled")), (T("A"), Finish(FinishReason.CANCELLED))),
        Case(
            "tools of the server",
            sse(
                CREATED,
                added({"type": "web_search_call", "id": "ws_1", "status": "in_progress"}), done({"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"query": "x"}}),
                added({"type": "mcp_call", "id": "m_1", "name": "look", "server_label": "s", "arguments": '{"q":1}'}), done({"type": "mcp_call", "id": "m_1", "name": "look", "server_label": "s", "arguments": '{"q":1}', "error": {"message": "no"}}),
                added({"type": "reasoning", "id": "r"}), event("response.web_search_call.searching", item_id="ws_1"), said("A"), ended(),
            ),
            (
                ToolActivity("ws_1", "web_search", ToolState.RUNNING), ToolActivity("ws_1", "web_search", ToolState.DONE, {"query": "x"}),
                ToolActivity("m_1", "look", ToolState.RUNNING, {"q": 1}, title="s"), ToolActivity("m_1", "look", ToolState.ERROR, {"q": 1}, "no", "s"),
                T("A"), STOP,
            ),
        ),
        Case("no such API (Ollama before 0.13)", tape("ollama/v1-responses"), (), NotFound, "404 page", status=404),
        Case("no such API (LM Studio before 0.3.29)", answer({"error": "Unexpected endpoint or method. (POST /v1/responses)"}), (), WrongService, "Unexpected"),
        Case("unknown model", refusal("The model 'x' does not exist", 404, code="model_not_found"), (), ModelNotFound, status=404),
    )  # fmt: skip


@pytest.mark.parametrize("case", HTTP, ids=str)
def test_what_servers_and_proxies_say_before_an_answer(case: Case) -> None:
    case.check(play(OpenAIResponsesAdapter, case.script))


def test_an_endless_line_is_given_up() -> None:
    played = play(OpenAIResponsesAdapter, sse(*[b"x" * 65536] * 200))
    assert isinstance(played.error, ProtocolError)
    check_rules(played)
    assert played.server.transports[0].delivered < 9 * 1024 * 1024


def test_start_names_the_model_and_the_response() -> None:
    [started] = [
        item
        for item in play(OpenAIResponsesAdapter, sse(CREATED, CREATED, ended())).raw
        if isinstance(item, Started)
    ]
    assert (started.model, started.response_id) == ("m", "resp_1")


# The request


FULL = ChatRequest(
    model="m",
    system="Be brief.",
    messages=(
        ChatMessage(Role.USER, (TextPart("What is this?"), ImagePart(b"\x89PNG", "image/png"))),
        ChatMessage.of(Role.ASSISTANT, "A cat."),
        ChatMessage(Role.ASSISTANT, (TextPart("Look:"), ToolCallPart("c1", "weather", {"city": "Köln"}))),
        ChatMessage(Role.TOOL, (ToolResultPart("c1", "weather", "18 C"),)),
    ),
    sampling=SamplingOptions(
        temperature=0.5, top_p=0.9, top_k=40, min_p=0.05, repeat_penalty=1.1, max_tokens=100, seed=7,
        stop=("END",), context_length=8192, keep_alive=-1, reasoning=Reasoning.HIGH,
    ),
    tools=(ToolSpec("weather", "The weather", {"type": "object"}),),
    response_schema={"type": "object"},
)  # fmt: skip


def test_request_has_everything_as_typed_items() -> None:
    assert responses_body(FULL, {"store": "off"}, "") == {
        "model": "m",
        "instructions": "Be brief.",
        "input": [
            {"type": "message", "role": "user", "content": [
                {"type": "input_text", "text": "What is this?"},
                {"type": "input_image", "image_url": "data:image/png;base64,iVBORw==", "detail": "auto"},
            ]},
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "A cat."}]},
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Look:"}]},
            {"type": "function_call", "call_id": "c1", "name": "weather", "arguments": '{"city": "Köln"}'},
            {"type": "function_call_output", "call_id": "c1", "output": "18 C"},
        ],
        "stream": True,
        "temperature": 0.5, "top_p": 0.9, "max_output_tokens": 100,
        "reasoning": {"effort": "high", "summary": "auto"},
        "tools": [{"type": "function", "name": "weather", "description": "The weather", "parameters": {"type": "object"}}],
        "text": {"format": {"type": "json_schema", "name": "answer", "schema": {"type": "object"}, "strict": True}},
        "store": False,
    }  # fmt: skip


def test_request_leaves_out_what_is_not_set() -> None:
    assert responses_body(HELLO, {}, "").keys() == {"model", "input", "stream"}


def test_an_empty_schema_asks_for_any_json() -> None:
    body = responses_body(replace(HELLO, response_schema={}), {}, "")
    assert body["text"] == {"format": {"type": "json_object"}}


@pytest.mark.parametrize(
    ("level", "sent"),
    [
        (Reasoning.OFF, {"effort": "none"}),
        (Reasoning.ON, {"summary": "auto"}),
        (Reasoning.LOW, {"effort": "low", "summary": "auto"}),
    ],
)
def test_thinking_is_an_effort_and_a_summary(level: Reasoning, sent: dict[str, str]) -> None:
    assert responses_body(thinking(level), {}, "")["reasoning"] == sent


def thinking(level: Reasoning) -> ChatRequest:
    return replace(HELLO, sampling=SamplingOptions(reasoning=level))


def test_a_summary_that_is_refused_leaves_the_effort() -> None:
    script = refusal(
        "Your organization must be verified", param="reasoning.summary", code="unsupported_value"
    )
    played = play(OpenAIResponsesAdapter, script, sse(said("A"), ended()), request=thinking(Reasoning.LOW))
    assert [sent.body["reasoning"] for sent in played.server.requests] == [
        {"effort": "low", "summary": "auto"},
        {"effort": "low"},
    ]
    assert played.events == [T("A"), STOP]


def test_an_option_that_is_refused_is_left_out_and_said_so() -> None:
    script = refusal("Unsupported parameter: 'temperature'", param="temperature")
    request = replace(HELLO, sampling=SamplingOptions(temperature=0.5))
    played = play(OpenAIResponsesAdapter, script, sse(said("A"), ended()), request=request)
    assert played.events == [Status(Phase.RETRYING, detail="temperature"), T("A"), STOP]


@pytest.mark.parametrize(
    ("script", "error"), [(refusal("'tools' are not supported"), Unsupported), (refusal("bad"), BadRequest)]
)
def test_other_refusals_are_final(script: Script, error: type[BackendError]) -> None:
    played = play(OpenAIResponsesAdapter, script, request=FULL)
    assert type(played.error) is error
    assert len(played.server.requests) == 1


# Chains


CHAT = ChatRequest(
    model="m",
    messages=(
        ChatMessage.of(Role.USER, "Name a city."),
        ChatMessage.of(Role.ASSISTANT, "Rome."),
        ChatMessage.of(Role.USER, "And another?"),
    ),
    system="Be brief.",
    state={"response_id": "resp_0"},
)
STORED = Finish(FinishReason.STOP, "resp_1")
REMEMBERS = sse(created(store=True, previous_response_id="resp_0"), said("Oslo."), ended(store=True))


def texts(body: dict[str, Any]) -> list[str]:
    return [piece["text"] for item in body["input"] for piece in item["content"]]


def test_a_chain_sends_only_what_is_new_and_the_instructions() -> None:
    played = play(OpenAIResponsesAdapter, REMEMBERS, request=CHAT)
    [sent] = played.server.requests
    assert sent.body["previous_response_id"] == "resp_0"
    assert sent.body["instructions"] == "Be brief."
    assert texts(sent.body) == ["And another?"]
    assert played.events == [T("Oslo."), STORED]


@pytest.mark.parametrize(
    "script",
    [sse(created(store=False), said("A"), ended(store=False)), sse(created(), said("A"), ended())],
)
def test_a_server_that_does_not_say_it_stores_gives_no_id(script: Script) -> None:
    assert play(OpenAIResponsesAdapter, script).events == [T("A"), STOP]


IGNORES = sse(created(store=False, previous_response_id=None), said("Hello?"), ended())
FORGOT = [
    refusal("Previous response with id 'resp_0' not found.", param="previous_response_id", code="previous_response_not_found"),
    refusal("Response with id 'resp_0' not found.", 404, param="response_id"),
    refusal("llama.cpp does not support 'previous_response_id'."),
    answer({"detail": "previous_response_id requires a configured response-store backend"}, 400),
    IGNORES,
]  # fmt: skip


@pytest.mark.parametrize("script", FORGOT)
def test_a_server_that_forgot_gets_all_items_once(script: Script) -> None:
    played = play(OpenAIResponsesAdapter, script, sse(CREATED, said("Oslo."), ended()), request=CHAT)
    assert played.events == [Status(Phase.RETRYING, detail=STATE_LOST), T("Oslo."), STOP]
    check_rules(played)
    second = played.server.requests[1].body
    assert "previous_response_id" not in second
    assert texts(second) == ["Name a city.", "Rome.", "And another?"]


def test_a_second_complaint_is_final() -> None:
    played = play(OpenAIResponsesAdapter, FORGOT[0], request=CHAT)
    assert type(played.error) is StateLost
    assert len(played.server.requests) == 2


def test_a_server_that_must_not_store_gets_no_chain() -> None:
    played = play(OpenAIResponsesAdapter, REMEMBERS, request=CHAT, options={"store": "off"})
    [sent] = played.server.requests
    assert "previous_response_id" not in sent.body
    assert sent.body["store"] is False


def test_results_of_tools_are_what_is_new_after_a_call() -> None:
    request = replace(FULL, state={"response_id": "resp_0"})
    played = play(OpenAIResponsesAdapter, REMEMBERS, request=request)
    assert [item["type"] for item in played.server.requests[0].body["input"]] == ["function_call_output"]


def test_a_chain_without_anything_new_sends_everything() -> None:
    request = replace(CHAT, messages=CHAT.messages[:2])
    played = play(OpenAIResponsesAdapter, REMEMBERS, request=request)
    assert texts(played.server.requests[0].body) == ["Name a city.", "Rome."]


# Kept responses


KEPT = {"id": "resp/1", "object": "response", "status": "completed", "model": "m", "store": True, "output": [MESSAGE], "usage": USAGE}  # fmt: skip


async def test_a_kept_response_is_read_again() -> None:
    table = routes({"GET /v1/responses/resp%2F1": answer(KEPT)})
    events, _ = await asked(OpenAIResponsesAdapter, table, lambda a: a.retrieve("resp/1"))
    assert events == [Started("m", "resp/1"), T("Hi"), USED, Finish(FinishReason.STOP, "resp/1")]


async def test_one_that_is_still_written_has_no_end() -> None:
    events, _ = await asked(
        OpenAIResponsesAdapter,
        lambda sent: answer({**KEPT, "status": "in_progress"}),
        lambda a: a.retrieve("x"),
    )
    assert events == [Started("m", "resp/1")]


async def test_a_response_is_deleted() -> None:
    table = routes({"DELETE /v1/responses/resp_1": answer({"id": "resp_1", "deleted": True})})
    _, server = await asked(OpenAIResponsesAdapter, table, lambda a: a.delete("resp_1"))
    assert len(server.requests) == 1


@pytest.mark.parametrize("call", [lambda a: a.retrieve("x"), lambda a: a.delete("x")])
@pytest.mark.parametrize(
    ("script", "error"),
    [
        (refusal("Response with id 'x' not found.", 404), NotFound),
        (answer({"detail": "response storage is not configured"}, 501), Unsupported),
        (answer({"error": "Unexpected endpoint or method. (GET /v1/responses/x)"}), WrongService),
        (response("<html>", kind="text/html"), WrongService),
    ],
)
async def test_a_response_that_is_not_kept(call: Any, script: Script, error: type[BackendError]) -> None:
    with pytest.raises(error):
        await asked(OpenAIResponsesAdapter, lambda sent: script, call)


async def test_something_else_is_no_response() -> None:
    with pytest.raises(ProtocolError):
        await asked(OpenAIResponsesAdapter, lambda sent: answer({"a": 1}), lambda a: a.retrieve("x"))
