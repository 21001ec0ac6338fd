"""Backends in Django's admin: the same row, and secrets as write-only as on the hub's own page."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from backends.models import Backend
from tests.chat.page import read

pytestmark = pytest.mark.django_db

KEY, PASSWORD = "sk-v3ry-s3cret", "pa55-w0rd"
LIST = "/admin/backends/backend/"


@pytest.fixture
def stored() -> Backend:
    backend = Backend(name="Box", kind="ollama", base_url="http://127.0.0.1:9", username="hub")
    backend.set_api_key(KEY)
    backend.set_password(PASSWORD)
    backend.save()
    return backend


def fields(**more: str) -> dict[str, str]:
    basic = {"name": "Box", "kind": "ollama", "base_url": "http://127.0.0.1:9", "username": "hub"}
    limits = {"connect_timeout": "5", "first_byte_timeout": "330", "stall_timeout": "120"}
    return basic | limits | {"enabled": "on", "access": "everyone"} | more


def test_a_server_is_added_with_its_secrets(as_ada: Client) -> None:
    response = as_ada.post(f"{LIST}add/", fields(new_api_key=KEY, new_password=PASSWORD))

    assert response.status_code == 302
    endpoint = Backend.objects.get().endpoint()
    assert (endpoint.api_key.reveal(), endpoint.password.reveal()) == (KEY, PASSWORD)


def test_no_page_shows_a_secret_or_what_is_stored_of_it(as_ada: Client, stored: Backend) -> None:
    change = f"{LIST}{stored.pk}/change/"
    wrong = as_ada.post(change, fields(name="", new_api_key="typed-key", new_password="typed-pw"))
    as_ada.post(change, fields(new_api_key=KEY))
    pages = [as_ada.get(LIST), as_ada.get(change), as_ada.get(f"{LIST}{stored.pk}/history/"), wrong]

    for response in pages:
        page = response.content.decode()
        assert response.status_code == 200
        for secret in (KEY, PASSWORD, stored.api_key_encrypted, stored.password_encrypted, "typed-"):
            assert secret not in page
    form = read(pages[1])
    for name in ("new_api_key", "new_password"):
        assert form.one(id=f"id_{name}").attributes["type"] == "password"
        assert "value" not in form.one(id=f"id_{name}").attributes
    assert KEY not in "".join(entry.change_message for entry in LogEntry.objects.all())


def test_empty_fields_keep_what_is_stored(as_ada: Client, stored: Backend) -> None:
    as_ada.post(f"{LIST}{stored.pk}/change/", fields(name="Renamed"))

    changed = Backend.objects.get()
    assert changed.name == "Renamed"
    assert changed.endpoint().api_key.reveal() == KEY
    assert changed.endpoint().password.reveal() == PASSWORD


def test_another_address_drops_what_was_not_typed_again(as_ada: Client, stored: Backend) -> None:
    as_ada.post(f"{LIST}{stored.pk}/change/", fields(base_url="http://127.0.0.1:10", new_password="for-new"))

    changed = Backend.objects.get()
    assert not changed.has_api_key
    assert changed.endpoint().password.reveal() == "for-new"


@pytest.mark.parametrize("address", ["ftp://h", "http://me:pw@h", "http://"])
def test_an_address_that_cannot_be_is_refused_here_too(as_ada: Client, address: str) -> None:
    response = as_ada.post(f"{LIST}add/", fields(base_url=address))

    assert "Enter an address like http://" in response.content.decode()
    assert not Backend.objects.exists()


@pytest.mark.parametrize("name", ["connect_timeout", "first_byte_timeout", "stall_timeout"])
def test_a_time_out_below_a_second_is_refused(as_ada: Client, name: str) -> None:
    response = as_ada.post(f"{LIST}add/", fields(**{name: "0"}))

    assert "greater than or equal to 1" in response.content.decode()
    assert not Backend.objects.exists()


def test_others_do_not_get_in(as_bob: Client, stored: Backend) -> None:
    for path in (LIST, f"{LIST}add/", f"{LIST}{stored.pk}/change/", f"{LIST}{stored.pk}/delete/"):
        for response in (as_bob.get(path), as_bob.post(path, fields())):
            assert response.status_code == 302
            assert response["Location"].startswith("/admin/login/")
    assert Backend.objects.values("name").get() == {"name": "Box"}
