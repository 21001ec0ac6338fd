"""A year in small leaves one hub and arrives at an empty one: exported again there, it is the same."""

from __future__ import annotations

import io
import json
import uuid
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from django.apps import apps
from django.utils import timezone

from backends.models import Backend, CatalogueModel
from backends.preferences import ModelPreference
from chat.generation.prompt import prepare_from
from chat.generation.rebuild import rebuild
from chat.generation.receipt import Receipt
from chat.models import (
    Comparison,
    Conversation,
    Generation,
    Message,
    StoredText,
    SystemPrompt,
    UpcomingQuestion,
    Vote,
)
from chat.services import branches, comparing, deleting, editing, order, presets, project_files, projects
from chat.services.comparing import Wish
from chat.services.sending import Sent
from chat.tree.reading import is_hidden, messages_of
from privatechathub.accounts.models import User
from tests.chat.attachments.pictures import attach_picture, plain, upload
from tests.chat.attachments.test_documents import pdf
from tests.chat.transfer.test_files import bring, everything
from tests.chat.transfer.test_round_trip import add_run
from tests.conftest import signed_in

Ask = Callable[..., Sent]
Files = dict[str, Any]


class Left(NamedTuple):
    """What is left of a hub."""

    data: bytes
    receipts: list[tuple[str, bool, int]]


#: What was said in everything that was deleted again. It may not be in an export.
DELETED = "forget me"


def end(conversation: Conversation, text: str = "An answer.") -> Conversation:
    """All its answers are written."""
    runs = Generation.objects.active().filter(message__conversation=conversation)
    for run in runs:
        Message.objects.filter(pk=run.message_id).update(text=text, reasoning="Hm.", reasoning_seconds=2)
    now = timezone.now()
    for run in runs:
        keep_receipt(run)
    runs.update(
        status="completed",
        finish_reason="stop",
        input_tokens=90,
        output_tokens=8,
        tokens_per_second=11.5,
        ttft_ms=70,
        options={"seed": 7, "temperature": 0.5},
        images_left_out=1,
        context={"window": 4096, "source": "asked", "parts": {"history": 90}, "input": 90, "output": 8},
        started_at=now,
        finished_at=now,
    )
    conversation.refresh_from_db()
    return conversation


def keep_receipt(run: Generation) -> None:
    """It keeps what its model is asked, as if it had run."""
    rows = Generation.objects.select_related("message__conversation__owner", "message__conversation__project")
    generation = rows.select_related("message__conversation__prompt", "backend").get(pk=run.pk)
    model = CatalogueModel.objects.get(backend=generation.backend, model_id=generation.model_id)
    prepared = prepare_from(generation, model)
    kept = Receipt(generation.message.conversation.owner_id, prepared.generation.receipt)
    kept.add_round(prepared.request, steps=0, refused=False)
    StoredText.keep(kept.texts())
    Generation.objects.filter(pk=run.pk).update(**kept.columns())


def receipts() -> list[tuple[str, bool, int]]:
    """What each answer that a conversation shows knows of its request.

    Its text, whether the request is the same to the letter, and how many messages of it are gone.
    """
    found = []
    rows = Generation.objects.select_related("message__conversation", "system_text", "tools_text")
    for conversation in Conversation.objects.filter(deleted_at=None):
        for message in messages_of(conversation):
            if is_hidden(message, conversation):
                continue
            for run in rows.filter(message=message).exclude(receipt={}):
                asked = rebuild(run)
                found.append((run.message.text, asked.same, len(asked.gone)))
    return sorted(found)


