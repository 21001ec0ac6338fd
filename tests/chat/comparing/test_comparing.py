"""The same question to several models: columns, their turns, the vote, and what stays."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backends.models import Backend, CatalogueModel
from chat import trash
from chat.generation import queue
from chat.models import Comparison, Conversation, Generation, Message, Outcome, Status, Vote
from chat.presenting.message import message_views
from chat.presenting.sidebar import sidebar_view
from chat.services import answers, comparing, conversations, deciding, order
from chat.services.comparing import Wish, ask_columns, begin_comparison
from chat.services.refusals import Refused
from privatechathub.accounts.models import User
from tests.chat.comparing.conftest import Compare

LONG_AGO = timezone.now() - timedelta(days=365)

pytestmark = pytest.mark.django_db


def columns(comparison: Comparison) -> list[Conversation]:
    return list(comparison.columns.select_related("backend", "comparison").order_by("column"))


def generations(comparison: Comparison) -> list[Generation]:
    """In the order of the columns."""
    rows = Generation.objects.filter(message__conversation__comparison=comparison)
    return list(rows.select_related("message").order_by("message__conversation__column", "created_at"))


def finish(comparison: Comparison, status: Status = Status.COMPLETED) -> None:
    """All answers have ended."""
    Message.objects.filter(conversation__comparison=comparison, role="assistant").update(text="Done")
    Generation.objects.filter(message__conversation__comparison=comparison).update(status=status)


def test_every_column_is_a_conversation_of_its_own(alice: User, three: Backend) -> None:
    wishes = [Wish("demo/play", " Be kind. ", {"temperature": 0.5}), Wish("demo/second", "", {"seed": 7})]

    comparison = begin_comparison(alice, "What is a tide?", wishes, "key")

    first, second = columns(comparison)
    assert (first.system_prompt, first.options) == ("Be kind.", {"temperature": 0.5})
    assert (second.system_prompt, second.options) == ("", {"seed": 7})
    assert [row.model_id for row in (first, second)] == ["play", "second"]
    assert first.title == second.title == "What is a tide?"
    assert {row.owner_id for row in (first, second)} == {alice.pk}
    assert (
        [row.text for row in first.path()] == [row.text for row in second.path()] == ["What is a tide?", ""]
    )


def test_models_of_one_slot_answer_one_after_the_other(compare: Compare) -> None:
    first, second, third = generations(compare("demo/play", "demo/second", "demo/third"))

    assert first.after_id is None
    assert second.after_id == first.pk
    assert third.after_id == second.pk
    assert queue.claim_next(first.backend_id) == first.pk
    Backend.objects.update(slots=4)
    assert queue.claim_next(first.backend_id) is None, "room, but the times would mean nothing"
    Generation.objects.filter(pk=first.pk).update(status=Status.COMPLETED)
    assert queue.claim_next(first.backend_id) == second.pk
    Generation.objects.filter(pk=second.pk).update(status=Status.FAILED)
    assert queue.claim_next(first.backend_id) == third.pk


def test_a_column_says_that_it_waits_for_its_turn(compare: Compare) -> None:
    _first, second = generations(compare())

    (view,) = message_views([second.message_id])

    assert view.phase == "Waits for its turn: one at a time, so that the times can be compared."


def test_whoever_comes_meanwhile_is_not_held_up_by_a_column(compare: Compare, alice: User) -> None:
    first, second = generations(compare())
    queue.claim_next(first.backend_id)
    Backend.objects.update(slots=2)
    from chat.services.sending import start_conversation

    other = start_conversation(alice, "Something else", "demo/third", "k").generation

    assert queue.claim_next(first.backend_id) == other.pk
    second.refresh_from_db()
    assert second.status == Status.QUEUED


def test_backends_without_slots_and_different_backends_answer_at_once(
    compare: Compare, three: Backend, alice: User
) -> None:
    other = Backend.objects.create(name="Other", kind="scripted", base_url="scripted:play", slots=1)
    CatalogueModel.objects.create(backend=other, model_id="far", name="Far")
    assert [row.after_id for row in generations(compare("demo/play", "other/far"))] == [None, None]
    three.slots = None
    three.save()
    assert [row.after_id for row in generations(compare())] == [None, None]


@pytest.mark.parametrize("refs", [[], ["demo/play"], ["demo/play"] * 5])
def test_two_to_four_models(alice: User, three: Backend, refs: list[str]) -> None:
    with pytest.raises(Refused, match="Pick 2 to 4 models"):
        begin_comparison(alice, "Hello", [Wish(ref) for ref in refs], "key")
    assert not Comparison.objects.exists()


def test_one_model_may_stand_in_two_columns(alice: User, three: Backend) -> None:
    wishes = [Wish("demo/play", "Be brief."), Wish("demo/play", "Be thorough.")]

    comparison = begin_comparison(alice, "Hello", wishes, "key")

    assert [row.system_prompt for row in columns(comparison)] == ["Be brief.", "Be thorough."]


def test_a_model_one_may_not_use_is_refused(bob: User, three: Backend) -> None:
    three.access = "groups"
    three.save()

    with pytest.raises(Refused, match="not available"):
        begin_comparison(bob, "Hello", [Wish("demo/play"), Wish("demo/second")], "key")
    assert not Conversation.objects.exists()


def test_the_same_form_sent_twice_makes_one(compare: Compare, alice: User) -> None:
    comparison = compare(key="k")
    assert compare(key="k") == comparison
    finish(comparison)

    assert len(ask_columns(alice, columns(comparison), "And?", "l")) == 2
    assert ask_columns(alice, columns(comparison), "And?", "l") == []
    assert Message.objects.filter(text="And?").count() == 2


def test_the_next_question_goes_to_all_or_to_one(compare: Compare, alice: User) -> None:
    comparison = compare()
    finish(comparison)
    first, second = columns(comparison)

    ask_columns(alice, [second], "Only you", "l")

    assert [row.text for row in first.path()] == ["Hello", "Done"]
    second.refresh_from_db()
    assert [row.text for row in second.path()] == ["Hello", "Done", "Only you", ""]


def test_no_column_is_asked_while_one_of_them_answers(compare: Compare, alice: User) -> None:
    comparison = compare()
    first, _second = generations(comparison)
    Generation.objects.filter(pk=first.pk).update(status=Status.COMPLETED)

    with pytest.raises(Refused, match="still being written"):
        ask_columns(alice, columns(comparison), "And?", "l")
    assert not Message.objects.filter(text="And?").exists()


def test_stopping_all_lets_none_begin(compare: Compare) -> None:
    comparison = compare("demo/play", "demo/second", "demo/third")

    assert comparing.stop_all(comparison) == 3
    assert {row.status for row in generations(comparison)} == {Status.STOPPED}


def test_a_blind_comparison_names_nobody_until_the_vote(compare: Compare, alice: User) -> None:
    comparison = compare(blind=True)
    finish(comparison)
    Generation.objects.update(answered_by="play-7b", error_message="play is not here")
    ids = [row.message_id for row in generations(comparison)]

    assert [view.model_label for view in message_views(ids)] == ["Model A", "Model B"]
    for view in message_views(ids):
        assert view.backend_label == ""
        assert "lay" not in repr([fact.value for fact in view.facts])
    Generation.objects.update(status=Status.FAILED)
    assert "play" not in repr([view.error for view in message_views(ids)])
    Generation.objects.update(status=Status.COMPLETED)
    answers.retry(alice, generations(comparison)[0].message)
    assert {row.alias for row in generations(comparison)} == {"Model A", "Model B"}, "also when asked again"


def test_the_order_of_a_blind_comparison_is_shuffled(
    compare: Compare, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparing.random, "shuffle", lambda pairs: pairs.reverse())

    assert [row.model_id for row in columns(compare(blind=True))] == ["second", "play"]
    assert [row.model_id for row in columns(compare())] == ["play", "second"]


def test_a_vote_tells_the_names_and_is_counted(compare: Compare, alice: User, bob: User) -> None:
    comparison = compare(blind=True)
    finish(comparison)
    best = next(row for row in columns(comparison) if row.model_id == "second")

    deciding.vote(comparison, best)

    comparison.refresh_from_db()
    assert not comparison.wants_vote
    assert (
        {row.alias for row in columns(comparison)} == {row.alias for row in generations(comparison)} == {""}
    )
    assert {vote.label: vote.outcome for vote in Vote.objects.all()} == {
        "Second": Outcome.WON,
        "Play": Outcome.LOST,
    }
    with pytest.raises(Refused, match="voted on this"):
        deciding.vote(comparison, best)
    assert [(one.label, one.place, one.won, one.lost) for one in deciding.tally(alice)] == [
        ("Second", "Demo", 1, 0),
        ("Play", "Demo", 0, 1),
    ]
    assert deciding.tally(bob) == []
    conversations.delete(best)
    Conversation.objects.update(deleted_at=LONG_AGO)
    assert trash.purge() == 2
    assert not Comparison.objects.exists()
    assert len(deciding.tally(alice)) == 2, "votes outlive what they were about"


def test_no_difference_is_a_vote_too(compare: Compare, alice: User) -> None:
    comparison = compare(blind=True)
    finish(comparison)

    deciding.vote(comparison, None)

    assert [(one.won, one.tied, one.lost, one.votes) for one in deciding.tally(alice)] == [(0, 1, 0, 1)] * 2


def test_nobody_votes_on_half_an_answer_or_in_the_open(compare: Compare) -> None:
    comparison = compare(blind=True)
    with pytest.raises(Refused, match="when all answers have ended"):
        deciding.vote(comparison, None)

    with pytest.raises(Refused):
        deciding.vote(compare(), None)
    assert not Vote.objects.exists()


def test_the_kept_column_goes_on_as_an_ordinary_conversation(compare: Compare, alice: User) -> None:
    comparison = compare(blind=True)
    _first, second = columns(comparison)

    kept, moment = deciding.keep(comparison, second)

    assert list(Conversation.objects.owned_by(alice)) == [kept]
    assert not Comparison.objects.exists()
    assert (kept.comparison_id, kept.column, kept.alias) == (None, 0, "")
    (generation,) = Generation.objects.filter(message__conversation=kept)
    assert (generation.alias, generation.after_id, generation.status) == ("", None, Status.QUEUED)
    assert queue.claim_next(generation.backend_id) == generation.pk, "its turn comes"
    assert [item.id for group in sidebar_view(alice).groups for item in group.items] == [str(kept.pk)]
    order.restore(alice, moment)
    assert len([item for group in sidebar_view(alice).groups for item in group.items]) == 2, "undone"


def test_a_comparison_is_one_line_of_the_list(compare: Compare, alice: User) -> None:
    comparison = compare("demo/play", "demo/second", "demo/third")

    (item,) = [item for group in sidebar_view(alice).groups for item in group.items]

    assert item.is_comparison
    assert item.url == f"/compare/{comparison.pk}/"


def test_its_line_renames_and_deletes_all_columns(compare: Compare, alice: User) -> None:
    comparison = compare()
    finish(comparison)
    first = columns(comparison)[0]

    conversations.rename(first, "Tides")
    assert {row.title for row in columns(comparison)} == {"Tides"}
    moment = conversations.delete(first)
    assert not Conversation.objects.owned_by(alice).exists()
    assert not Comparison.objects.owned_by(alice).exists()
    order.restore(alice, moment)
    assert Conversation.objects.owned_by(alice).count() == 2
    assert Comparison.objects.owned_by(alice).get() == comparison


def test_deleting_several_lines_finds_every_column_and_counts_the_lines(
    compare: Compare, alice: User, bob: User
) -> None:
    first = columns(compare())[0]
    columns(compare())

    assert order.delete(bob, [first.pk])[0] == 0
    assert order.archive(alice, [first.pk], on=True) == 1
    assert Conversation.objects.exclude(archived_at=None).count() == 2
    assert order.delete(alice, [first.pk])[0] == 1
    assert Conversation.objects.owned_by(alice).count() == 2
    assert order.restore_these(alice, [first.pk]) == 1
    assert Conversation.objects.owned_by(alice).count() == 4


def test_sending_an_ordinary_question_takes_no_query_more(alice: User, three: Backend) -> None:
    from chat.services.sending import send_message, start_conversation

    sent = start_conversation(alice, "Hello", "demo/play", uuid.uuid4().hex)
    Generation.objects.update(status=Status.COMPLETED)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        send_message(alice, sent.conversation, "And?", "demo/play", uuid.uuid4().hex)
    assert not [query for query in queries.captured_queries if "chat_comparison" in query["sql"]]
