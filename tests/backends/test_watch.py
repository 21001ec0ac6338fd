"""The watch: every enabled server is looked at now and then, and a dead one slows nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio
from cryptography.fernet import Fernet

from backends import watch as module
from backends.adapters.http import Http
from backends.database import close_connections, in_database
from backends.models import Backend, State
from backends.watch import BACK_OFF, EVERY, WANTED, Seen, Watch, back_off
from tests.backends.adapters.server import Connection, serving
from tests.conftest import signed_in
from tests.fakes.server import FakeServer

pytestmark = pytest.mark.django_db(transaction=True)


async def make(name: str, url: str, **values: Any) -> Backend:
    return await in_database(Backend.objects.create, name=name, kind="ollama", base_url=url, **values)


async def state(backend: Backend) -> str:
    return (await in_database(Backend.objects.get, pk=backend.pk)).state


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.005)


async def becomes(backend: Backend, wanted: str) -> None:
    async with asyncio.timeout(5):
        while await state(backend) != wanted:
            await asyncio.sleep(0.01)


@pytest_asyncio.fixture
async def watch(transactional_db: None) -> AsyncIterator[Watch]:
    http = Http()
    running = Watch(http)
    yield running
    await running.close()
    await http.aclose()
    close_connections()


@pytest_asyncio.fixture
async def fake() -> AsyncIterator[FakeServer]:
    async with FakeServer() as server:
        yield server


@pytest_asyncio.fixture
async def hanging() -> AsyncIterator[str]:
    """A server that takes every request and never answers."""

    async def silent(connection: Connection) -> None:
        await connection.until_closed(60)

    async with serving(silent) as server:
        yield server.url


def test_pauses_grow_and_stay_within_two_minutes() -> None:
    pauses = [back_off(failures) for failures in range(1, 20)]

    assert pauses[0] == 5
    assert pauses == sorted(pauses)
    assert pauses[len(BACK_OFF) - 1 :] == [120.0] * (20 - len(BACK_OFF))


async def test_a_server_that_answers_is_online_and_comes_round_again(watch: Watch, fake: FakeServer) -> None:
    backend = await make("Fake", fake.url)
    watch.start()

    await becomes(backend, State.ONLINE)

    await until(lambda: not watch._busy)
    turn = watch._next[backend.pk]
    assert turn.failures == 0
    assert turn.due == pytest.approx(time.monotonic() + EVERY, abs=5)
    assert await in_database(backend.models.count) == 7


async def test_a_server_that_fails_is_asked_less_and_less(watch: Watch, refusing: str) -> None:
    backend = await make("Gone", refusing)

    for failures in (1, 2, 3):
        watch._next.setdefault(backend.pk, module.Next()).due = 0.0
        await watch._start_due()
        await until(lambda: not watch._busy)
        turn = watch._next[backend.pk]
        assert turn.failures == failures
        assert turn.due == pytest.approx(time.monotonic() + back_off(failures), abs=2)

    assert await state(backend) == State.OFFLINE


async def test_a_server_that_comes_back_is_online_with_the_ordinary_pause(
    watch: Watch, fake: FakeServer
) -> None:
    backend = await make("Fake", fake.url)
    watch._next[backend.pk] = module.Next(failures=5)

    await watch._start_due()
    await until(lambda: not watch._busy)

    assert await state(backend) == State.ONLINE
    assert watch._next[backend.pk].failures == 0
    assert watch._next[backend.pk].due > time.monotonic() + EVERY - 5


async def test_whose_turn_has_not_come_is_left_alone(watch: Watch, fake: FakeServer) -> None:
    backend = await make("Fake", fake.url)
    watch._next[backend.pk] = module.Next(due=time.monotonic() + 100)

    await watch._start_due()

    assert not watch._busy
    assert fake.requests == []


async def test_a_dead_server_slows_no_other_and_no_page(
    watch: Watch, fake: FakeServer, hanging: str, refusing: str, ada: Any
) -> None:
    silent, gone = await make("A silent", hanging), await make("B gone", refusing)
    alive = await make("C alive", fake.url)
    began = time.monotonic()
    watch.start()

    await becomes(alive, State.ONLINE)
    await becomes(gone, State.OFFLINE)
    browser = await in_database(signed_in, ada)
    for path in ("/", "/backends/", "/backends/a-silent/"):
        response = await in_database(browser.get, path)
        assert response.status_code == 200

    assert time.monotonic() - began < 4
    assert set(watch._busy) == {silent.pk}
    assert await state(silent) == State.UNKNOWN


async def test_a_server_under_way_is_not_asked_twice(watch: Watch, hanging: str) -> None:
    await make("Silent", hanging)

    await watch._start_due()
    (first,) = watch._busy.values()
    await watch._start_due()

    assert list(watch._busy.values()) == [first]


async def test_a_saved_server_is_looked_at_now(watch: Watch, fake: FakeServer) -> None:
    backend = await make("Fake", "http://127.0.0.1:9")
    watch._next[backend.pk] = module.Next(due=time.monotonic() + 1000, failures=9)
    watch.start()
    await asyncio.sleep(0.05)
    await in_database(Backend.objects.update, base_url=fake.url)

    await asyncio.to_thread(watch.look_soon, backend.pk)

    await becomes(backend, State.ONLINE)


async def test_what_is_off_or_our_own_is_not_asked(watch: Watch, fake: FakeServer) -> None:
    await make("Off", fake.url, enabled=False)
    await make("Own", fake.url, managed=True)

    await watch._start_due()

    assert not watch._busy


async def test_a_backend_deleted_under_way_is_no_trouble(watch: Watch, fake: FakeServer) -> None:
    await make("Fake", fake.url)
    await watch._start_due()
    (task,) = watch._busy.values()

    await in_database(Backend.objects.all().delete)
    await task

    assert not await in_database(Backend.objects.exists)


async def test_a_key_that_cannot_be_read_is_logged_without_it(
    watch: Watch, fake: FakeServer, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    backend = await make("Fake", fake.url)
    backend.set_api_key("sk-s3cret")
    await in_database(backend.save)
    settings.CREDENTIALS_KEY = Fernet.generate_key().decode()

    await watch._start_due()
    await until(lambda: not watch._busy)

    assert watch._next[backend.pk].failures == 1
    assert fake.requests == []
    assert "backend fake: CannotDecrypt" in caplog.text
    assert "s3cret" not in caplog.text


async def test_closing_does_not_wait_for_who_never_answers(watch: Watch, hanging: str) -> None:
    await make("Silent", hanging)
    watch.start()
    await until(lambda: watch._busy)

    began = time.monotonic()
    await watch.close()

    assert time.monotonic() - began < 1


async def test_every_look_is_told_and_a_return_by_its_name(fake: FakeServer, transactional_db: None) -> None:
    heard: list[Seen] = []

    async def hear(seen: Seen) -> bool:
        heard.append(seen)
        return False

    http = Http()
    watch = Watch(http, hear)
    backend = await make("Fake", "http://127.0.0.1:9")
    for url in ("http://127.0.0.1:9", fake.url, fake.url):
        await in_database(Backend.objects.update, base_url=url)
        watch._next[backend.pk] = module.Next()
        await watch._start_due()
        await until(lambda: not watch._busy)
    await watch.close()
    await http.aclose()
    close_connections()

    pk = backend.pk
    assert heard == [Seen(pk, False, False), Seen(pk, True, True), Seen(pk, True, False)]


async def test_a_server_that_somebody_waits_for_is_asked_more_often(
    watch: Watch, refusing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def somebody(_seen: Seen) -> bool:
        return True

    monkeypatch.setattr(watch, "_tell", somebody)
    backend = await make("Gone", refusing)
    watch._next[backend.pk] = module.Next(failures=9)

    await watch._start_due()
    await until(lambda: not watch._busy)

    assert watch._next[backend.pk].due == pytest.approx(time.monotonic() + WANTED, abs=2)
