"""Pictures come with a question, are kept once, and go with the last message that has them."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backends.adapters.messages import ImagePart, TextPart
from backends.models import CatalogueModel
from chat import files, trash
from chat.generation.prompt import prepare
from chat.models import Attachment, Conversation, Generation, Message, Status
from chat.presenting.message import message_view, message_views
from chat.services.answers import retry
from chat.services.conversations import delete
from chat.services.deleting import delete_message
from chat.services.refusals import Refused
from chat.services.sending import Sent, send_message, start_conversation
from chat.services.uploads import MOST_FILES, name_of
from chat.tree.keeping import KEPT, purge_deleted
from privatechathub.accounts.models import User
from tests.chat.attachments.pictures import plain, upload

RED, BLUE = plain(colour="red"), plain(colour="blue")


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Iterator[Path]:
    """A data folder of the test's own."""
    settings.MEDIA_ROOT = tmp_path / "files"
    yield tmp_path / "files"
    assert not list((tmp_path / "files").glob(".draft*")), "a draft was left behind"


@pytest.fixture
def ask_with(alice: User, demo: object) -> Callable[..., Sent]:
    """Alice asks with pictures."""

    def send(*uploads: SimpleUploadedFile, text: str = "What is it?", key: str = "", **more: Any) -> Sent:
        if conversation := more.get("conversation"):
            return send_message(alice, conversation, text, "demo/play", key, uploads)
        return start_conversation(alice, text, "demo/play", key, uploads)

    return send


