"""The measurements from end to end against a stub of the hub: they run, count everything, and end."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import pytest

from tests.bench.bench import Bench
from tests.bench.pages import PageError
from tests.bench.person import Person
from tests.bench.processes import cpu_seconds, fine_cpu_seconds, memory
from tests.bench.report import Line, Report
from tests.bench.scenarios import first_token, page_view, relay, rush, speed
from tests.fakes.server import FakeServer
from tests.fakes_tests.stub_hub import StubHub


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with FakeServer() as fake, StubHub(fake.url) as hub:
        person = await Person.sign_in(hub.origin, "ada", "secret")
        made = Bench(person, os.getpid(), fake.url, Report(), quick=True)
        yield made
        await made.leave_chats()
        await person.http.close()


def figure(bench: Bench, name: str) -> Line:
    return next(line for line in bench.report.lines if line.name == name)


async def test_time_to_first_token(bench: Bench) -> None:
    await first_token.run(bench)
    assert 0 < figure(bench, "median").value < 1000
    assert figure(bench, "median").direct


async def test_relay(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "RATE", 100)
    monkeypatch.setattr(relay, "STARTS_PER_SECOND", 90)
    await relay.measure(bench, 10, 0.9)
    assert figure(bench, "tokens lost").value == 0
    assert figure(bench, "tokens lost").note == "of 1,300"
    assert 0 < figure(bench, "delay p50").value < 1000
    assert figure(bench, "delay p95, all running").value > 0
    assert figure(bench, "hub CPU per 1,000 tokens").value > 0


async def test_full_speed(bench: Bench) -> None:
    counters, _ = await speed._through_hub(bench, 2, 2000, "!stamped 2000")
    assert [counter.lost for counter in counters] == [0, 0]
    assert speed._rate(counters) > 1000


async def test_a_rush(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rush, "TOKENS", 5)
    monkeypatch.setattr(rush, "SPAN", 0.3)
    monkeypatch.setattr(rush, "MESSAGE", "!stamped 5 rate 50")
    await rush.run(bench)
    assert figure(bench, "answers that failed or are not whole").value == 0


async def test_the_first_page_view(bench: Bench) -> None:
    await page_view.run(bench)
    assert figure(bench, "requests").value == 2
    assert figure(bench, "requests to other hosts").note == "https://elsewhere.example/x.png"


async def test_a_wrong_password_is_said() -> None:
    async with FakeServer() as fake, StubHub(fake.url) as hub:
        with pytest.raises(PageError, match="signing in failed"):
            await Person.sign_in(hub.origin, "ada", "wrong")


def test_this_process_can_be_measured() -> None:
    assert cpu_seconds(os.getpid()) > 0
    assert fine_cpu_seconds(os.getpid()) > 0
    now = memory(os.getpid())
    assert 5 < now.pss <= now.rss <= now.peak * 1.01
