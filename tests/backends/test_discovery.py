"""What answers on this machine: known by its answers, asked for a moment, and nowhere else."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client

from backends import discovery
from backends.discovery import USUAL, Found, Usual, find_servers, known_addresses
from backends.models import Backend
from tests.backends.adapters.server import Connection, serving
from tests.backends.servers import answering
from tests.fakes.server import FakeServer


def at(url: str, kind: str = "ollama", path: str = "") -> Usual:
    """As if this were the usual place of such a server."""
    return Usual("Somebody", urlsplit(url).port or 0, kind, path)


def test_only_this_machine_is_asked() -> None:
    assert {urlsplit(place.url).hostname for place in USUAL} == {"127.0.0.1"}
    assert {place.port for place in USUAL} >= {11434, 1234, 8080, 8000}
    assert [place.kind for place in USUAL if place.port in (11434, 1234)] == ["ollama", "lmstudio"]


async def test_servers_are_found_with_their_models() -> None:
    async with FakeServer() as fake:
        found = await find_servers((at(fake.url), at(fake.url, "openai", "/v1")))

    assert found == [
        Found("Somebody", "ollama", "Ollama", fake.url, 7),
        Found("Somebody", "openai", "OpenAI-compatible", f"{fake.url}/v1", 7),
    ]
    assert not [request for request in fake.requests if "authorization" in request.headers]
    assert fake.chats == []


async def test_a_port_alone_proves_nothing(printer: str, refusing: str) -> None:
    assert await find_servers((at(printer), at(printer, "openai", "/v1"), at(refusing))) == []


async def test_json_of_another_program_proves_nothing() -> None:
    with answering(200, b'{"hello": "world"}', Content_Type="application/json") as url:
        assert await find_servers((at(url), at(url, "openai", "/v1"))) == []


async def test_nobody_is_led_away() -> None:
    async with FakeServer() as elsewhere:
        with answering(302, Location=f"{elsewhere.url}/api/tags") as url:
            assert await find_servers((at(url),)) == []

    assert elsewhere.requests == []


async def test_a_server_that_wants_a_key_is_not_offered_as_open() -> None:
    async with FakeServer(api_key="k") as fake:
        assert await find_servers((at(fake.url),)) == []


async def test_one_that_never_answers_delays_the_others_for_a_moment_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(discovery, "PATIENCE", 0.2)

    async def silent(connection: Connection) -> None:
        await connection.until_closed()

    async with serving(silent) as hanging, FakeServer() as fake:
        began = time.monotonic()
        found = await find_servers((at(hanging.url), at(hanging.url, "openai"), at(fake.url)))

    assert [server.url for server in found] == [fake.url]
    assert time.monotonic() - began < 2


async def test_what_was_added_is_marked() -> None:
    async with FakeServer() as fake:
        (found,) = await find_servers((at(fake.url),), known=frozenset({fake.url}))

    assert found.added


def test_the_addresses_that_are_known(db: None) -> None:
    Backend.objects.create(name="A", kind="ollama", base_url="http://127.0.0.1:11434/")

    assert known_addresses() == {"http://127.0.0.1:11434"}


def test_the_page_looks_only_at_a_click(as_ada: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    async def find(**how: Any) -> list[Found]:
        asked.append(how)
        return [Found("Ollama", "ollama", "Ollama", "http://127.0.0.1:11434", 3)]

    monkeypatch.setattr("chat.views.backends.find_servers", find)

    assert "Found on this machine" not in as_ada.get("/backends/").content.decode()
    assert asked == []
    page = as_ada.get("/backends/?find=1").content.decode()
    assert "http://127.0.0.1:11434" in page
    assert len(asked) == 1
