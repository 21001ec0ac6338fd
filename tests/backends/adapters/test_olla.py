"""Olla against recordings of it in front of Ollama and llama.cpp; vectors 118 to 120."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backends.adapters.base import Capability, Endpoint, Secret
from backends.adapters.errors import BackendError, NotFound, ServerError, WrongService
from backends.adapters.events import Finish, FinishReason, Started, TextDelta
from backends.adapters.olla import OllaAdapter
from tests.backends.adapters.contract import AdapterContract, Case, Used
from tests.backends.adapters.wire import (
    FAST,
    HELLO,
    Memory,
    Played,
    Script,
    Sent,
    answer,
    asked,
    memory_http,
    ndjson,
    play,
    recorded,
    response,
    routes,
    sse,
)

STOP = Finish(FinishReason.STOP)
FRANCE = TextDelta("The capital of France is Paris.")
ROOT = "http://server.test"


def tape(name: str) -> Script:
    return Script((recorded(name),))


def plain(text: str, status: int) -> Script:
    return response(text, status=status, kind="text/plain")


class TestContract(AdapterContract):
    adapter = OllaAdapter
    cases = (
        Case("anything", tape("olla/proxy-chat-stream"), (FRANCE, Used(output_tokens=8), STOP)),
        Case(
            "LM Studio",
            tape("olla/lmstudio-chat-stream"),
            (FRANCE, Used(output_tokens=8), STOP),
            endpoint={"base": f"{ROOT}/olla/lmstudio"},
        ),
        Case(
            "Ollama",
            tape("olla/ollama-chat-stream"),
            (FRANCE, Used(input_tokens=40), STOP),
            endpoint={"base": f"{ROOT}/olla/ollama"},
        ),
        Case(
            "Ollama by its OpenAI routes",
            tape("olla/ollama-v1-chat-stream"),
            (FRANCE, STOP),
            endpoint={"base": f"{ROOT}/olla/ollama/v1"},
        ),
        Case(
            "118",
            plain("Proxy error: timeout awaiting response headers", 502),
            (),
            ServerError,
            "timeout awaiting",
            status=502,
        ),
        Case("119", plain("No lmstudio endpoints available", 404), (), NotFound, "No lmstudio", status=404),
        Case("no such server", tape("olla/err-wrong-provider"), (), NotFound, "No lm-studio", status=404),
        Case("no such path", tape("olla/err-bad-prefix"), (), NotFound, "404 page", status=404),
        Case("no such model", tape("olla/err-unknown-model"), (), ServerError, "no healthy", status=502),
    )


def test_118_a_502_says_that_the_model_may_still_be_loading() -> None:
    error = play(OllaAdapter, plain("Proxy error: timeout awaiting response headers", 502)).error
    assert error is not None
    assert error.retryable
    assert "loading" in OllaAdapter(Endpoint(ROOT), None).hint_for(error)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "base", [ROOT, f"{ROOT}/olla/ollama"], ids=["OpenAI's protocol", "Ollama's protocol"]
)
def test_the_machine_that_answered_is_told_with_the_start(base: str) -> None:
    name = "olla/proxy-chat-stream" if base == ROOT else "olla/ollama-chat-stream"
    [started] = [
        event for event in play(OllaAdapter, tape(name), base=base).raw if isinstance(event, Started)
    ]
    assert started.headers["x-olla-endpoint"].startswith("local-")
    assert started.headers["x-olla-backend-type"] in ("lm-studio", "ollama")
    assert started.headers["x-olla-model"] == started.model
    assert started.headers["x-olla-response-time"].endswith("ms")


OPENAI = sse('data: {"choices":[{"delta":{"content":"A"},"finish_reason":"stop"}]}\n\n')
NATIVE = ndjson('{"message":{"content":"A"},"done":true,"done_reason":"stop"}\n')


def asked_at(base: str, **more: Any) -> Sent:
    native = base.rstrip("/").endswith(("/olla/ollama", "/olla/ollama/api"))
    played: Played = play(OllaAdapter, NATIVE if native else OPENAI, base=base, **more)
    assert played.events == [TextDelta("A"), STOP]
    assert played.server is not None
    [sent] = played.server.requests
    return sent


@pytest.mark.parametrize(
    ("path", "asked_for"),
    [
        ("", "/olla/proxy/v1/chat/completions"),
        ("/", "/olla/proxy/v1/chat/completions"),
        ("/v1", "/olla/proxy/v1/chat/completions"),
        ("/olla", "/olla/proxy/v1/chat/completions"),
        ("/olla/", "/olla/proxy/v1/chat/completions"),
        ("/olla/proxy", "/olla/proxy/v1/chat/completions"),
        ("/olla/proxy/v1", "/olla/proxy/v1/chat/completions"),
        ("/olla/openai", "/olla/openai/v1/chat/completions"),
        ("/olla/openai/v1/", "/olla/openai/v1/chat/completions"),
        ("/olla/openai-compatible", "/olla/openai-compatible/v1/chat/completions"),
        ("/olla/lmstudio/", "/olla/lmstudio/v1/chat/completions"),
        ("/olla/lm-studio/", "/olla/lm-studio/v1/chat/completions"),
        ("/olla/lm_studio/", "/olla/lm_studio/v1/chat/completions"),
        ("/olla/vllm", "/olla/vllm/v1/chat/completions"),
        ("/olla/llamacpp/v1", "/olla/llamacpp/v1/chat/completions"),
        ("/olla/ollama/", "/olla/ollama/api/chat"),
        ("/olla/ollama/api", "/olla/ollama/api/chat"),
        ("/olla/ollama/v1", "/olla/ollama/v1/chat/completions"),
        ("/below/olla/vllm", "/below/olla/vllm/v1/chat/completions"),
    ],
)
def test_every_prefix_leads_to_its_servers(path: str, asked_for: str) -> None:
    assert asked_at(ROOT + path).path == asked_for


def test_a_conversation_asks_for_the_machine_that_knows_it() -> None:
    sent = asked_at(ROOT, request=replace(HELLO, conversation_id="c-1"), api_key=Secret("k"))
    assert sent.headers["x-olla-session-id"] == "c-1"
    assert sent.headers["authorization"] == "Bearer k"
    assert "x-olla-session-id" not in asked_at(ROOT).headers


# Models


CATALOGUE = {
    "GET /olla/proxy/v1/models": tape("olla/proxy-models"),
    "GET /olla/models": tape("olla/models"),
    "GET /internal/health": tape("olla/health"),
    "GET /version": tape("olla/version"),
}


async def test_the_merged_catalogue_completes_the_list() -> None:
    models, _ = await asked(OllaAdapter, routes(CATALOGUE), lambda a: a.list_models())
    assert [(m.id, m.family, m.parameter_size, m.quantization, m.details["endpoints"]) for m in models] == [
        ("qwen2.5-coder-0.5b", "qwen", "", "", "local-lm-studio"),
        ("qwen2.5-coder:0.5b", "qwen2", "630m", "q4km", "local-ollama"),
        ("qwen2.5-coder-tools:0.5b", "qwen2", "630m", "q4km", "local-ollama"),
    ]
    assert all(model.capabilities is None for model in models)  # Olla guesses them from the name


async def test_the_list_needs_no_catalogue() -> None:
    table = {"GET /olla/proxy/v1/models": tape("olla/proxy-models")}
    models, _ = await asked(OllaAdapter, routes(table), lambda a: a.list_models())
    assert len(models) == 3


@pytest.mark.parametrize("prefix", ["lmstudio", "lm-studio", "lm_studio"])
async def test_lmstudio_is_listed_under_each_spelling(prefix: str) -> None:
    table = {
        f"GET /olla/{prefix}/v1/models": tape(f"olla/{prefix}-v1-models"),
        f"GET /olla/{prefix}/api/v0/models": tape("olla/lmstudio-api-v0-models"),
        "GET /olla/models": tape("olla/models"),
    }
    [model], _ = await asked(OllaAdapter, routes(table), lambda a: a.list_models(), f"{ROOT}/olla/{prefix}")
    assert (model.id, model.details["endpoints"]) == ("qwen2.5-coder-0.5b", "local-lm-studio")


async def test_120_a_refused_detail_leaves_ollamas_models_listed() -> None:
    table = {
        "GET /olla/ollama/api/tags": tape("olla/ollama-tags"),
        "POST /olla/ollama/api/show": tape("olla/ollama-pull-refused"),
        "GET /olla/models": tape("olla/models"),
    }
    models, _ = await asked(OllaAdapter, routes(table), lambda a: a.list_models(), f"{ROOT}/olla/ollama")
    assert [(m.id, m.quantization, m.capabilities) for m in models] == [
        ("qwen2.5-coder:0.5b", "Q4_K_M", None),
        ("qwen2.5-coder-tools:0.5b", "Q4_K_M", None),
    ]


async def test_an_alias_and_the_form_of_ollas_documents_are_known_too() -> None:
    listed = {"data": [{"id": "qwen3:8b", "loaded": False}, {"id": "phi4"}]}
    merged = {
        "models": [
            {"id": "qwen/3", "olla": {"family": "qwen", "aliases": ["qwen3:8b", 5]}},
            {"name": "phi4", "context_window": 16384},
        ]
    }
    table = {"GET /olla/proxy/v1/models": answer(listed), "GET /olla/models": answer(merged)}
    models, _ = await asked(OllaAdapter, routes(table), lambda a: a.list_models())
    assert [(m.id, m.family, m.max_context_length) for m in models] == [
        ("qwen3:8b", "qwen", None),
        ("phi4", "", 16384),
    ]


async def test_what_the_server_itself_says_stays() -> None:
    listed = {
        "data": [{"id": "m", "type": "vlm", "arch": "gemma3", "state": "not-loaded", "max_context_length": 9}]
    }
    merged = {"data": [{"id": "m", "olla": {"family": "guess", "max_context_length": 1}}]}
    table = {"GET /olla/proxy/v1/models": answer(listed), "GET /olla/models": answer(merged)}
    [model], _ = await asked(OllaAdapter, routes(table), lambda a: a.list_models())
    assert (model.family, model.max_context_length, model.loaded) == ("gemma3", 9, False)
    assert model.capabilities == {Capability.CHAT, Capability.VISION}


# Health


async def test_health_counts_what_is_behind() -> None:
    health, server = await asked(OllaAdapter, routes(CATALOGUE), lambda a: a.health(), f"{ROOT}/olla")
    assert (health.version, health.detail) == ("v0.0.x", "3 models")
    assert server.requests[0].path == "/internal/health"


async def test_health_needs_no_version() -> None:
    table = {name: script for name, script in CATALOGUE.items() if name != "GET /version"}
    health, _ = await asked(OllaAdapter, routes(table), lambda a: a.health())
    assert health.version == ""


@pytest.mark.parametrize(
    ("script", "error"),
    [(answer({"ok": True}), WrongService), (plain("404 page not found", 404), NotFound)],
)
async def test_health_knows_another_program(script: Script, error: type[BackendError]) -> None:
    with pytest.raises(error):
        await asked(OllaAdapter, lambda sent: script, lambda a: a.health())


async def test_an_olla_without_servers_of_that_type_is_not_healthy() -> None:
    table = {"GET /internal/health": tape("olla/health")}
    with pytest.raises(NotFound):
        await asked(OllaAdapter, routes(table), lambda a: a.health(), f"{ROOT}/olla/lmstudio")


VALUE = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "name", "olla", "aliases", "availability", "endpoint"]), inner, max_size=4
        )
    ),
    max_leaves=9,
)


@settings(max_examples=100, deadline=None, database=None)
@given(VALUE | st.fixed_dictionaries({"data": st.lists(VALUE, max_size=3)}))
def test_any_catalogue_leaves_the_list_in_peace(payload: Any) -> None:
    table = {"GET /olla/proxy/v1/models": tape("olla/proxy-models"), "GET /olla/models": answer(payload)}
    models, _ = asyncio.run(asked(OllaAdapter, routes(table), lambda a: a.list_models()))
    assert len(models) == 3


# Embeddings


@pytest.mark.parametrize(
    ("base", "path", "payload"),
    [
        (ROOT, "/olla/proxy/v1/embeddings", {"data": [{"index": 0, "embedding": [1]}]}),
        (f"{ROOT}/olla/ollama", "/olla/ollama/api/embed", {"embeddings": [[1]]}),
    ],
)
async def test_embeddings_take_the_same_way(base: str, path: str, payload: Any) -> None:
    server = Memory(lambda sent: answer(payload))
    http = memory_http(server)
    assert await OllaAdapter(Endpoint(base, timeouts=FAST), http).embed("m", ["a"]) == [[1.0]]
    await http.aclose()
    assert server.requests[0].path == path
