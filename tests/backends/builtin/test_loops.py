"""It works with every event loop, in every thread, and ends with its hub."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from backends.builtin.state import State
from tests.backends.builtin.conftest import FAKE_CHILD, Bench, alive
from tests.backends.builtin.helpers import ask, until

ROOT = Path(__file__).parents[3]


def test_under_uvloop(bench: Bench) -> None:
    uvloop = pytest.importorskip("uvloop")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve_once(bench))


def test_with_the_loop_outside_the_main_thread(bench: Bench) -> None:
    outcome: list[BaseException] = []

    def work() -> None:
        try:
            asyncio.run(serve_once(bench))
        except BaseException as error:
            outcome.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert not outcome


def test_outlives_the_loop_that_started_it(bench: Bench) -> None:
    server = bench.server()
    asyncio.run(server.start())
    url = server.url
    assert asyncio.run(server.endpoint())[0] == url
    asyncio.run(server.stop())
    assert server.state is State.STOPPED


async def serve_once(bench: Bench) -> None:
    server = bench.server()
    async with server.use() as (url, key):
        assert (await ask(url, key=key.reveal()))[0] == 200
    await server.stop()


HUB = """
    import asyncio, sys
    from pathlib import Path
    from backends.builtin.process import BuiltinServer

    data_dir, model, child, diary, mode = sys.argv[1:]
    server = BuiltinServer(Path(data_dir), model, command=(sys.executable, "-I", child, diary, "serve"))

    async def work():
        await server.start()
        print("running", flush=True)
        if mode == "stay":
            await asyncio.sleep(60)
        await server.stop()
        print(server.state, flush=True)
"""

ASYNCIO = "asyncio.run(work())"

TWISTED = """
    from twisted.internet import asyncioreactor
    asyncioreactor.install(asyncio.new_event_loop())
    from twisted.internet import defer, reactor

    def begin():
        work_done = defer.Deferred.fromFuture(asyncio.ensure_future(work(), loop=reactor._asyncioEventloop))
        work_done.addBoth(lambda _: reactor.stop())

    reactor.callWhenRunning(begin)
    reactor.run()
"""


def hub(bench: Bench, runner: str, mode: str) -> subprocess.Popen[str]:
    """A small hub in a process of its own."""
    code = textwrap.dedent(HUB) + textwrap.dedent(runner)
    arguments = [str(bench.data_dir), str(bench.model), str(FAKE_CHILD), str(bench.diary), mode]
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )


@pytest.mark.parametrize("runner", [ASYNCIO, TWISTED], ids=["asyncio", "twisted"])
def test_under_a_reactor(bench: Bench, runner: str) -> None:
    with hub(bench, runner, "leave") as process:
        assert process.communicate(timeout=30)[0].split() == ["running", "stopped"]
    assert process.returncode == 0


async def test_the_child_ends_when_its_hub_is_killed(bench: Bench) -> None:
    with hub(bench, ASYNCIO, "stay") as process:
        assert process.stdout is not None
        assert await asyncio.to_thread(process.stdout.readline) == "running\n"
        process.kill()
        await asyncio.to_thread(process.wait)
    await until(lambda: not alive(bench.pids()[0]))