def kept(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def finish(sent: Sent, text: str = "A cat.") -> None:
    Message.objects.filter(pk=sent.answer.pk).update(text=text)
    Generation.objects.filter(pk=sent.generation.pk).update(status=Status.COMPLETED)


def test_a_picture_is_kept_with_the_question(
    ask_with: Callable[..., Sent], alice: User, folder: Path
) -> None:
    sent = ask_with(upload("cat.png", RED), upload("dog.png", BLUE))

    rows = list(sent.question.attachments.all())
    assert [(row.name, row.media_type, row.width, row.height) for row in rows] == [
        ("cat.png", "image/png", 60, 40),
        ("dog.png", "image/png", 60, 40),
    ]
    assert {row.owner for row in rows} == {alice}
    assert Message.objects.get(pk=sent.question.pk).attached == 2
    for row in rows:
        assert files.digest_of(row.content()) == row.digest
        assert files.path_of(row.digest) == folder / row.digest[:2] / row.digest[2:]
    assert len(kept(folder)) == 4  # each with its thumbnail
    assert {stat.S_IMODE(path.stat().st_mode) for path in kept(folder)} == {0o600}


def test_the_model_is_sent_the_text_and_then_the_pictures(ask_with: Callable[..., Sent]) -> None:
    sent = ask_with(upload("cat.png", RED), upload("dog.png", BLUE))

    (question,) = prepare(sent.generation.pk).request.messages

    rows = sent.question.attachments.all()
    assert question.parts == (
        TextPart("What is it?"),
        *(ImagePart(row.content(), "image/png") for row in rows),
    )


def test_earlier_pictures_are_sent_again(ask_with: Callable[..., Sent]) -> None:
    first = ask_with(upload())
    finish(first)
    second = ask_with(conversation=first.conversation, text="And now?")

    messages = prepare(second.generation.pk).request.messages

    assert [len(message.images) for message in messages] == [1, 0, 0]


def test_pictures_alone_are_a_question(ask_with: Callable[..., Sent]) -> None:
    sent = ask_with(upload("holiday.png"), text="  ")

    (question,) = prepare(sent.generation.pk).request.messages
    assert sent.conversation.title == "holiday.png"
    assert [type(part) for part in question.parts] == [ImagePart]


def test_the_same_picture_is_kept_once_and_goes_with_its_last_row(
    ask_with: Callable[..., Sent], folder: Path, django_capture_on_commit_callbacks: Any
) -> None:
    first, second = ask_with(upload("a.png", RED)), ask_with(upload("b.png", RED), upload("c.png", RED))
    assert len(kept(folder)) == 2
    assert Attachment.objects.count() == 3
    finish(first)

    with django_capture_on_commit_callbacks(execute=True):
        delete_message(first.conversation, first.question)
        Message.objects.filter(deleted_at__isnull=False).update(deleted_at=timezone.now() - 2 * KEPT)
        assert purge_deleted() == 2
    assert len(kept(folder)) == 2
    with django_capture_on_commit_callbacks(execute=True):
        delete(second.conversation)
        trash.purge()
    assert len(kept(folder)) == 2
    long_ago = timezone.now() - trash.KEPT * 2
    Conversation.objects.filter(pk=second.conversation.pk).update(deleted_at=long_ago)
    with django_capture_on_commit_callbacks(execute=True):
        assert trash.purge() == 1
    assert kept(folder) == []
    assert list(folder.iterdir()) == []


def test_with_the_person_their_pictures_go(
    ask_with: Callable[..., Sent], alice: User, folder: Path, django_capture_on_commit_callbacks: Any
) -> None:
    ask_with(upload())
    Conversation.objects.update(head=None)

    with django_capture_on_commit_callbacks(execute=True):
        alice.delete()

    assert kept(folder) == []


def test_the_same_form_sent_twice_makes_one_question(ask_with: Callable[..., Sent], folder: Path) -> None:
    first = ask_with(upload("a.png", RED), key="form")
    again = ask_with(upload("a.png", RED), key="form")
    other = ask_with(upload("a.png", BLUE), key="form")
    none = ask_with(key="form")

    assert (first.question, first.repeated, again.repeated) == (again.question, False, True)
    assert not other.repeated
    assert not none.repeated
    assert Attachment.objects.count() == 2


def test_a_model_that_cannot_see_refuses_before_anything_is_stored(
    ask_with: Callable[..., Sent], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chat.services.uploads.image", lambda *_file: pytest.fail("the picture was opened"))
    CatalogueModel.objects.update(capabilities=["chat", "tools"])

    with pytest.raises(Refused, match=r"“Play” can’t see images\. Pick a model that can"):
        ask_with(upload())

    assert not folder.exists()
    assert not Conversation.objects.exists()


@pytest.mark.parametrize("capabilities", [None, ["chat", "vision"]])
def test_a_model_that_sees_or_whose_server_does_not_tell_is_sent_pictures(
    ask_with: Callable[..., Sent], capabilities: list[str] | None
) -> None:
    CatalogueModel.objects.update(capabilities=capabilities)

    sent = ask_with(upload())

    assert prepare(sent.generation.pk).request.messages[0].images


def test_a_model_that_cannot_see_is_told_and_so_is_the_person(
    ask_with: Callable[..., Sent], alice: User
) -> None:
    sent = ask_with(upload("cat.png"))
    finish(sent)
    CatalogueModel.objects.update(capabilities=["chat"])

    generation = retry(alice, sent.answer)
    (question,) = prepare(generation.pk).request.messages
    Generation.objects.update(status=Status.COMPLETED, finish_reason="stop")
    Message.objects.update(text="Sorry.")

    assert question.images == ()
    assert "“cat.png”" in question.text
    assert "cannot see images" in question.text
    (view,) = message_views([generation.message_id])
    assert view.note == "Play can’t see images: 1 image of this conversation was left out."


def test_a_picture_that_is_gone_from_the_folder_is_no_error(ask_with: Callable[..., Sent]) -> None:
    sent = ask_with(upload("cat.png"))
    files.remove(sent.question.attachments.get().digest)

    (question,) = prepare(sent.generation.pk).request.messages

    assert question.images == ()
    assert "no longer available" in question.text


@pytest.mark.parametrize(
    ("uploads", "words"),
    [
        ([upload("a.heic", b"\0\0\0\x18ftypheic" + b"\0" * 20)], "“a.heic” is a HEIC photo"),
        ([upload("a.png", b"hello")], "“a.png” is not an image that can be read"),
        ([upload("a.png", plain((300, 300), kind="JPEG")[:-60] + b"\0" * 9)], "“a.png” is damaged"),
        ([upload() for _ in range(MOST_FILES + 1)], "at most 8 files"),
        ([upload("fine.png"), upload("<b>.bin", b"\x7fELF\0\0")], "“<b>.bin” can’t be read here"),
    ],
    ids=["heic", "text", "damaged", "many", "second"],
)
def test_a_refused_picture_leaves_nothing_behind(
    ask_with: Callable[..., Sent], folder: Path, uploads: list[SimpleUploadedFile], words: str
) -> None:
    with pytest.raises(Refused, match=words):
        ask_with(*uploads)

    assert not Conversation.objects.exists()
    assert not folder.exists() or kept(folder) == []


def test_a_picture_of_too_many_bytes_is_refused_unread(
    ask_with: Callable[..., Sent], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chat.services.uploads.LARGEST_FILE", 10)
    with pytest.raises(Refused, match=r"“cat\.png” is too large\. The limit is 10\xa0bytes"):
        ask_with(upload())


def test_a_refusal_inside_the_transaction_keeps_no_file(ask_with: Callable[..., Sent], folder: Path) -> None:
    sent = ask_with(text="Still running")

    with pytest.raises(Refused, match="still being written"):
        ask_with(upload(), conversation=sent.conversation)

    assert kept(folder) == []


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("../../x.png", "x.png"),
        ("C:\\photos\\y.png", "y.png"),
        ("a\u202egnp.exe", "agnp.exe"),
        ("a\nb\0.png", "ab.png"),
        ("..", "file"),
        ("x" * 300 + ".jpeg", "x" * 188 + "….jpeg"),
    ],
)
def test_names_lose_what_no_name_needs(given: str, name: str) -> None:
    file = upload()
    file._name = given

    assert name_of(file) == name


def test_a_question_without_files_costs_no_query_more(
    ask_with: Callable[..., Sent], django_assert_num_queries: Any
) -> None:
    sent = ask_with(text="Plain")
    finish(sent)

    with CaptureQueriesContext(
        connection,
    ) as captured:
        prepare(sent.generation.pk)
        message_view(sent.question, None)
        message_views([sent.question.pk, sent.answer.pk])
        ask_with(text="Next", conversation=sent.conversation)

    assert not [query["sql"] for query in captured if "chat_attachment" in query["sql"]]


def test_a_thread_of_pictures_asks_for_them_once(ask_with: Callable[..., Sent]) -> None:
    questions = [ask_with(upload(f"{number}.png"), upload()).question.pk for number in range(3)]

    with CaptureQueriesContext(connection) as captured:
        views = message_views(questions)

    assert [len(view.attachments) for view in views] == [2, 2, 2]
    assert len([query for query in captured if "chat_attachment" in query["sql"]]) == 1
