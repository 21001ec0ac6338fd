"""A download belongs to the hub: it runs, stops, fails and goes on without any page."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from django.utils import timezone

from backends.adapters.errors import BackendError, ServerError
from backends.adapters.http import Http
from backends.adapters.management import PullProgress
from backends.adapters.ollama import OllamaAdapter
from backends.database import close_connections, in_database
from backends.models import Backend, Pull
from backends.pulls import puller as module
from backends.pulls import rows
from backends.pulls.models import PullStatus
from backends.pulls.puller import Puller
from backends.pulls.rows import Word
from backends.pulls.service import KEPT, cancel_pull, resume_pull, start_pull
from backends.pulls.tally import Tally
from chat.generation import runtime
from privatechathub.accounts.models import User

pytestmark = pytest.mark.django_db(transaction=True)

Step = PullProgress | BackendError | asyncio.Event | Exception


class Server:
    """An Ollama that says what a test tells it: an Event waits until it is set."""

    def __init__(self) -> None:
        self.steps: dict[str, list[Step]] = {}
        self.asked: list[str] = []
        self.open = 0

    async def pull(self, name: str) -> AsyncGenerator[PullProgress, None]:
        self.asked.append(name)
        self.open += 1
        try:
            for step in self.steps[name]:
                if isinstance(step, asyncio.Event):
                    await step.wait()
                elif isinstance(step, Exception):
                    raise step
                else:
                    yield step
        finally:
            self.open -= 1


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    made = Server()
    monkeypatch.setattr(OllamaAdapter, "pull", lambda self, name: made.pull(name))
    monkeypatch.setattr(module, "SAVE_EVERY", 0.02)
    monkeypatch.setattr(module, "LOOK_EVERY", 0.02)
    return made


@pytest.fixture
def ollama(transactional_db: None) -> Backend:
    return Backend.objects.create(name="Ollama", kind="ollama", base_url="http://127.0.0.1:1")


@pytest_asyncio.fixture
async def http() -> AsyncIterator[Http]:
    made = Http()
    yield made
    await made.aclose()
    close_connections()


@pytest_asyncio.fixture
async def puller(http: Http, server: Server) -> AsyncIterator[Puller]:
    changed: list[int] = []
    made = Puller(http, changed.append)
    made.changed = changed  # type: ignore[attr-defined]
    made.start()
    yield made
    await made.close()


async def until(pull: Pull, condition: Callable[[Pull], Any], seconds: float = 5) -> Pull:
    """The row once it is so."""
    async with asyncio.timeout(seconds):
        while True:
            row = await in_database(Pull.objects.get, pk=pull.pk)
            if condition(row):
                return row
            await asyncio.sleep(0.01)


def ended(row: Pull) -> bool:
    return not row.is_active


HALF = PullProgress("pulling a", "a", 40, 100)
WHOLE = PullProgress("pulling a", "a", 100, 100)
SUCCESS = PullProgress("success")


async def test_a_download_runs_to_its_end_without_a_page(
    server: Server, ollama: Backend, puller: Puller
) -> None:
    go_on = asyncio.Event()
    server.steps["m"] = [PullProgress("pulling manifest"), HALF, go_on, WHOLE, SUCCESS]
    pull = await in_database(start_pull, ollama, "m", None)
    half = await until(pull, lambda row: row.completed)
    assert (half.status, half.detail, half.completed, half.total) == ("running", "pulling a", 40, 100)
    assert (half.percent, half.layers) == (40, [{"id": "a", "completed": 40, "total": 100}])
    go_on.set()
    done = await until(pull, ended)
    assert (done.status, done.detail, done.percent) == ("completed", "success", 100)
    assert done.finished_at is not None
    assert puller.changed == [ollama.pk]  # type: ignore[attr-defined]


async def test_a_failure_is_kept_with_the_way_forward(
    server: Server, ollama: Backend, puller: Puller
) -> None:
    server.steps["m"] = [HALF, ServerError("no space left")]
    row = await until(await in_database(start_pull, ollama, "m", None), ended)
    assert (row.status, row.error, row.message, row.completed) == ("failed", "server", "no space left", 40)
    assert "log of the AI server" in row.hint
    assert row.can_resume
    assert puller.changed == []  # type: ignore[attr-defined]


async def test_a_mistake_of_the_hub_fails_one_download_only(
    server: Server, ollama: Backend, puller: Puller, caplog: pytest.LogCaptureFixture
) -> None:
    server.steps |= {"m": [RuntimeError("boom")], "n": [SUCCESS]}
    first = await in_database(start_pull, ollama, "m", None)
    second = await in_database(start_pull, ollama, "n", None)
    assert (await until(first, ended)).status == "failed"
    assert (await until(second, ended)).status == "completed"
    assert "boom" in caplog.text


async def test_cancelling_closes_the_connection(server: Server, ollama: Backend, puller: Puller) -> None:
    server.steps["m"] = [HALF, asyncio.Event()]
    pull = await in_database(start_pull, ollama, "m", None)
    await until(pull, lambda row: row.completed)
    assert server.open == 1
    await in_database(cancel_pull, pull)
    row = await until(pull, ended)
    assert (row.status, row.completed, row.error) == ("cancelled", 40, "")
    assert server.open == 0


async def test_a_cancelled_download_goes_on_where_it_was(
    server: Server, ollama: Backend, puller: Puller
) -> None:
    server.steps["m"] = [HALF, asyncio.Event()]
    pull = await in_database(start_pull, ollama, "m", None)
    await until(pull, lambda row: row.completed)
    await in_database(cancel_pull, pull)
    cancelled = await until(pull, ended)
    server.steps["m"] = [WHOLE, SUCCESS]
    again = await in_database(resume_pull, cancelled, None)
    assert (await until(again, ended)).status == "completed"
    assert server.asked == ["m", "m"]
    assert await in_database(Pull.objects.count) == 1


async def test_what_completed_cannot_be_resumed(server: Server, ollama: Backend, puller: Puller) -> None:
    server.steps["m"] = [SUCCESS]
    row = await until(await in_database(start_pull, ollama, "m", None), ended)
    assert (await in_database(resume_pull, row, None)).pk == row.pk
    assert server.asked == ["m"]


async def test_a_restart_of_the_hub_goes_on_at_once(server: Server, ollama: Backend, http: Http) -> None:
    server.steps["m"] = [HALF, asyncio.Event()]
    first = Puller(http, lambda _: None)
    first.start()
    pull = await in_database(start_pull, ollama, "m", None)
    await until(pull, lambda row: row.completed)
    await first.close()
    assert server.open == 0
    assert (await until(pull, lambda row: True)).status == "waiting"
    server.steps["m"] = [WHOLE, SUCCESS]
    second = Puller(http, lambda _: None)
    second.start()
    assert (await until(pull, ended)).status == "completed"
    await second.close()


async def test_a_process_that_died_is_followed_when_its_lease_has_run_out(
    server: Server, ollama: Backend, puller: Puller
) -> None:
    server.steps["m"] = [SUCCESS]
    later = timezone.now() + timedelta(hours=1)
    pull = await in_database(
        Pull.objects.create, backend=ollama, name="m", status="running", worker="dead", lease_until=later
    )
    await asyncio.sleep(0.1)
    assert server.asked == []
    await in_database(Pull.objects.update, lease_until=timezone.now() - timedelta(seconds=1))
    assert (await until(pull, ended)).status == "completed"


async def test_a_process_that_lost_its_lease_stops(server: Server, ollama: Backend, puller: Puller) -> None:
    server.steps["m"] = [HALF, asyncio.Event()]
    pull = await in_database(start_pull, ollama, "m", None)
    await until(pull, lambda row: row.completed)
    later = timezone.now() + timedelta(hours=1)
    await in_database(Pull.objects.update, worker="another", lease_until=later)
    async with asyncio.timeout(5):
        while server.open:
            await asyncio.sleep(0.01)
    assert (await until(pull, lambda row: True)).worker == "another"


async def test_a_removed_backend_ends_its_downloads(server: Server, ollama: Backend, puller: Puller) -> None:
    server.steps["m"] = [HALF, asyncio.Event()]
    pull = await in_database(start_pull, ollama, "m", None)
    await until(pull, lambda row: row.completed)
    await in_database(ollama.delete)
    async with asyncio.timeout(5):
        while server.open:
            await asyncio.sleep(0.01)


async def test_only_three_run_at_the_same_time(server: Server, ollama: Backend, puller: Puller) -> None:
    gate = asyncio.Event()
    names = [f"m{number}" for number in range(5)]
    server.steps |= {name: [gate, SUCCESS] for name in names}
    pulls = [await in_database(start_pull, ollama, name, None) for name in names]
    await until(pulls[2], lambda row: row.status == "running")
    await asyncio.sleep(0.1)
    assert server.asked == names[:3]
    gate.set()
    assert [(await until(pull, ended)).status for pull in pulls] == ["completed"] * 5


async def test_a_switched_off_backend_is_not_asked(server: Server, ollama: Backend, puller: Puller) -> None:
    server.steps["m"] = [SUCCESS]
    await in_database(Backend.objects.update, enabled=False)
    pull = await in_database(start_pull, ollama, "m", None)
    await asyncio.sleep(0.1)
    assert server.asked == []
    await in_database(Backend.objects.update, enabled=True)
    assert (await until(pull, ended)).status == "completed"


async def test_a_kind_without_downloads_says_so(demo: Backend, puller: Puller) -> None:
    row = await until(await in_database(start_pull, demo, "m", None), ended)
    assert (row.status, row.error) == ("failed", "unsupported")


async def test_an_unreadable_key_says_so(server: Server, ollama: Backend, puller: Puller) -> None:
    await in_database(Backend.objects.update, api_key_encrypted="nonsense")
    row = await until(await in_database(start_pull, ollama, "m", None), ended)
    assert (row.status, row.error) == ("failed", "auth")
    assert server.asked == []


# Rows


def test_a_download_that_is_under_way_is_joined(ollama: Backend, ada: User, alice: User) -> None:
    first = start_pull(ollama, "m", ada)
    assert start_pull(ollama, "m", alice).pk == first.pk
    assert Pull.objects.get().started_by == ada
    assert start_pull(ollama, "n", ada).pk != first.pk


def test_one_is_claimed_only_once(ollama: Backend) -> None:
    start_pull(ollama, "m", None)
    assert [pull.name for pull in rows.claim("one", 9)] == ["m"]
    assert rows.claim("two", 9) == []


def test_the_slower_of_two_processes_goes_without(ollama: Backend) -> None:
    pull = start_pull(ollama, "m", None)
    assert rows.take(pull.pk, "one") is not None
    assert rows.take(pull.pk, "two") is None
    assert Pull.objects.get().worker == "one"


def test_the_oldest_are_claimed_first(ollama: Backend) -> None:
    for name in "abc":
        start_pull(ollama, name, None)
    assert [pull.name for pull in rows.claim("one", 2)] == ["a", "b"]


def test_one_that_waits_is_cancelled_at_once(ollama: Backend) -> None:
    pull = start_pull(ollama, "m", None)
    cancel_pull(pull)
    pull.refresh_from_db()
    assert (pull.status, pull.finished_at is not None) == ("cancelled", True)
    assert rows.claim("one", 9) == []


def test_what_ended_is_not_cancelled(ollama: Backend) -> None:
    pull = Pull.objects.create(backend=ollama, name="m", status=PullStatus.COMPLETED)
    cancel_pull(pull)
    pull.refresh_from_db()
    assert (pull.status, pull.cancel_requested) == ("completed", False)


def test_a_save_hears_of_a_cancel_and_of_a_thief(ollama: Backend) -> None:
    start_pull(ollama, "m", None)
    [pull] = rows.claim("one", 1)
    assert rows.save_progress(pull, Tally(), None) is Word.GO_ON
    cancel_pull(pull)
    assert rows.save_progress(pull, Tally(), None) is Word.CANCEL
    Pull.objects.update(worker="two")
    assert rows.save_progress(pull, Tally(), None) is Word.NOT_YOURS
    rows.finish(pull, PullStatus.COMPLETED)
    rows.release(pull)
    assert Pull.objects.get().status == "running"


def test_old_ends_are_forgotten(ollama: Backend) -> None:
    for number in range(KEPT + 5):
        Pull.objects.create(backend=ollama, name=f"m{number}", status=PullStatus.COMPLETED)
    active = start_pull(ollama, "m", None)
    assert Pull.objects.count() == KEPT + 1
    assert active.is_active
    assert not Pull.objects.filter(name="m0").exists()


def test_how_long_it_still_takes() -> None:
    assert Pull(completed=40, total=100, speed=20).minutes_left == 1
    assert Pull(completed=0, total=121, speed=1).minutes_left == 3
    assert Pull(completed=40, total=100).minutes_left is None
    assert Pull(completed=0, total=0).percent is None
    assert Pull(completed=101, total=100).percent == 100


async def test_a_running_hub_downloads(server: Server, ollama: Backend, hub: runtime.Runtime) -> None:
    server.steps["m"] = [SUCCESS]
    pull = await in_database(start_pull, ollama, "m", None)
    hub.puller.wake_soon()
    assert (await until(pull, ended)).status == "completed"
