"""Until the vote no page, file or frame of a blind comparison names a model or its server."""

from __future__ import annotations

import io
import json
import zipfile

import pytest
from django.test import Client
from django.utils import timezone

from backends.models import Backend, CatalogueModel
from chat.generation.runner import starting
from chat.models import Comparison, Conversation, Generation, Message, Status
from chat.realtime import frames
from chat.realtime.room import ended_answer, load_thread
from chat.transfer.formats.hub import read
from chat.transfer.hiding import hidden
from chat.transfer.loading import load
from chat.transfer.saving import save
from chat.transfer.writing import as_json
from privatechathub.accounts.models import User
from tests.chat.comparing.conftest import Compare

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
#: The models are Zetaquill One and Zetaquill Two on a server called Nebula.
NAMES = ("zetaquill", "nebula")


@pytest.fixture
def blind(compare: Compare, three: Backend) -> Comparison:
    """Two answered columns, told apart from everything else by their names."""
    three.name = "Nebula"
    three.save()
    CatalogueModel.objects.filter(model_id="second").update(name="Zetaquill One", model_id="zetaquill-1")
    CatalogueModel.objects.filter(model_id="third").update(name="Zetaquill Two", model_id="zetaquill-2")
    comparison = compare("demo/zetaquill-1", "demo/zetaquill-2", blind=True)
    Message.objects.filter(role="assistant").update(text="Done")
    Generation.objects.update(
        status=Status.COMPLETED,
        answered_by="zetaquill-1",
        details={"headers": {"x-olla-model": "zetaquill"}},
        context={"input": 900, "output": 50},
    )
    return comparison


def column_of(comparison: Comparison) -> Conversation:
    return comparison.columns.get(column=1)


def answer_of(column: Conversation) -> Message:
    return Message.objects.get(conversation=column, role="assistant")


def second_version(answer: Message) -> Message:
    """Another answer of the same model."""
    row = Message.objects.create(
        conversation=answer.conversation, parent=answer.parent, role="assistant", text="Done again"
    )
    run = Generation.objects.get(message=answer)
    run.pk, run.message = None, row
    run.save(force_insert=True)
    return row


def named(text: str) -> list[str]:
    return [text[max(0, text.lower().index(name) - 90) :][:160] for name in NAMES if name in text.lower()]


def test_pages_of_a_column(as_alice: Client, blind: Comparison) -> None:
    column = column_of(blind)
    answer = second_version(answer_of(column))
    home, message = f"/chat/{column.pk}/", f"/messages/{answer.pk}/"
    pages = [
        blind.get_absolute_url(), f"{home}context/", f"{home}settings/", f"{home}tools/", f"{home}print/",
        f"{home}tags/", f"{home}project/", f"{home}delete/", f"{home}menu/", f"{home}line/", f"{home}find/?q=done",
        f"{home}?before={answer.pk}", f"{home}?around={answer.pk}", f"{home}?message={answer.pk}",
        message, f"{message}menu/", f"{message}details/", f"{message}compare/", f"{message}edit/",
        "/search/?q=done", "/search/quick/?q=done", "/switcher/?q=done", "/conversations/", "/settings/tool-calls/",
    ]  # fmt: skip

    for path in pages:
        for headers in ({}, HTMX):
            response = as_alice.get(path, headers=headers, follow=True)
            assert response.status_code == 200, path
            assert not named(response.content.decode()), path


@pytest.mark.parametrize("kind", ["json", "md", "html", "txt"])
def test_files(as_alice: Client, blind: Comparison, kind: str) -> None:
    one = as_alice.get(f"/chat/{column_of(blind).pk}/export/?as={kind}").content.decode()
    archive = zipfile.ZipFile(
        io.BytesIO(as_alice.get(f"{blind.get_absolute_url()}export/?as={kind}").content)
    )
    all_of_them = [archive.read(name).decode() for name in archive.namelist()]

    for text in (one, *all_of_them):
        assert "Model" in text
        assert not named(text)
    as_alice.post(f"{blind.get_absolute_url()}vote/", {"best": "none"})
    assert named(as_alice.get(f"/chat/{column_of(blind).pk}/export/?as={kind}").content.decode())


def test_a_file_of_a_hidden_column_can_be_imported(alice: User, blind: Comparison) -> None:
    column = column_of(blind)
    document = json.loads(as_json(hidden(load(column), column.alias)))

    again = save(alice, read(document))

    assert not again.model_id
    run = Generation.objects.get(message__conversation=again)
    assert (run.model_name, run.model_id, run.answered_by) == ("Model B", "", "")


def test_a_search_by_model_does_not_tell_which_it_is(as_alice: Client, blind: Comparison) -> None:
    page = "/search/?q=done+model:zetaquill-1"
    assert "Nothing was found" in as_alice.get(page).content.decode()

    as_alice.post(f"{blind.get_absolute_url()}vote/", {"best": "none"})

    assert "Hello" in as_alice.get(page).content.decode()


def test_frames(blind: Comparison) -> None:
    column = column_of(blind)
    answer = answer_of(column)

    view, meter = load_thread(str(column.pk))
    assert view is not None
    ended = ended_answer(answer.pk, str(column.pk))
    assert ended[0] is not None
    assert not named(frames.thread(view) + meter + frames.replaced(ended[0]) + ended[3])


def test_waiting_and_failing(as_alice: Client, blind: Comparison) -> None:
    answer = answer_of(column_of(blind))
    runs = Generation.objects.filter(message=answer)
    runs.update(
        status=Status.FAILED, error_message="zetaquill-1 not found", error_hint="Pull zetaquill-1 on Nebula"
    )
    assert not named(as_alice.get(blind.get_absolute_url()).content.decode())
    runs.update(status=Status.QUEUED, awaits_server=True, waits=1, retry_at=timezone.now())

    page = as_alice.get(blind.get_absolute_url()).content.decode()

    assert "“Model B” does not answer." in page
    assert not named(page)


def test_nothing_becomes_of_a_column_before_the_vote(as_alice: Client, blind: Comparison) -> None:
    column = column_of(blind)
    answer = answer_of(column)
    before = Conversation.objects.count()

    for path in (f"/messages/{answer.pk}/fork/", f"/chat/{column.pk}/context/new/"):
        page = as_alice.post(path, follow=True).content.decode()
        assert "Vote first" in page
        assert not named(page)
    assert Conversation.objects.count() == before
    assert "fork" not in as_alice.get(f"/messages/{answer.pk}/menu/").content.decode()

    as_alice.post(f"{blind.get_absolute_url()}vote/", {"best": "none"})

    assert as_alice.post(f"/messages/{answer.pk}/fork/").status_code == 302
    assert Conversation.objects.count() == before + 1


def test_strangers_learn_nothing(as_bob: Client, blind: Comparison) -> None:
    column = column_of(blind)
    for path in (f"/chat/{column.pk}/context/", f"{blind.get_absolute_url()}?message={answer_of(column).pk}"):
        assert as_bob.get(path).status_code == 404


def test_nobody_is_told_that_the_built_in_model_starts() -> None:
    assert starting(Generation(alias="Model A")) == "Starting the model…"
    assert starting(Generation()) == "Starting the built-in model…"
