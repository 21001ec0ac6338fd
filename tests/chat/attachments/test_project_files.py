"""Files of a project are read by all its conversations: whole while they fit, else as passages."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from backends.models import CatalogueModel
from chat.generation.prompt import prepare
from chat.models import Attachment, Conversation, Generation, Message, Project, Status
from chat.presenting.message import message_views
from chat.services.project_files import MOST_OF_PROJECT, add, remove
from chat.services.projects import delete
from chat.services.refusals import Refused
from chat.services.sending import Sent, send_message
from privatechathub.accounts.models import User
from tests.chat.attachments.pictures import plain, upload
from tests.chat.attachments.test_passages import REPORT


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    """A data folder of the test's own."""
    settings.MEDIA_ROOT = tmp_path / "files"
    return tmp_path / "files"


@pytest.fixture
def project(alice: User) -> Project:
    """Alice's."""
    return Project.objects.create(owner=alice, name="Ports", instructions="Be brief.", memory="Emden is far.")


@pytest.fixture
def ask_in(ask: Callable[..., Sent], alice: User, project: Project) -> Callable[..., Sent]:
    """Alice asks in the project."""

    def send(text: str) -> Sent:
        first = ask("Hello")
        Generation.objects.filter(pk=first.generation.pk).update(status=Status.COMPLETED)
        Conversation.objects.filter(pk=first.conversation.pk).update(project=project)
        first.conversation.refresh_from_db()
        return send_message(alice, first.conversation, text, "demo/play", "")

    return send


def test_every_conversation_reads_a_file_that_fits(
    ask_in: Callable[..., Sent], alice: User, project: Project
) -> None:
    add(alice, project, [upload("tides.txt", b"High at noon."), upload("moon.md", b"# Full")])

    prepared = prepare(ask_in("When?").generation.pk)

    system = prepared.request.system
    assert 'Files of the project “Ports”:\n<document name="tides.txt">\nHigh at noon.\n</document>' in system
    assert system.index("Be brief.") < system.index("# Full") < system.index("Emden is far.")
    assert prepared.fit.sizes["project_files"].text > 0
    assert Generation.objects.get(pk=prepared.generation.pk).passages == {}


def test_the_window_shows_what_they_take(
    ask_in: Callable[..., Sent], alice: User, project: Project, as_alice: Client
) -> None:
    add(alice, project, [upload("tides.txt", b"High at noon. " * 400)])
    sent = ask_in("When?")
    fit = prepare(sent.generation.pk).fit
    Generation.objects.filter(pk=sent.generation.pk).update(status=Status.COMPLETED, context=fit.stored(None))

    page = as_alice.get(f"/chat/{sent.conversation.pk}/context/").content.decode()

    assert "Project files" in page


def test_of_a_longer_one_the_matching_passages_come_with_the_question(
    ask_in: Callable[..., Sent], alice: User, project: Project
) -> None:
    CatalogueModel.objects.update(context_length=8192)
    (row,) = add(alice, project, [upload("report.pdf", REPORT)])
    sent = ask_in("How high was the spring tide?")

    request = prepare(sent.generation.pk).request
    Message.objects.filter(pk=sent.answer.pk).update(text="[1] [2] [3] [4] [5] [6] [7] [8] [9]")
    Generation.objects.update(status=Status.COMPLETED)

    assert '<document name="report.pdf">\n[Too long to be sent whole.' in request.system
    assert "The lighthouse keeper" in request.messages[-1].text
    (view,) = message_views([sent.answer.pk])
    assert view.excerpts
    assert "report.pdf p. 12" in [passage.label for passage in view.excerpts.cited]
    assert all(f"/attachments/{row.pk}/read/" in passage.url for passage in view.excerpts.passages)


def test_files_of_the_conversation_get_what_those_of_the_project_leave(
    ask_in: Callable[..., Sent], alice: User, project: Project
) -> None:
    CatalogueModel.objects.update(context_length=8192)
    add(alice, project, [upload("whole.txt", b"tide here\n" * 900)])
    first = ask_in("Look")
    Generation.objects.update(status=Status.COMPLETED)
    sent = send_message(
        alice, first.conversation, "tide", "demo/play", "", [upload("b.txt", b"tide there\n" * 900)]
    )

    request = prepare(sent.generation.pk).request

    assert "tide here\ntide here" in request.system
    assert 'document="b.txt"' in request.messages[-1].text