def work(owner: User, ask: Ask) -> Conversation:
    """A conversation of a project: a tree with edits, files, tool steps, a summary, tags and a pin."""
    project = projects.create(
        owner,
        {
            "name": "Ports",
            "colour": "blue",
            "icon": "book-open",
            "description": "Of the sea",
            "tools": {"*": True},
        },
    )
    for instructions in ("Be long.", "Be brief."):
        projects.change(project, {"instructions": instructions})
    project_files.add(owner, project, [upload("Zoë.pdf", pdf("Tides rise"))])
    prompt = SystemPrompt.objects.create(owner=owner, name="Poet", text="Of {{topic:text}}.")
    preset = presets.keep_preset(owner, "Hot", {"temperature": 1.5})
    conversation = end(ask("When is high tide?").conversation)
    first = conversation.path()[0]
    attach_picture(first, "photo.png", plain((90, 60)))
    attach_picture(first, "notes.txt", b"Low at six.")
    conversation = end(ask("And low tide?", conversation).conversation)
    for text in ("Which is lowest?", "Which is the very lowest?"):
        question = conversation.path()[-2]
        editing.edit(owner, conversation, question, text, "", {row.pk for row in question.attachments.all()})
        end(conversation)
    editing.edit(owner, conversation, conversation.path()[-1], "In my words.", "", set())
    conversation.refresh_from_db()
    conversation = end(ask("And in spring?", conversation).conversation)
    add_run(conversation.path()[-1], "failed", timezone.now())
    conversation = end(ask(f"Please {DELETED}", conversation).conversation, DELETED)
    deleting.delete_message(conversation, conversation.path()[-2])
    branches.show(conversation, conversation.messages.get(text="Which is lowest?").pk)
    conversation.cuts.create(after=first, covers=first, kind="summarised", summary="Tea.", left_out=1)
    Conversation.objects.filter(pk=conversation.pk).update(
        project=project,
        prompt=prompt,
        prompt_values={"topic": "ships"},
        preset=preset,
        options={"temperature": 0.5, "stop": ["END"]},
        tools={"get_time": False},
        overflow="summarise",
        has_cuts=True,
    )
    order.set_tags(owner, conversation, "sea, work")
    order.pin(owner, [conversation.pk], on=True)
    conversation.refresh_from_db()
    return conversation


def year(owner: User, ask: Ask) -> None:
    """Everything that a person can have made."""
    conversation = work(owner, ask)
    made = branches.fork(conversation, conversation.path()[1])
    end(ask("Elsewhere?", made).conversation)
    old = end(ask("An old thing").conversation)
    UpcomingQuestion.objects.create(conversation=old, text="And then?", ref="demo/play")
    Conversation.objects.filter(pk=old.pk).update(
        builtin_preset="code", draft="Half a sent", unread=True, upcoming_count=1, system_prompt="Be kind."
    )
    order.archive(owner, [old.pk], on=True)
    for blind, text in ((False, "Compare"), (True, "Guess")):
        wishes = [Wish("demo/other", system_prompt="Be odd."), Wish("demo/play")]
        comparison = comparing.begin_comparison(owner, text, wishes, uuid.uuid4().hex, blind=blind)
        for column in comparison.columns.all():
            end(column, f"Answer of {column.column}")
    gone = end(ask(f"A chat to {DELETED}").conversation)
    order.delete(owner, [gone.pk])
    play = CatalogueModel.objects.get(model_id="play")
    ModelPreference.objects.create(user=owner, model=play, favourite=True)
    for model_id, outcome in (("play", "won"), ("other", "lost")):
        ballot = uuid.UUID(int=5)
        Vote.objects.create(
            owner=owner, ballot=ballot, model_id=model_id, label=model_id, place="Demo", outcome=outcome
        )
    owner.place, owner.theme, owner.default_model = "Bergen", "dark", "demo/play"
    owner.draft, owner.tools = "Something n", {"*": True}
    owner.save()
    past(owner)


def past(owner: User) -> None:
    """All of it happened long ago, one after the other."""
    now = timezone.now()
    for place, row in enumerate(Conversation.objects.filter(owner=owner).order_by("created_at")):
        then = now - timedelta(days=300 - place)
        Conversation.objects.filter(pk=row.pk).update(created_at=then, updated_at=then + timedelta(hours=3))
        for message in row.messages.all():
            then += timedelta(minutes=1)
            Message.objects.filter(pk=message.pk).update(created_at=then)
            for run in message.generations.order_by("created_at"):
                then += timedelta(seconds=1)
                Generation.objects.filter(pk=run.pk).update(created_at=then)
    Comparison.objects.filter(owner=owner).update(created_at=now - timedelta(days=100))


def two_models(slug: str) -> None:
    """The server of a hub, under an address of that hub's own."""
    Backend.objects.all().delete()
    backend = Backend.objects.create(name="Demo", kind="scripted", base_url="scripted:play")
    Backend.objects.filter(pk=backend.pk).update(slug=slug)
    for model_id in ("play", "other"):
        CatalogueModel.objects.create(backend=backend, model_id=model_id, name=model_id)


