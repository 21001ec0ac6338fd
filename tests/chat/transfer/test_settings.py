"""What a person has set for themselves travels, and never overrides what they have chosen where it arrives."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from backends.models import Backend, CatalogueModel
from backends.preferences import ModelPreference
from chat.models import Vote
from chat.transfer.formats import settings as format_
from chat.transfer.planning import bring_in
from chat.transfer.portable import Settings, Unreadable
from chat.transfer.settings import settings_of
from chat.transfer.survey import look_through
from chat.transfer.unpacking import Upload
from chat.transfer.writing import settings_as_json
from privatechathub.accounts.models import User
from tests.chat.page import faults


@pytest.fixture
def chosen(alice: User, demo: Backend) -> Settings:
    """Alice has set everything."""
    other = CatalogueModel.objects.create(backend=demo, model_id="other", name="Other")
    ModelPreference.objects.create(user=alice, model=other, hidden=True)
    ModelPreference.objects.create(user=alice, model=demo.models.get(model_id="play"), favourite=True)
    ballot = uuid.uuid4()
    for label, outcome in (("Play", "won"), ("Other", "lost")):
        Vote.objects.create(
            owner=alice, ballot=ballot, model_id=label.lower(), label=label, place="Demo", outcome=outcome
        )
    alice.theme, alice.place, alice.time_zone = "dark", "Bergen", "Europe/Oslo"
    alice.tools, alice.draft = {"*": True, "get_time": False}, "Dear é"
    alice.default_model, alice.last_model = "demo/play", "demo/other"
    alice.save()
    return settings_of(alice)


def upload(path: Path, settings: Settings) -> Upload:
    path.write_text(settings_as_json(settings))
    return Upload(path, "settings.json")


def bring(owner: User, file: Upload) -> None:
    bring_in(owner, file, lambda _count: None)
    owner.refresh_from_db()


def test_what_was_set_comes_back_once(chosen: Settings, bob: User, tmp_path: Path) -> None:
    file = upload(tmp_path / "file", chosen)
    assert look_through(bob, file)["settings"] == 11

    for _time in range(2):
        bring(bob, file)

    assert settings_of(bob) == chosen
    assert look_through(bob, file)["settings"] == 0
    assert (bob.default_model, bob.place) == ("demo/play", "Bergen")


def test_what_was_chosen_here_stays(chosen: Settings, demo: Backend, bob: User, tmp_path: Path) -> None:
    bob.theme, bob.place, bob.tools, bob.default_model = "light", "Rome", {"*": False}, "demo/other"
    bob.save()
    ModelPreference.objects.create(user=bob, model=demo.models.get(model_id="play"), hidden=True)

    bring(bob, upload(tmp_path / "file", chosen))

    assert (bob.theme, bob.place, bob.default_model) == ("light", "Rome", "demo/other")
    assert bob.tools == {"*": False, "get_time": False}
    assert bob.time_zone == "Europe/Oslo"
    assert ModelPreference.objects.get(user=bob, model__model_id="play").hidden


def test_models_that_the_person_may_not_use_stay_unset(
    chosen: Settings, demo: Backend, bob: User, tmp_path: Path
) -> None:
    demo.access = "admins"
    demo.save()

    bring(bob, upload(tmp_path / "file", chosen))

    assert (bob.default_model, bob.last_model) == ("", "")
    assert not ModelPreference.objects.filter(user=bob).exists()


def test_nobody_else_is_touched(chosen: Settings, alice: User, bob: User, tmp_path: Path) -> None:
    bring(bob, upload(tmp_path / "file", chosen))

    assert settings_of(alice) == chosen
    assert Vote.objects.filter(owner=alice).count() == Vote.objects.filter(owner=bob).count() == 2


@pytest.mark.parametrize("wrong", [{"version": 2}, {"version": None}, {"settings": None}, {"settings": [1]}])
def test_what_is_no_such_file_is_unreadable(wrong: dict[str, Any]) -> None:
    with pytest.raises(Unreadable):
        format_.read({"format": format_.SETTINGS, "version": 1, "settings": {}, **wrong})


def test_missing_values_set_nothing(bob: User, tmp_path: Path) -> None:
    (tmp_path / "file").write_text('{"format": "private-chat-hub-settings", "version": 1, "settings": {}}')
    file = Upload(tmp_path / "file", "x.json")

    assert look_through(bob, file)["settings"] == 0
    bring(bob, file)

    assert not settings_of(bob)


def test_values_that_no_hub_would_write_do_not_get_in(alice: User) -> None:
    vote = {"ballot": str(uuid.uuid4()), "model_id": "m", "outcome": "won", "owner": alice.pk}
    told = {
        "theme": "pink",
        "place": "p" * 900,
        "time_zone": "../../etc/passwd",
        "tools": {"*": "yes", "a": True, "b": 1},
        "draft": ["x"],
        "is_staff": True,
        "is_superuser": True,
        "password": "x",
        "username": "ada",
        "default_model": "demo/play",
        "last_model": {"backend": 5, "model_id": "play"},
        "models": [1, {"backend": "Demo", "model_id": "play"}, {"favourite": True}],
        "votes": [7, {**vote, "ballot": "x"}, {**vote, "outcome": "stolen"}, {**vote, "voted_at": "soon"}],
    }

    found = format_.read(json.loads(json.dumps({"format": format_.SETTINGS, "version": 1, "settings": told})))

    assert found.values == {
        "theme": "",
        "place": "p" * 200,
        "time_zone": "",
        "tools": {"a": True},
        "draft": "",
    }
    assert (found.default_model, found.last_model, found.wishes) == (None, None, ())
    assert [one.keys() for one in found.votes] == [
        {"ballot", "model_id", "label", "place", "outcome", "voted_at"}
    ]


def test_a_vote_without_its_moment_is_counted(bob: User, tmp_path: Path) -> None:
    vote = {"ballot": str(uuid.uuid4()), "model_id": "m", "label": "M", "outcome": "won"}
    content = {"format": format_.SETTINGS, "version": 1, "settings": {"votes": [vote]}}
    (tmp_path / "file").write_text(json.dumps(content))

    bring(bob, Upload(tmp_path / "file", "x.json"))

    assert (timezone.now() - Vote.objects.get(owner=bob).voted_at).total_seconds() < 60


def test_settings_alone_can_be_imported(chosen: Settings, as_bob: Client, bob: User) -> None:
    file = SimpleUploadedFile("settings.json", settings_as_json(chosen).encode())

    address = as_bob.post("/transfer/import/", {"file": file})["Location"]
    page = as_bob.get(address)
    assert "Settings of yours that are not chosen here yet" in page.content.decode()
    assert faults(page) == []
    as_bob.post(address)

    bob.refresh_from_db()
    assert bob.place == "Bergen"
