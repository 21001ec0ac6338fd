"""The settings page of a conversation: its own text, a live entry of the library, answers, presets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from chat.generation.prompt import prepare
from chat.models import Conversation, Generation, SamplingPreset, Status, SystemPrompt
from chat.services.sending import Sent
from privatechathub.accounts.models import User
from tests.chat.page import faults, read

Ask = Callable[..., Sent]
HTMX = {"HX-Request": "true"}


@pytest.fixture
def talk(ask: Ask) -> Conversation:
    """A conversation in which nothing is being written."""
    sent = ask()
    Generation.objects.update(status=Status.COMPLETED)
    return sent.conversation


def url_of(conversation: Conversation) -> str:
    return f"{conversation.get_absolute_url()}settings/"


def now(conversation: Conversation) -> Conversation:
    return Conversation.objects.get(pk=conversation.pk)


def next_request(ask: Ask, conversation: Conversation) -> Any:
    sent = ask("And?", now(conversation))
    Generation.objects.update(status=Status.COMPLETED)
    return prepare(sent.generation.pk).request


def test_an_entry_is_followed_from_the_next_answer_on(
    as_alice: Client, ask: Ask, talk: Conversation, pirate: SystemPrompt
) -> None:
    saved = as_alice.post(url_of(talk), {"prompt": str(pirate.pk), "preset": ""})
    assert saved["Location"] == talk.get_absolute_url()
    assert next_request(ask, talk).system == "Talk like a pirate."

    as_alice.post(f"/prompts/{pirate.pk}/", {"name": "Pirate", "text": "Talk like two pirates."})
    assert next_request(ask, talk).system == "Talk like two pirates."

    page = as_alice.get(url_of(talk))
    assert faults(page) == []
    assert read(page).one("pre").text == "Talk like two pirates."
    assert not read(page).all("textarea", name_="system_prompt")


def test_the_thread_s_menu_names_the_entry(
    as_alice: Client, talk: Conversation, pirate: SystemPrompt
) -> None:
    as_alice.post(url_of(talk), {"prompt": str(pirate.pk)})

    assert "Pirate" in [tag.text for tag in read(as_alice.get(talk.get_absolute_url())).tags]


def test_the_own_text_comes_back_when_the_entry_is_left(
    as_alice: Client, talk: Conversation, pirate: SystemPrompt
) -> None:
    as_alice.post(url_of(talk), {"system_prompt": "Mine"})
    as_alice.post(url_of(talk), {"prompt": str(pirate.pk), "system_prompt": "Mine"})
    shown = read(as_alice.get(f"{url_of(talk)}?prompt=", headers=HTMX))
    assert shown.one("textarea", name_="system_prompt").text.strip() == "Mine"

    as_alice.post(url_of(talk), {"prompt": "", "system_prompt": "Mine, too"})

    assert (now(talk).prompt, now(talk).system_prompt) == (None, "Mine, too")


def test_without_a_script_leaving_an_entry_begins_with_a_copy_of_it(
    as_alice: Client, talk: Conversation, pirate: SystemPrompt
) -> None:
    as_alice.post(url_of(talk), {"prompt": str(pirate.pk)})

    response = as_alice.post(url_of(talk), {"prompt": ""})

    assert response["Location"] == url_of(talk)
    assert (now(talk).prompt, now(talk).system_prompt) == (None, "Talk like a pirate.")
    assert read(as_alice.get(url_of(talk))).one("textarea", name_="system_prompt")


def test_choosing_shows_the_text_and_its_questions_before_anything_is_saved(
    as_alice: Client, talk: Conversation, house: SystemPrompt
) -> None:
    part = read(as_alice.get(f"{url_of(talk)}?prompt={house.pk}", headers=HTMX))

    assert part.tags[0].attributes["id"] == "prompt-choice"
    assert part.one("input", name_="answer-who").attributes["value"] == "cats"
    assert now(talk).prompt is None


def test_answers_are_kept_and_asked_for_where_they_lack(
    as_alice: Client, ask: Ask, talk: Conversation, alice: User
) -> None:
    asks = SystemPrompt.objects.create(
        owner=alice, name="About", text="About {{topic:text}} in {{l:choice:A|B}}."
    )

    first = as_alice.post(url_of(talk), {"prompt": str(asks.pk)})
    assert first["Location"] == url_of(talk)
    done = as_alice.post(url_of(talk), {"prompt": str(asks.pk), "answer-topic": "{{date}}", "answer-l": "B"})
    assert done["Location"] == talk.get_absolute_url()
    assert next_request(ask, talk).system == "About {{date}} in B."

    wrong = as_alice.post(url_of(talk), {"prompt": str(asks.pk), "answer-topic": "x", "answer-l": "C"})
    assert wrong.status_code == 422
    assert now(talk).prompt_values == {"topic": "{{date}}", "l": "B"}


def test_an_own_text_asks_too(as_alice: Client, ask: Ask, talk: Conversation) -> None:
    typed = {"system_prompt": "Answer in {{count:number=2}} words, {{name}}."}

    as_alice.post(url_of(talk), typed)
    assert next_request(ask, talk).system == "Answer in 2 words, alice."
    assert read(as_alice.get(url_of(talk))).one("input", name_="answer-count").attributes["value"] == "2"
    as_alice.post(url_of(talk), typed | {"answer-count": "3"})

    assert next_request(ask, talk).system == "Answer in 3 words, alice."


def test_another_person_s_entry_or_preset_cannot_be_followed(
    as_alice: Client, talk: Conversation, bob: User
) -> None:
    theirs = SystemPrompt.objects.create(owner=bob, name="Bob's", text="Bob's secret")
    preset = SamplingPreset.objects.create(owner=bob, name="Bob's", options={"top_k": 1})

    for data in ({"prompt": str(theirs.pk)}, {"preset": str(preset.pk)}):
        page = as_alice.post(url_of(talk), data, follow=True)
        assert "is gone" in page.content.decode()
        assert "Bob" not in page.content.decode()
    page = as_alice.get(f"{url_of(talk)}?prompt={theirs.pk}", headers=HTMX, follow=True)
    assert "secret" not in page.content.decode()
    assert (now(talk).prompt, now(talk).preset) == (None, None)


def test_a_preset_is_used_kept_renamed_and_deleted(
    as_alice: Client, ask: Ask, talk: Conversation, alice: User
) -> None:
    as_alice.post(url_of(talk), {"preset": "precise", "temperature": "0.4"})
    assert next_request(ask, talk).sampling.temperature == 0.4
    assert next_request(ask, talk).sampling.top_k == 20

    kept = as_alice.post(
        url_of(talk), {"preset": "precise", "temperature": "0.4", "keep": "1", "preset_name": " My  own "}
    )
    preset = SamplingPreset.objects.get()
    assert kept["Location"] == url_of(talk)
    assert (preset.owner, preset.name) == (alice, "My own")
    assert preset.options == {"temperature": 0.4, "top_k": 20, "top_p": 0.7}
    assert (now(talk).preset, now(talk).builtin_preset, now(talk).options) == (preset, "", {})
    assert next_request(ask, talk).sampling.temperature == 0.4

    as_alice.post(f"/presets/{preset.pk}/rename/", {"name": "Ours"})
    assert SamplingPreset.objects.get().name == "Ours"
    as_alice.post(f"/presets/{preset.pk}/delete/")
    assert not SamplingPreset.objects.exists()
    assert now(talk).options == preset.options
    assert next_request(ask, talk).sampling.top_k == 20


def test_a_name_that_was_typed_is_not_lost_by_the_other_button(as_alice: Client, talk: Conversation) -> None:
    as_alice.post(url_of(talk), {"preset_name": "Mine", "top_k": "3"})

    assert SamplingPreset.objects.get().options == {"top_k": 3}


@pytest.mark.parametrize("name", ["", "  ", "CREATIVE", "balanced"])
def test_a_preset_needs_a_name_of_its_own(as_alice: Client, talk: Conversation, name: str) -> None:
    page = as_alice.post(url_of(talk), {"keep": "1", "preset_name": name, "top_k": "3"}, follow=True)

    said = page.content.decode()
    assert "A preset needs a name." in said or "Choose another name." in said
    assert not SamplingPreset.objects.exists()


def test_keeping_again_under_a_name_changes_that_preset(as_alice: Client, talk: Conversation) -> None:
    for number in ("3", "4"):
        as_alice.post(url_of(talk), {"keep": "1", "preset_name": "Mine", "top_k": number})

    assert SamplingPreset.objects.get().options == {"top_k": 4}


def test_a_name_that_another_preset_has_is_refused(as_alice: Client, alice: User) -> None:
    one, _other = (SamplingPreset.objects.create(owner=alice, name=name) for name in ("One", "Other"))

    page = as_alice.post(f"/presets/{one.pk}/rename/", {"name": "Other"}, follow=True)

    assert "already" in page.content.decode()
    assert SamplingPreset.objects.get(pk=one.pk).name == "One"
