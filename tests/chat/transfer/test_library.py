"""Prompts, presets, links and options travel: with a conversation, and as a whole library."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import AsyncClient, Client

from chat.models import Conversation, SamplingPreset, SystemPrompt
from chat.services.sending import Sent
from chat.transfer import loading, saving
from chat.transfer.formats import hub, library
from chat.transfer.library import library_of, take_in
from chat.transfer.planning import bring_in
from chat.transfer.portable import Talk
from chat.transfer.survey import look_through
from chat.transfer.unpacking import Upload
from chat.transfer.writing import as_html, as_json, as_markdown, as_text, library_as_json
from privatechathub.accounts.models import User
from tests.chat.page import faults

OPTIONS = {
    "temperature": 0.5,
    "stop": ["END"],
    "keep_alive": -1.0,
    "context_length": 4096,
    "reasoning": "low",
}


@pytest.fixture
def talk(ask: Callable[..., Sent], alice: User) -> Conversation:
    """A conversation with everything set."""
    prompt = SystemPrompt.objects.create(
        owner=alice, name="Poet", description="Rhymes", text="Of {{topic:text}}."
    )
    preset = SamplingPreset.objects.create(owner=alice, name="Hot", options={"temperature": 2.0})
    conversation = ask().conversation
    values = {"prompt": prompt, "prompt_values": {"topic": "ships"}, "preset": preset, "options": OPTIONS}
    Conversation.objects.filter(pk=conversation.pk).update(**values)
    return Conversation.objects.get(pk=conversation.pk)


def again(conversation: Conversation) -> Talk:
    """What a file of it says."""
    return hub.read(json.loads(as_json(loading.load(conversation))))


def test_everything_that_was_set_comes_back(talk: Conversation, bob: User) -> None:
    there = saving.save(bob, again(talk))

    there = Conversation.objects.get(pk=there.pk)
    assert there.prompt is not None
    assert there.preset is not None
    assert (there.prompt.owner, there.prompt.name, there.prompt.text) == (bob, "Poet", "Of {{topic:text}}.")
    assert (there.preset.owner, there.preset.options) == (bob, {"temperature": 2.0})
    assert (there.prompt_values, there.options) == ({"topic": "ships"}, OPTIONS)
    first, second = (hub.document(loading.load(row))["conversation"] for row in (talk, there))
    for document in (first, second):
        document["prompt"].pop("id")
    assert [first[name] for name in ("prompt", "prompt_values", "preset", "options")] == [
        second[name] for name in ("prompt", "prompt_values", "preset", "options")
    ]


def test_entries_that_are_here_already_are_followed_and_not_made_twice(
    talk: Conversation, alice: User
) -> None:
    there = saving.save(alice, again(talk))

    assert (there.prompt, there.preset) == (talk.prompt, talk.preset)
    assert SystemPrompt.objects.count() == SamplingPreset.objects.count() == 1


def test_a_shared_entry_is_followed_where_there_is_one_that_says_the_same(
    talk: Conversation, bob: User
) -> None:
    SystemPrompt.objects.update(owner=None)
    talk.refresh_from_db()

    assert saving.save(bob, again(talk)).prompt == talk.prompt


def test_a_preset_whose_name_is_taken_gets_a_number_once(talk: Conversation, bob: User) -> None:
    SamplingPreset.objects.create(owner=bob, name="Hot", options={"top_k": 1})

    saved = [saving.save(bob, again(talk)).preset for _time in range(2)]

    assert [preset.name for preset in saved if preset] == ["Hot (2)", "Hot (2)"]


def test_a_built_in_preset_travels_by_its_name(talk: Conversation, bob: User) -> None:
    Conversation.objects.update(preset=None, builtin_preset="code")
    talk.refresh_from_db()

    assert saving.save(bob, again(talk)).builtin_preset == "code"


@pytest.mark.parametrize("write", [as_markdown, as_text, as_html])
def test_files_for_people_hold_the_text_that_is_followed(
    talk: Conversation, write: Callable[[Talk], str]
) -> None:
    assert "Of {{topic:text}}." in write(loading.load(talk))


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        "x",
        5,
        {},
        {"name": "x"},
        {"text": "x"},
        {"name": 5, "text": []},
        {"name": " ", "text": " "},
    ],
)
def test_a_prompt_that_is_none_is_none(value: Any) -> None:
    assert library.read_prompt(value) is None
    assert library.read_preset(value if value != {"name": "x"} else {"options": {}}) is None


def test_what_a_hostile_file_says_is_cut_to_size() -> None:
    prompt = library.read_prompt({"name": "n" * 500, "text": "t" * 500_000, "description": 5, "id": ["x"]})
    assert prompt is not None
    assert (len(prompt.name), len(prompt.text), prompt.description, prompt.id) == (80, 200_000, "", "")
    preset = library.read_preset({"name": "n" * 99, "options": {"top_k": "x", "evil": 1, "temperature": 1}})
    assert preset is not None
    assert (len(preset.name), dict(preset.options)) == (60, {"temperature": 1.0})
    assert library.answers({"a": 5, "b": "x" * 30_000, "c": "\x00"}) == {
        "a": "",
        "b": "x" * 20_000,
        "c": "\ufffd",
    }
    assert len(library.answers({str(number): "" for number in range(100)})) == 20


def upload(path: Path, content: str) -> Upload:
    path.write_text(content)
    return Upload(path, path.name)


def test_a_library_is_looked_through_and_brought_in_once(
    talk: Conversation, alice: User, bob: User, tmp_path: Path
) -> None:
    SystemPrompt.objects.create(name="House", text="Shared")
    file = upload(tmp_path / "library.json", library_as_json(library_of(alice)))

    report = look_through(bob, file)
    assert (report["library"], report["new"], report["others"]) == (2, 0, [])
    for _time in range(2):
        bring_in(bob, file, lambda _count: None)

    assert [row.name for row in SystemPrompt.objects.filter(owner=bob)] == ["Poet"]
    assert [row.name for row in SamplingPreset.objects.filter(owner=bob)] == ["Hot"]
    assert look_through(bob, file)["library"] == 0


def test_a_library_of_a_newer_hub_is_not_guessed_at(alice: User, tmp_path: Path) -> None:
    content = [
        {"format": "private-chat-hub-library", "version": 2, "prompts": []},
        {"format": "private-chat-hub-library", "version": 1},
    ]
    report = look_through(alice, upload(tmp_path / "l.json", json.dumps(content)))

    assert report["lost"] == {"unreadable": 1}


@pytest.mark.parametrize(("kind", "there"), [("json", True), ("md", False)])
async def test_the_zip_of_everything_holds_the_library(
    talk: Conversation, alice: User, threads: None, kind: str, there: bool
) -> None:
    browser = AsyncClient()
    await browser.aforce_login(alice, backend="django.contrib.auth.backends.ModelBackend")

    response = await browser.post("/transfer/export/", {"as": kind})
    data = b"".join([piece async for piece in response.streaming_content])

    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert ("library.json" in archive.namelist()) == there
        assert not there or json.loads(archive.read("library.json"))["prompts"][0]["name"] == "Poet"


def test_a_library_alone_can_be_imported(talk: Conversation, alice: User, as_bob: Client, bob: User) -> None:
    file = SimpleUploadedFile("library.json", library_as_json(library_of(alice)).encode())

    page = as_bob.post("/transfer/import/", {"file": file}, follow=True)
    assert "New system prompts and presets" in page.content.decode()
    assert faults(page) == []
    as_bob.post(page.redirect_chain[-1][0])

    assert SystemPrompt.objects.filter(owner=bob).count() == 1


def test_where_there_are_too_many_a_conversation_keeps_them_as_its_own(
    talk: Conversation, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chat.transfer.library.MOST_PROMPTS", 0)
    monkeypatch.setattr("chat.transfer.library.MOST_PRESETS", 0)
    monkeypatch.setattr("chat.services.order.MOST_OF_PERSON", 1)
    told = replace(again(talk), tags=("one", "two"))

    saved = saving.save(bob, told)

    assert (saved.prompt, saved.preset, list(saved.tags.all())) == (None, None, [])
    assert talk.prompt is not None
    assert saved.system_prompt == talk.prompt.text
    assert saved.options == {"temperature": 2.0} | OPTIONS
    assert not SystemPrompt.objects.filter(owner=bob).exists()
    assert not SamplingPreset.objects.filter(owner=bob).exists()
    assert take_in(bob, library_of(talk.owner)) == 0
