"""What answers on this machine, offered with a name; asked for a moment, and nowhere else."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.test import Client

from backends import discovery
from backends.discovery import Found, Names, find_servers, found_by, good_name, known_addresses
from backends.models import Backend, Search
from backends.searches.places import USUAL_PORTS
from tests.backends.adapters.server import Connection, serving
from tests.backends.network import watched
from tests.fakes.server import FakeServer


def test_the_usual_ports() -> None:
    assert set(USUAL_PORTS) == {11434, 1234, 8080, 9931, 8000, 4096, 40114}


async def test_servers_are_found_with_their_models_on_this_machine_only() -> None:
    async with FakeServer() as fake, FakeServer(api_key="k") as locked:
        with watched() as contacts:
            found = await find_servers((fake.port, locked.port))

    assert found == [
        Found("Ollama", "ollama", "Ollama", fake.url, 7),
        Found("OpenAI-compatible", "openai", "OpenAI-compatible", f"{locked.url}/v1", None, needs_key=True),
    ]
    assert contacts.hosts == {"127.0.0.1"}
    assert not [request for request in fake.requests if "authorization" in request.headers]
    assert fake.chats == []


async def test_a_port_alone_proves_nothing(printer: str, refusing: str) -> None:
    ports = tuple(int(url.rpartition(":")[2]) for url in (printer, refusing))

    assert await find_servers(ports) == []


async def test_one_that_never_answers_delays_the_others_for_a_moment_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(discovery, "PATIENCE", 0.2)

    async def silent(connection: Connection) -> None:
        await connection.until_closed()

    async with serving(silent) as hanging, FakeServer() as fake:
        began = time.monotonic()
        found = await find_servers((int(hanging.url.rpartition(":")[2]), fake.port))

    assert [server.url for server in found] == [fake.url]
    assert time.monotonic() - began < 5


async def test_what_was_added_is_marked() -> None:
    async with FakeServer() as fake:
        (found,) = await find_servers((fake.port,), known=frozenset({fake.url}))

    assert found.added


def test_the_addresses_that_are_known(db: None) -> None:
    Backend.objects.create(name="A", kind="ollama", base_url="http://127.0.0.1:11434/")

    assert known_addresses() == {"http://127.0.0.1:11434"}


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("127.0.0.1", "Ollama"),
        ("localhost", "Ollama"),
        ("::1", "Ollama"),
        ("127.0.0.2", "Ollama on 127.0.0.2"),
        ("box.local", "Ollama on box"),
        ("box.example", "Ollama on box.example"),
    ],
)
def test_a_server_is_named_after_its_program_and_its_machine(host: str, name: str) -> None:
    assert good_name("Ollama", host) == name


def test_no_two_have_one_name() -> None:
    names = Names(["Ollama"])

    assert [names.unused("ollama"), names.unused("Ollama"), names.unused("vLLM")] == [
        "ollama 2",
        "Ollama 3",
        "vLLM",
    ]
    assert len(names.unused("x" * 99)) == 60
    assert names.unused("x" * 99).endswith("x 2")


def test_a_found_server_gets_a_name_that_no_backend_has(db: None) -> None:
    Backend.objects.create(name="vLLM on box", kind="openai", base_url="http://box:8000/v1")
    row = {"kind": "openai", "software": "vLLM", "host": "box", "model_count": 2, "version": ""}
    search = Search(found=[row | {"url": "http://box:8000/v1"}, row | {"url": "http://box:8001/v1"}])

    first, second = found_by(search)
    assert (first.name, first.added) == ("vLLM on box 2", True)
    assert (second.name, second.added) == ("vLLM on box 3", False)


def test_the_page_looks_only_at_a_click(as_ada: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    async def find(**how: Any) -> list[Found]:
        asked.append(how)
        return [Found("Ollama", "ollama", "Ollama", "http://127.0.0.1:11434", 3)]

    monkeypatch.setattr("chat.views.backends.find_servers", find)

    with watched() as contacts:
        assert "Found on this machine" not in as_ada.get("/backends/").content.decode()
    assert contacts.addresses == set()
    assert asked == []
    page = as_ada.get("/backends/?find=1").content.decode()
    assert "http://127.0.0.1:11434" in page
    assert len(asked) == 1
