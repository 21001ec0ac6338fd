"""The child's own program, with an engine that isn't one."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from backends.builtin.child import SERVER_COMMAND
from backends.builtin.installation import engine_folder
from backends.builtin.process import BuiltinServer
from backends.builtin.server import SMOLLM2_TEMPLATE
from backends.builtin.state import BuiltinUnavailable
from tests.backends.builtin.conftest import QUICK, Bench
from tests.backends.builtin.helpers import ask, until

FAKE_ENGINE = Path(__file__).with_name("fake_engine")


@pytest.fixture
def server(bench: Bench) -> BuiltinServer:
    shutil.copytree(FAKE_ENGINE, engine_folder(bench.data_dir), dirs_exist_ok=True)
    return bench.keep(BuiltinServer(bench.data_dir, bench.model, policy=QUICK))


def told(bench: Bench) -> Any:
    """What the engine was told."""
    return json.loads(bench.model.with_suffix(".told.json").read_text())


async def test_tells_the_engine_what_it_needs(server: BuiltinServer, bench: Bench) -> None:
    url, key = await server.endpoint()
    params = told(bench)
    assert params["model"]["path"] == str(bench.model)
    assert params["model_alias"] == ["tiny"]
    assert params["n_ctx"] == 8192  # two slots of 4096 tokens
    assert params["n_parallel"] == 2
    assert params["no_extra_bufts"] is True
    assert params["use_jinja"] is True
    assert params["hostnames"] == ["127.0.0.1"]
    assert params["api_keys"] == [key.reveal()]
    assert 1 <= params["cpuparams"]["n_threads"] <= 8
    assert 1 <= params["cpuparams_batch"]["n_threads"] <= 8
    assert params["omp"] == "passive"
    assert params["nice"] == min(os.nice(0) + 5, 19)
    assert key.reveal() not in params["argv"]
    assert "chat_template" not in params  # a file of one's own keeps its own
    assert (await ask(url, "/health"))[0] == 200


async def test_what_the_engine_prints_is_log(server: BuiltinServer) -> None:
    await server.start()
    assert "the engine talks on stdout too" in server.log_file.read_text()


async def test_ends_at_once_though_the_engine_would_not(server: BuiltinServer) -> None:
    await server.start()
    pid = server.status.pid
    assert pid is not None
    os.kill(pid, signal.SIGTERM)
    await until(lambda: server.status.pid != pid, seconds=3)


async def test_an_engine_that_refuses_is_reported(bench: Bench, server: BuiltinServer) -> None:
    server._own_model = bench.model.rename(bench.data_dir / "refuse.gguf")
    with pytest.raises(BuiltinUnavailable, match="RuntimeError: Failed to init server"):
        await server.start()


async def test_an_engine_that_cannot_be_imported_is_reported(bench: Bench) -> None:
    server = bench.keep(BuiltinServer(bench.data_dir, bench.model, policy=QUICK))
    with pytest.raises(BuiltinUnavailable, match="No module named 'xllamacpp'"):
        await server.start()


@contextmanager
def bare(bench: Bench, **changes: object) -> Iterator[subprocess.Popen[bytes]]:
    """The program alone, told its orders."""
    order = {
        "engine": str(FAKE_ENGINE),
        "model": str(bench.model),
        "alias": "tiny",
        "context": 4096,
        "slots": 2,
        "tuned": True,
        "port": 0,
        "api_key": "k",
        "parent": os.getpid(),
    } | changes
    with subprocess.Popen(SERVER_COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.write(json.dumps(order).encode() + b"\n")
        process.stdin.flush()
        try:
            yield process
        finally:
            process.kill()


def test_ends_when_stdin_ends(bench: Bench) -> None:
    with bare(bench) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["url"].startswith("http://127.0.0.1:")
        process.stdin.close()
        assert process.wait(timeout=5) == 0


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's hand is Linux's")
def test_does_not_start_for_a_parent_that_has_gone(bench: Bench) -> None:
    with bare(bench, parent=1 if os.getpid() != 1 else 2) as process:
        assert process.wait(timeout=5) == 0


def test_the_small_model_is_tuned(bench: Bench) -> None:
    with bare(bench) as process:
        assert process.stdout is not None
        process.stdout.readline()
    params = told(bench)
    assert params["chat_template"] == SMOLLM2_TEMPLATE
    assert params["sampling"]["temp"] == 0.0
    assert params["cache_type_k"] == "q8_0"
