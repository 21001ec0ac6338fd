"""The first administrator: only by the link of the terminal, only once, or by the environment."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from backends.discovery import Found
from backends.models import Backend
from privatechathub.accounts import setup, views
from privatechathub.accounts.models import User

PASSPHRASE = "a long enough passphrase"
FIELDS = {"username": "owner", "password": PASSPHRASE, "repeated": PASSPHRASE}

pytestmark = pytest.mark.django_db


@pytest.fixture
def link(db: None) -> str:
    return f"/setup/{setup.token()}/"


@pytest.fixture(autouse=True)
def found(monkeypatch: pytest.MonkeyPatch) -> list[Found]:
    """What answers on this machine."""
    servers: list[Found] = []

    async def find(**_known: Any) -> list[Found]:
        return servers

    monkeypatch.setattr(views, "find_servers", find)
    return servers


def test_the_link_leads_to_the_first_account(link: str) -> None:
    browser = Client()
    assert b"Make the first account" in browser.get(link).content

    response = browser.post(link, FIELDS)

    assert (response.status_code, response["Location"]) == (302, "/setup/servers/")
    owner = User.objects.get()
    assert (owner.username, owner.is_staff, owner.is_superuser) == ("owner", True, True)
    assert owner.check_password(PASSPHRASE)
    assert browser.get("/people/").status_code == 200


def test_the_link_is_gone_after_use(link: str, data_dir: Path) -> None:
    Client().post(link, FIELDS)

    for browser in (Client(), Client()):
        assert browser.get(link).status_code == 404
        assert browser.post(link, FIELDS | {"username": "eve"}).status_code == 404
    assert not (data_dir / "setup.token").exists()
    assert not User.objects.filter(username="eve").exists()


@pytest.mark.parametrize("guess", ["guess", "é", " ", "servers-", "0" * 32])
def test_without_the_token_there_is_nothing(link: str, guess: str) -> None:
    browser = Client()

    assert browser.get(f"/setup/{guess}/").status_code == 404
    assert browser.post(f"/setup/{guess}/", FIELDS).status_code == 404
    assert browser.get(link[:-2] + "/").status_code == 404
    assert not User.objects.exists()


def test_the_token_is_long_the_same_and_its_owners_alone(data_dir: Path) -> None:
    first = setup.token()

    assert len(first) >= 32
    assert setup.token() == first
    assert (data_dir / "setup.token").stat().st_mode & 0o777 == 0o600


def test_a_token_left_over_from_before_opens_nothing(link: str, ada: User) -> None:
    assert not setup.needed()
    assert Client().get(link).status_code == 404


def test_a_hub_whose_only_administrator_is_disabled_can_be_set_up_again(link: str, ada: User) -> None:
    ada.is_active = False
    ada.save()

    assert Client().get(link).status_code == 200


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"repeated": "something different"}, "The two passwords differ."),
        ({"password": "short", "repeated": "short"}, "This password is too short."),
        ({"password": "password123", "repeated": "password123"}, "This password is too common."),
        ({"password": "owner123", "repeated": "owner123"}, "too similar to the username"),
        ({"username": ""}, "This field is required."),
        ({"username": "two words"}, "Enter a valid username."),
    ],
)
def test_what_cannot_be_is_said_and_makes_no_account(
    link: str, change: dict[str, str], sentence: str
) -> None:
    response = Client().post(link, FIELDS | change)

    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert PASSPHRASE not in response.content.decode()
    assert not User.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_two_who_set_up_at_the_same_time_one_gets_the_hub(link: str) -> None:
    barrier, outcomes = threading.Barrier(2), []

    def claim(name: str) -> None:
        barrier.wait(5)
        outcomes.append(Client().post(link, FIELDS | {"username": name}).status_code)
        connection.close()

    threads = [threading.Thread(target=claim, args=[name]) for name in ("first", "second")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert sorted(outcomes) == [302, 404]
    assert User.objects.count() == 1


# --- the second step ------------------------------------------------------------------------------


def test_servers_of_this_machine_are_offered(as_ada: Client, found: list[Found]) -> None:
    found.append(Found("Ollama", "ollama", "Ollama", "http://127.0.0.1:11434", 3))

    page = as_ada.get("/setup/servers/").content.decode()

    assert "http://127.0.0.1:11434" in page
    assert "3 models" in page
    assert 'value="ollama"' in page


def test_where_none_answers_the_page_says_what_serves(as_ada: Client) -> None:
    assert "No AI server answers" in as_ada.get("/setup/servers/").content.decode()

    Backend.objects.create(name="Built-in", kind="openai", managed=True, base_url="builtin:")
    assert "built-in model is ready" in as_ada.get("/setup/servers/").content.decode()


# --- unattended -----------------------------------------------------------------------------------


@pytest.fixture
def wanted(settings: Any) -> Any:
    settings.HUB_ADMIN_USERNAME, settings.HUB_ADMIN_PASSWORD = "root", PASSPHRASE
    return settings


def test_the_environment_makes_the_administrator_once(wanted: Any) -> None:
    made = setup.create_from_environment()

    assert made is not None
    assert (made.username, made.is_staff, made.is_superuser) == ("root", True, True)
    assert made.check_password(PASSPHRASE)
    assert not setup.needed()
    assert setup.create_from_environment() is None


def test_the_environment_takes_no_hub_that_somebody_has(wanted: Any, ada: User) -> None:
    assert setup.create_from_environment() is None
    assert [user.username for user in User.objects.all()] == ["ada"]


def test_the_environment_changes_nobody_who_is_there(wanted: Any) -> None:
    User.objects.create_user("root", password="an older one")

    assert setup.create_from_environment() is None
    root = User.objects.get()
    assert root.check_password("an older one")
    assert not root.is_staff


@pytest.mark.parametrize("missing", ["HUB_ADMIN_USERNAME", "HUB_ADMIN_PASSWORD"])
def test_half_of_it_makes_nobody(wanted: Any, missing: str) -> None:
    setattr(wanted, missing, "")

    assert setup.create_from_environment() is None
    assert setup.needed()


def test_password_managers_know_what_the_fields_are(link: str) -> None:
    form = Client().get(link).context["form"]

    named = {name: field.widget.attrs["autocomplete"] for name, field in form.fields.items()}
    assert named == {"username": "username", "password": "new-password", "repeated": "new-password"}
