"""A search contacts what it was told to and nothing else, is quick, bounded, and can be cancelled."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from backends.database import close_connections
from backends.models import Search
from backends.searches import engine
from backends.searches.engine import Progress, Target, listens, resolved, search
from backends.searches.models import SearchStatus
from backends.searches.places import read_places
from backends.searches.service import cancel_search, start_search
from tests.backends.network import watched
from tests.fakes.exchange import Hanging, InThread, until
from tests.fakes.lmstudio import FakeLMStudio
from tests.fakes.opencode import FakeOpenCode
from tests.fakes.server import FakeServer
from tests.fakes.thread import FakeServerThread


async def go_on(_progress: Progress) -> bool:
    return True


def found_in(progress: Progress) -> set[tuple[str, str]]:
    return {(answered.target.host, answered.sight.kind) for answered in progress.found}


async def searched(typed: str, ports: tuple[int, ...]) -> Progress:
    """What a search showed at its end."""
    last = Progress()

    async def report(progress: Progress) -> bool:
        nonlocal last
        last = progress
        return True

    assert await search(read_places(typed), ports, report)
    return last


async def test_servers_at_several_addresses_are_found_and_nobody_else_is_contacted() -> None:
    async with (
        FakeLMStudio(host="127.0.0.2") as studio,
        FakeOpenCode(host="127.0.0.3", port=studio.port) as code,
        FakeServer(host="127.0.0.5") as ollama,
    ):
        ports = (studio.port, ollama.port)
        with watched() as contacts:
            progress = await searched("127.0.0.0/29", ports)

    assert found_in(progress) == {
        ("127.0.0.2", "lmstudio"),
        ("127.0.0.3", "opencode"),
        ("127.0.0.5", "ollama"),
    }
    assert (progress.tried, progress.total, progress.unknown) == (12, 12, [])
    assert contacts.addresses == {(f"127.0.0.{last}", port) for last in range(1, 7) for port in ports}
    assert code.prompts == studio.chats == ollama.chats == []


async def test_only_reading_requests_are_sent_and_no_credential() -> None:
    async with FakeLMStudio() as studio:
        await searched("127.0.0.1", (studio.port,))

    assert {request.method for request in studio.requests} == {"GET"}
    assert not [
        request for request in studio.requests if request.headers.keys() & {"authorization", "cookie"}
    ]


async def test_a_hanging_server_costs_a_moment_and_hides_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "PATIENCE", 0.2)
    async with Hanging(host="127.0.0.2") as hanging, FakeServer(host="127.0.0.3") as fake:
        began = time.monotonic()
        progress = await searched("127.0.0.2 127.0.0.3", (hanging.port, fake.port))

    assert found_in(progress) == {("127.0.0.3", "ollama")}
    assert time.monotonic() - began < 15


async def test_a_name_is_searched_where_it_stands_for_this_network(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.get_running_loop()
    known = {"box": "127.0.0.4", "far": "203.0.113.5", "localhost": "127.0.0.1"}

    async def lookup(host: str, _port: object, **_more: object) -> list[Any]:
        if host not in known:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (known[host], 0))]

    async with FakeServer(host="127.0.0.4") as fake:
        with watched() as contacts, monkeypatch.context() as patch:
            patch.setattr(loop, "getaddrinfo", lookup)
            assert str(await resolved("box")) == "127.0.0.4"
            assert await resolved("far") is None
        with watched() as contacts:
            patched = pytest.MonkeyPatch()
            patched.setattr(engine, "resolved", resolver(known))
            progress = await searched("box far nowhere", (fake.port,))
            patched.undo()

    assert found_in(progress) == {("box", "ollama")}
    assert progress.unknown == ["far", "nowhere"]
    assert contacts.addresses == {("127.0.0.4", fake.port)}


def resolver(known: dict[str, str]) -> Any:
    """Name service from a table; what is not at home is not given, as the real one does."""
    from ipaddress import ip_address

    from backends.searches.places import is_home

    async def look(name: str) -> Any:
        address = ip_address(known.get(name, "203.0.113.1"))
        return address if is_home(address) else None

    return look


async def test_an_address_outside_is_refused_at_the_socket_too() -> None:
    from ipaddress import ip_address

    with watched() as contacts, pytest.raises(ValueError, match="private"):
        await listens(Target("far", ip_address("203.0.113.5"), 80))

    assert contacts.addresses == set()


async def test_so_many_connections_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "CONNECTS", 7)
    now = most = 0

    async def slow(_target: Target) -> bool:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.001)
        now -= 1
        return False

    monkeypatch.setattr(engine, "listens", slow)
    progress = await searched("127.0.0.0/25", (1, 2))

    assert most == 7
    assert progress.tried == progress.total == 252


async def test_time_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(_target: Target) -> bool:
        await asyncio.sleep(60)
        return False

    monkeypatch.setattr(engine, "listens", never)
    monkeypatch.setattr(engine, "LIMIT", 0.1)
    monkeypatch.setattr(engine, "REPORTING", 0.02)
    with pytest.raises(TimeoutError):
        await search(read_places("127.0.0.1"), (9,), go_on)


async def test_a_report_may_end_it(monkeypatch: pytest.MonkeyPatch) -> None:
    async def enough(_progress: Progress) -> bool:
        return False

    monkeypatch.setattr(engine, "REPORTING", 0.01)
    async with Hanging() as hanging:
        assert not await search(read_places("127.0.0.1"), (hanging.port,), enough)
        await until(lambda: not hanging.open)


# --- as a row -------------------------------------------------------------------------------------


@pytest.fixture
def _database(transactional_db: None) -> Iterator[None]:
    yield
    deadline = time.monotonic() + 10
    Search.objects.update(cancel_requested=True)
    while Search.objects.filter(status=SearchStatus.RUNNING).exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    close_connections()


def ended(row: Search, seconds: float = 15) -> Search:
    deadline = time.monotonic() + seconds
    while row.status == SearchStatus.RUNNING:
        assert time.monotonic() < deadline
        time.sleep(0.02)
        row.refresh_from_db()
    return row


@pytest.mark.usefixtures("_database")
def test_a_search_fills_its_row(fake: FakeServerThread) -> None:
    row = ended(start_search("127.0.0.1", [fake.port]))

    assert (row.status, row.percent, row.is_active) == (SearchStatus.COMPLETED, 100, False)
    assert row.found == [
        {"kind": "ollama", "software": "Ollama", "host": "127.0.0.1", "url": fake.url, "model_count": 7,
         "version": "0.9.3"}
    ]  # fmt: skip


@pytest.mark.usefixtures("_database")
def test_a_search_is_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "PATIENCE", 30.0)
    with InThread(Hanging()) as hanging:
        row = start_search("127.0.0.1", [hanging.port])
        assert row.is_active
        cancel_search(row)
        began = time.monotonic()
        assert ended(row).status == SearchStatus.CANCELLED

    assert time.monotonic() - began < 15


@pytest.mark.usefixtures("_database")
def test_a_new_search_ends_the_one_before() -> None:
    with InThread(Hanging()) as hanging:
        first = start_search("127.0.0.1", [hanging.port])
        second = start_search("127.0.0.1", [1])
        assert ended(first).status == SearchStatus.CANCELLED
        assert ended(second).status == SearchStatus.COMPLETED
        start_search("127.0.0.1", [1])

    assert not Search.objects.filter(pk__in=[first.pk, second.pk]).exists()


@pytest.mark.usefixtures("_database")
def test_what_breaks_a_search_is_in_the_row(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_what: object) -> bool:
        raise RuntimeError("boom")

    monkeypatch.setattr("backends.searches.service.search", broken)
    assert ended(start_search("127.0.0.1", [1])).status == SearchStatus.FAILED
    assert "broke off" in caplog.text


def test_one_whose_process_is_gone_is_not_under_way(db: None) -> None:
    row = Search.objects.create(places="127.0.0.1", ports=[1])
    assert row.is_active
    row.touched_at = row.touched_at.replace(year=2020)

    assert not row.is_active
    assert row.state_label == "Broken off"
