"""Ollama's models: vectors 62 to 64, recordings of 0.9.3, and what closing a download does."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backends.adapters.base import Endpoint
from backends.adapters.errors import (
    BackendError,
    BadRequest,
    ModelNotFound,
    ProtocolError,
    ServerError,
    Truncated,
    Unsupported,
    WrongService,
)
from backends.adapters.management import Embeds, LoadedModel, ManagesModels, Operation, PullProgress
from backends.adapters.ollama import OllamaAdapter
from backends.adapters.vectors import PAGE
from tests.backends.adapters.wire import (
    FAST,
    Memory,
    Script,
    Sent,
    answer,
    asked,
    memory_http,
    ndjson,
    recorded,
    response,
    routes,
)

SUCCESS = PullProgress("success")
LAYERS = (
    '{"status":"pulling manifest"}\n',
    '{"status":"pulling a","digest":"d1","total":100}\n',
    '{"status":"pulling a","digest":"d1","total":100,"completed":40}\n',
    '{"status":"pulling b","digest":"d2","total":7,"completed":7}\n',
    '{"status":"verifying sha256 digest"}\n',
    '{"status":"success"}\n',
)
DOWNLOAD = [
    PullProgress("pulling manifest"),
    PullProgress("pulling a", "d1", 0, 100),
    PullProgress("pulling a", "d1", 40, 100),
    PullProgress("pulling b", "d2", 7, 7),
    PullProgress("verifying sha256 digest"),
    SUCCESS,
]


def tape(name: str) -> Script:
    return Script((recorded(name),))


async def pulled(script: Script) -> tuple[list[PullProgress], BackendError | None, Memory]:
    """What a download says, and how it fails."""
    said: list[PullProgress] = []
    error = None
    server = Memory(lambda sent: script)
    http = memory_http(server)
    try:
        async with aclosing(OllamaAdapter(Endpoint("http://x", timeouts=FAST), http).pull("m")) as progress:
            async for step in progress:
                said.append(step)  # noqa: PERF401 - what came before an error counts
    except BackendError as problem:
        error = problem
    await http.aclose()
    return said, error, server


async def test_62_a_download_tells_each_layer_and_ends_with_success() -> None:
    said, error, server = await pulled(ndjson(*LAYERS))
    assert (said, error) == (DOWNLOAD, None)
    assert server.requests[0].path == "/api/pull"
    assert server.requests[0].body == {"model": "m", "stream": True}
    assert server.open == 0


async def test_63_a_failure_in_the_middle_of_a_200() -> None:
    said, error, _ = await pulled(tape("ollama/pull-offline"))
    assert said == [PullProgress("pulling manifest")]
    assert isinstance(error, ServerError)
    assert "no such host" in error.message


async def test_64_an_end_without_success_has_failed() -> None:
    said, error, _ = await pulled(ndjson(*LAYERS[:3]))
    assert len(said) == 3
    assert isinstance(error, Truncated)


async def test_a_reset_in_the_middle_has_failed() -> None:
    said, error, server = await pulled(ndjson(*LAYERS[:3], end="reset"))
    assert len(said) == 3
    assert isinstance(error, Truncated)
    assert server.open == 0


async def test_success_ends_it_even_where_the_server_keeps_the_connection() -> None:
    said, error, server = await pulled(ndjson(*LAYERS, end="silence"))
    assert (said[-1], error, server.open) == (SUCCESS, None, 0)


async def test_a_last_line_needs_no_line_end() -> None:
    said, error, _ = await pulled(ndjson('{"status":"success"}'))
    assert (said, error) == ([SUCCESS], None)


@pytest.mark.parametrize("every", [1, 7, 64])
async def test_a_download_may_be_cut_anywhere(every: int) -> None:
    said, error, _ = await pulled(ndjson("".join(LAYERS)).recut(range(0, 2000, every)))
    assert (said, error) == (DOWNLOAD, None)


async def test_cancelling_a_download_closes_the_connection() -> None:
    server = Memory(lambda sent: ndjson(*LAYERS[:2], end="silence"))
    http = memory_http(server)
    progress = OllamaAdapter(Endpoint("http://x", timeouts=FAST), http).pull("m")
    assert await anext(progress) == DOWNLOAD[0]
    assert server.open == 1
    await progress.aclose()
    assert server.open == 0
    await http.aclose()


async def test_an_endless_line_is_refused_and_does_not_fill_the_memory() -> None:
    endless = ndjson(*['{"status":"'], *(["x" * 65536] * 200))
    said, error, server = await pulled(endless)
    assert said == []
    assert isinstance(error, ProtocolError)
    assert server.transports[0].delivered < 10 * 1024 * 1024


async def test_olla_refuses_downloads() -> None:
    _, error, _ = await pulled(tape("olla/ollama-pull-refused"))
    assert isinstance(error, Unsupported)


@settings(max_examples=150, deadline=None, database=None)
@given(
    st.lists(
        st.binary(max_size=30)
        | st.sampled_from([line.encode() for line in LAYERS])
        | st.fixed_dictionaries(
            {},
            optional={
                key: st.none() | st.integers() | st.floats() | st.text(max_size=4) | st.lists(st.integers())
                for key in ("status", "digest", "total", "completed", "error")
            },
        ).map(lambda frame: json.dumps(frame).encode() + b"\n"),
        max_size=8,
    ),
    st.sampled_from(["eof", "reset"]),
)
def test_any_download_ends_in_progress_or_a_typed_error(pieces: list[bytes], end: str) -> None:
    said, error, server = asyncio.run(pulled(ndjson(*pieces, end=end)))
    assert all(isinstance(step, PullProgress) for step in said)
    assert (error is None) == (said[-1:] == [SUCCESS] or any(step.status == "success" for step in said))
    assert server.open == 0


# Delete, copy, load, unload


async def call(responder: Any, work: Any) -> tuple[Any, list[Sent]]:
    result, server = await asked(OllamaAdapter, responder, work)
    return result, server.requests


async def test_delete_names_the_model() -> None:
    _, [sent] = await call(lambda sent: tape("ollama/delete"), lambda a: a.delete("m"))
    assert (sent.method, sent.path, sent.body) == ("DELETE", "/api/delete", {"model": "m"})


async def test_deleting_what_is_not_there_says_so() -> None:
    with pytest.raises(ModelNotFound, match="pirate"):
        await call(lambda sent: tape("ollama/err-delete-missing"), lambda a: a.delete("pirate"))


async def test_copy_names_both() -> None:
    _, [sent] = await call(lambda sent: response(""), lambda a: a.copy("m", "n"))
    assert (sent.method, sent.path, sent.body) == ("POST", "/api/copy", {"source": "m", "destination": "n"})


async def test_load_is_a_chat_without_messages() -> None:
    _, [sent] = await call(lambda sent: tape("ollama/load"), lambda a: a.load("m"))
    assert (sent.path, sent.body) == ("/api/chat", {"model": "m", "messages": [], "stream": False})


async def test_load_keeps_it_as_long_as_the_backend_says() -> None:
    server = Memory(lambda sent: tape("ollama/load"))
    http = memory_http(server)
    await OllamaAdapter(Endpoint("http://x", timeouts=FAST, options={"keep_alive": "1h"}), http).load("m")
    await http.aclose()
    assert server.requests[0].body["keep_alive"] == "1h"


async def test_a_model_that_only_embeds_is_loaded_by_embedding_nothing() -> None:
    table = {
        "POST /api/chat": answer({"error": '"m" does not support chat'}, 400),
        "POST /api/embed": answer({"model": "m", "embeddings": []}),
    }
    _, [_, sent] = await call(routes(table), lambda a: a.load("m"))
    assert (sent.path, sent.body) == ("/api/embed", {"model": "m", "input": []})


async def test_unload_keeps_it_for_no_time() -> None:
    _, [sent] = await call(lambda sent: tape("ollama/unload"), lambda a: a.unload("m"))
    assert sent.body == {"model": "m", "messages": [], "stream": False, "keep_alive": 0}


async def test_an_error_in_a_200_is_an_error() -> None:
    with pytest.raises(ServerError, match="no space"):
        await call(lambda sent: answer({"error": "no space left"}), lambda a: a.load("m"))


# What is loaded


async def test_loaded_tells_memory_and_until_when() -> None:
    [model], _ = await call(lambda sent: tape("ollama/ps"), lambda a: a.loaded())
    assert model == LoadedModel(
        id="qwen2.5-coder:0.5b",
        memory_bytes=768172288,
        vram_bytes=0,
        until=datetime(2026, 11, 21, 9, 46, 47, 509818, UTC),
    )


async def test_nothing_is_loaded() -> None:
    models, _ = await call(lambda sent: tape("ollama/ps-empty"), lambda a: a.loaded())
    assert models == []


@pytest.mark.parametrize(
    "when", ["2318-09-11T00:00:00Z", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "soon", "", 5, None]
)
async def test_for_ever_and_nonsense_are_no_time(when: object) -> None:
    entry = {"name": "m", "expires_at": when, "context_length": 4096}
    [model], _ = await call(lambda sent: answer({"models": [entry, {}, 5]}), lambda a: a.loaded())
    assert (model.until, model.context_length) == (None, 4096)


async def test_another_program_is_told_from_nothing_loaded() -> None:
    with pytest.raises(WrongService):
        await call(lambda sent: answer({"hello": "world"}), lambda a: a.loaded())


# Embeddings


async def test_embed_gives_a_vector_for_each_text() -> None:
    found, [sent] = await call(lambda sent: tape("ollama/embed"), lambda a: a.embed("m", ["hello", "world"]))
    assert (sent.path, sent.body) == ("/api/embed", {"model": "m", "input": ["hello", "world"]})
    assert [len(item) for item in found] == [896, 896]
    assert found[0][0] == 0.016482892


async def test_embed_asks_in_portions_and_keeps_the_order() -> None:
    def respond(sent: Sent) -> Script:
        return answer({"embeddings": [[float(text)] for text in sent.body["input"]]})

    count = PAGE * 2 + 1
    found, requests = await call(respond, lambda a: a.embed("m", [str(n) for n in range(count)]))
    assert found == [[float(n)] for n in range(count)]
    assert len(requests) == 3


async def test_embedding_nothing_asks_nothing() -> None:
    found, requests = await call(lambda sent: answer({}), lambda a: a.embed("m", []))
    assert (found, requests) == ([], [])


@pytest.mark.parametrize("status", [404, 405])
async def test_old_servers_embed_one_text_at_a_time(status: int) -> None:
    def respond(sent: Sent) -> Script:
        if sent.path == "/api/embeddings":
            return answer({"embedding": [len(sent.body["prompt"])]})
        return response(f"{status} page not found", status=status, kind="text/plain")

    found, requests = await call(respond, lambda a: a.embed("m", ["a", "bb"]))
    assert found == [[1.0], [2.0]]
    assert [sent.body for sent in requests[1:]] == [
        {"model": "m", "prompt": "a"},
        {"model": "m", "prompt": "bb"},
    ]


@pytest.mark.parametrize(
    ("script", "error"),
    [
        (answer({"error": "this model does not support embeddings"}, 501), Unsupported),
        (answer({"error": "invalid input"}, 400), BadRequest),
        (tape("ollama/err-no-model"), ModelNotFound),
    ],
)
async def test_other_refusals_of_embed_are_not_asked_again(script: Script, error: type[BackendError]) -> None:
    with pytest.raises(error):
        await call(lambda sent: script, lambda a: a.embed("m", ["a"]))


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=6,
)


@settings(max_examples=80, deadline=None, database=None)
@given(JSON | st.fixed_dictionaries({"embeddings": JSON}) | st.fixed_dictionaries({"models": JSON}))
def test_any_answer_is_a_result_or_a_typed_error(payload: Any) -> None:
    async def run() -> None:
        for work in (lambda a: a.embed("m", ["x"]), lambda a: a.loaded(), lambda a: a.load("m")):
            try:
                found, _ = await call(lambda sent: answer(payload), work)
            except BackendError:
                continue
            assert found is None or isinstance(found, list)

    asyncio.run(run())


# The interface


def test_ollama_can_do_everything() -> None:
    assert OllamaAdapter.operations == frozenset(Operation)
    assert issubclass(OllamaAdapter, Embeds)


async def test_what_a_server_cannot_do_says_so() -> None:
    class Nothing(ManagesModels):
        pass

    nothing = Nothing()
    assert nothing.operations == frozenset()
    for work in (nothing.delete("m"), nothing.copy("m", "n"), nothing.load("m"), nothing.unload("m")):
        with pytest.raises(Unsupported, match="this server has no"):
            await work
    with pytest.raises(Unsupported):
        await nothing.loaded()
    with pytest.raises(Unsupported) as caught:
        nothing.pull("m")
    assert "from here" in caught.value.hint
