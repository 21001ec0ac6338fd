"""One server hangs, one refuses: every page answers without asking them, and other servers' answers run."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from backends import manager
from backends.database import in_database
from backends.models import Backend
from chat.generation import runtime
from chat.models import Generation, Status
from privatechathub.accounts.models import User
from tests.backends.network import watched
from tests.chat.test_access import DOORS, READ, For, address
from tests.conftest import signed_in
from tests.fakes.exchange import Hanging, InThread, until
from tests.fakes.server import FakeServer
from tests.kinds.asking import add, answered, ask

#: What asks a server because that is what it is for.
ASKING = {"hub:setup-servers", "chat:backend-memory"}
PAGES = sorted(name for name, door in DOORS.items() if door.methods & READ and name not in ASKING)
ADMIN = [
    "/admin/",
    "/admin/backends/backend/",
    "/admin/backends/backend/add/",
    "/healthz",
    "/accounts/sessions/",
]
#: Seconds that a page may take on a busy machine; a page that waited for a server would take longer.
PROMPTLY = 3.0


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    with InThread(Hanging()) as server:
        yield server


@pytest.mark.django_db
@pytest.mark.parametrize("name", PAGES)
def test_no_page_touches_the_network(
    name: str,
    places: dict[str, Any],
    hanging: Hanging,
    alice: User,
    ada: User,
) -> None:
    Backend.objects.update(kind="ollama", base_url=hanging.url)
    browser = signed_in(ada if DOORS[name].who is For.ADMIN else alice)

    with watched() as contacts:
        response = browser.get(address(name, places))

    assert response.status_code in ((404,) if name == "hub:setup" else (200, 302))
    assert contacts.addresses == set()
    assert hanging.requests == []


@pytest.mark.django_db
@pytest.mark.parametrize("path", ADMIN)
def test_no_page_of_the_administration_touches_the_network(
    path: str, as_ada: Client, hanging: Hanging
) -> None:
    Backend.objects.create(name="Hanging", kind="ollama", base_url=hanging.url)

    with watched() as contacts:
        assert as_ada.get(path).status_code == 200
    assert contacts.addresses == set()


@pytest.mark.django_db
def test_what_asks_a_server_on_purpose_gives_up_soon(
    as_ada: Client, hanging: Hanging, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(manager, "GLANCE", 0.3)
    Backend.objects.create(name="Hanging", kind="ollama", base_url=hanging.url)

    began = time.monotonic()
    page = as_ada.get("/backends/hanging/models/memory/").content.decode()

    assert "Does not answer in time" in page
    assert hanging.requests
    assert time.monotonic() - began < PROMPTLY


@pytest.mark.django_db(transaction=True)
async def test_other_answers_run_and_pages_come_at_once(
    hub: runtime.Runtime, alice: User, ada: User, hanging: Hanging, refusing: str
) -> None:
    async with FakeServer() as well:
        await in_database(add, "Hanging", "ollama", hanging.url, "m")
        await in_database(add, "Refusing", "ollama", refusing, "m")
        await in_database(add, "Well", "ollama", well.url, "fast")
        hangs = [await ask(alice, None, f"Hello {number}?", "hanging/m") for number in range(3)]
        refused = await ask(alice, None, "Hello?", "refusing/m")
        await until(lambda: len([r for r in hanging.requests if r.path == "/api/chat"]) == 3)

        began = time.monotonic()
        rows = [
            await answered(await ask(alice, None, f"Hello {number}?", "well/fast")) for number in range(3)
        ]
        assert [row.status for row in rows] == [Status.COMPLETED] * 3
        assert time.monotonic() - began < PROMPTLY

        chats = [f"/chat/{one.conversation.pk}/" for one in (*hangs, refused)]
        await in_database(visit, alice, ["/", "/models/", "/settings/", *chats])
        await in_database(visit, ada, ["/backends/", "/backends/hanging/", "/backends/hanging/models/"])

        states = {row.pk: row async for row in Generation.objects.all()}
        assert [states[one.generation.pk].status for one in hangs] == [Status.RUNNING] * 3
        assert (
            states[refused.generation.pk].is_active or states[refused.generation.pk].error_kind == "connect"
        )


def visit(user: User, paths: list[str]) -> None:
    """Each page comes promptly, and its thread has asked nobody."""
    browser = signed_in(user)
    for path in paths:
        began = time.monotonic()
        with watched(this_thread=True) as contacts:
            response = browser.get(path)
        assert response.status_code == 200, path
        assert time.monotonic() - began < PROMPTLY, path
        assert contacts.addresses == set(), path
