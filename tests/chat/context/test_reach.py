"""The end of a conversation that a request can hold."""

from __future__ import annotations

import pytest

from backends.models import Backend
from chat.generation.reach import CHUNK, Reach, reach
from chat.models import Conversation, Cut, CutKind, Message
from privatechathub.accounts.models import User
from tests.chat.context.talking import long_conversation

pytestmark = pytest.mark.django_db


@pytest.fixture
def answer(alice: User, demo: Backend) -> Message:
    """The next answer of a conversation that takes more than one look to read."""
    talk = long_conversation(alice, CHUNK, demo, length=40)
    question = Message.objects.create(conversation=talk, parent=talk.head, role="user", text="And now?")
    return Message.objects.create(conversation=talk, parent=question, role="assistant")


def cut(talk: Conversation, place: int, kind: CutKind) -> Cut:
    Conversation.objects.update(has_cuts=True)
    talk.refresh_from_db()
    return talk.cuts.create(after_id=talk.path_ids()[place], kind=kind)


def test_everything_is_read_where_there_is_room(answer: Message) -> None:
    found = reach(answer, None, {}, None, 4.0)
    assert [row.text[:10] for row in found.rows[:2]] == ["turn 00000", "turn 00001"]
    assert (len(found.rows), found.whole) == (2 * CHUNK + 1, True)


def test_no_more_is_read_than_outgrows_the_room(answer: Message) -> None:
    found = reach(answer, None, {}, 100, 4.0)
    assert (len(found.rows), found.whole) == (CHUNK, False)
    assert found.rows[-1].text == "And now?"


def test_the_lowest_line_ends_it(answer: Message) -> None:
    talk = answer.conversation
    cut(talk, 5, CutKind.DROPPED)
    lower = cut(talk, 9, CutKind.SUMMARISED)
    cut(talk, 19, CutKind.PROPOSED)
    found = reach(answer, None, Cut.of(talk), None, 4.0)
    assert found.cut == lower
    assert found.rows[0].text.startswith("turn 00010")
    assert found.whole


def test_what_was_seen_of_images_is_not_forgotten_by_a_cut() -> None:
    assert Reach(left_out=2).below(0).left_out == 2
