"""Nobody makes an account without a link that an administrator made; a link serves one person, for a week."""

from __future__ import annotations

import re
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from privatechathub.accounts import adapter
from privatechathub.accounts.models import Invitation, User

FIELDS = {
    "username": "carol",
    "password1": "a long enough passphrase",
    "password2": "a long enough passphrase",
}

pytestmark = pytest.mark.django_db


def link_on(page: str) -> str:
    """The path of the one link that the page shows."""
    (path,) = re.findall(r'value="http://testserver(/invitation/[\w-]+/)"', page)
    return str(path)


def invited(ada: User) -> Client:
    """A browser that followed a fresh link."""
    _row, token = Invitation.issue(ada)
    browser = Client()
    assert browser.get(f"/invitation/{token}/").status_code == 302
    return browser


def test_from_the_link_to_the_account(as_ada: Client, ada: User) -> None:
    page = as_ada.post("/people/invite/", {"note": "For Carol"}, follow=True).content.decode()
    carol = Client()

    response = carol.get(link_on(page), follow=True)
    assert response.redirect_chain == [("/accounts/signup/", 302)]
    assert b"You were invited" in response.content
    assert carol.post("/accounts/signup/", FIELDS)["Location"] == "/"

    user = User.objects.get(username="carol")
    assert (user.is_staff, user.is_superuser) == (False, False)
    assert carol.get("/").status_code == 200
    row = Invitation.objects.get()
    assert (row.used_by, row.created_by, row.note) == (user, ada, "For Carol")
    assert row.used_at is not None


def test_the_token_itself_is_stored_nowhere_but_with_who_made_it(as_ada: Client, ada: User) -> None:
    token = link_on(as_ada.post("/people/invite/", follow=True).content.decode()).split("/")[2]

    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM accounts_invitation")
        assert token not in str(cursor.fetchall())
    assert len(token) >= 32
    another = Client()
    another.force_login(ada, backend="django.contrib.auth.backends.ModelBackend")
    page = another.get("/people/").content.decode()
    assert token not in page
    assert "The link was shown when it was made." in page


def test_a_link_serves_once(ada: User) -> None:
    _row, token = Invitation.issue(ada)
    first, second = Client(), Client()
    for browser in (first, second):
        browser.get(f"/invitation/{token}/")
    first.post("/accounts/signup/", FIELDS)

    assert Client().get(f"/invitation/{token}/").status_code == 404
    second.post("/accounts/signup/", FIELDS | {"username": "eve"})
    assert not User.objects.filter(username="eve").exists()
    first.post("/accounts/logout/")
    first.post("/accounts/signup/", FIELDS | {"username": "mallory"})
    assert not User.objects.filter(username="mallory").exists()


@pytest.mark.django_db(transaction=True)
def test_of_two_who_use_it_at_the_same_time_one_gets_an_account(
    ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    _row, token = Invitation.issue(ada)
    barrier, outcomes = threading.Barrier(2), []
    find = adapter.invitation_of

    def find_together(request: Any) -> Invitation | None:
        found = find(request)
        barrier.wait(5)  # both have seen that it is open before either uses it
        return found

    monkeypatch.setattr(adapter, "invitation_of", find_together)

    def sign_up(name: str) -> None:
        browser = Client()
        browser.get(f"/invitation/{token}/")
        outcomes.append(browser.post("/accounts/signup/", FIELDS | {"username": name}).status_code)
        connection.close()

    threads = [threading.Thread(target=sign_up, args=[name]) for name in ("first", "second")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert sorted(outcomes) == [302, 403]
    assert User.objects.filter(username__in=["first", "second"]).count() == 1


def make_older(row: Invitation) -> None:
    Invitation.objects.filter(pk=row.pk).update(expires_at=timezone.now() - timedelta(seconds=1))


@pytest.mark.parametrize("end", [make_older, lambda row: row.delete()], ids=["expired", "revoked"])
def test_a_link_that_ended_opens_nothing(ada: User, end: Any) -> None:
    row, token = Invitation.issue(ada)
    browser = Client()
    browser.get(f"/invitation/{token}/")
    end(row)

    response = Client().get(f"/invitation/{token}/")
    assert response.status_code == 404
    assert b"ask the administrator for a new one" in response.content
    browser.post("/accounts/signup/", FIELDS)
    assert not User.objects.filter(username="carol").exists()


def test_a_link_lasts_a_week(ada: User) -> None:
    row, _token = Invitation.issue(ada)

    assert abs(row.expires_at - timezone.now() - timedelta(days=7)) < timedelta(minutes=1)


@pytest.mark.parametrize("token", ["guess", "é", "0" * 32])
def test_without_a_link_nobody_signs_up(ada: User, token: str) -> None:
    browser = Client()

    assert browser.get(f"/invitation/{token}/").status_code == 404
    page = browser.get("/accounts/signup/")
    assert b"By invitation" in page.content
    assert b'name="username"' not in page.content
    browser.post("/accounts/signup/", FIELDS)
    assert not User.objects.filter(username="carol").exists()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"username": "ada"}, "A user with that username already exists."),
        ({"username": "x"}, "at least 2"),
        ({"password1": "12345", "password2": "12345"}, "too short"),
        ({"password2": "another one"}, "You must type the same password each time."),
    ],
)
def test_a_mistake_is_said_and_the_link_stays_good(ada: User, change: dict[str, str], sentence: str) -> None:
    browser = invited(ada)

    page = browser.post("/accounts/signup/", FIELDS | change).content.decode()
    assert sentence in page

    assert browser.post("/accounts/signup/", FIELDS).status_code == 302
    assert User.objects.filter(username="carol").exists()


def test_nobody_makes_themselves_an_administrator(ada: User) -> None:
    invited(ada).post("/accounts/signup/", FIELDS | {"is_staff": "on", "is_superuser": "on"})

    carol = User.objects.get(username="carol")
    assert not carol.is_staff
    assert not carol.is_superuser


def test_only_administrators_invite_and_revoke(as_bob: Client, ada: User) -> None:
    row, _token = Invitation.issue(ada)

    assert as_bob.get("/people/").status_code == 403
    assert as_bob.post("/people/invite/").status_code == 403
    assert as_bob.post(f"/people/invitations/{row.pk}/revoke/").status_code == 403
    assert Invitation.objects.count() == 1


def test_an_administrator_revokes_what_is_open_and_nothing_else(as_ada: Client, ada: User) -> None:
    row, _token = Invitation.issue(ada)

    assert as_ada.get(f"/people/invitations/{row.pk}/revoke/").status_code == 405
    assert as_ada.post(f"/people/invitations/{row.pk}/revoke/").status_code == 302
    assert as_ada.post(f"/people/invitations/{row.pk}/revoke/").status_code == 404
    assert not Invitation.objects.exists()


def test_the_admin_site_shows_no_token_and_makes_no_invitation(as_ada: Client, ada: User) -> None:
    row, _token = Invitation.issue(ada, "For Carol")

    page = as_ada.get(f"/admin/accounts/invitation/{row.pk}/change/").content.decode()
    assert "For Carol" in page
    assert row.token_hash not in page
    assert as_ada.get("/admin/accounts/invitation/add/").status_code == 403
