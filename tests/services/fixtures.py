"""Real PostgreSQL and Redis servers, and hubs on them. CI must not go without them."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import pytest

from tests.fakes.thread import FakeServerThread
from tests.live.hub import Hub, migrate, prepare
from tests.live.person import Person
from tests.services.servers import Missing, Postgres, Redis, Server

S = TypeVar("S", bound=Server)

_ADD_BACKENDS = """
from django.core.management import call_command

call_command("add_backend", "Fake", kind="openai", url="{url}")
call_command("add_backend", "Narrow", kind="openai", url="{url}", slots=1)
"""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two processes of one hub: the same keys, the same database, the same Redis."""

    one: Hub
    other: Hub

    def tabs(self, name: str) -> tuple[Person, Person]:
        """One session of that person, in a tab at either process."""
        here = self.one.person(name)
        there = here.copy()
        there.origin = self.other.origin
        return here, there


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server that runs. A test that stops it starts it again."""
    yield from running(Postgres)


@pytest.fixture(scope="session")
def redis() -> Iterator[Redis]:
    """A Redis server that runs. A test that stops it starts it again."""
    yield from running(Redis)


def running(make: Callable[[], S]) -> Iterator[S]:
    """The server, for as long as the tests need it."""
    try:
        server = make()
    except Missing as missing:
        if os.environ.get("CI") == "true":
            pytest.fail(str(missing))
        pytest.skip(str(missing))
    try:
        server.start()
        yield server
    finally:
        server.end()


@pytest.fixture(scope="session")
def with_tables(
    postgres: Postgres, empty_hub: Hub, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], str]:
    """Makes databases with the hub's tables and nothing in them; gives their addresses."""
    env = {"DATABASE_URL": postgres.create("tables")}
    migrate(Hub(tmp_path_factory.mktemp("tables"), env=env).prepared_like(empty_hub))
    return lambda name: postgres.create(name, like="tables")


@pytest.fixture(scope="session")
def service_fake() -> Iterator[FakeServerThread]:
    """The AI server behind the two processes."""
    with FakeServerThread() as fake:
        yield fake


@pytest.fixture(scope="session")
def running_pair(
    prepared_hub: Hub,
    with_tables: Callable[[str], str],
    redis: Redis,
    service_fake: FakeServerThread,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Pair]:
    """The two processes behind :func:`pair`."""
    folder = tmp_path_factory.mktemp("services")
    env = {"DATABASE_URL": with_tables("hub"), "REDIS_URL": redis.url}
    one = Hub(folder / "one", env=env).prepared_like(prepared_hub)
    prepare(one)
    one.shell(_ADD_BACKENDS.format(url=f"{service_fake.url}/v1"))
    other = Hub(folder / "other", env=env).prepared_like(one)
    try:
        one.launch()
        other.launch()
        one.wait_until_served()
        other.wait_until_served()
        yield Pair(one, other)
    finally:
        one.end()
        other.end()


@pytest.fixture
def pair(running_pair: Pair) -> Pair:
    """Two processes that run and are well. Shared: leave them so."""
    running_pair.one.wait_until_served()
    running_pair.other.wait_until_served()
    return running_pair


@pytest.fixture
def pair_fake(service_fake: FakeServerThread) -> FakeServerThread:
    """The AI server of the two processes, which remembers nothing yet."""
    service_fake.clear()
    return service_fake


@pytest.fixture
def third(running_pair: Pair, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """One more process of the same hub, which a test may kill."""
    folder = tmp_path_factory.mktemp("third")
    hub = Hub(folder, env=running_pair.one.more_env).prepared_like(running_pair.one)
    try:
        yield hub.start()
    finally:
        hub.end()


def numbers_in(text: str) -> list[int]:
    """The numbers of the stamped tokens."""
    return [int(number) for number in re.findall(r"\bt(\d+)@", text)]


def shown_in_order(frames: str) -> list[int]:
    """The same, each where it was first seen: a block that is sent again repeats its tokens."""
    return list(dict.fromkeys(numbers_in(frames)))
