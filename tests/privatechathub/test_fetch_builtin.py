"""``manage.py fetch_builtin``: only where it is wanted and needed, and never in the way of a start."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import OperationalError

from backends.builtin import fetch
from backends.builtin.fetch import FetchError
from backends.discovery import Found
from backends.models import Backend
from privatechathub.management.commands import fetch_builtin

OLLAMA = Found("Ollama", "ollama", "Ollama", "http://127.0.0.1:11434", 3)

Fetched = list[tuple[Path, str | None]]


@pytest.fixture(autouse=True)
def found(monkeypatch: pytest.MonkeyPatch, settings: Any) -> list[Found]:
    """What answers on this machine; the built-in model is wanted and not there."""
    servers: list[Found] = []

    async def find() -> list[Found]:
        return servers

    monkeypatch.setattr(fetch_builtin, "find_servers", find)
    monkeypatch.setattr(fetch_builtin, "installed", lambda *_where: None)
    settings.HUB_BUILTIN, settings.HUB_BUILTIN_MODEL = True, ""
    return servers


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> Fetched:
    """What was fetched, in place of 127 MB."""
    calls: Fetched = []
    monkeypatch.setattr(fetch, "ensure", lambda folder, model, _tools: calls.append((folder, model)))
    return calls


def test_where_no_server_answers_it_is_fetched(db: None, fetched: Fetched, data_dir: Path) -> None:
    call_command("fetch_builtin")

    assert fetched == [(data_dir, None)]


def test_switched_off_nothing_is_asked_or_fetched(
    db: None, fetched: Fetched, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.HUB_BUILTIN = False
    monkeypatch.setattr(fetch_builtin, "find_servers", None)  # calling it would fail

    call_command("fetch_builtin")
    call_command("fetch_builtin", "--always")

    assert fetched == []


def test_what_is_there_is_not_fetched_again(
    db: None, fetched: Fetched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch_builtin, "installed", lambda *_where: object())

    call_command("fetch_builtin", "--always")

    assert fetched == []


def test_where_another_server_answers_it_is_not_needed(
    db: None, fetched: Fetched, found: list[Found]
) -> None:
    found.append(OLLAMA)

    call_command("fetch_builtin")
    assert fetched == []

    call_command("fetch_builtin", "--always")
    assert len(fetched) == 1


def test_where_a_server_was_set_up_it_is_not_needed(db: None, fetched: Fetched) -> None:
    Backend.objects.create(name="Built-in", kind="openai", managed=True, base_url="builtin:")
    call_command("fetch_builtin")
    assert len(fetched) == 1, "its own row is no other server"

    Backend.objects.create(name="Far", kind="ollama", base_url="http://127.0.0.1:9")
    call_command("fetch_builtin")
    assert len(fetched) == 1


def test_a_model_of_the_owner_is_asked_for_by_its_name(
    db: None, fetched: Fetched, found: list[Found], settings: Any, data_dir: Path
) -> None:
    found.append(OLLAMA)
    settings.HUB_BUILTIN_MODEL = "own.gguf"

    call_command("fetch_builtin")

    assert fetched == [(data_dir, "own.gguf")]


def test_before_the_first_migration_there_are_no_servers(
    fetched: Fetched, monkeypatch: pytest.MonkeyPatch
) -> None:
    class NoTable:
        def filter(self, **_what: object) -> Any:
            raise OperationalError("no such table")

    monkeypatch.setattr(Backend, "objects", NoTable())

    call_command("fetch_builtin")

    assert len(fetched) == 1


def test_offline_the_reason_is_said_and_the_start_goes_on(
    db: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_how: object) -> None:
        raise FetchError("The built-in model could not be fetched: no connection.")

    monkeypatch.setattr(fetch, "ensure", fail)

    call_command("fetch_builtin")

    assert capsys.readouterr().err == "The built-in model could not be fetched: no connection.\n"
