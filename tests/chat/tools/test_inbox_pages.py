"""The inbox, its badge, and what the script is told; and the person's place."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from chat.models import Notice
from privatechathub.accounts.models import User
from tests.chat.page import faults, read

leave = Notice.objects.leave


def test_an_inbox_shows_what_was_left_as_plain_text(alice: User, as_alice: Client, as_bob: Client) -> None:
    leave(alice.pk, "<b>Tea</b>", "It is\n<script>ready</script>")
    response = as_alice.get("/inbox/")
    text = response.content.decode()
    assert "&lt;b&gt;Tea&lt;/b&gt;" in text
    assert "It is<br>&lt;script&gt;ready" in text
    assert faults(response) == []
    assert "Tea" not in as_bob.get("/inbox/").content.decode()


def test_the_badge_counts_without_a_query(
    alice: User, as_alice: Client, as_bob: Client, django_assert_num_queries: Any
) -> None:
    before = as_alice.get("/")
    assert not read(before).all(id="unread-notices")
    with django_assert_num_queries(_queries(as_alice)):
        as_alice.get("/")
    leave(alice.pk, "a", "b")
    leave(alice.pk, "c", "d")
    with django_assert_num_queries(_queries(as_bob)):
        response = as_alice.get("/")
    assert read(response).one(id="unread-notices").text == "2"
    assert faults(response) == []
    assert not read(as_bob.get("/")).all(id="unread-notices")


def _queries(browser: Client) -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        browser.get("/")
    return len(captured)


def test_reading_and_deleting_touch_ones_own_only(
    alice: User, bob: User, as_alice: Client, as_bob: Client
) -> None:
    leave(alice.pk, "a", "b")
    leave(bob.pk, "c", "d")
    for path in ("/inbox/read/", "/inbox/clear/"):
        assert as_bob.get(path).status_code == 405
        assert as_bob.post(path).status_code == 302
    alice.refresh_from_db()
    bob.refresh_from_db()
    assert (alice.unread_notices, bob.unread_notices) == (1, 0)
    assert [row.user for row in Notice.objects.all()] == [alice]
    as_alice.post("/inbox/read/")
    alice.refresh_from_db()
    assert alice.unread_notices == 0
    assert Notice.objects.get().read


def test_the_script_is_told_what_is_new(
    alice: User, as_alice: Client, as_bob: Client, client: Client
) -> None:
    old = leave(alice.pk, "old", "x")
    first = as_alice.get("/inbox/news/").json()
    assert first == {"unread": 1, "newest": old.pk, "notices": []}
    new = leave(alice.pk, "new", "y")
    told = as_alice.get(f"/inbox/news/?after={old.pk}").json()
    assert told["notices"] == [{"id": new.pk, "title": "new", "text": "y"}]
    assert told["newest"] == new.pk
    assert as_alice.get(f"/inbox/news/?after={new.pk}").json()["notices"] == []
    assert as_bob.get("/inbox/news/?after=0").json() == {"unread": 0, "newest": 0, "notices": []}
    assert as_alice.get("/inbox/news/?after=x").status_code == 200
    assert client.get("/inbox/news/").status_code == 302


def test_a_person_saves_their_place(alice: User, as_alice: Client, bob: User) -> None:
    page = as_alice.get("/settings/")
    assert faults(page) == []
    response = as_alice.post("/settings/", {"place": " Bergen, Norway ", "time_zone": "europe/oslo"})
    assert response.status_code == 302
    alice.refresh_from_db()
    bob.refresh_from_db()
    assert (alice.place, alice.time_zone) == ("Bergen, Norway", "Europe/Oslo")
    assert (bob.place, bob.time_zone) == ("", "")
    assert "Bergen, Norway" in as_alice.get("/settings/").content.decode()


@pytest.mark.parametrize("zone", ["Mars/Base", "../etc", "x" * 70])
def test_an_unknown_zone_is_told(zone: str, alice: User, as_alice: Client) -> None:
    response = as_alice.post("/settings/", {"place": "Bergen", "time_zone": zone})
    assert response.status_code == 422
    assert faults(response) == []
    alice.refresh_from_db()
    assert alice.place == ""
