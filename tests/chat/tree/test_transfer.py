"""A conversation's tree in files: branches, what is edited, chosen, shared and deleted."""

from __future__ import annotations

import pytest
from django.utils import timezone

from chat.models import Conversation, Message
from chat.services.branches import fork, show
from chat.services.deleting import delete_message
from chat.transfer.formats import hub
from chat.transfer.loading import load
from chat.transfer.portable import Talk
from chat.transfer.saving import save
from chat.transfer.writing import as_text
from tests.chat.tree.conftest import add, chain

pytestmark = pytest.mark.django_db


def through_a_file(conversation: Conversation) -> tuple[Talk, Talk]:
    """As written, and as read and written again by an importing hub."""
    written = load(conversation)
    made = save(conversation.owner, hub.read(hub.document(written)))
    return written, load(made)


def shape(talk: Talk) -> list[tuple[object, ...]]:
    return [(turn.id, turn.parent, turn.text, turn.edited, turn.chosen) for turn in talk.turns]


def test_branches_marks_and_the_chosen_path_are_kept(talk: Conversation) -> None:
    rows = chain(talk, 4)
    edited = add(talk, rows[2], "in my words", "assistant")
    Message.objects.filter(pk=edited.pk).update(edited=True)
    add(talk, rows[0], "another answer", "assistant")
    show(talk, rows[1].pk)
    show(talk, rows[3].pk)
    written, read = through_a_file(Conversation.objects.get(pk=talk.pk))
    assert shape(written) == shape(read)
    assert [turn.text for turn in read.path()] == [row.text for row in rows]
    assert [turn.edited for turn in read.turns].count(True) == 1
    assert [turn.chosen for turn in read.turns].count(None) == len(read.turns) - 2


def test_a_fork_is_written_with_what_it_shares(talk: Conversation) -> None:
    rows = chain(talk, 6)
    Message.objects.filter(pk=rows[1].pk).update(deleted_at=timezone.now(), is_gap=True)
    made = fork(talk, rows[3])
    chain(made, 2, below=rows[3])
    written, read = through_a_file(made)
    assert [turn.text for turn in read.path()] == [
        "turn 0", "turn 2", "turn 3", "turn 0", "turn 1",
    ]  # fmt: skip
    assert shape(written) == shape(read)
    assert len(load(talk).turns) == 5


def test_what_is_deleted_is_not_written(talk: Conversation) -> None:
    rows = chain(talk, 4)
    delete_message(talk, rows[1])
    talk.refresh_from_db()
    assert [turn.text for turn in load(talk).turns] == ["turn 0", "turn 2", "turn 3"]
    assert "turn 1" not in as_text(load(talk))
    assert [turn.text for turn in through_a_file(talk)[1].path()] == ["turn 0", "turn 2", "turn 3"]


@pytest.mark.parametrize("chosen", ["1", "2", "4", "x", "", None, 3])
def test_a_choice_that_makes_no_sense_is_forgotten(talk: Conversation, chosen: object) -> None:
    chain(talk, 4)
    document = hub.document(load(talk))
    document["conversation"]["messages"][1]["chosen"] = chosen
    read = hub.read(document)
    made = save(talk.owner, read)
    assert made.messages.exclude(chosen=None).count() == 0
