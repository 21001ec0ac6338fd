"""The child dies, never gets ready, can't start: it is restarted, and given up with a clear message."""

from __future__ import annotations

import os
import signal
from dataclasses import replace

import pytest

from backends.builtin.state import BuiltinUnavailable, Deaths, Policy, State
from tests.backends.builtin.conftest import QUICK, Bench, alive
from tests.backends.builtin.helpers import ask, until


async def test_a_killed_child_is_started_again(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    server = bench.server()
    first = await server.endpoint()
    os.kill(bench.pids()[0], signal.SIGKILL)
    await until(lambda: server.state is State.RUNNING and server.status.pid != bench.pids()[0])
    url, key = await server.endpoint()
    assert (url, key) != first
    assert (await ask(url, key=key.reveal()))[0] == 200
    assert "SIGKILL" in caplog.text
    assert not alive(bench.pids()[0])


async def test_a_use_during_the_restart_waits_for_it(bench: Bench) -> None:
    server = bench.server(policy=replace(QUICK, backoff=0.3))
    await server.start()
    os.kill(bench.pids()[0], signal.SIGKILL)
    await until(lambda: server.state is State.STARTING)
    async with server.use() as (url, key):
        assert (await ask(url, key=key.reveal()))[0] == 200


async def test_a_stop_between_two_lives_is_heard(bench: Bench) -> None:
    server = bench.server(policy=replace(QUICK, backoff=60.0, backoff_limit=60.0))
    await server.start()
    os.kill(bench.pids()[0], signal.SIGKILL)
    await until(lambda: server.state is State.STARTING)
    await server.stop()
    assert server.state is State.STOPPED
    assert len(bench.pids()) == 1


async def test_is_given_up_when_it_dies_again_and_again(bench: Bench) -> None:
    server = bench.server("mortal", replace(QUICK, deaths=3))
    await server.start()
    await until(lambda: server.state is State.FAILED)
    assert len(bench.pids()) == 3
    assert server.status.problem.startswith("The built-in model ended 3 times within 10 minutes")
    assert "code 7" in server.status.problem
    with pytest.raises(BuiltinUnavailable, match="ended 3 times"):
        await server.endpoint()
    assert len(bench.pids()) == 3


async def test_tries_again_after_it_was_given_up_when_a_person_asks(bench: Bench) -> None:
    server = bench.server("mortal", replace(QUICK, deaths=1))
    await server.start()
    await until(lambda: server.state is State.FAILED)
    server.forget_failures()
    await server.start()
    assert len(bench.pids()) == 2


async def test_a_child_that_cannot_start_fails_at_once_with_its_own_words(bench: Bench) -> None:
    server = bench.server("broken")
    with pytest.raises(
        BuiltinUnavailable, match=r"did not start: it ended with code 1\..*cannot read the model"
    ):
        await server.start()
    assert server.state is State.FAILED
    assert server.status.log[-1] == "0.03 E giving up"
    assert len(bench.pids()) == 1


async def test_a_broken_child_is_tried_a_few_times_and_then_left_alone(bench: Bench) -> None:
    server = bench.server("broken", replace(QUICK, deaths=2))
    for _ in range(4):
        with pytest.raises(BuiltinUnavailable, match="cannot read the model"):
            await server.start()
    assert len(bench.pids()) == 2


@pytest.mark.parametrize("mode", ["sick", "silent"])
async def test_a_child_that_never_gets_ready_is_ended(bench: Bench, mode: str) -> None:
    server = bench.server(mode, replace(QUICK, ready=1.0))
    with pytest.raises(BuiltinUnavailable, match="not ready within 1 seconds"):
        await server.start()
    assert not [pid for pid in bench.pids() if alive(pid)]


async def test_a_program_that_is_not_there_is_a_failure_too(bench: Bench) -> None:
    server = bench.server()
    server._command = ("/nowhere/python",)
    with pytest.raises(BuiltinUnavailable, match="could not be opened"):
        await server.start()
    assert server.state is State.FAILED


def test_pauses_grow_up_to_a_limit_and_deaths_are_forgotten_after_the_window() -> None:
    now = 0.0
    deaths = Deaths(Policy(deaths=4, window=60, backoff=0.5, backoff_limit=1.5), clock=lambda: now)
    pauses = []
    for _ in range(4):
        assert not deaths.too_many
        deaths.add()
        pauses.append(deaths.pause())
    assert pauses == [0.5, 1.0, 1.5, 1.5]
    assert deaths.too_many
    now = 61.0
    assert not deaths.too_many
