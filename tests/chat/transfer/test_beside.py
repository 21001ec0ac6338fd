"""What stands beside the messages travels: facts of runs, the meter, drafts, questions typed ahead, comparisons."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from chat.models import Comparison, Conversation, Generation, UpcomingQuestion
from chat.services import upcoming
from chat.services.sending import Sent
from chat.transfer import asked, loading, saving
from chat.transfer.formats import beside, hub
from chat.transfer.planning import bring_in
from chat.transfer.portable import Talk
from chat.transfer.unpacking import Upload
from chat.transfer.writing import as_json
from privatechathub.accounts.models import User

Ask = Callable[..., Sent]

CONTEXT = {
    "window": 4096,
    "source": "allocated",
    "reserve": 512,
    "parts": {"prompt": 20, "history": 100},
    "input": 130,
    "output": 12,
}
RECEIPT = {
    "format": 1,
    "turns": [[1, 9]],
    "rounds": [{"sha256": "0" * 64, "steps": 0, "tools": False}],
    "model": {"digest": "sha256:abc", "quantization": "Q4_K_M", "size_bytes": 5_000_000_000},
    "server": {"kind": "ollama", "version": "0.12", "num_ctx": 4096},
    "options": {"temperature": 0.5},
    "retried": "It refused min_p.",
}


def again(conversation: Conversation) -> Talk:
    """What a file of it says."""
    conversation = Conversation.objects.get(pk=conversation.pk)
    return hub.read(json.loads(as_json(loading.load(conversation))))


def ended(sent: Sent, **values: Any) -> Conversation:
    """The conversation with its answer written."""
    Generation.objects.filter(pk=sent.generation.pk).update(status="completed", **values)
    sent.answer.text = "Yes"
    sent.answer.save()
    return sent.conversation


def test_an_imported_answer_shows_the_same_facts(
    ask: Ask, bob: User, as_alice: Client, as_bob: Client
) -> None:
    context = CONTEXT | {"first": 0}
    sent = ask()
    conversation = ended(
        sent,
        context=context | {"first": sent.question.pk},
        receipt=RECEIPT | {"turns": [[sent.question.pk] * 2, [sent.answer.pk + 1, sent.answer.pk + 3]]},
        images_left_out=2,
        input_tokens=130,
        output_tokens=12,
        answered_by="play-8b",
    )

    copied = saving.save(bob, again(conversation))

    run = Generation.objects.get(message__conversation=copied)
    first = copied.messages.order_by("pk")[0]
    assert (run.context, run.images_left_out) == (context | {"first": first.pk}, 2)
    named = [[-3, -1], [copied.messages.order_by("pk")[0].pk] * 2]
    assert run.receipt == RECEIPT | {"turns": named, "capabilities": None}
    Generation.objects.filter(pk=sent.generation.pk).update(backend=None)
    Conversation.objects.update(backend=None)
    pages = [
        browser.get(f"/chat/{row.pk}/").content.decode()
        for browser, row in ((as_alice, conversation), (as_bob, copied))
    ]
    assert ["142 tokens" in page for page in pages] == [True, True]
    receipts = [
        browser.get(reverse("chat:receipt", args=[key])).content.decode()
        for browser, key in ((as_alice, sent.generation.pk), (as_bob, run.pk))
    ]
    for fact in ("sha256:abc", "Q4_K_M", "Ollama", "0.12", "It refused min_p."):
        assert [fact in page for page in receipts] == [True, True], fact


@pytest.mark.parametrize("value", [None, [], "x", 5, {}, {"model": [], "server": "x", "options": 3}])
def test_facts_that_are_none_are_none(value: Any) -> None:
    assert asked.read(value) == {}
    assert beside.read_column(value) is None
    assert beside.read_upcoming(value) == ()


def test_facts_that_no_hub_would_write_do_not_get_in() -> None:
    told = {
        "model": {"digest": "d" * 900, "evil": 1, "size_bytes": "much", "context_length": True, "family": {}},
        "server": {"kind": ["x"], "version": "1\x00", "num_ctx": 10**400, "password": "x"},
    }
    assert asked.read(told) == {
        "model": {"digest": "d" * 250},
        "server": {"version": "1\ufffd"},
    }
    many = {f"part {number}": 1 for number in range(99)}
    found = asked.window(
        {"window": "x", "source": "guess", "input": -1, "needed": None, "parts": many, "first": [1], "x": 1}
    )
    assert found.pop("parts") == {f"part {number}": 1 for number in range(30)}
    assert found == {"window": None}
    assert asked.window({"parts": {"a": 1.5, "b": 2}, "input": 3}) == {"parts": {"b": 2}, "input": 3}


def test_what_was_typed_and_not_sent_travels(ask: Ask, bob: User) -> None:
    conversation = ended(ask())
    Conversation.objects.update(
        draft="And é", tools={"*": True, "get_time": False}, unread=True, upcoming_count=2
    )
    UpcomingQuestion.objects.create(conversation=conversation, text="First", ref="demo/play", trouble="Gone.")
    UpcomingQuestion.objects.create(conversation=conversation, text="Second", ref="gone/model", key="k")

    copied = saving.save(bob, again(conversation))

    copied.refresh_from_db()
    assert (copied.draft, copied.unread, copied.upcoming_count) == ("And é", True, 2)
    assert copied.tools == {"*": True, "get_time": False}
    assert [(row.text, row.ref, row.held) for row in copied.upcoming.order_by("pk")] == [
        ("First", "demo/play", True),
        ("Second", "", True),
    ]


def test_an_import_asks_nothing_before_the_person_says_so(ask: Ask, bob: User) -> None:
    conversation = ended(ask())
    Conversation.objects.update(upcoming_count=1)
    row = UpcomingQuestion.objects.create(conversation=conversation, text="Erase it", ref="demo/play")
    copied = saving.save(bob, again(conversation))
    row.delete()

    upcoming.send_forgotten()
    assert upcoming.send_next(copied.pk) is None
    assert copied.upcoming.count() == 1

    upcoming.send_now(copied.upcoming.get())
    copied.refresh_from_db()
    assert (copied.upcoming_count, copied.path()[-2].text) == (0, "Erase it")


def columns(owner: User, ask: Ask, count: int = 2, **values: Any) -> list[Conversation]:
    """Those of a comparison."""
    made = Comparison.objects.create(owner=owner, **values)
    found = [ended(ask(f"Question {number}"), model_name=f"Secret {number}") for number in range(count)]
    for number, row in enumerate(found):
        Conversation.objects.filter(pk=row.pk).update(comparison=made, column=number)
    return found


def bring(owner: User, talks: list[Conversation], path: Path) -> int:
    """Import files of these."""
    content = [json.loads(as_json(loading.load(Conversation.objects.get(pk=row.pk)))) for row in talks]
    path.write_text(json.dumps(content))
    return bring_in(owner, Upload(path, "export.json"), lambda _count: None)


def test_a_comparison_comes_back_as_one_in_its_order(
    ask: Ask, alice: User, bob: User, as_bob: Client, as_alice: Client, tmp_path: Path
) -> None:
    voted = timezone.now()
    found = columns(alice, ask, 3, blind=True, voted_at=voted)

    assert bring(bob, found[::-1], tmp_path / "file") == 3
    assert bring(bob, found, tmp_path / "file") == 0

    made = Comparison.objects.get(owner=bob)
    assert (made.blind, made.voted_at, made.created_at) == (
        True,
        voted,
        Comparison.objects.get(owner=alice).created_at,
    )
    there = list(made.columns.order_by("column"))
    assert [row.column for row in there] == [0, 1, 2]
    assert [row.path()[0].text for row in there] == ["Question 0", "Question 1", "Question 2"]
    assert as_bob.get(made.get_absolute_url()).status_code == 200
    assert as_alice.get(made.get_absolute_url()).status_code == 404


def test_names_stay_hidden_until_the_vote(
    ask: Ask, alice: User, bob: User, as_bob: Client, tmp_path: Path
) -> None:
    bring(bob, columns(alice, ask, blind=True), tmp_path / "file")

    page = as_bob.get(Comparison.objects.get(owner=bob).get_absolute_url()).content.decode()

    assert "Model A" in page
    assert "Secret" not in page


def test_a_column_that_comes_alone_is_an_ordinary_conversation(
    ask: Ask, alice: User, bob: User, tmp_path: Path
) -> None:
    found = columns(alice, ask, blind=True)

    bring(bob, found[1:], tmp_path / "file")

    [row] = Conversation.objects.owned_by(bob)
    assert (row.comparison, row.column, row.alias) == (None, 0, "")
    assert not Comparison.objects.filter(owner=bob).exists()


def test_a_file_cannot_reach_into_a_comparison_that_is_here(
    ask: Ask, alice: User, bob: User, tmp_path: Path
) -> None:
    found = columns(alice, ask)

    bring(bob, found, tmp_path / "file")

    mine = Comparison.objects.get(owner=alice)
    assert list(mine.columns.order_by("column")) == found
    assert beside.read_column({"id": str(mine.pk), "column": 4}) is None


def test_two_that_claim_one_column_do_not_stand_in_it_both(
    ask: Ask, alice: User, bob: User, tmp_path: Path
) -> None:
    found = columns(alice, ask, 3)
    Conversation.objects.filter(pk=found[2].pk).update(column=1)

    bring(bob, found, tmp_path / "file")

    places = Conversation.objects.owned_by(bob).values_list("column", "comparison")
    assert sorted((column, found is None) for column, found in places) == [(0, False), (0, True), (1, False)]


def test_no_more_questions_wait_than_a_person_could_type_ahead() -> None:
    found = beside.read_upcoming([{"text": " "}, 7, *({"text": f"{n}" * 2_000_000} for n in range(30))])

    assert len(found) == 20
    assert {len(each.text) for each in found} == {1_500_000}


def test_a_held_question_is_shown_as_such(ask: Ask, bob: User, as_bob: Client) -> None:
    conversation = ended(ask())
    Conversation.objects.update(upcoming_count=1)
    UpcomingQuestion.objects.create(conversation=conversation, text="And then?", ref="demo/play")

    page = as_bob.get(saving.save(bob, again(conversation)).get_absolute_url()).content.decode()

    assert "It came with an import and is sent only when you say so." in page
    assert "Send now" in page
