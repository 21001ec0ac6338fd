"""The wire formats' test vectors 1 to 85, by number: what comes in, what has to come out.

Vectors 62 to 64, the download of a model, are in ``test_ollama_management``.
"""

# ruff: noqa: E501, N802 - one vector a line, in the notation of the vectors

from __future__ import annotations

import gzip
import json
import time
from dataclasses import replace
from email.utils import formatdate
from typing import Any

import pytest

from backends.adapters.base import Adapter
from backends.adapters.errors import (
    AuthFailed,
    BackendError,
    BadRequest,
    ContextOverflow,
    Forbidden,
    ModelNotFound,
    NotFound,
    Overloaded,
    ProtocolError,
    RateLimited,
    ServerError,
    Truncated,
    Unsupported,
    WrongService,
)
from backends.adapters.events import (
    Finish,
    FinishReason,
    Phase,
    ReasoningDelta,
    Status,
    TextDelta,
    ToolCall,
    Usage,
)
from backends.adapters.messages import SamplingOptions
from backends.adapters.ollama import OllamaAdapter
from backends.adapters.openai_chat import OpenAIChatAdapter
from tests.backends.adapters.contract import Case, Used, check_rules
from tests.backends.adapters.wire import HELLO, Script, answer, asked, ndjson, play, response, routes, sse

STOP, CALLED = Finish(FinishReason.STOP), Finish(FinishReason.TOOL_CALLS)
INCOMPLETE, LENGTH = Finish(FinishReason.INCOMPLETE), Finish(FinishReason.LENGTH)
END = '{"done":true,"done_reason":"stop"}\n'
A, B = '{"message":{"content":"A"},"done":false}', '{"message":{"content":"B"},"done":false}'
FRAME = '{"choices":[{"index":0,"delta":{"content":"A"}}]}'
DONE = "data: [DONE]\n\n"


def T(text: str) -> TextDelta:
    return TextDelta(text)


def R(text: str) -> ReasoningDelta:
    return ReasoningDelta(text)


def TC(
    call_id: str, name: str, arguments: dict[str, Any], index: int = 0, raw: str | None = None
) -> ToolCall:
    return ToolCall(call_id, name, arguments, raw, index)


def said(text: str) -> str:
    return json.dumps({"message": {"content": text}, "done": False}, ensure_ascii=False) + "\n"


def chunk(finish: str | None = None, **delta: Any) -> str:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return f"data: {json.dumps({'choices': [choice]}, ensure_ascii=False)}\n\n"


def fragment(index: int | None, call_id: str = "", name: str = "", arguments: str = "") -> str:
    entry: dict[str, Any] = {"function": {"arguments": arguments}}
    if name:
        entry["function"]["name"] = name
    if call_id:
        entry["id"] = call_id
    if index is not None:
        entry["index"] = index
    return chunk(tool_calls=[entry])


def oc(*pieces: str | bytes, end: str = "eof") -> Script:
    return sse(*pieces, end=end)


CALL = {"id": "call_1", "function": {"name": "f", "arguments": {"a": 1}}}
CALL_LINE = json.dumps({"message": {"tool_calls": [CALL]}, "done": False}) + "\n"
CALL_END = json.dumps({"message": {"tool_calls": [CALL]}, "done": True, "done_reason": "stop"}) + "\n"


def html(body: str, status: int = 200, kind: str = "text/html") -> Script:
    return response(body, status=status, kind=kind)


