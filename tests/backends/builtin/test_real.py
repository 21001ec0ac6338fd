"""The real engine and the real model: fetched, started, asked, killed, stopped."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from backends.builtin.process import BuiltinServer
from backends.builtin.state import BuiltinUnavailable, Policy, State
from tests.backends.builtin.conftest import alive
from tests.backends.builtin.helpers import ask, chat, until
from tests.fakes.builtin import give_builtin

pytestmark = pytest.mark.real


@pytest.fixture
def data_dir(builtin_dir: Path, tmp_path: Path) -> Path:
    """A data folder of the test's own, so that logs don't mix."""
    give_builtin(tmp_path)
    return tmp_path


@pytest.fixture
async def server(data_dir: Path) -> AsyncIterator[BuiltinServer]:
    server = BuiltinServer(data_dir)
    yield server
    await server.stop()


async def test_says_what_it_is_and_answers(server: BuiltinServer) -> None:
    async with server.use() as (url, key):
        assert await ask(url, "/health") == (200, {"status": "ok"})
        assert (await ask(url))[0] == 401
        status, models = await ask(url, key=key.reveal())
        assert status == 200
        assert [model["id"] for model in models["data"]] == [server.model.id]
        assert models["data"][0]["meta"]["n_ctx"] == server.model.context_length
        chunks = await asyncio.to_thread(chat, url, key.reveal(), "What is the capital of France?")
    text = "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks if chunk["choices"])
    assert "Paris" in text
    assert chunks[-1]["usage"]["completion_tokens"] > 0
    assert "France" not in server.log_file.read_text()


async def test_two_answers_are_written_at_the_same_time(server: BuiltinServer) -> None:
    url, key = await server.endpoint()
    answers = await asyncio.gather(
        *(
            asyncio.to_thread(chat, url, key.reveal(), question)
            for question in ("Hello!", "Name three fruits.")
        )
    )
    assert all(len(chunks) > 3 for chunks in answers)


async def test_comes_back_when_it_is_killed(server: BuiltinServer) -> None:
    await server.start()
    pid = server.status.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    await until(lambda: server.status.pid not in {None, pid}, seconds=30)
    url, key = await server.endpoint()
    assert (await ask(url, key=key.reveal()))[0] == 200


async def test_stops_at_once_in_the_middle_of_an_answer(server: BuiltinServer) -> None:
    url, key = await server.endpoint()
    answer = asyncio.create_task(
        asyncio.to_thread(chat, url, key.reveal(), "Tell me a very long story.", 2000)
    )
    await asyncio.sleep(0.5)
    pid = server.status.pid
    assert pid is not None
    await asyncio.wait_for(server.stop(), 2.5)  # below the grace time: SIGTERM was enough
    assert not alive(pid)
    await asyncio.wait([answer])
    answer.exception()


async def test_stops_when_idle(data_dir: Path) -> None:
    server = BuiltinServer(data_dir, policy=replace(Policy(), idle=0.3))
    await server.start()
    await until(lambda: server.state is State.STOPPED)


async def test_a_broken_model_is_reported(data_dir: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF and nothing more")
    server = BuiltinServer(data_dir, broken)
    with pytest.raises(BuiltinUnavailable, match="did not start: it ended with code 1"):
        await server.start()
    assert server.status.log