def unpacked(data: bytes) -> Files:
    """What a zip holds by name: JSON as values, files as bytes."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        read = {name: archive.read(name) for name in archive.namelist()}
    return {
        name: json.loads(content) if name.endswith(".json") else content for name, content in read.items()
    }


def without_ids(files: Files) -> Files:
    """The same without the ids that each hub gives: of conversations and prompts, and of comparisons their names."""
    ids: dict[str, int] = {}
    for file in files.values():
        if not isinstance(file, dict):
            continue
        talk = file.get("conversation", {})
        talk.pop("id", None)
        if talk.get("comparison"):
            talk["comparison"]["id"] = ids.setdefault(talk["comparison"]["id"], len(ids))
        for prompt in (talk.get("prompt"), *file.get("prompts", ())):
            if prompt:
                prompt.pop("id")
    return files


def counted() -> dict[str, int]:
    """How many rows of each kind there are, but for what an import notes of itself."""
    models = apps.get_app_config("chat").get_models()
    return {model.__name__: model._default_manager.count() for model in models if model.__name__ != "Import"}


@pytest.fixture
def left(alice: User, ask: Ask, settings: Any, tmp_path: Path) -> Left:
    """Alice's export, and what was known of requests; of her and her hub nothing else is left."""
    settings.MEDIA_ROOT = tmp_path / "one hub"
    two_models("demo")
    year(alice, ask)
    sent = receipts()
    data = everything(alice)
    alice.delete()
    two_models("somewhere-else")
    settings.MEDIA_ROOT = tmp_path / "another hub"
    assert set(counted().values()) == {0}
    return Left(data, sent)


@pytest.fixture
def anna(db: None) -> User:
    """The person at the other hub."""
    return User.objects.create_user("anna")


def test_a_year_is_the_same_at_another_hub(left: Left, anna: User) -> None:
    row = bring(signed_in(anna), left.data)
    there = everything(User.objects.get(pk=anna.pk))

    assert (row.status, row.report["lost"], sum(row.report["left_out"].values())) == ("done", {}, 0)
    before, after = without_ids(unpacked(left.data)), without_ids(unpacked(there))
    assert after.keys() == before.keys()
    for name, file in before.items():
        assert after[name] == file, name
    assert DELETED not in json.dumps([file for file in before.values() if isinstance(file, dict)])


def test_what_models_were_asked_is_known_at_another_hub(left: Left, anna: User) -> None:
    bring(signed_in(anna), left.data)

    changed = 2  # files came with the first question after it was answered; a fork shows that answer, too
    assert sum(same for _text, same, _gone in left.receipts) == len(left.receipts) - changed == 10
    assert receipts() == left.receipts


def test_the_year_holds_what_it_should(left: Left) -> None:
    files = unpacked(left.data)
    talks = [
        file["conversation"] for file in files.values() if isinstance(file, dict) and "conversation" in file
    ]
    work = next(talk for talk in talks if talk["tags"] == ["sea", "work"])
    messages = work["messages"]

    assert (len(talks), sum(talk["comparison"] is not None for talk in talks)) == (7, 4)
    assert len({message["parent"] for message in messages}) < len(messages) - 1, "no branches"
    assert any(message["edited"] for message in messages)
    assert [file["name"] for file in messages[0]["files"]] == ["photo.png", "notes.txt"]
    assert any(run["steps"] for message in messages for run in message["generations"])
    assert work["lines"][0]["summary"] == "Tea."
    assert (work["project"]["name"], work["prompt"]["name"], work["preset"]["name"]) == (
        "Ports",
        "Poet",
        "Hot",
    )
    assert work["pinned_at"]
    assert sum(bool(talk["archived_at"]) for talk in talks) == 1
    assert sum(len(talk["upcoming"]) for talk in talks) == 1
    assert files["Ports.json"]["project"]["earlier"][-1]["text"] == "Be long."
    assert sum(name.startswith("files/") for name in files) == 3
    assert files["settings.json"]["settings"]["place"] == "Bergen"


def test_a_second_import_brings_nothing(left: Left, anna: User) -> None:
    browser = signed_in(anna)
    bring(browser, left.data)
    once = counted()

    again = bring(browser, left.data)
    own = bring(browser, everything(User.objects.get(pk=anna.pk)))

    for row in (again, own):
        assert {name: row.report[name] for name in ("new", "library", "projects", "settings")} == {
            "new": 0,
            "library": 0,
            "projects": 0,
            "settings": 0,
        }
        assert row.report["known"] == 7
    assert counted() == once


def test_the_person_reads_on_where_it_was(left: Left, anna: User) -> None:
    browser = signed_in(anna)
    bring(browser, left.data)
    stranger = signed_in(User.objects.create_user("mallory"))

    pages = {row.get_absolute_url() for row in Conversation.objects.owned_by(anna)}
    assert len(pages) == 5
    for address in pages:
        assert browser.get(address).status_code == 200
        assert stranger.get(address).status_code == 404
    guess = Comparison.objects.get(owner=anna, blind=True)
    assert "Model A" in browser.get(guess.get_absolute_url()).content.decode()
