"""The fake writes what the real servers were recorded to write: order of headers and keys, chunks, ends."""

from __future__ import annotations

import json

from tests.fakes.server import FakeServer
from tests.fakes_tests.client import (
    chat_request,
    exchange,
    get_request,
    ndjson_frames,
    shape,
    split_response,
    sse_frames,
)

OLLAMA_TOKEN = (
    '{"model":"qwen2.5-coder:0.5b","created_at":"2026-11-21T09:41:46.642427299Z",'
    '"message":{"role":"assistant","content":"Paris"},"done":false}'
)
OLLAMA_LAST = (
    '{"model":"qwen2.5-coder:0.5b","created_at":"2026-11-21T09:41:47.509605578Z",'
    '"message":{"role":"assistant","content":""},"done_reason":"stop","done":true,'
    '"total_duration":3027569115,"load_duration":1185687505,"prompt_eval_count":32,'
    '"prompt_eval_duration":953497320,"eval_count":8,"eval_duration":884795691}'
)
LLAMACPP_ROLE = (
    '{"choices":[{"finish_reason":null,"index":0,"delta":{"role":"assistant","content":null}}],'
    '"created":1795256234,"id":"chatcmpl-mstkERrTU9HLIIW1LFK2tb4t0pEv01ez","model":"qwen2.5-coder-0.5b",'
    '"system_fingerprint":"b0-unknown","object":"chat.completion.chunk"}'
)
LLAMACPP_TOKEN = LLAMACPP_ROLE.replace('"role":"assistant","content":null', '"content":"The"')
LLAMACPP_FINISH = LLAMACPP_ROLE.replace('"role":"assistant","content":null', "").replace("null", '"stop"')
LLAMACPP_USAGE = (
    '{"choices":[],"created":1795256235,"id":"chatcmpl-mstkERrTU9HLIIW1LFK2tb4t0pEv01ez",'
    '"model":"qwen2.5-coder-0.5b","system_fingerprint":"b0-unknown","object":"chat.completion.chunk",'
    '"usage":{"completion_tokens":8,"prompt_tokens":30,"total_tokens":38,'
    '"prompt_tokens_details":{"cached_tokens":0}},"timings":{"cache_n":0,"prompt_n":30,"prompt_ms":223.051,'
    '"prompt_per_token_ms":7.435033333333333,"prompt_per_second":134.49838826098068,"predicted_n":8,'
    '"predicted_ms":243.581,"predicted_per_token_ms":34.797285714285714,'
    '"predicted_per_second":28.737873643675}}'
)


def _headers(lines: list[str]) -> list[str]:
    return [line if not line.startswith("Date") else "Date" for line in lines]


async def test_ollama_stream() -> None:
    async with FakeServer() as fake:
        raw = await exchange(fake, chat_request("/api/chat", "!tokens 2"))
    lines, body = split_response(raw)
    assert _headers(lines) == [
        "HTTP/1.1 200 OK",
        "Content-Type: application/x-ndjson",
        "Date",
        "Connection: close",
        "Transfer-Encoding: chunked",
    ]
    first, second, last = ndjson_frames(body)
    assert shape(first) == shape(second) == shape(json.loads(OLLAMA_TOKEN))
    assert shape(last) == shape(json.loads(OLLAMA_LAST))
    assert raw.endswith(b"}\n\r\n0\r\n\r\n")
    assert b"\r\n" + f"{len(body.splitlines()[1]) + 1:x}".encode() + b"\r\n{" in raw, "one frame a chunk"


async def test_llamacpp_stream() -> None:
    async with FakeServer() as fake:
        request = chat_request("/v1/chat/completions", "!tokens 1", stream_options={"include_usage": True})
        raw = await exchange(fake, request)
    lines, body = split_response(raw)
    assert lines == [
        "HTTP/1.1 200 OK",
        "Server: llama.cpp",
        "Access-Control-Allow-Origin: ",
        "X-Accel-Buffering: no",
        "Content-Type: text/event-stream",
        "Transfer-Encoding: chunked",
        "Connection: close",
    ]
    recorded = [LLAMACPP_ROLE, LLAMACPP_TOKEN, LLAMACPP_FINISH, LLAMACPP_USAGE]
    assert [shape(frame) for frame in sse_frames(body)] == [shape(json.loads(frame)) for frame in recorded]
    assert raw.endswith(b"\r\ne\r\ndata: [DONE]\n\n\r\n0\r\n\r\n")


async def test_reasoning_and_calls_in_both_dialects() -> None:
    async with FakeServer() as fake:
        say = '!reasoning 1 then 1 !call get_weather {"city": "Paris"}'
        native = await exchange(fake, chat_request("/api/chat", say, model="thinking"))
        openai = await exchange(fake, chat_request("/v1/chat/completions", say, model="thinking"))
    thought, _, called, _ = (frame["message"] for frame in ndjson_frames(split_response(native)[1]))
    assert thought == {"role": "assistant", "content": "", "thinking": "the "}
    assert called["tool_calls"][0]["function"] == {
        "index": 0,
        "name": "get_weather",
        "arguments": {"city": "Paris"},
    }
    frames = sse_frames(split_response(openai)[1])
    deltas = [frame["choices"][0]["delta"] for frame in frames]
    assert deltas[1] == {"reasoning_content": "the "}
    fragments = [delta["tool_calls"][0] for delta in deltas if "tool_calls" in delta]
    assert fragments[0]["function"]["name"] == "get_weather"
    assert json.loads("".join(fragment["function"]["arguments"] for fragment in fragments)) == {
        "city": "Paris"
    }
    assert frames[-1]["choices"][0]["finish_reason"] == "tool_calls"


async def test_errors_look_like_the_recorded_ones() -> None:
    async with FakeServer(api_key="s3cret") as fake:
        key = "Authorization: Bearer s3cret\r\n"
        _, refused = split_response(await exchange(fake, chat_request("/v1/chat/completions", "hi")))
        _, missing = split_response(
            await exchange(fake, chat_request("/api/chat", "hi", model="nope:latest", headers=key))
        )
        _, route = split_response(await exchange(fake, get_request("/v1/nothing", key)))
        lines, _ = split_response(await exchange(fake, get_request("/health")))
    assert refused == b'{"error":{"message":"Invalid API Key","type":"authentication_error","code":401}}'
    assert missing == b'{"error":"model \\"nope:latest\\" not found, try pulling it first"}'
    assert route == b'{"error":{"message":"File Not Found","type":"not_found_error","code":404}}'
    assert lines[0] == "HTTP/1.1 200 OK"
    assert lines[-2:] == ["Content-Length: 15", "Connection: close"]


async def test_lists_name_the_same_models() -> None:
    async with FakeServer() as fake:
        tags = json.loads(split_response(await exchange(fake, get_request("/api/tags")))[1])
        models = json.loads(split_response(await exchange(fake, get_request("/v1/models")))[1])
        version = split_response(await exchange(fake, get_request("/api/version")))[1]
    assert (
        [entry["name"] for entry in tags["models"]]
        == [entry["id"] for entry in models["data"]]
        == fake.models
    )
    assert version == b'{"version":"0.9.3"}'
