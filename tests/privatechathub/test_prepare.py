"""``manage.py prepare``: tables and static files, as far as they are missing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from privatechathub.management.commands import prepare
from privatechathub.ops import static


@pytest.fixture(autouse=True)
def shipped(settings: Any, tmp_path: Path) -> Iterator[Path]:
    """A hub that ships one file."""
    folder = tmp_path / "shipped"
    folder.mkdir()
    (folder / "hub.css").write_text("a {}")
    settings.STATICFILES_DIRS = [folder]
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    settings.STATIC_ROOT = tmp_path / "static"
    return folder


def stamp(settings: Any) -> int:
    return (settings.STATIC_ROOT / static.STAMP).stat().st_mtime_ns


def test_static_files_are_collected_once(db: None, settings: Any) -> None:
    assert not static.static_is_current()
    call_command("prepare")
    first = stamp(settings)

    call_command("prepare")

    assert (settings.STATIC_ROOT / "hub.css").read_text() == "a {}"
    assert static.static_is_current()
    assert stamp(settings) == first


def test_another_version_of_a_file_replaces_the_old_one(db: None, settings: Any, shipped: Path) -> None:
    call_command("prepare")
    (shipped / "hub.css").write_text("a { color: red }")
    (shipped / "new.css").write_text("b {}")
    assert not static.static_is_current()

    call_command("prepare")

    assert (settings.STATIC_ROOT / "hub.css").read_text() == "a { color: red }"
    assert (settings.STATIC_ROOT / "new.css").exists()


def test_another_version_of_the_hub_collects_anew(db: None, settings: Any) -> None:
    call_command("prepare")
    settings.VERSION = "99"

    assert not static.static_is_current()


def test_what_is_no_longer_shipped_goes(db: None, settings: Any, shipped: Path) -> None:
    call_command("prepare")
    (shipped / "hub.css").unlink()

    call_command("prepare")

    assert not (settings.STATIC_ROOT / "hub.css").exists()


def test_a_database_that_cannot_be_used_is_named(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    def fail(*_what: object, **_how: object) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(prepare, "call_command", fail)

    with pytest.raises(CommandError, match="The database cannot be used: connection refused"):
        call_command("prepare")
    assert not settings.STATIC_ROOT.exists()
