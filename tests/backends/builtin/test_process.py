"""The built-in server starts when it is needed, shares its start, is gone when it isn't needed."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from backends.builtin.process import BuiltinServer
from backends.builtin.state import BuiltinUnavailable, State
from tests.backends.builtin.conftest import QUICK, Bench, alive
from tests.backends.builtin.helpers import ask, until


async def test_starts_on_demand_and_wants_its_key(bench: Bench) -> None:
    server = bench.server()
    assert server.state is State.STOPPED
    assert server.url is None
    assert not server.api_key
    url, key = await server.endpoint()
    assert url.startswith("http://127.0.0.1:")
    assert url.endswith("/v1")
    assert (server.state, server.url, server.api_key) == (State.RUNNING, url, key)
    assert (await ask(url))[0] == 401
    assert (await ask(url, key=key.reveal()))[0] == 200


async def test_says_what_is_missing_where_nothing_was_fetched(tmp_path: Path) -> None:
    server = BuiltinServer(tmp_path)
    assert server.state is State.ABSENT
    assert server.model.id == "smollm2-135m-instruct"
    with pytest.raises(BuiltinUnavailable, match="has not been fetched") as raised:
        await server.start()
    assert "backends.builtin.fetch" in raised.value.hint
    await server.stop()


async def test_callers_at_the_same_time_share_one_start(bench: Bench) -> None:
    server = bench.server()
    endpoints = await asyncio.gather(*(server.endpoint() for _ in range(8)))
    assert len(set(endpoints)) == 1
    assert len(bench.pids()) == 1


async def test_a_caller_who_gives_up_does_not_stop_the_start_of_the_others(bench: Bench) -> None:
    server = bench.server()
    impatient = asyncio.create_task(server.start())
    patient = asyncio.create_task(server.endpoint())
    await asyncio.sleep(0)
    impatient.cancel()
    url, key = await patient
    assert (await ask(url, key=key.reveal()))[0] == 200
    with pytest.raises(asyncio.CancelledError):
        await impatient


async def test_stops_when_idle_and_starts_again(bench: Bench) -> None:
    server = bench.server(policy=replace(QUICK, idle=0.2))
    await server.start()
    await until(lambda: server.state is State.STOPPED)
    assert not alive(bench.pids()[0])
    await server.start()
    assert server.state is State.RUNNING
    assert len(bench.pids()) == 2


async def test_does_not_stop_while_it_is_used(bench: Bench) -> None:
    server = bench.server(policy=replace(QUICK, idle=0.2))
    async with server.use() as (first, _):
        async with server.use():
            await asyncio.sleep(0.5)
        await asyncio.sleep(0.5)
        assert server.url == first
    await until(lambda: server.state is State.STOPPED)


async def test_a_touch_prolongs_its_life(bench: Bench) -> None:
    server = bench.server(policy=replace(QUICK, idle=0.6))
    await server.start()
    for _ in range(6):
        await asyncio.sleep(0.2)
        server.touch()
    assert server.state is State.RUNNING
    assert len(bench.pids()) == 1


async def test_stop_ends_the_child_and_it_can_be_started_again(bench: Bench) -> None:
    server = bench.server()
    first = await server.endpoint()
    await server.stop()
    assert server.state is State.STOPPED
    assert server.url is None
    assert not alive(bench.pids()[0])
    assert await server.endpoint() != first


async def test_stop_during_the_start_tells_those_who_wait(bench: Bench) -> None:
    server = bench.server("silent")
    waiting = asyncio.create_task(server.start())
    await until(bench.pids)
    await server.stop()
    with pytest.raises(BuiltinUnavailable, match="was stopped"):
        await waiting


async def test_a_start_during_the_stop_waits_for_a_new_child(bench: Bench) -> None:
    server = bench.server()
    await server.start()
    stopping = asyncio.create_task(server.stop())
    await asyncio.sleep(0)
    url, key = await server.endpoint()
    await stopping
    assert (await ask(url, key=key.reveal()))[0] == 200


async def test_a_child_that_ignores_sigterm_is_killed(bench: Bench) -> None:
    server = bench.server("stubborn", replace(QUICK, grace=0.2))
    await server.start()
    await asyncio.wait_for(server.stop(), 5)
    assert not alive(bench.pids()[0])


async def test_stop_before_any_start_does_nothing(bench: Bench) -> None:
    server = bench.server()
    await server.stop()
    server.stop_now()
    assert server.state is State.STOPPED


async def test_a_taken_port_is_named_in_the_failure(bench: Bench) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        server = bench.server(port=taken.getsockname()[1])
        with pytest.raises(BuiltinUnavailable, match=r"couldn't bind.*in use"):
            await server.start()
    await server.start()
    assert server.state is State.RUNNING


async def test_two_hubs_on_one_data_folder_each_have_their_child(bench: Bench) -> None:
    one, other = bench.server(), bench.server()
    await asyncio.gather(one.start(), other.start())
    assert one.url != other.url
    await one.stop()
    assert other.state is State.RUNNING


async def test_the_key_and_the_hubs_secrets_stay_out_of_arguments_and_environment(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY", "the-hubs-own")
    server = bench.server()
    url, key = await server.endpoint()
    _, seen = await ask(url, key=key.reveal())
    assert "SECRET_KEY" not in seen["environ"]
    assert key.reveal() not in str(seen)
    assert key.reveal() not in repr(server.status)


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="counts open files under /proc")
async def test_leaks_no_open_files_and_no_zombies(bench: Bench) -> None:
    server = bench.server()
    await server.start()
    await server.stop()
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    for _ in range(3):
        await server.start()
        os.kill(bench.pids()[-1], signal.SIGKILL)
        known = len(bench.pids())
        await until(lambda known=known: len(bench.pids()) > known)
        await server.start()
        await server.stop()
        server.forget_failures()
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208
    assert not [pid for pid in bench.pids() if alive(pid)]