def test_a_project_without_files_costs_no_query_more(ask_in: Callable[..., Sent], project: Project) -> None:
    sent = ask_in("When?")

    with CaptureQueriesContext(connection) as captured:
        prepare(sent.generation.pk)

    assert not [query["sql"] for query in captured if "chat_attachment" in query["sql"]]


def test_files_are_added_listed_read_and_removed(
    as_alice: Client, project: Project, folder: Path, django_capture_on_commit_callbacks: Any
) -> None:
    address = f"/projects/{project.pk}/files/"

    added = as_alice.post(address, {"files": [upload("<i>.txt", b"High at noon.")]}, follow=True)
    row = Attachment.objects.get()
    page = added.content.decode()
    read = as_alice.get(f"/attachments/{row.pk}/read/").content.decode()

    assert added.redirect_chain == [(address, 302)]
    assert "&lt;i&gt;.txt</a>" in page
    assert f'href="{address}"' in read
    assert "1 file that every conversation" in as_alice.get(f"/projects/{project.pk}/").content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        gone = as_alice.post(f"/projects/files/{row.pk}/remove/", follow=True)
    assert "No files yet." in gone.content.decode()
    project.refresh_from_db()
    assert project.attached == 0
    assert not [path for path in folder.rglob("*") if path.is_file()]


def test_strangers_reach_no_file_of_a_project(
    as_bob: Client, alice: User, bob: User, project: Project
) -> None:
    (row,) = add(alice, project, [upload("tides.txt", b"High.")])

    for address in (
        f"/attachments/{row.pk}/",
        f"/attachments/{row.pk}/read/",
        f"/attachments/{row.pk}/text/",
    ):
        assert as_bob.get(address).status_code == 404
    assert as_bob.get(f"/projects/{project.pk}/files/").status_code == 404
    assert (
        as_bob.post(f"/projects/{project.pk}/files/", {"files": [upload("x.txt", b"x")]}).status_code == 404
    )
    assert as_bob.post(f"/projects/files/{row.pk}/remove/").status_code == 404
    assert Attachment.objects.count() == 1


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ([("a.png", plain())], "A project takes documents"),
        ([("a.txt", b"")], "“a.txt” is empty"),
        ([("a.txt", b"x"), ("b.bin", b"\x7fELF\0")], "“b.bin” can’t be read here"),
    ],
)
def test_what_is_refused_is_said_and_nothing_is_stored(
    as_alice: Client, project: Project, files: list[tuple[str, bytes]], words: str
) -> None:
    sent = [upload(name, data) for name, data in files]

    response = as_alice.post(f"/projects/{project.pk}/files/", {"files": sent})

    assert response.status_code == 422
    assert words in response.content.decode()
    assert not Attachment.objects.exists()


def test_without_a_file_nothing_happens(as_alice: Client, project: Project) -> None:
    response = as_alice.post(f"/projects/{project.pk}/files/", follow=True)

    assert "Choose a file first." in response.content.decode()
    assert not Attachment.objects.exists()


def test_a_project_takes_only_so_many(alice: User, project: Project) -> None:
    Project.objects.update(attached=MOST_OF_PROJECT)
    project.refresh_from_db()

    with pytest.raises(Refused, match="at most 50 files"):
        add(alice, project, [upload("a.txt", b"x")])


def test_with_the_project_its_files_go(
    alice: User, project: Project, folder: Path, django_capture_on_commit_callbacks: Any
) -> None:
    add(alice, project, [upload("a.txt", b"x")])

    with django_capture_on_commit_callbacks(execute=True):
        delete(project, with_conversations=False)

    assert not Attachment.objects.exists()
    assert not [path for path in folder.rglob("*") if path.is_file()]


def test_what_was_removed_twice_is_counted_once(alice: User, project: Project) -> None:
    one, _two = add(alice, project, [upload("a.txt", b"x"), upload("b.txt", b"y")])

    remove(one)
    remove(one)

    project.refresh_from_db()
    assert project.attached == 1
