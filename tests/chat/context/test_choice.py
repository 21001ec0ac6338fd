"""What a person decides about a conversation that outgrows its model's window, by forms."""

from __future__ import annotations

import re
from typing import NamedTuple

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from backends.models import Backend, CatalogueModel
from chat import files
from chat.models import Attachment, Conversation, Cut, CutKind, Generation, Message, Status
from chat.realtime.room import ended_answer
from chat.services.sending import send_message
from privatechathub.accounts.models import User
from tests.chat.context.talking import long_conversation

pytestmark = pytest.mark.django_db

WINDOW = 4096


@pytest.fixture
def play(demo: Backend) -> CatalogueModel:
    """A model with a window."""
    CatalogueModel.objects.update(context_length=WINDOW, loaded=True)
    return CatalogueModel.objects.select_related("backend").get()


@pytest.fixture
def talk(alice: User, play: CatalogueModel) -> Conversation:
    """Ten exchanges, the last of which was counted."""
    found = long_conversation(alice, 10, play.backend)
    Conversation.objects.update(backend=play.backend, model_id="play")
    counted = {"window": WINDOW, "parts": {"prompt": 100, "history": 2000}, "input": 2000, "output": 100}
    Generation.objects.update(context=counted, model_id="play")
    found.refresh_from_db()
    return found


@pytest.fixture
def failed(talk: Conversation, alice: User) -> Message:
    """The answer to one more question, which did not fit."""
    answer = send_message(alice, talk, "And now?", "demo/play", "").answer
    Generation.objects.filter(message=answer).update(
        status=Status.FAILED, error_kind="context_overflow", error_message="The conversation is too long."
    )
    return answer


def line(conversation: Conversation, kind: str = CutKind.DROPPED, **values: object) -> Cut:
    """A line in its middle."""
    ids = conversation.path_ids()
    Conversation.objects.filter(pk=conversation.pk).update(has_cuts=True)
    return Cut.objects.create(
        conversation=conversation, after_id=ids[9], covers_id=ids[9], kind=kind, left_out=10, **values
    )


class Meter(NamedTuple):
    """What a page shows of it."""

    level: str
    text: str


def meter_in(client: Client, conversation: Conversation) -> Meter:
    page = client.get(conversation.get_absolute_url()).content.decode()
    found = re.search(r'<div id="meter" class="meter" data-level="(\w+)"[^>]*>(.*?)</div>', page, re.DOTALL)
    assert found, page
    return Meter(found[1], re.sub(r"<[^>]*>", "", found[2]))


# --- the meter -------------------------------------------------------------------------------------


def test_the_meter_is_exact_after_a_counted_answer(as_alice: Client, talk: Conversation) -> None:
    meter = meter_in(as_alice, talk)
    assert "2,100 of 4,096 tokens" in meter.text
    assert "about" not in meter.text.lower()
    assert meter.level == "ok"


def test_what_came_since_is_estimated_and_said_so(as_alice: Client, failed: Message) -> None:
    meter = meter_in(as_alice, failed.conversation)
    assert "About 2,1" in meter.text


def test_a_window_that_nobody_knows_is_said_so(as_alice: Client, talk: Conversation) -> None:
    CatalogueModel.objects.update(context_length=None)
    meter = meter_in(as_alice, talk)
    assert "How much this model reads at once is not known." in meter.text
    assert meter.level == "unknown"


def test_a_smaller_window_is_overfull(as_alice: Client, talk: Conversation) -> None:
    CatalogueModel.objects.update(context_length=1024)
    meter = meter_in(as_alice, talk)
    assert meter.level == "over"


def test_a_longer_conversation_than_its_page_has_at_least_so_much(
    as_alice: Client, alice: User, play: CatalogueModel
) -> None:
    long = long_conversation(alice, 50, play.backend)
    assert "More than" in meter_in(as_alice, long).text


def test_a_new_chat_has_no_meter(as_alice: Client, play: CatalogueModel) -> None:
    assert 'id="meter"' not in as_alice.get("/").content.decode()


