"""Asking a question stores everything at once, exactly once."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backends.models import Access, Backend
from chat.models import Conversation, Generation, Message, MessageRole, Status
from chat.services.refusals import Refused
from chat.services.sending import Sent, send_message, start_conversation
from privatechathub.accounts.models import User

Ask = Callable[..., Sent]


def test_a_question_makes_a_conversation_a_question_and_a_queued_answer(ask: Ask, alice: User) -> None:
    sent = ask("What is the capital of France?")

    conversation = Conversation.objects.get()
    assert conversation.owner == alice
    assert conversation.title == "What is the capital of France?"
    assert [row.role for row in conversation.path()] == [MessageRole.USER, MessageRole.ASSISTANT]
    assert conversation.head == sent.answer
    assert sent.generation.status == Status.QUEUED
    assert (sent.generation.backend_name, sent.generation.model_id) == ("Demo", "play")


def test_the_same_form_sent_twice_makes_one_question(ask: Ask) -> None:
    first = ask("Hello", key="form-1")
    second = ask("Hello", key="form-1")

    assert second.repeated
    assert second.question == first.question
    assert Message.objects.filter(role=MessageRole.USER).count() == 1
    assert Generation.objects.count() == 1


def test_keys_of_other_people_mean_nothing(ask: Ask, bob: User) -> None:
    ask("Hello", key="form-1")
    sent = start_conversation(bob, "Hi", "demo/play", "form-1")

    assert not sent.repeated
    assert sent.conversation.owner == bob


def test_one_answer_at_a_time_in_a_conversation(ask: Ask) -> None:
    sent = ask("Hello")

    with pytest.raises(Refused, match="still being written"):
        ask("And?", sent.conversation)

    assert sent.conversation.messages.count() == 2


def test_the_next_question_hangs_on_the_last_answer(ask: Ask) -> None:
    sent = ask("One")
    Generation.objects.update(status=Status.COMPLETED)

    more = ask("Two", Conversation.objects.get())

    assert more.question.parent == sent.answer
    assert [row.text for row in Conversation.objects.get().path()] == ["One", "", "Two", ""]


@pytest.mark.parametrize("text", ["", "   \n\t ", "\x00"])
def test_nothing_is_not_a_question(text: str, alice: User, demo: Backend) -> None:
    with pytest.raises(Refused, match="Write something"):
        start_conversation(alice, text, "demo/play", "k")
    assert not Conversation.objects.exists()


@pytest.mark.parametrize("ref", ["", "demo", "demo/", "demo/other", "other/demo", "/demo"])
def test_a_model_that_is_not_there_is_refused(ref: str, alice: User, demo: Backend) -> None:
    with pytest.raises(Refused):
        start_conversation(alice, "Hello", ref, "k")
    assert not Conversation.objects.exists()


def test_a_backend_for_administrators_refuses_others(alice: User, ada: User, demo: Backend) -> None:
    demo.access = Access.ADMINS
    demo.save()

    with pytest.raises(Refused, match="not available"):
        start_conversation(alice, "Hello", "demo/play", "k")
    assert start_conversation(ada, "Hello", "demo/play", "k").conversation.owner == ada


def test_a_switched_off_backend_is_refused(alice: User, demo: Backend) -> None:
    demo.enabled = False
    demo.save()

    with pytest.raises(Refused, match="not available"):
        start_conversation(alice, "Hello", "demo/play", "k")


def test_sending_takes_the_same_number_of_queries_however_long_the_conversation(
    ask: Ask, alice: User
) -> None:
    conversation = ask("0").conversation
    counts = []
    for number in range(1, 12):
        Generation.objects.update(status=Status.COMPLETED)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            send_message(alice, conversation, str(number), "demo/play", f"key-{number}")
        counts.append(len(queries))
    assert len(set(counts)) == 1
