"""Administrators decide about the internet; everybody sees what was contacted for them."""

from __future__ import annotations

import pytest
from django.test import Client

from chat.models import Internet, OutsideContact, SearchEngine
from privatechathub.accounts.models import User
from tests.chat.page import faults, read

FORM = {"allowed": "on", "search_engine": "", "searxng_url": "", "jina_key": "", "networks": ""}


def test_it_is_off_before_anybody_decides(as_ada: Client) -> None:
    response = as_ada.get("/internet/")
    assert faults(response) == []
    assert "checked" not in read(response).one(id="id_allowed").attributes
    assert not Internet.current().allowed
    assert Internet.objects.count() == 0


def test_an_administrator_allows_it_and_takes_it_back(as_ada: Client) -> None:
    response = as_ada.post("/internet/", FORM | {"networks": "127.0.0.0/8\n10.1.2.3"})
    assert response.status_code == 302
    assert Internet.current().allowed
    assert "10.1.2.3" in as_ada.get("/internet/").content.decode()
    as_ada.post("/internet/", {key: value for key, value in FORM.items() if key != "allowed"})
    assert not Internet.current().allowed
    assert Internet.objects.count() == 1


def test_nobody_else_may(as_alice: Client, client: Client) -> None:
    assert as_alice.get("/internet/").status_code == 403
    assert as_alice.post("/internet/", FORM).status_code == 403
    assert client.post("/internet/", FORM).status_code == 302
    assert not Internet.current().allowed


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"networks": "10.0.0.0/8 home"}, "home is not an address"),
        ({"networks": "10.0.0.1 " * 101}, "At most 100"),
        ({"search_engine": "searxng"}, "Enter its address"),
        ({"search_engine": "searxng", "searxng_url": "ftp://x"}, "Enter an address like"),
        ({"search_engine": "searxng", "searxng_url": "http://u:p@x"}, "Enter an address like"),
        ({"search_engine": "jina"}, "Enter the key"),
        ({"search_engine": "google"}, "google"),
    ],
)
def test_mistakes_are_told(change: dict[str, str], sentence: str, as_ada: Client) -> None:
    response = as_ada.post("/internet/", FORM | change)
    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert faults(response) == []
    assert not Internet.current().allowed


def test_the_key_is_stored_encrypted_never_shown_and_forgotten(as_ada: Client) -> None:
    as_ada.post("/internet/", FORM | {"search_engine": "jina", "jina_key": "jina_secret"})
    stored = Internet.current()
    assert stored.jina_key().reveal() == "jina_secret"
    assert "jina_secret" not in stored.jina_key_encrypted
    assert "jina_secret" not in as_ada.get("/internet/").content.decode()
    as_ada.post("/internet/", FORM | {"search_engine": "jina"})
    assert Internet.current().jina_key().reveal() == "jina_secret"
    assert as_ada.post("/internet/", FORM | {"search_engine": "jina", "forget_key": "on"}).status_code == 422
    as_ada.post("/internet/", FORM | {"forget_key": "on"})
    assert Internet.current().jina_key_encrypted == ""


def test_an_engine_is_kept(as_ada: Client) -> None:
    as_ada.post("/internet/", FORM | {"search_engine": "searxng", "searxng_url": "searx.home:8888/"})
    stored = Internet.current()
    assert (stored.search_engine, stored.searxng_url) == (SearchEngine.SEARXNG, "http://searx.home:8888")
    assert stored.can_search


def test_a_person_sees_their_own_contacts_an_administrator_all(
    alice: User, bob: User, as_alice: Client, as_bob: Client, as_ada: Client, client: Client
) -> None:
    note = OutsideContact.objects.note
    note(user_id=alice.pk, tool="fetch_url", host="alices.example", port=443, refused=False)
    note(user_id=bob.pk, tool="read_url", host="10.0.0.9", port=8080, refused=True)
    own, others, all_ = (who.get("/internet/contacts/") for who in (as_alice, as_bob, as_ada))
    assert "alices.example" in own.content.decode()
    assert "10.0.0.9" not in own.content.decode()
    assert "alices.example" not in others.content.decode()
    assert "10.0.0.9:8080" in others.content.decode()
    assert "Refused" in others.content.decode()
    for seen in ("alices.example", "10.0.0.9:8080", "alice", "bob", "fetch_url"):
        assert seen in all_.content.decode()
    assert [faults(page) for page in (own, others, all_)] == [[], [], []]
    assert client.get("/internet/contacts/").status_code == 302


def test_long_lists_have_pages(alice: User, as_alice: Client) -> None:
    rows = [OutsideContact(user=alice, tool="t", host=f"h{number}.example", port=80) for number in range(101)]
    OutsideContact.objects.bulk_create(rows)
    first, second = (as_alice.get(f"/internet/contacts/?page={page}").content.decode() for page in (1, 2))
    assert "h100.example" in first
    assert "h0.example" not in first
    assert "h0.example" in second
    assert as_alice.get("/internet/contacts/?page=x").status_code == 200
