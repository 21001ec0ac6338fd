"""The cast, the same everywhere: Alice owns, Bob is a stranger, Ada is the administrator."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import AsyncIterator, Callable, Generator

import pytest
import pytest_asyncio
from django.db import connection
from django.test import Client

from backends import watch
from backends.database import close_connections
from backends.models import Backend, CatalogueModel
from chat.generation import runtime
from chat.models import Conversation
from chat.services.sending import Sent, send_message, start_conversation
from privatechathub.accounts.models import User

pytest_plugins = ["tests.fakes.fixtures", "tests.live.fixtures"]

PASSWORD = "correct horse battery"
#: Marks of tests that need another program, and fixtures of those in which a hub works beside the test at its own
#: pace. One that fails is run once more, which the summary lists as "RERUN".
OTHERS = ("browser", "real", "postgres", "redis")
BESIDE = frozenset({"hub", "empty_hub"})
#: Groups of tests that one process runs, the longest first; then come the tests that any process may run.
GROUPS = (
    "browser-1", "browser-2", "conformance", "services", "endings", "live", "browser-context", "browser-tools",
    "browser-cards",
)  # fmt: skip


@pytest.hookimpl(wrapper=True)
def pytest_xdist_auto_num_workers() -> Generator[None, int, int]:
    """One process more than cores: half of the time tests of other programs only wait for them."""
    cores = yield
    return cores if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ else cores + 1


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Whole files make no names of tests: some differ at every run, and every process must know the same names."""
    return argname if isinstance(val, bytes | str) and len(val) > 60 else None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever else is at work (a browser, an AI server, a database) may have a bad moment; two in a row are ours."""
    for item in items:
        beside = BESIDE.intersection(getattr(item, "fixturenames", ()))
        if beside or any(map(item.get_closest_marker, OTHERS)):
            item.add_marker(pytest.mark.flaky(reruns=1))
    items.sort(key=rank)


def rank(item: pytest.Item) -> int:
    """When a test begins: a long group that begins last would leave all cores but one idle."""
    group = item.get_closest_marker("xdist_group")
    if group is None:
        return len(GROUPS) + 1
    return GROUPS.index(group.args[0]) if group.args[0] in GROUPS else len(GROUPS)


@pytest.fixture(scope="session")
def django_db_keepdb(django_db_keepdb: bool) -> bool:
    """SQLite's goes away with its folder, and is there before the tests: see below."""
    return django_db_keepdb or connection.vendor == "sqlite"


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    request: pytest.FixtureRequest, django_db_modify_db_settings_parallel_suffix: None
) -> None:
    """All migrations take six seconds; so each process begins with a copy of tables that one of them has made."""
    if connection.vendor == "sqlite":
        made = request.getfixturevalue("empty_hub").database
        shutil.copy(made, connection.creation._get_test_db_name())


@pytest.fixture
def alice(db: None) -> User:
    """Owns conversations."""
    return User.objects.create_user("alice", password=PASSWORD)


@pytest.fixture
def bob(db: None) -> User:
    """Owns none of them."""
    return User.objects.create_user("bob", password=PASSWORD)


@pytest.fixture
def ada(db: None) -> User:
    """Looks after the hub."""
    return User.objects.create_user("ada", password=PASSWORD, is_staff=True, is_superuser=True)


@pytest.fixture
def as_alice(alice: User) -> Client:
    """Alice's browser."""
    return signed_in(alice)


@pytest.fixture
def as_bob(bob: User) -> Client:
    """Bob's browser."""
    return signed_in(bob)


@pytest.fixture
def as_ada(ada: User) -> Client:
    """The administrator's browser."""
    return signed_in(ada)


def signed_in(user: User) -> Client:
    """A browser with that person's session."""
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def demo(db: None) -> Backend:
    """A backend that plays scripts, with one model."""
    backend = Backend.objects.create(name="Demo", kind="scripted", base_url="scripted:play")
    CatalogueModel.objects.create(backend=backend, model_id="play", name="Play")
    return backend


@pytest.fixture
def ask(alice: User, demo: Backend) -> Callable[..., Sent]:
    """Alice asks something, in a new conversation or the given one."""

    def send(text: str = "Hello", conversation: Conversation | None = None, key: str = "") -> Sent:
        key = key or uuid.uuid4().hex
        if conversation is None:
            return start_conversation(alice, text, "demo/play", key)
        return send_message(alice, conversation, text, "demo/play", key)

    return send


@pytest.fixture
def unwatched_scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hub looks at no script by itself, at whatever moment: tests set what is known of those."""
    watched = watch.watched_backends

    def others() -> list[Backend]:
        return [backend for backend in watched() if backend.kind != "scripted"]

    monkeypatch.setattr(watch, "watched_backends", others)


@pytest_asyncio.fixture
async def hub(transactional_db: None, unwatched_scripts: None) -> AsyncIterator[runtime.Runtime]:
    """What runs beside the pages, on the test's event loop."""
    running = await runtime.start()
    yield running
    await runtime.stop()
    close_connections()