FRAMING = (
    Case(
        "2",
        oc(
            b'data: {"choices":[{"delta":{"content":"\xf0',
            b"\x9f",
            b"\x98",
            b'\x80"},"finish_reason":"stop"}]}\n\n',
        ),
        (T("😀"), STOP),
    ),
    Case("3", oc(chunk("stop", content="a\u2028b\x85c")), (T("a\u2028b\x85c"), STOP)),
    Case("5", oc(f"data: {FRAME}\r\n\r\n{chunk('stop')}data: [DONE]\r\n\r\n"), (T("A"), STOP)),
    Case("6", oc(f"data: {FRAME}\r", "\n\r", "\n", chunk("stop")), (T("A"), STOP)),
    Case("7", oc(": ping\n\n", f"data: {FRAME}\n\n", ":\n\n", chunk("stop")), (T("A"), STOP)),
    Case(
        "8",
        oc('data: {"choices":\ndata: [{"delta":{"content":"A"},"finish_reason":"stop"}]}\n\n'),
        (T("A"), STOP),
    ),
    Case("9", oc(f"data:{FRAME}\n\n", f"data:  {FRAME}\n\n", chunk("stop")), (T("AA"), STOP)),
    Case("10 sse", oc(b"\xef\xbb\xbfdata: " + FRAME.encode() + b"\n\n", chunk("stop")), (T("A"), STOP)),
    Case(
        "10 json",
        oc(b'\xef\xbb\xbf{"choices":[{"message":{"content":"A"},"finish_reason":"stop"}]}'),
        (T("A"), STOP),
    ),
    Case("12", oc('event: error\ndata: {"error":{"message":"ctx"}}'), (), ServerError, "ctx"),
    Case(
        "18",
        oc(b'data: {"choices":[{"delta":{"content":"a\xffb"},"finish_reason":"stop"}]}\n\n'),
        (T("a\ufffdb"), STOP),
    ),
    Case(
        "19", oc("data: null\n\n", "data: []\n\n", "data: 5\n\n", chunk("stop", content="A")), (T("A"), STOP)
    ),
    Case(
        "20",
        oc(
            'data: {"choices":[{"delta":{"content":"\\ud83d"}}]}\n\n',
            'data: {"choices":[{"delta":{"content":"\\ude00"},"finish_reason":"stop"}]}\n\n',
        ),
        (T("\ufffd\ufffd"), STOP),
    ),
    Case(
        "20 whole",
        oc('data: {"choices":[{"delta":{"content":"\\ud83d\\ude00"},"finish_reason":"stop"}]}\n\n'),
        (T("😀"), STOP),
    ),
    Case(
        "21",
        oc('data: {"choices":[{"delta":{"content":"a\tb"},"finish_reason":"stop"}]}\n\n'),
        (T("a\tb"), STOP),
    ),
    Case("23", oc("id: 7\nretry: 100\nfoo: x\n\n", chunk("stop", content="A")), (T("A"), STOP)),
    Case("24", oc("event: error\n\n", chunk("stop", content="A")), (T("A"), STOP)),
)

FRAMING_NDJSON = (
    Case("1", ndjson(b'{"message":{"content":"caf\xc3', b'\xa9"},"done":false}\n', END), (T("café"), STOP)),
    Case("4", ndjson(said("a\x85b"), END), (T("a\x85b"), STOP)),
    Case("10", ndjson(b"\xef\xbb\xbf" + A.encode() + b"\n", END), (T("A"), STOP)),
    Case("11", ndjson('{"done":true,"done_reason":"stop"}'), (STOP,)),
    Case("13", ndjson(f"\n\n \n{A}\n\n{B}\n{END}"), (T("AB"), STOP)),
    Case(
        "17",
        ndjson(f'{said("ok")}{{"message":{{"cont\n'),
        (T("ok"),),
        ProtocolError,
        "not JSON",
        partial=True,
    ),
    Case("18", ndjson(b'{"message":{"content":"a\xffb"},"done":false}\n', END), (T("a\ufffdb"), STOP)),
    Case(
        "20",
        ndjson('{"message":{"content":"\\ud83d"}}\n{"message":{"content":"\\ude00"}}\n', END),
        (T("\ufffd\ufffd"), STOP),
    ),
    Case("21", ndjson('{"message":{"content":"a\tb"}}\n', END), (T("a\tb"), STOP)),
)

