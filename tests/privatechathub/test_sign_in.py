"""Signing in, and staying out."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from privatechathub.accounts.models import User
from tests.chat.page import faults, read
from tests.conftest import PASSWORD

LOGIN = "/accounts/login/"


def try_in(browser: Client, name: str, password: str, **more: str) -> Any:
    return browser.post(LOGIN, {"login": name, "password": password, **more})


def is_in(browser: Client) -> bool:
    return browser.get("/").status_code == 200


def test_the_form_has_the_fields_that_other_programs_rely_on(db: None) -> None:
    page = read(Client().get(LOGIN))

    assert page.one("input", name_="login").attributes["autocomplete"] == "username"
    assert page.one("input", name_="password").attributes["autocomplete"] == "current-password"
    assert page.one("input", name_="password").attributes["type"] == "password"


def test_name_and_password_let_in(alice: User) -> None:
    browser = Client()

    response = try_in(browser, "alice", PASSWORD)

    assert (response.status_code, response["Location"]) == (302, "/")
    assert is_in(browser)
    cookie = browser.cookies["sessionid"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


def test_somebody_who_was_sent_here_goes_on_to_where_they_wanted(alice: User) -> None:
    browser = Client()
    sent = browser.get("/settings/")
    assert sent["Location"] == f"{LOGIN}?next=/settings/"

    assert try_in(browser, "alice", PASSWORD, next="/settings/")["Location"] == "/settings/"
    assert try_in(Client(), "alice", PASSWORD, next="https://evil.example/")["Location"] == "/"


@pytest.mark.parametrize(
    ("name", "password"),
    [("alice", "wrong"), ("alice", PASSWORD.upper()), ("nobody", PASSWORD), ("alice", f"{PASSWORD} ")],
)
def test_a_wrong_password_is_said_without_telling_who_exists(alice: User, name: str, password: str) -> None:
    browser = Client()

    response = try_in(browser, name, password)

    page = response.content.decode()
    assert "The username and/or password you specified are not correct." in page
    assert response.status_code == 200
    assert faults(response) == []
    assert password not in page
    assert not is_in(browser)


def test_a_disabled_person_is_not_let_in(alice: User) -> None:
    User.objects.update(is_active=False)
    browser = Client()

    response = try_in(browser, "alice", PASSWORD)

    assert (response.status_code, response["Location"]) == (302, "/accounts/inactive/")
    assert not is_in(browser)


def test_whoever_guesses_is_stopped_and_others_are_not(alice: User, bob: User) -> None:
    guesser = Client()
    for number in range(8):
        assert "not correct" in try_in(guesser, "alice", f"guess {number}").content.decode()

    stopped = try_in(guesser, "alice", PASSWORD)

    assert "Too many failed login attempts. Try again later." in stopped.content.decode()
    assert not is_in(guesser)
    assert try_in(Client(), "bob", PASSWORD).status_code == 302


def test_nobody_escapes_by_another_browser_or_spelling(alice: User) -> None:
    for number in range(8):
        try_in(Client(), "ALICE" if number % 2 else "alice", "guess")

    assert "Too many failed" in try_in(Client(), "alice", PASSWORD).content.decode()


def test_a_flood_from_one_address_is_answered_with_a_page(alice: User, settings: Any) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"login": "2/m/ip", "login_failed": "30/m/ip"}
    for _ in range(2):
        try_in(Client(), "alice", "guess")

    response = try_in(Client(), "alice", PASSWORD)

    assert response.status_code == 429
    assert "Too many tries" in response.content.decode()
    assert faults(response) == []


def test_signing_out_is_a_form_and_ends_the_session(as_alice: Client) -> None:
    key = as_alice.cookies["sessionid"].value
    page = as_alice.get("/accounts/logout/")
    assert read(page).all("form", method="post")
    assert is_in(as_alice)

    as_alice.post("/accounts/logout/")

    assert not is_in(as_alice)
    thief = Client()
    thief.cookies["sessionid"] = key
    assert not is_in(thief)


def test_a_session_is_a_new_one_after_signing_in(alice: User) -> None:
    browser = Client()
    browser.get(LOGIN)
    session = browser.session
    session["planted"] = True
    session.save()
    browser.cookies["sessionid"] = planted = session.session_key

    try_in(browser, "alice", PASSWORD)

    assert browser.cookies["sessionid"].value != planted


@pytest.mark.parametrize(
    "path",
    ["/accounts/password/reset/", "/accounts/email/", "/accounts/3rdparty/", "/accounts/confirm-email/"],
)
def test_pages_about_e_mail_do_not_exist(as_alice: Client, path: str) -> None:
    assert as_alice.get(path).status_code == 404


def test_the_page_names_no_other_host(db: None) -> None:
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', Client().get(LOGIN).content.decode())
