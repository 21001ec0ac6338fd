"""Sending by the form, and what is served to whom."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from backends.models import Backend, CatalogueModel
from chat import files
from chat.models import Attachment, Conversation, Generation, Message, Status
from chat.services import branches, deleting, order
from chat.services.sending import Sent
from privatechathub.accounts.models import User
from tests.chat.attachments.pictures import attach_picture, opened, plain, upload


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    """A data folder of the test's own."""
    settings.MEDIA_ROOT = tmp_path / "files"
    return tmp_path / "files"


@pytest.fixture
def attached(ask: Callable[..., Sent]) -> Attachment:
    """A picture of Alice's."""
    return attach_picture(ask().question, "cat.html", plain((900, 600), kind="JPEG"))


HTMX = {"HX-Request": "true"}
FORM = {"text": "What is it?", "model": "demo/play", "key": "k"}


def test_the_form_without_a_script_stores_what_was_attached(as_alice: Client, demo: Backend) -> None:
    response = as_alice.post("/chat/", FORM | {"files": [upload("a.png"), upload("b.png")]}, follow=True)

    assert [row.name for row in Attachment.objects.all()] == ["a.png", "b.png"]
    page = response.content.decode()
    for row in Attachment.objects.all():
        assert f'href="/attachments/{row.pk}/"' in page
        assert f'<img src="/attachments/{row.pk}/thumbnail/" alt="{row.name}" width="60" height="40"' in page


def test_with_htmx_the_question_comes_back_with_its_pictures(
    as_alice: Client, ask: Callable[..., Sent]
) -> None:
    sent = ask()
    sent.generation.delete()
    address = f"/chat/{sent.conversation.pk}/messages/"

    response = as_alice.post(address, FORM | {"files": [upload("<i>.png")]}, headers=HTMX)

    assert response.status_code == 200
    assert 'alt="&lt;i&gt;.png"' in response.content.decode()


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_refused_picture_gives_the_text_back(
    as_alice: Client, demo: Backend, headers: dict[str, str]
) -> None:
    response = as_alice.post("/chat/", FORM | {"files": [upload("a.png", b"x")]}, headers=headers)

    page = response.content.decode()
    assert response.status_code == 422
    assert "What is it?</textarea>" in page
    assert "“a.png” is not an image that can be read" in page
    assert 'aria-describedby="composer-error"' in page
    assert not Conversation.objects.exists()


def test_a_blind_model_refuses_with_a_way_out(as_alice: Client, demo: Backend) -> None:
    CatalogueModel.objects.update(capabilities=["chat"])

    response = as_alice.post("/chat/", FORM | {"files": [upload()]})

    assert response.status_code == 422
    assert "Pick a model that can, or remove the images." in response.content.decode()


def test_an_empty_file_field_is_no_file(as_alice: Client, demo: Backend) -> None:
    body = (
        '--x\r\nContent-Disposition: form-data; name="text"\r\n\r\nHi\r\n'
        '--x\r\nContent-Disposition: form-data; name="model"\r\n\r\ndemo/play\r\n'
        '--x\r\nContent-Disposition: form-data; name="files"; filename=""\r\n'
        "Content-Type: application/octet-stream\r\n\r\n\r\n--x--\r\n"
    )
    as_alice.post("/chat/", body.encode(), content_type="multipart/form-data; boundary=x")

    assert Message.objects.filter(role="user", text="Hi", attached=0).exists()


def test_the_owner_is_served_the_picture_and_nothing_runs(as_alice: Client, attached: Attachment) -> None:
    response = as_alice.get(f"/attachments/{attached.pk}/", headers={"Accept-Encoding": "gzip, br"})

    assert opened(response.content).size == (900, 600)
    assert response["Content-Type"] == "image/jpeg"
    assert response["Content-Disposition"] == 'inline; filename="cat.jpg"'
    assert response["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Cache-Control"] == "private, max-age=86400, immutable"
    assert "Content-Encoding" not in response


def test_the_thumbnail_is_small(as_alice: Client, attached: Attachment) -> None:
    response = as_alice.get(f"/attachments/{attached.pk}/thumbnail/")

    assert opened(response.content).size == (480, 320)
    assert response["Content-Type"] == "image/webp"
    assert response["Content-Security-Policy"] == "sandbox; default-src 'none'"


@pytest.mark.parametrize("kind", ["", "thumbnail/"])
def test_a_stranger_is_served_nothing_even_with_the_same_picture(
    as_bob: Client, as_ada: Client, attached: Attachment, kind: str
) -> None:
    for stranger in (as_bob, as_ada):
        assert stranger.get(f"/attachments/{attached.pk}/{kind}").status_code == 404
    assert Client().get(f"/attachments/{attached.pk}/{kind}").status_code == 302


@pytest.mark.parametrize("what", ["message", "conversation"])
def test_what_is_deleted_takes_its_files_along_unless_a_fork_shows_them(
    as_alice: Client, attached: Attachment, alice: User, what: str
) -> None:
    message = attached.message
    assert message is not None
    address = f"/attachments/{attached.pk}/"
    fork = branches.fork(message.conversation, message)
    if what == "message":
        Generation.objects.update(status=Status.COMPLETED)
        deleting.delete_branch(message.conversation, message)
    else:
        order.delete(alice, [message.conversation_id])

    assert as_alice.get(address).status_code == 200
    order.delete(alice, [fork.pk])

    for page in ("", "thumbnail/", "text/", "read/"):
        assert as_alice.get(address + page).status_code == 404


def test_bytes_that_are_gone_are_not_found(as_alice: Client, attached: Attachment) -> None:
    files.remove(attached.digest)

    assert as_alice.get(f"/attachments/{attached.pk}/").status_code == 404