def test_another_model_has_another_window(as_alice: Client, talk: Conversation, play: CatalogueModel) -> None:
    CatalogueModel.objects.create(backend=play.backend, model_id="big", name="Big", context_length=131_072)
    response = as_alice.get(
        reverse("chat:model-health"), {"model": "demo/big"},
        headers={"HX-Request": "true", "HX-Current-URL": f"http://testserver{talk.get_absolute_url()}"},
    )  # fmt: skip
    assert "2,100 of 131,072 tokens" in response.content.decode()


def test_meter_and_lines_cost_no_query_where_nothing_was_cut(as_alice: Client, talk: Conversation) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as caught:
            as_alice.get(talk.get_absolute_url(), headers={"HX-Request": "true"})
        assert not any("chat_cut" in query["sql"] for query in caught)
        return len(caught)

    with_meter = queries()
    Generation.objects.update(context={})
    assert queries() == with_meter


def test_a_line_costs_a_fixed_number_of_queries(as_alice: Client, alice: User, play: CatalogueModel) -> None:
    counts = []
    for exchanges in (20, 300):
        long = long_conversation(alice, exchanges, play.backend)
        line(long)
        with CaptureQueriesContext(connection) as caught:
            as_alice.get(long.get_absolute_url(), headers={"HX-Request": "true"})
        counts.append(len(caught))
    assert counts[0] == counts[1]


# --- the line in the thread ------------------------------------------------------------------------


def test_the_line_stands_where_the_model_begins_to_see(as_alice: Client, talk: Conversation) -> None:
    line(talk)
    page = as_alice.get(talk.get_absolute_url()).content.decode()
    above, _line, below = page.partition("The model does not see the 10 messages above.")
    assert "turn 00009" in above
    assert "turn 00010" not in above
    assert "turn 00010" in below


def test_the_summary_is_read_in_the_thread(as_alice: Client, talk: Conversation) -> None:
    line(talk, CutKind.SUMMARISED, summary="They spoke of <b>tea</b>.")
    page = as_alice.get(talk.get_absolute_url()).content.decode()
    assert "They spoke of &lt;b&gt;tea&lt;/b&gt;." in page
    assert "only a summary of them" in page


def test_the_lowest_line_of_the_path_counts(as_alice: Client, talk: Conversation) -> None:
    line(talk)
    lower = Cut.objects.create(
        conversation=talk, after_id=talk.path_ids()[13], kind=CutKind.DROPPED, left_out=14
    )
    page = as_alice.get(talk.get_absolute_url()).content.decode()
    assert f'id="cut-{lower.pk}"' in page
    assert page.count('class="cut"') == 1


def test_a_line_of_another_branch_is_not_shown(as_alice: Client, talk: Conversation) -> None:
    line(talk)
    Conversation.objects.update(head=talk.path_ids()[5])
    assert 'class="cut"' not in as_alice.get(talk.get_absolute_url()).content.decode()


def test_a_line_further_up_comes_with_the_earlier_messages(
    as_alice: Client, alice: User, play: CatalogueModel
) -> None:
    long = long_conversation(alice, 30, play.backend)
    line(long)
    page = as_alice.get(long.get_absolute_url()).content.decode()
    assert 'class="cut"' not in page
    before = long.path_ids()[30]
    earlier = as_alice.get(f"{long.get_absolute_url()}?before={before}", headers={"HX-Request": "true"})
    assert "10 messages above" in earlier.content.decode()
    lower = Cut.objects.create(conversation=long, after_id=long.path_ids()[39], kind=CutKind.DROPPED)
    earlier = as_alice.get(f"{long.get_absolute_url()}?before={before}", headers={"HX-Request": "true"})
    assert 'class="cut"' not in earlier.content.decode(), f"{lower} is the one that counts"


def test_what_fills_the_window_tells_of_a_line_far_above_the_page(
    as_alice: Client, alice: User, play: CatalogueModel
) -> None:
    long = long_conversation(alice, 30, play.backend)
    url = reverse("chat:context", args=[long.pk])
    assert "does not see" not in as_alice.get(url).content.decode()
    cut = line(long)
    long.refresh_from_db()

    page = as_alice.get(url).content.decode()

    assert "does not see the 10 messages above" in page
    assert reverse("chat:cut-remove", args=[cut.pk]) in page
    Cut.objects.update(kind=CutKind.PROPOSED)
    assert "does not fit" not in as_alice.get(url).content.decode()


# --- decided ---------------------------------------------------------------------------------------


