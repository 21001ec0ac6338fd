"""The way up from the head: as much of it as is asked for, across the border of a fork."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chat.generation.reach import reach
from chat.models import Conversation, Message
from chat.presenting.thread import thread_view
from chat.presenting.window import before
from chat.services import branches
from chat.services.sending import Sent
from privatechathub.accounts.models import User
from tests.chat.tree.conftest import chain

pytestmark = pytest.mark.django_db


def fork_of(row: Message) -> Conversation:
    return branches.fork(row.conversation, row)


def test_the_way_holds_only_what_leads_to_the_head(talk: Conversation) -> None:
    rows = chain(talk, 6)
    Message.objects.create(conversation=talk, parent=rows[1], role="user", text="another branch")
    assert talk.path_ids() == [row.pk for row in rows]
    assert talk.path_ids(limit=2) == [rows[4].pk, rows[5].pk]
    assert talk.ids_up_from(rows[4].pk, until=rows[2].pk) == [row.pk for row in rows[2:5]]
    assert [row.text for row in talk.path()] == [f"turn {place}" for place in range(6)]


def test_a_conversation_without_messages_has_no_way(talk: Conversation) -> None:
    assert talk.path_ids() == []
    assert talk.path() == []


def test_deleted_messages_are_passed(talk: Conversation) -> None:
    rows = chain(talk, 6)
    Message.objects.filter(pk__in=[rows[2].pk, rows[3].pk]).update(deleted_at=timezone.now(), is_gap=True)
    assert talk.path_ids(limit=3) == [rows[1].pk, rows[4].pk, rows[5].pk]


def test_a_fork_shows_what_it_shares_also_when_that_is_deleted_later(talk: Conversation) -> None:
    rows = chain(talk, 6)
    Message.objects.filter(pk=rows[1].pk).update(deleted_at=timezone.now(), is_gap=True)
    fork = fork_of(rows[3])
    Message.objects.filter(pk=rows[2].pk).update(deleted_at=timezone.now(), is_gap=True)
    own = Message.objects.create(conversation=fork, parent=rows[3], role="user", text="on its own")
    fork.head = own
    assert fork.path_ids() == [rows[0].pk, rows[2].pk, rows[3].pk, own.pk]
    assert talk.path_ids() == [rows[0].pk, rows[3].pk, rows[4].pk, rows[5].pk]
    assert [fork.shares(row.pk) for row in (*rows, own)] == [True, False, True, True, False, False, False]
    assert not talk.shares(rows[0].pk)


def test_a_model_is_told_what_a_fork_shares(ask: Callable[..., Sent]) -> None:
    first = ask("What is a fork?")
    Message.objects.filter(pk=first.answer.pk).update(text="A branch.")
    first.generation.status = "completed"
    first.generation.save()
    fork = fork_of(Message.objects.get(pk=first.answer.pk))
    sent = ask("And a spoon?", fork)
    read = reach(sent.answer, None, {}, None, 4.0).rows
    assert [row.text for row in read] == ["What is a fork?", "A branch.", "And a spoon?"]


@pytest.mark.parametrize("count", [40, 10_000])
def test_the_price_of_a_page_does_not_grow_with_the_thread(talk: Conversation, count: int) -> None:
    rows = chain(talk, count)
    with CaptureQueriesContext(connection) as caught:
        view = thread_view(talk)
        earlier = thread_view(talk, before(talk, rows[-30].pk))
    assert [message.text for message in view.messages] == [row.text for row in rows[-30:]]
    assert earlier.messages[-1].text == rows[-31].text
    assert len(caught) == 9


@pytest.mark.skipif(connection.vendor != "sqlite", reason="counts the instructions of SQLite's machine")
def test_a_way_reads_no_more_rows_of_a_long_thread(alice: User) -> None:
    short, long = (Conversation.objects.create(owner=alice, updated_at=timezone.now()) for _ in range(2))
    chain(short, 40)
    chain(long, 10_000)
    assert work_of(long) < 1.2 * work_of(short)


def work_of(conversation: Conversation) -> int:
    """Tens of instructions that it takes to find what a page shows."""
    steps = 0

    def count() -> None:
        nonlocal steps
        steps += 1

    connection.connection.set_progress_handler(count, 10)
    conversation.path_ids(limit=31)
    connection.connection.set_progress_handler(None, 10)
    return steps


def test_earlier_messages_of_a_stranger_are_not_shown(talk: Conversation, bob: User) -> None:
    chain(talk, 3)
    other = Conversation.objects.create(owner=bob, updated_at=timezone.now())
    foreign = chain(other, 4)
    view = thread_view(talk, before(talk, foreign[-1].pk))
    assert {message.id for message in view.messages}.isdisjoint(row.pk for row in foreign)
