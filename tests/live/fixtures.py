"""Hubs for tests: one that many tests share, and ones that a test may kill."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Literal

import pytest

from tests.fakes.thread import FakeServerThread
from tests.live.hub import Hub, migrate, prepare

#: What a hub that works never says.
_TROUBLE = re.compile(r"^Traceback|\bERROR\b|\bWARNING (?!django\.security)|Warning:", re.MULTILINE)


@pytest.fixture(scope="session")
def empty_hub(tmp_path_factory: pytest.TempPathFactory) -> Hub:
    """A data folder with tables and nothing in them. Nothing runs."""
    return made_once(tmp_path_factory, "empty", migrate)


@pytest.fixture(scope="session")
def prepared_hub(empty_hub: Hub, tmp_path_factory: pytest.TempPathFactory) -> Hub:
    """A data folder to begin with: tables, static files, people. Nothing runs."""
    return made_once(tmp_path_factory, "prepared", lambda hub: prepare(hub.prepared_like(empty_hub)))


def made_once(temporary: pytest.TempPathFactory, name: str, make: Callable[[Hub], None]) -> Hub:
    """A hub that takes seconds to make: the first process of a test run makes it, the others wait and share it."""
    base = temporary.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    hub, done = Hub(shared / name), shared / f"{name}-done"
    with (shared / f"{name}-lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            shutil.rmtree(hub.data_dir, ignore_errors=True)
            make(hub)
            done.touch()
    return hub


@pytest.fixture(scope="session")
def running_fake() -> Iterator[FakeServerThread]:
    """The AI server behind :func:`live_hub`."""
    with FakeServerThread() as fake:
        yield fake


@pytest.fixture(scope="session")
def running_hub(
    prepared_hub: Hub, running_fake: FakeServerThread, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Hub]:
    """The hub behind :func:`live_hub`."""
    hub = Hub(tmp_path_factory.mktemp("hub")).prepared_like(prepared_hub)
    try:
        hub.add_backend(f"{running_fake.url}/v1")
        yield hub.start()
    finally:
        hub.end()


@pytest.fixture
def live_hub(running_hub: Hub) -> Iterator[Hub]:
    """A hub that runs, with the models of :func:`live_fake`. Shared: leave it running."""
    before = len(running_hub.output)
    yield running_hub
    assert_calm(running_hub.output[before:])


@pytest.fixture
def live_fake(running_fake: FakeServerThread) -> FakeServerThread:
    """The AI server of :func:`live_hub`, which remembers nothing yet."""
    running_fake.clear()
    return running_fake


@pytest.fixture
def make_hub(tmp_path: Path, empty_hub: Hub, prepared_hub: Hub) -> Iterator[Callable[..., Hub]]:
    """Makes hubs of the test's own, not started; all are ended with the test."""
    yield from making_hubs(tmp_path, empty_hub, prepared_hub)


@pytest.fixture(scope="module")
def make_module_hub(
    tmp_path_factory: pytest.TempPathFactory, empty_hub: Hub, prepared_hub: Hub
) -> Iterator[Callable[..., Hub]]:
    """The same for the tests of one module, which share them."""
    yield from making_hubs(tmp_path_factory.mktemp("module"), empty_hub, prepared_hub)


def making_hubs(folder: Path, empty_hub: Hub, prepared_hub: Hub) -> Iterator[Callable[..., Hub]]:
    """Gives the function that makes them, and ends all of them."""
    made: list[Hub] = []

    def make(name: str = "hub", *, like: Literal["prepared", "new", "bare"] = "prepared", **env: str) -> Hub:
        """``new`` has no people yet; ``bare`` has nothing at all: its first start takes ten seconds."""
        hub = Hub(folder / name, env=env)
        made.append(hub)
        if like == "new":
            hub.prepared_like(empty_hub)
            shutil.copytree(prepared_hub.data_dir / "static", hub.data_dir / "static")
        return hub.prepared_like(prepared_hub) if like == "prepared" else hub

    yield make
    for hub in made:
        hub.end()


@pytest.fixture
def fresh_hub(make_hub: Callable[..., Hub], fake: FakeServerThread) -> Iterator[Hub]:
    """A hub of the test's own that runs, with the models of ``fake``."""
    hub = make_hub()
    hub.add_backend(f"{fake.url}/v1")
    hub.start()
    yield hub
    assert_calm(hub.output)


def assert_calm(output: str) -> None:
    """Nothing that a hub logs in a test is trouble; a test that makes trouble on purpose uses ``make_hub``."""
    assert not _TROUBLE.search(output), f"the hub logged:\n{output[-6000:]}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what the hubs said beside a failure."""
    report = yield
    if report.failed:
        for name, value in getattr(item, "funcargs", {}).items():
            if isinstance(value, Hub):
                report.sections.append((f"{name} said", value.output[-8000:]))
    return report
