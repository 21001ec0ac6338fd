"""A conversation for paper."""

from __future__ import annotations

from collections.abc import Callable

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from chat.models import Conversation, Generation, Message, Status
from chat.services.sending import Sent
from tests.chat.page import faults, read

Ask = Callable[..., Sent]


def long_conversation(ask: Ask, turns: int) -> Conversation:
    """With that many questions and answers."""
    sent = ask("Question 0")
    Generation.objects.update(status=Status.COMPLETED)
    parent = sent.answer
    for number in range(1, turns):
        for role, text in (("user", f"Question {number}"), ("assistant", f"Answer **{number}**")):
            parent = Message.objects.create(
                conversation=sent.conversation, parent=parent, role=role, text=text
            )
    Conversation.objects.update(head=parent)
    return Conversation.objects.get()


def test_all_messages_of_the_path_are_on_it_and_nothing_else(ask: Ask, as_alice: Client) -> None:
    conversation = long_conversation(ask, 40)
    first = Message.objects.earliest("pk")
    Message.objects.create(conversation=conversation, parent=first, role="assistant", text="Another branch")

    response = as_alice.get(f"{conversation.get_absolute_url()}print/")

    assert not faults(response)
    page = read(response)
    assert len(page.all("article")) == 80
    text = response.content.decode()
    assert "Question 0" in text
    assert "<strong>39</strong>" in text
    assert "Another branch" not in text
    assert not page.all("textarea")


def test_the_thread_leads_there(ask: Ask, as_alice: Client) -> None:
    conversation = long_conversation(ask, 1)
    address = f"{conversation.get_absolute_url()}print/"

    links = [
        tag.attributes.get("href") for tag in read(as_alice.get(conversation.get_absolute_url())).all("a")
    ]

    assert address in links


def test_it_is_the_owner_s_alone(ask: Ask, as_bob: Client, as_ada: Client) -> None:
    address = f"{long_conversation(ask, 1).get_absolute_url()}print/"

    assert [browser.get(address).status_code for browser in (as_bob, as_ada)] == [404, 404]


def test_more_messages_take_no_more_queries(ask: Ask, as_alice: Client) -> None:
    address = f"{long_conversation(ask, 3).get_absolute_url()}print/"

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            as_alice.get(address)
        return len(captured)

    few = queries()
    parent = Message.objects.latest("pk")
    for _more in range(50):
        parent = Message.objects.create(
            conversation=parent.conversation, parent=parent, role="user", text="More"
        )
    Conversation.objects.update(head=parent)
    assert queries() == few
