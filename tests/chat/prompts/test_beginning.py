"""A new conversation with a prompt of the library and a preset, with a script and without."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from backends.models import Backend
from chat.generation.prompt import prepare
from chat.models import Conversation, Generation, SamplingPreset, SystemPrompt
from chat.services.sending import Sent
from privatechathub.accounts.models import User
from tests.chat.page import faults, read

Ask = Callable[..., Sent]
HTMX = {"HX-Request": "true"}
QUESTION = {"text": "Hello", "model": "demo/play", "key": "k1"}


def test_the_first_page_asks_nothing_of_the_library(
    as_alice: Client, demo: Backend, pirate: SystemPrompt
) -> None:
    with CaptureQueriesContext(connection) as queries:
        page = as_alice.get("/")
    tables = (SystemPrompt._meta.db_table, SamplingPreset._meta.db_table)
    assert not [query["sql"] for query in queries if any(table in query["sql"] for table in tables)]
    assert read(page).one("details", id="start")
    assert "Pirate" not in page.content.decode()


def test_without_a_script_a_link_shows_the_choices(
    as_alice: Client, demo: Backend, pirate: SystemPrompt
) -> None:
    assert as_alice.get("/chat/start/")["Location"] == "/?start=1"
    page = as_alice.get("/?start=1")

    assert faults(page) == []
    assert read(page).one("select", name_="prompt").attributes["form"] == "composer"
    assert "Pirate" in page.content.decode()


def test_an_address_chooses_a_prompt_and_shows_what_it_asks(
    as_alice: Client, demo: Backend, house: SystemPrompt
) -> None:
    page = read(as_alice.get(f"/?prompt={house.pk}&preset=code"))

    field = page.one("input", name_="answer-who")
    assert (field.attributes["value"], field.attributes["form"]) == ("cats", "composer")
    chosen = [tag.text for tag in page.all("option") if "selected" in tag.attributes]
    assert "House rules" in chosen
    assert any(text.startswith("Code") for text in chosen)


def test_choosing_brings_what_the_prompt_asks(as_alice: Client, house: SystemPrompt) -> None:
    fields = read(as_alice.get("/chat/start/", headers=HTMX))
    assert fields.one(id="start-fields")
    answers = read(as_alice.get(f"/chat/start/?prompt={house.pk}", headers=HTMX))

    assert answers.tags[0].attributes["id"] == "start-answers"
    assert answers.one("input", name_="answer-who")
    assert not answers.all("select", name_="prompt")


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_the_first_question_goes_out_with_what_was_chosen(
    as_alice: Client, demo: Backend, house: SystemPrompt, headers: dict[str, str]
) -> None:
    chosen = {"prompt": str(house.pk), "answer-who": "dogs", "preset": "creative"}

    assert as_alice.post("/chat/", QUESTION | chosen, headers=headers).status_code in (200, 302)

    conversation, generation = Conversation.objects.get(), Generation.objects.get()
    assert (conversation.prompt, conversation.prompt_values) == (house, {"who": "dogs"})
    assert generation.options == {"temperature": 1.2, "top_k": 60, "top_p": 0.95}
    request = prepare(generation.pk).request
    assert request.system == "Be kind to dogs."
    assert request.sampling.temperature == 1.2


def test_a_default_need_not_be_on_the_page(as_alice: Client, demo: Backend, house: SystemPrompt) -> None:
    as_alice.post("/chat/", QUESTION | {"prompt": str(house.pk)})

    assert prepare(Generation.objects.get().pk).request.system == "Be kind to cats."


@pytest.mark.parametrize("answer", [{}, {"answer-count": ""}, {"answer-count": "many"}])
def test_a_missing_or_wrong_answer_is_asked_for_and_nothing_typed_is_lost(
    as_alice: Client, alice: User, demo: Backend, answer: dict[str, str]
) -> None:
    asks = SystemPrompt.objects.create(owner=alice, name="Lists", text="{{count:number}} of {{what:text}}")
    chosen = {"prompt": str(asks.pk), "preset": "code", "answer-what": "ships"} | answer

    plain = as_alice.post("/chat/", QUESTION | chosen)
    assert plain.status_code == 422
    assert faults(plain) == []
    page = read(plain)
    assert "Count:" in page.one(id="composer-error").text
    assert page.one("textarea", name_="text").text == "Hello"
    assert page.one("input", name_="answer-what").attributes["value"] == "ships"
    fragment = as_alice.post("/chat/", QUESTION | chosen, headers=HTMX)
    assert fragment.status_code == 422
    assert "Count:" in read(fragment).one(id="composer-error").text
    assert not Conversation.objects.exists()


@pytest.mark.parametrize(
    "chosen", [{"prompt": "PIRATE"}, {"preset": "PRESET"}, {"prompt": "x"}, {"preset": "\x00"}]
)
def test_what_is_another_person_s_is_refused(
    as_bob: Client, demo: Backend, alice: User, pirate: SystemPrompt, chosen: dict[str, str]
) -> None:
    preset = SamplingPreset.objects.create(owner=alice, name="Hot", options={"temperature": 2})
    ids = {"PIRATE": str(pirate.pk), "PRESET": str(preset.pk)}
    response = as_bob.post(
        "/chat/", QUESTION | {name: ids.get(value, value) for name, value in chosen.items()}
    )

    if chosen == {"preset": "\x00"}:  # NUL is no text: nothing was chosen
        assert response.status_code == 302
    else:
        assert response.status_code == 422
        assert "is gone" in response.content.decode()
        assert not Conversation.objects.exists()


def test_the_same_form_twice_makes_one_conversation(
    as_alice: Client, demo: Backend, house: SystemPrompt
) -> None:
    for _time in range(2):
        as_alice.post("/chat/", QUESTION | {"prompt": str(house.pk)})
    assert Conversation.objects.count() == 1