def test_a_failed_answer_offers_the_choice(as_alice: Client, failed: Message) -> None:
    page = as_alice.get(failed.conversation.get_absolute_url()).content.decode()
    for choice in ("drop", "summarise", "new"):
        assert reverse("chat:context-choice", args=[failed.pk, choice]) in page


@pytest.mark.parametrize("choice", ["drop", "summarise"])
def test_the_choice_is_kept_and_the_question_asked_again(
    as_alice: Client, failed: Message, choice: str
) -> None:
    response = as_alice.post(reverse("chat:context-choice", args=[failed.pk, choice]))
    conversation = failed.conversation
    conversation.refresh_from_db()
    assert response.status_code == 302
    assert conversation.overflow == choice
    assert conversation.head is not None
    assert conversation.head.parent_id == failed.parent_id
    assert conversation.head_id != failed.pk


def test_a_new_chat_carries_on_with_question_files_and_settings(
    as_alice: Client, failed: Message, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[str] = []
    monkeypatch.setattr(files, "hold", held.append)
    question = failed.parent
    assert question is not None
    Attachment.objects.create(
        owner=alice,
        message=question,
        name="a.txt",
        media_type="text/plain",
        digest="0" * 64,
        size=3,
        text="abc",
    )
    Message.objects.filter(pk=question.pk).update(attached=1)
    Conversation.objects.update(system_prompt="Be brief.")
    response = as_alice.post(
        reverse("chat:context-choice", args=[failed.pk, "new"]), headers={"HX-Request": "true"}
    )

    new = Conversation.objects.exclude(pk=failed.conversation_id).get()
    assert response["HX-Redirect"] == new.get_absolute_url()
    assert (new.system_prompt, new.overflow, new.model_id) == ("Be brief.", "summarise", "play")
    copy, answer = new.path()
    assert (copy.text, copy.attached, copy.attachments.get().text) == ("And now?", 1, "abc")
    assert question.attachments.count() == 1
    assert held == ["0" * 64], "nobody removes the bytes meanwhile"
    assert answer.generations.get().status == "queued"
    cut = new.cuts.get()
    assert (cut.after_id, cut.covers_id, cut.left_out) == (None, question.parent_id, 20)
    assert "goes on from another one" in as_alice.get(new.get_absolute_url()).content.decode()


def test_a_chat_goes_on_in_a_new_one_before_anything_is_asked(as_alice: Client, talk: Conversation) -> None:
    response = as_alice.post(reverse("chat:carry-on", args=[talk.pk]))
    new = Conversation.objects.exclude(pk=talk.pk).get()
    assert response["Location"] == new.get_absolute_url()
    assert "goes on from another one" in as_alice.get(new.get_absolute_url()).content.decode()


def test_nothing_to_carry_on_with(as_alice: Client, talk: Conversation) -> None:
    Conversation.objects.update(head=None)
    response = as_alice.post(reverse("chat:carry-on", args=[talk.pk]))
    assert "nothing to summarise" in response.content.decode()
    assert Conversation.objects.count() == 1


def test_the_page_shows_parts_and_keeps_the_decision(as_alice: Client, talk: Conversation) -> None:
    url = reverse("chat:context", args=[talk.pk])
    page = as_alice.get(url).content.decode()
    assert "System prompt" in page
    assert "Kept for the answer" in page
    assert "has allocated a window of 4,096 tokens" in page
    assert "<html" not in as_alice.get(url, headers={"HX-Request": "true"}).content.decode()

    as_alice.post(url, {"overflow": "drop"})
    talk.refresh_from_db()
    assert talk.overflow == "drop"
    as_alice.post(url, {"overflow": "nonsense"})
    talk.refresh_from_db()
    assert talk.overflow == "drop"


def test_a_proposal_goes_when_something_else_is_decided(as_alice: Client, talk: Conversation) -> None:
    line(talk, CutKind.PROPOSED)
    as_alice.post(reverse("chat:context", args=[talk.pk]), {"overflow": "drop"})
    assert not Cut.objects.exists()


def test_a_summary_is_edited_written_anew_and_taken_back(as_alice: Client, talk: Conversation) -> None:
    cut = line(talk, CutKind.SUMMARISED, summary="Old.", unread=3)
    url = reverse("chat:cut", args=[cut.pk])
    assert "Old." in as_alice.get(url).content.decode()

    as_alice.post(url, {"summary": "Mine.\r\nReally."})
    cut.refresh_from_db()
    assert (cut.summary, cut.edited, cut.unread) == ("Mine.\nReally.", True, 0)
    assert "Edited by you." in as_alice.get(talk.get_absolute_url()).content.decode()

    refused = as_alice.post(url, {"summary": "x" * 20_001})
    assert refused.status_code == 422
    cut.refresh_from_db()
    assert cut.edited

    as_alice.post(url, {"summary": "ignored", "rewrite": "1"})
    cut.refresh_from_db()
    assert cut.awaits_summary
    assert "is written before the next answer" in as_alice.get(talk.get_absolute_url()).content.decode()

    as_alice.post(reverse("chat:cut-remove", args=[cut.pk]))
    assert not Cut.objects.exists()


# --- strangers -------------------------------------------------------------------------------------


def test_a_stranger_finds_nothing(as_bob: Client, as_ada: Client, failed: Message) -> None:
    cut = line(failed.conversation, CutKind.SUMMARISED, summary="Secret.")
    conversation = failed.conversation_id
    for client in (as_bob, as_ada):
        assert client.get(reverse("chat:context", args=[conversation])).status_code == 404
        assert (
            client.post(reverse("chat:context", args=[conversation]), {"overflow": "drop"}).status_code == 404
        )
        assert client.post(reverse("chat:carry-on", args=[conversation])).status_code == 404
        for choice in ("drop", "summarise", "new", "nonsense"):
            assert client.post(reverse("chat:context-choice", args=[failed.pk, choice])).status_code == 404
        assert client.get(reverse("chat:cut", args=[cut.pk])).status_code == 404
        assert client.post(reverse("chat:cut", args=[cut.pk]), {"summary": "Theirs."}).status_code == 404
        assert client.post(reverse("chat:cut-remove", args=[cut.pk])).status_code == 404
    cut.refresh_from_db()
    assert cut.summary == "Secret."
    assert Conversation.objects.get().overflow == "ask"


def test_nobody_is_asked_to_sign_in(client: Client, failed: Message) -> None:
    cut = line(failed.conversation)
    for url in (reverse("chat:context", args=[failed.conversation_id]), reverse("chat:cut", args=[cut.pk])):
        assert "/accounts/login/" in client.get(url)["Location"]


def test_an_unknown_choice_is_no_address(as_alice: Client, failed: Message) -> None:
    assert as_alice.post(reverse("chat:context-choice", args=[failed.pk, "nonsense"])).status_code == 404


# --- beside it -------------------------------------------------------------------------------------


def test_a_fork_takes_lines_and_decision_along(as_alice: Client, talk: Conversation) -> None:
    line(talk, CutKind.SUMMARISED, summary="Tea.")
    Conversation.objects.update(overflow="summarise")
    as_alice.post(reverse("chat:message-fork", args=[talk.head_id]))
    fork = Conversation.objects.exclude(pk=talk.pk).get()
    assert (fork.overflow, fork.cuts.get().summary) == ("summarise", "Tea.")
    assert "Tea." in as_alice.get(fork.get_absolute_url()).content.decode()
    assert talk.cuts.count() == 1


def test_an_answer_that_filled_the_window_says_so(as_alice: Client, talk: Conversation) -> None:
    full = {"window": WINDOW, "parts": {"history": 3000}, "input": 3000, "output": WINDOW - 3000}
    Generation.objects.update(context=full, finish_reason="length")
    page = as_alice.get(talk.get_absolute_url()).content.decode()
    assert "window is full" in page
    Generation.objects.update(context=full | {"output": 100})
    page = as_alice.get(talk.get_absolute_url()).content.decode()
    assert "reached the length limit" in page


def test_the_meter_at_the_end_of_an_answer_costs_one_query(talk: Conversation) -> None:
    def queries() -> tuple[int, str]:
        with CaptureQueriesContext(connection) as caught:
            *_rest, meter = ended_answer(talk.head_id or 0, str(talk.pk))
        return len(caught), meter

    with_meter, meter = queries()
    assert "2,100 of 4,096 tokens" in meter
    Generation.objects.update(context={})
    without, nothing = queries()
    assert (with_meter - without, nothing) == (1, "")
