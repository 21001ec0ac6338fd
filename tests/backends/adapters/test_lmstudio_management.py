"""LM Studio's models: downloaded with progress, loaded once, unloaded by instance."""

# ruff: noqa: E501 - one case a line

from __future__ import annotations

from collections.abc import Callable
from contextlib import aclosing
from typing import Any

import pytest

from backends.adapters import lmstudio_management
from backends.adapters.errors import (
    BackendError,
    ModelNotFound,
    NotFound,
    ServerError,
    Unsupported,
    WrongService,
)
from backends.adapters.lmstudio import LMStudioAdapter
from backends.adapters.management import LoadedModel, Operation, PullProgress
from tests.backends.adapters.wire import Memory, Script, Sent, answer, asked, response, routes

LIST = {
    "models": [
        {"key": "gemma", "variants": ["gemma@q4"], "loaded_instances": [{"id": "gemma", "config": {"context_length": 4096}}, {"id": "gemma:2"}]},
        {"key": "idle", "loaded_instances": []},
    ]
}  # fmt: skip
MODELS = {"GET /api/v1/models": answer(LIST)}
JOB = {"job_id": "job/1", "status": "downloading", "total_size_bytes": 100, "started_at": "now"}


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lmstudio_management, "POLL", 0)


async def manage(
    responder: Callable[[Sent], Script], call: Callable[[LMStudioAdapter], Any]
) -> tuple[Any, list[tuple[str, Any]]]:
    result, server = await asked(LMStudioAdapter, responder, call)
    return result, sent_to(server)


def sent_to(server: Memory) -> list[tuple[str, Any]]:
    return [(f"{sent.method} {sent.path}", sent.body) for sent in server.requests]


async def pulled(
    *scripts: Script, name: str = "pub/model"
) -> tuple[list[PullProgress], list[tuple[str, Any]]]:
    left = list(scripts)

    async def pull(adapter: LMStudioAdapter) -> list[PullProgress]:
        async with aclosing(adapter.pull(name)) as progress:
            return [step async for step in progress]

    return await manage(lambda sent: left.pop(0), pull)


def test_there_is_no_way_to_delete_or_copy() -> None:
    assert LMStudioAdapter.operations == {Operation.PULL, Operation.LOAD, Operation.UNLOAD, Operation.LOADED}


async def test_a_download_is_watched_to_its_end() -> None:
    steps, requests = await pulled(
        answer(JOB),
        answer({**JOB, "downloaded_bytes": 40, "bytes_per_second": 5}),
        answer({**JOB, "status": "paused", "downloaded_bytes": 41}),
        answer({**JOB, "status": "completed", "completed_at": "now"}),
    )
    assert steps == [
        PullProgress("downloading", completed=0, total=100), PullProgress("downloading", completed=40, total=100),
        PullProgress("paused", completed=41, total=100), PullProgress("completed", completed=100, total=100),
    ]  # fmt: skip
    assert requests[0] == ("POST /api/v1/models/download", {"model": "pub/model"})
    assert requests[1:] == [("GET /api/v1/models/download/status/job%2F1", None)] * 3


async def test_what_is_there_already_is_done_at_once() -> None:
    steps, requests = await pulled(answer({"status": "already_downloaded"}), name="https://hf.co/a@Q4_K_M")
    assert steps == [PullProgress("already_downloaded")]
    assert requests == [
        ("POST /api/v1/models/download", {"model": "https://hf.co/a", "quantization": "Q4_K_M"})
    ]


@pytest.mark.parametrize(
    ("scripts", "error", "says"),
    [
        ((answer(JOB), answer({**JOB, "status": "failed", "error": "disk full"})), ServerError, "disk full"),
        ((answer({"status": "downloading"}),), ServerError, "failed"),
        (
            (answer(JOB), answer({"error": {"type": "job_not_found", "message": "no job"}}, 404)),
            NotFound,
            "no job",
        ),
        ((answer({"error": "Unexpected endpoint or method. (POST /x)"}),), Unsupported, "Unexpected"),
        ((response("<html>", kind="text/html"),), WrongService, "web page"),
    ],
)
async def test_a_download_that_fails_says_why(
    scripts: tuple[Script, ...], error: type[BackendError], says: str
) -> None:
    with pytest.raises(error, match=says):
        await pulled(*scripts)


async def test_every_copy_in_memory_is_listed() -> None:
    loaded, _ = await manage(routes(MODELS), lambda a: a.loaded())
    assert loaded == [LoadedModel("gemma", "gemma", context_length=4096), LoadedModel("gemma", "gemma:2")]


LOAD = {
    **MODELS,
    "POST /api/v1/models/load": answer({"type": "llm", "instance_id": "idle", "status": "loaded"}),
}
UNLOAD = {**MODELS, "POST /api/v1/models/unload": answer({"instance_id": "x"})}


@pytest.mark.parametrize("model", ["gemma", "gemma@q4", "gemma:2"])
async def test_a_loaded_model_is_not_loaded_twice(model: str) -> None:
    _, requests = await manage(routes(LOAD), lambda a: a.load(model))
    assert requests == [("GET /api/v1/models", None)]


async def test_a_model_is_loaded() -> None:
    _, requests = await manage(routes(LOAD), lambda a: a.load("idle"))
    assert requests[1:] == [("POST /api/v1/models/load", {"model": "idle"})]


@pytest.mark.parametrize(
    ("model", "instances"),
    [
        ("gemma", ["gemma", "gemma:2"]),
        ("gemma@q4", ["gemma", "gemma:2"]),
        ("gemma:2", ["gemma:2"]),
        ("idle", []),
    ],
)
async def test_unloading_names_instances(model: str, instances: list[str]) -> None:
    _, requests = await manage(routes(UNLOAD), lambda a: a.unload(model))
    assert requests[1:] == [("POST /api/v1/models/unload", {"instance_id": name}) for name in instances]


@pytest.mark.parametrize("call", [lambda a: a.load("nope"), lambda a: a.unload("nope")])
async def test_an_unknown_model_is_told_before_anything_is_done(call: Any) -> None:
    with pytest.raises(ModelNotFound):
        await manage(routes(MODELS), call)


async def test_an_older_server_cannot_do_it() -> None:
    old = answer({"error": "Unexpected endpoint or method. (GET /api/v1/models)"})
    with pytest.raises(Unsupported) as caught:
        await manage(lambda sent: old, lambda a: a.loaded())
    assert "0.4" in caught.value.hint
