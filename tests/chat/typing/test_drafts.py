"""What is typed is kept on the server, shown on every device, and gone when it is sent."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest
from django.test import Client

from backends.models import Backend
from chat.models import Conversation, Generation, Status
from chat.services.sending import Sent
from privatechathub.accounts.models import User
from tests.chat.page import read
from tests.conftest import signed_in

pytestmark = pytest.mark.django_db

Ask = Callable[..., Sent]


def typed(client: Client, path: str) -> str:
    """What the message field of that page holds."""
    return read(client.get(path)).one("textarea", id="composer-text").text.strip()


def test_a_draft_of_a_new_chat_is_there_on_another_device(
    as_alice: Client, alice: User, as_bob: Client, demo: Backend
) -> None:
    assert as_alice.post("/draft/", {"text": "Why is the sky"}).status_code == 204

    assert typed(signed_in(alice), "/") == "Why is the sky"
    assert typed(as_bob, "/") == ""
    assert "Why is the sky" in as_alice.get("/compare/").content.decode()


def test_a_draft_belongs_to_its_conversation(as_alice: Client, ask: Ask, as_bob: Client) -> None:
    sent = ask("Hello")
    url = sent.conversation.get_absolute_url()

    assert as_alice.post(f"{url}draft/", {"text": "And then"}).status_code == 204
    assert as_bob.post(f"{url}draft/", {"text": "Mine"}).status_code == 404

    assert typed(as_alice, url) == "And then"
    assert typed(as_alice, "/") == ""


def test_what_is_sent_is_no_draft_any_more(as_alice: Client, ask: Ask) -> None:
    sent = ask("Hello")
    Generation.objects.update(status=Status.COMPLETED)
    url = sent.conversation.get_absolute_url()
    as_alice.post(f"{url}draft/", {"text": "And then"})
    as_alice.post("/draft/", {"text": "Why is the sky"})

    as_alice.post(f"{url}messages/", {"text": "And then?", "model": "demo/play", "key": "k"})
    assert Conversation.objects.get().draft == ""
    assert typed(as_alice, "/") == "Why is the sky"
    as_alice.post("/chat/", {"text": "Why is the sky blue?", "model": "demo/play", "key": "l"})
    assert typed(as_alice, "/") == ""


def test_what_was_long_on_its_way_comes_too_late(as_alice: Client, as_bob: Client, ask: Ask) -> None:
    sent = ask("Hello")
    Generation.objects.update(status=Status.COMPLETED)
    url = sent.conversation.get_absolute_url()
    as_alice.post(f"{url}messages/", {"text": "And then?", "model": "demo/play", "key": "k"})
    as_alice.post(f"{url}messages/", {"text": "Meanwhile?", "model": "demo/play", "key": "l"})

    for key in ("k", "l"):  # one was sent, one waits for the answer of that
        assert as_alice.post(f"{url}draft/", {"text": "And th", "key": key}).status_code == 205
        assert as_alice.post("/draft/", {"text": "And th", "key": key}).status_code == 205
    assert typed(as_alice, url) == ""
    assert typed(as_alice, "/") == ""

    assert as_alice.post(f"{url}draft/", {"text": "Well", "key": "m"}).status_code == 204
    assert as_bob.post("/draft/", {"text": "My own", "key": "k"}).status_code == 204
    assert (typed(as_alice, url), typed(as_bob, "/")) == ("Well", "My own")


def test_asking_the_same_again_leaves_a_draft_alone(as_alice: Client, ask: Ask) -> None:
    sent = ask("Hello")
    Generation.objects.update(status=Status.COMPLETED)
    as_alice.post(f"{sent.conversation.get_absolute_url()}draft/", {"text": "And then"})

    as_alice.post(f"/messages/{sent.answer.pk}/retry/")

    assert Conversation.objects.get().draft == "And then"


def test_an_endless_draft_is_cut(as_alice: Client, alice: User) -> None:
    as_alice.post("/draft/", {"text": "x" * 300_000})

    alice.refresh_from_db()
    assert len(alice.draft) == 200_000


def test_a_refused_question_goes_before_the_draft(as_alice: Client, ask: Ask) -> None:
    as_alice.post("/draft/", {"text": "old"})

    response = as_alice.post("/chat/", {"text": "new", "model": "demo/nobody", "key": uuid.uuid4().hex})

    field = read(response).one("textarea", id="composer-text")
    assert field.text.strip() == "new"
    assert "data-saved" not in field.attributes