HTTP = (
    Case("28", html("<html><h1>502 Bad Gateway</h1>nginx</html>", 502), (), ServerError, "HTTP 502 from a proxy", status=502),
    Case("28 forbidden", html("<html>", 403), (), Forbidden, "HTTP 403 from a proxy", status=403),
    Case("29", html("<!doctype html><title>Router</title>"), (), WrongService, status=200),
    Case("30", html("<html", kind="application/x-ndjson"), (), WrongService, status=200),
    Case("31", answer({"error": {"message": "Invalid API key", "code": "invalid_api_key"}}, 401), (), AuthFailed, "Invalid API key", status=401),
    Case("32", response("", status=401, kind="", headers={"www-authenticate": 'Basic realm="x"'}), (), AuthFailed, "Basic", status=401),
    Case("33", answer({"error": "unauthorized", "signin_url": "https://ollama.com/x"}, 401), (), AuthFailed, "unauthorized", status=401),
    Case("34", response("", status=403, kind=""), (), Forbidden, "HTTP 403", status=403),
    Case("35", response("Too Many Requests", status=429, kind="text/plain", headers={"retry-after": "7"}), (), RateLimited, "Too Many", status=429),
    Case("37", answer({"error": "llama runner process has terminated"}, 500), (), ServerError, "runner", status=500),
    Case("39", response("", status=307, kind="", headers={"location": "http://evil.test/x"}), (), WrongService, "evil.test", status=307),
    Case("41", answer({"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}, 503), (), Overloaded, "Loading", status=503),
    Case("43", ndjson(end="reset"), (), Truncated),
)  # fmt: skip

OLLAMA = (
    Case(
        "44",
        ndjson(said("Hi"), '{"message":{"content":""},"done":true,"done_reason":"stop","eval_count":10,"eval_duration":500000000,"prompt_eval_count":4}\n'),
        (T("Hi"), Used(input_tokens=4, output_tokens=10, tokens_per_second=20), STOP),
    ),
    Case("44b", ndjson('{"message":{"role":"assistant","content":""},"done":true,"eval_count":23}\n'), (Usage(output_tokens=23), STOP)),
    Case("45", ndjson('{"message":{"content":"","thinking":"hm"}}\n{"message":{"content":"A","thinking":"!"}}\n', END), (R("hm!"), T("A"), STOP)),
    Case("46", ndjson('{"message":{"content":" end"},"done":true}\n'), (T(" end"), STOP)),
    Case("47", ndjson(said("A"), '{"done":true,"done_reason":"length"}\n'), (T("A"), LENGTH)),
    Case("48", ndjson(CALL_LINE, END), (TC("call_1", "f", {"a": 1}), CALLED)),
    Case("49", ndjson(CALL_END), (TC("call_1", "f", {"a": 1}), CALLED)),
    Case(
        "50",
        ndjson('{"message":{"tool_calls":[{"function":{"name":"f","arguments":{}}},{"id":"","function":{"name":"g","arguments":{}}}]}}\n', END),
        (TC("call_0", "f", {}), TC("call_1", "g", {}, 1), CALLED),
    ),
    Case("51", ndjson('{"message":{"tool_calls":[{"id":"c","function":{"name":"f","arguments":"{\\"a\\":1}"}}]}}\n', END), (TC("c", "f", {"a": 1}), CALLED)),
    Case(
        "52",
        ndjson(said("A"), '{"error":"an error was encountered while running the model: unexpected EOF"}\n'),
        (T("A"),), ServerError, "unexpected EOF", partial=True,
    ),
    Case("52b", ndjson('{"error":"invalid format: expected \\"json\\""}\n'), (), ServerError, "invalid format"),
    Case("53", answer({"error": 'model "x" not found, try pulling it first'}, 404), (), ModelNotFound, status=404),
    Case("54", response("404 page not found", status=404, kind="text/plain"), (), NotFound, status=404),
    Case("55", answer({"error": "registry.ollama.ai/library/x:1b does not support thinking"}, 400), (), Unsupported, status=400),
    Case("56", answer({"error": "x does not support tools"}, 400), (), Unsupported, status=400),
    Case("57", ndjson(said("A")), (T("A"), INCOMPLETE)),
    Case("58", ndjson(said("A"), end="reset"), (T("A"),), Truncated, partial=True),
    Case("59", answer({"message": {"content": ""}, "done_reason": "load", "done": True}), (STOP,)),
    Case("60", ndjson('{"done":false}\n{"message":null,"done":false}\n{"logprobs":[],"message":{"role":"assistant"},"done":false}\n{"done":true}\n'), (STOP,)),
    Case("61", ndjson('{"done":true,"eval_count":5}\n'), (Usage(output_tokens=5), STOP)),
    Case("61 zero", ndjson('{"done":true,"eval_count":5,"eval_duration":0}\n'), (Usage(output_tokens=5), STOP)),
    Case("nothing at all", ndjson(), (), ProtocolError, "empty stream"),
    Case("a line that is no object", ndjson("[1]\n"), (), ProtocolError, "not an object"),
)  # fmt: skip

USAGE = 'data: {"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":3}}\n\n'
NINE = Usage(input_tokens=9, output_tokens=3)
FENCED = '```json {"name":"f","arguments":{}} ```'

OPENAI = (
    Case("66", oc(chunk(content=None, role="assistant"), chunk(content="Hi"), chunk("stop"), USAGE, DONE), (T("Hi"), NINE, STOP)),
    Case("67", oc(chunk("stop", reasoning_content="a", reasoning="a")), (R("a"), STOP)),
    Case("68", oc(chunk(content="<thi"), chunk(content="nk>x</th"), chunk("stop", content="ink>y")), (R("x"), T("y"), STOP)),
    Case(
        "69",
        oc(fragment(0, "c1", "f", '{"a"'), fragment(0, arguments=":1}"), fragment(1, "c2", "g", "{}"), chunk("tool_calls")),
        (TC("c1", "f", {"a": 1}), TC("c2", "g", {}, 1), CALLED),
    ),
    Case(
        "70",
        oc(fragment(None, "c1", "f", '{"a"'), fragment(None, "c1", arguments=":1}"), fragment(None, "c2", "g", "{}"), chunk("tool_calls")),
        (TC("c1", "f", {"a": 1}), TC("c2", "g", {}, 1), CALLED),
    ),
    Case("70 no ids later", oc(fragment(None, "c1", "f", '{"a"'), fragment(None, arguments=":1}"), chunk("tool_calls")), (TC("c1", "f", {"a": 1}), CALLED)),
    Case("71", oc(fragment(0, "c1", "f", "{}"), chunk("stop")), (TC("c1", "f", {}), CALLED)),
    Case("72 length", oc(fragment(0, "c1", "f", '{"a":'), chunk("length")), (LENGTH,)),
    Case("72 calls", oc(fragment(0, "c1", "f", '{"a":'), chunk("tool_calls")), (TC("c1", "f", {}, raw='{"a":'), CALLED)),
    Case("72 stop", oc(fragment(0, "c1", "f", '{"a":'), chunk("stop")), (TC("c1", "f", {}, raw='{"a":'), CALLED)),
    Case("73", oc(chunk(content="A"), 'data: {"error":{"message":"boom","code":500}}\n\n'), (T("A"),), ServerError, "boom", partial=True),
    Case("74", oc('error: {"code":500,"message":"x"}\n\ndata: [DONE]\n\n'), (), ServerError, "x"),
    Case("75", oc('event: error\ndata: {"error":{"message":"n_keep: 13055>= n_ctx: 4096"},"message":"n_keep"}\n\n'), (), ContextOverflow, "13055"),
    Case("76", oc(chunk(content="A"), 'data: {"model":"","choices":[{"delta":{}}]}\n\n'), (T("A"), INCOMPLETE)),
    Case(
        "76b",
        oc('data: {"choices":[{"delta":{"content":null}}],"prompt_progress":{"total":10,"cache":0,"processed":5,"time_ms":3}}\n\n', chunk("stop", content="A")),
        (Status(Phase.PROMPT, 0.5), T("A"), STOP),
    ),
    Case("76c", oc(chunk("stop", content=FENCED)), (T(FENCED), STOP)),
    Case("77", oc(DONE), (), ProtocolError, "empty stream"),
    Case("78", oc(chunk(content="A"), chunk("stop")), (T("A"), STOP)),
    Case(
        "79",
        oc('data: {"choices":[{"delta":{"content":"A"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1}}\n\n', USAGE, DONE),
        (T("A"), NINE, STOP),
    ),
    Case("80", oc('data: {"choices":[{"index":0,"delta":{"content":"A"}}]}\n\n', chunk("stop")), (T("A"), STOP)),
    Case("81", answer({"object": "error", "message": "This model's maximum context length is 4096", "code": 400}, 400), (), ContextOverflow, status=400),
    Case("82", answer({"error": {"message": 'Invalid model identifier "x"', "code": "model_not_found"}}, 400), (), ModelNotFound, status=400),
    Case("83", answer({"error": "Unexpected endpoint or method. (POST /v1/v1/chat/completions)"}), (), WrongService, "Unexpected endpoint"),
    Case(
        "84",
        answer({"choices": [{"message": {"role": "assistant", "content": "whole"}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 9, "completion_tokens": 3}}),
        (T("whole"), NINE, STOP),
    ),
    Case("56 llama.cpp", answer({"error": {"code": 500, "message": "image input is not supported - hint: mmproj", "type": "server_error"}}, 500), (), Unsupported, status=500),
    Case("an error in an old shape", oc('data: {"object":"error","message":"boom"}\n\n'), (), ServerError, "boom"),
    Case("an error under yet another name", oc('data: {"error_message":"boom"}\n\n'), (), ServerError, "boom"),
    Case("a string as error", oc('data: {"error":"No models loaded."}\n\n'), (), ServerError, "No models loaded."),
    Case("a null error is none", oc('data: {"error":null,"choices":[{"delta":{"content":"A"},"finish_reason":"stop"}]}\n\n'), (T("A"), STOP)),
    Case("a reset in the middle", oc(chunk(content="A"), end="reset"), (T("A"),), Truncated, partial=True),
    Case("a reset after the reason", oc(chunk("stop", content="A"), end="reset"), (T("A"),), Truncated, partial=True),
    Case("not JSON", oc(chunk(content="A"), "data: {oops\n\n"), (T("A"),), ProtocolError, "not JSON", partial=True),
    Case("only null choices", oc('data: {"choices":null}\n\n', 'data: {"choices":[{"delta":null}]}\n\n', chunk("stop", content="A")), (T("A"), STOP)),
)  # fmt: skip


def given(adapter: type[Adapter], cases: tuple[Case, ...], label: str) -> list[Any]:
    return [pytest.param(adapter, case, id=f"{label} {case.name}") for case in cases]


@pytest.mark.parametrize("way", ["as it came", "whole", "byte by byte"])
@pytest.mark.parametrize(
    ("adapter", "case"),
    [
        *given(OpenAIChatAdapter, FRAMING, "sse"),
        *given(OllamaAdapter, FRAMING_NDJSON, "ndjson"),
        *given(OpenAIChatAdapter, HTTP, "openai"),
        *given(OllamaAdapter, HTTP, "ollama"),
        *given(OllamaAdapter, OLLAMA, "ollama"),
        *given(OpenAIChatAdapter, OPENAI, "openai"),
    ],
)
def test_vector(adapter: type[Adapter], case: Case, way: str) -> None:
    whole = b"".join(case.script.pieces)
    script = case.script
    if way != "as it came":
        script = script.recut(range(len(whole)) if way == "byte by byte" else [])
    case.check(play(adapter, script, request=case.request, run=case.run, **case.endpoint))


# Vectors that need more than one comparison


@pytest.mark.parametrize(("adapter", "make"), [(OllamaAdapter, ndjson), (OpenAIChatAdapter, sse)])
def test_vector_15_an_endless_line(adapter: type[Adapter], make: Any) -> None:
    script = make(*[b"x" * 65536] * 200)
    played = play(adapter, script)
    assert isinstance(played.error, ProtocolError)
    assert played.error.message == "frame too large"
    check_rules(played)
    assert played.server.transports[0].delivered < 9 * 1024 * 1024


def test_vector_16_a_large_frame_is_accepted() -> None:
    text = "y" * (2 * 1024 * 1024)
    assert play(OllamaAdapter, ndjson(said(text), END)).events == [T(text), STOP]
    assert play(OpenAIChatAdapter, oc(chunk("stop", content=text))).events == [T(text), STOP]


def test_vector_22_a_compressed_body_is_unpacked() -> None:
    packed = gzip.compress((said("A") + END).encode())
    script = response(packed, kind="application/x-ndjson", headers={"content-encoding": "gzip"})
    played = play(OllamaAdapter, script)
    assert played.events == [T("A"), STOP]
    assert played.server.requests[0].headers["accept-encoding"] == "identity"


def test_broken_compression_is_a_protocol_error() -> None:
    script = response(b"no gzip", kind="application/x-ndjson", headers={"content-encoding": "gzip"})
    assert isinstance(play(OllamaAdapter, script).error, ProtocolError)


def test_vector_33_keeps_the_link() -> None:
    error = play(
        OllamaAdapter, answer({"error": "unauthorized", "signin_url": "https://ollama.com/x"}, 401)
    ).error
    assert error.data["signin_url"] == "https://ollama.com/x"


@pytest.mark.parametrize(
    ("value", "seconds"), [("7", 7.0), ("0.5", 0.5), ("soon", None), ("", None), ("-3", None)]
)
def test_vector_35_and_36_retry_after(value: str, seconds: float | None) -> None:
    script = response("Too Many Requests", status=429, kind="text/plain", headers={"retry-after": value})
    assert play(OllamaAdapter, script).error.retry_after == seconds


def test_vector_36_retry_after_a_date() -> None:
    date = formatdate(time.time() + 30, usegmt=True)
    script = response("", status=503, headers={"retry-after": date})
    error = play(OllamaAdapter, script).error
    assert 25 < error.retry_after <= 30


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_vector_39_redirects_are_not_followed(status: int) -> None:
    played = play(
        OllamaAdapter, response("", status=status, kind="", headers={"location": "http://evil.test/x"})
    )
    assert isinstance(played.error, WrongService)
    assert len(played.server.requests) == 1


EXTRA = {
    "detail": [{"loc": ["body", "stop"], "msg": "Extra inputs are not permitted", "type": "extra_forbidden"}]
}


def test_vector_40_a_refused_field_is_left_out_once() -> None:
    request = replace(HELLO, sampling=SamplingOptions(stop=("END",)))
    played = play(OpenAIChatAdapter, answer(EXTRA, 422), request=request)
    assert ["stop" in sent.body for sent in played.server.requests] == [True, False]
    assert isinstance(played.error, BadRequest)
    assert played.error.message == "stop: Extra inputs are not permitted"
    assert not played.error.partial


@pytest.mark.parametrize(
    ("error", "retryable"),
    [(Overloaded, True), (ServerError, True), (Truncated, True), (AuthFailed, False), (WrongService, False)],
)
def test_vector_41_what_can_be_tried_again(error: type[BackendError], retryable: bool) -> None:
    assert error.retryable is retryable


async def test_vector_65_lists_with_holes() -> None:
    for payload, ids in [({"models": None}, []), ({"models": [{"name": "x"}, {}, None, 3]}, ["x"])]:
        models, _ = await asked(
            OllamaAdapter, routes({"GET /api/tags": answer(payload)}), lambda a: a.list_models()
        )
        assert [model.id for model in models] == ids
        assert all(model.size_bytes is None and not model.quantization for model in models)


async def test_vector_85_an_empty_list() -> None:
    payload = {"object": "list", "data": None}
    models, _ = await asked(
        OpenAIChatAdapter, routes({"GET /v1/models": answer(payload)}), lambda a: a.list_models()
    )
    assert models == []


def test_vector_118_a_proxy_that_did_not_wait_long_enough() -> None:
    script = response("Proxy error: timeout awaiting response headers", status=502, kind="text/plain")
    error = play(OllamaAdapter, script).error
    assert isinstance(error, ServerError)
    assert error.retryable
    assert "loading the model" in error.hint
