"""What the prompt of a project asks, when a chat begins in it."""

from __future__ import annotations

import pytest
from django.test import Client

from backends.models import Backend
from chat.generation.prompt import prepare
from chat.models import Conversation, Generation, Project, SystemPrompt
from privatechathub.accounts.models import User
from tests.chat.page import faults, read

QUESTION = {"text": "Hello", "model": "demo/play", "key": "k"}
HTMX = {"HX-Request": "true"}


@pytest.fixture
def beds(garden: Project) -> Project:
    """The project, asking for a plant and a number."""
    garden.system_prompt = "Speak of {{plant:text}}, {{count:number=3}} times."
    garden.save()
    return garden


def test_the_page_asks_at_once(as_alice: Client, as_bob: Client, demo: Backend, beds: Project) -> None:
    response = as_alice.get(f"/?project={beds.pk}")

    assert not faults(response)
    page = read(response)
    assert page.one("details", id="start").attributes.get("open") is not None
    assert page.one("input", name_="answer-plant").attributes["form"] == "composer"
    assert page.one("input", name_="answer-count").attributes["value"] == "3"
    assert not read(as_alice.get("/")).all("input", name_="answer-plant")
    fragment = as_alice.get(f"/chat/start/?prompt=&project={beds.pk}", headers=HTMX)
    assert read(fragment).all("input", name_="answer-plant")
    assert as_bob.get(f"/?project={beds.pk}").status_code == 404
    stranger = as_bob.get(f"/chat/start/?prompt=&project={beds.pk}", headers=HTMX)
    assert not read(stranger).all("input", name_="answer-plant")


def test_the_answers_reach_the_model(as_alice: Client, demo: Backend, beds: Project) -> None:
    sent = QUESTION | {"project": str(beds.pk), "answer-plant": "peas", "answer-count": "7"}

    assert as_alice.post("/chat/", sent).status_code == 302

    assert Conversation.objects.get().prompt_values == {"plant": "peas", "count": "7"}
    assert "Speak of peas, 7 times." in prepare(Generation.objects.get().pk).request.system


def test_a_missing_answer_is_asked_for(as_alice: Client, demo: Backend, beds: Project) -> None:
    sent = QUESTION | {"project": str(beds.pk), "answer-count": "9"}

    plain = as_alice.post("/chat/", sent)

    assert plain.status_code == 422
    assert not faults(plain)
    page = read(plain)
    assert "“Garden” asks for something." in page.one(id="composer-error").text
    assert page.one("textarea", name_="text").text == "Hello"
    assert page.one("input", name_="answer-count").attributes["value"] == "9"
    assert not Conversation.objects.exists()


def test_a_prompt_of_the_library_asks_in_its_place(
    as_alice: Client, alice: User, demo: Backend, beds: Project
) -> None:
    entry = SystemPrompt.objects.create(owner=alice, name="Poet", text="Of {{topic:text}}.")
    sent = QUESTION | {"project": str(beds.pk), "prompt": str(entry.pk), "answer-topic": "rain"}

    assert as_alice.post("/chat/", sent).status_code == 302

    assert Conversation.objects.get().prompt_values == {"topic": "rain"}
