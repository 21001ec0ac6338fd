"""A person's password, and the devices that they are signed in on."""

from __future__ import annotations

import pytest
from django.test import Client

from privatechathub.accounts.models import User
from tests.conftest import PASSWORD

SESSIONS = "/accounts/sessions/"
CHANGE = "/accounts/password/change/"
NEW = "another long phrase"


def sign_in(name: str, device: str, password: str = PASSWORD) -> Client:
    browser = Client(HTTP_USER_AGENT=device)
    browser.post("/accounts/login/", {"login": name, "password": password})
    return browser


def is_in(browser: Client) -> bool:
    return browser.get("/").status_code == 200


def change(browser: Client, **fields: str) -> str:
    data = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW} | fields
    return browser.post(CHANGE, data, follow=True).content.decode()


def test_the_list_shows_each_device_of_this_person_alone(alice: User, bob: User) -> None:
    phone, _laptop = sign_in("alice", "Phone"), sign_in("alice", "Laptop")
    sign_in("bob", "Tablet")

    page = phone.get(SESSIONS).content.decode()

    assert "Phone" in page
    assert "Laptop" in page
    assert "Tablet" not in page
    assert page.count("This device") == 1


def test_the_others_are_ended_and_this_one_stays(alice: User, bob: User) -> None:
    phone, laptop, stranger = sign_in("alice", "Phone"), sign_in("alice", "Laptop"), sign_in("bob", "Tablet")

    page = phone.post(SESSIONS, follow=True).content.decode()

    assert is_in(phone)
    assert not is_in(laptop)
    assert is_in(stranger)
    assert "Laptop" not in page


def test_a_device_that_signed_out_is_no_longer_listed(alice: User) -> None:
    phone, laptop = sign_in("alice", "Phone"), sign_in("alice", "Laptop")
    laptop.post("/accounts/logout/")

    assert "Laptop" not in phone.get(SESSIONS).content.decode()


def test_a_name_of_a_browser_is_text(alice: User) -> None:
    page = sign_in("alice", "<script>alert(1)</script>").get(SESSIONS).content.decode()

    assert "&lt;script&gt;" in page
    assert "<script>alert" not in page


def test_another_password_ends_the_other_devices(alice: User) -> None:
    phone, laptop = sign_in("alice", "Phone"), sign_in("alice", "Laptop")

    change(phone)

    assert is_in(phone)
    assert not is_in(laptop)
    assert not is_in(sign_in("alice", "Thief"))
    assert is_in(sign_in("alice", "Laptop", NEW))


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"oldpassword": "wrong"}, "Please type your current password."),
        ({"password2": "different"}, "You must type the same password each time."),
        ({"password1": "1234", "password2": "1234"}, "This password is too short."),
        ({"password1": "alice123", "password2": "alice123"}, "too similar to the username"),
    ],
)
def test_a_mistake_is_said_and_changes_nothing(alice: User, fields: dict[str, str], sentence: str) -> None:
    page = change(sign_in("alice", "Phone"), **fields)

    assert sentence in page
    assert NEW not in page
    assert is_in(sign_in("alice", "Laptop"))


@pytest.mark.parametrize("path", [SESSIONS, CHANGE])
def test_strangers_are_sent_to_sign_in(db: None, path: str) -> None:
    for response in (Client().get(path), Client().post(path)):
        assert response.status_code == 302
        assert response["Location"].startswith("/accounts/login/")
