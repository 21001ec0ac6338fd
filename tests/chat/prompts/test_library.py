"""The library: one's own entries, shared ones, and the pages on which they are kept."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from chat.models import Conversation, SystemPrompt
from chat.services.sending import Sent
from privatechathub.accounts.models import User
from tests.chat.page import faults, read

Ask = Callable[..., Sent]
ENTRY = {"name": " Poet  of\tthe house ", "description": "Rhymes", "text": "Speak in rhymes.\r\nAlways.\r\n"}


def test_an_entry_is_made_shown_changed_and_deleted(as_alice: Client, alice: User) -> None:
    assert as_alice.post("/prompts/add/", ENTRY)["Location"] == "/prompts/"
    entry = SystemPrompt.objects.get()
    assert (entry.owner, entry.name, entry.text) == (alice, "Poet of the house", "Speak in rhymes.\nAlways.")
    page = as_alice.get("/prompts/")
    assert faults(page) == []
    assert read(page).one("a", href=f"/prompts/{entry.pk}/").text == "Poet of the house"
    assert read(page).one("a", href=f"/?prompt={entry.pk}")

    assert faults(as_alice.get(f"/prompts/{entry.pk}/")) == []
    as_alice.post(f"/prompts/{entry.pk}/", ENTRY | {"name": "Bard"})
    assert SystemPrompt.objects.get().name == "Bard"

    question = as_alice.get(f"/prompts/{entry.pk}/delete/").content.decode()
    assert "Delete “Bard”?" in question
    as_alice.post(f"/prompts/{entry.pk}/delete/")
    assert not SystemPrompt.objects.exists()
    assert "None yet." in as_alice.get("/prompts/").content.decode()


@pytest.mark.parametrize("missing", ["name", "text"])
def test_an_entry_without_name_or_text_is_refused(as_alice: Client, missing: str) -> None:
    response = as_alice.post("/prompts/add/", ENTRY | {missing: " "})

    assert response.status_code == 422
    assert read(response).all("ul", class_="errorlist")
    assert not SystemPrompt.objects.exists()


def test_only_administrators_make_shared_ones(as_alice: Client, as_ada: Client, alice: User) -> None:
    as_alice.post("/prompts/add/", ENTRY | {"shared": "on"})
    as_ada.post("/prompts/add/", ENTRY | {"shared": "on", "name": "For all"})

    assert [(entry.name, entry.owner) for entry in SystemPrompt.objects.all()] == [
        ("For all", None),
        ("Poet of the house", alice),
    ]
    assert not read(as_alice.get("/prompts/add/")).all("input", name_="shared")
    assert read(as_ada.get("/prompts/add/")).all("input", name_="shared")


def test_a_shared_entry_is_everybody_s_to_read_and_copy_and_an_administrator_s_to_change(
    as_bob: Client, as_ada: Client, bob: User, house: SystemPrompt
) -> None:
    url = f"/prompts/{house.pk}/"
    page = as_bob.get(url)
    assert faults(page) == []
    assert read(page).one("pre").text == house.text
    assert not read(page).all("textarea")
    assert "House rules" in as_bob.get("/prompts/").content.decode()

    assert as_bob.post(url, ENTRY).status_code == 404
    assert as_bob.get(f"{url}delete/").status_code == as_bob.post(f"{url}delete/").status_code == 404
    assert SystemPrompt.objects.get() == house
    assert SystemPrompt.objects.get().text == house.text

    copied = as_bob.post(f"{url}copy/", {"shared": "1"})
    mine = SystemPrompt.objects.get(owner=bob)
    assert copied["Location"] == f"/prompts/{mine.pk}/"
    assert (mine.name, mine.text) == (house.name, house.text)

    as_ada.post(url, ENTRY)
    assert SystemPrompt.objects.get(pk=house.pk).name == "Poet of the house"
    as_ada.post(f"{url}delete/")
    assert SystemPrompt.objects.get() == mine


def test_an_administrator_copies_an_own_entry_for_everybody(as_ada: Client, ada: User) -> None:
    own = SystemPrompt.objects.create(owner=ada, name="Mine", text="Mine")

    as_ada.post(f"/prompts/{own.pk}/copy/", {"shared": "1"})

    assert SystemPrompt.objects.get(owner=None).name == "Mine"


def test_nobody_sees_or_uses_another_person_s_entries(
    as_bob: Client, as_ada: Client, pirate: SystemPrompt
) -> None:
    for browser in (as_bob, as_ada):
        assert "Pirate" not in browser.get("/prompts/").content.decode()
        assert "Pirate" not in browser.get(f"/?prompt={pirate.pk}").content.decode()
        assert browser.post(f"/prompts/{pirate.pk}/copy/").status_code == 404
        assert browser.post(f"/prompts/{pirate.pk}/", ENTRY).status_code == 404
        assert "Pirate" not in browser.get("/chat/start/", headers={"HX-Request": "true"}).content.decode()


def test_the_page_says_how_many_conversations_follow(
    as_alice: Client, ask: Ask, pirate: SystemPrompt
) -> None:
    ask()
    assert not read(as_alice.get(f"/prompts/{pirate.pk}/")).all(id="followers")
    Conversation.objects.update(prompt=pirate)

    assert "1 conversation follows" in read(as_alice.get(f"/prompts/{pirate.pk}/")).one(id="followers").text


def test_the_list_costs_the_same_however_long_it_is(as_alice: Client, alice: User) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as found:
            as_alice.get("/prompts/")
        return len(found)

    before = queries()
    SystemPrompt.objects.bulk_create(
        SystemPrompt(owner=alice, name=f"P{number}", text="{{a:text}}") for number in range(30)
    )
    assert queries() == before


def test_names_are_listed_as_people_sort_them(as_alice: Client, alice: User, demo: object) -> None:
    for name in ("Zebra", "apple", "Mango"):
        SystemPrompt.objects.create(owner=alice, name=name, text="x")

    for url in ("/prompts/", "/?start=1"):
        page = as_alice.get(url).content.decode()
        assert page.index("apple") < page.index("Mango") < page.index("Zebra")


def test_what_a_prompt_says_is_text_on_every_page(as_alice: Client, alice: User, demo: object) -> None:
    evil = SystemPrompt.objects.create(
        owner=alice, name="<b>x</b>", description="<i>", text="<script>alert(1)</script>{{a:text=<b>}}"
    )
    for url in ("/prompts/", f"/prompts/{evil.pk}/", f"/?prompt={evil.pk}"):
        page = as_alice.get(url)
        assert faults(page) == []
        assert not read(page).all("b")
        assert not read(page).all("i")
