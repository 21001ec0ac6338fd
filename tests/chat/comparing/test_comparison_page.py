"""The page that compares two answers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chat.models import Generation, Message, Status
from chat.services import branches, order
from chat.services.sending import Sent
from privatechathub.accounts.models import User
from tests.chat.page import faults, read

Ask = Callable[..., Sent]


@pytest.fixture
def answered(ask: Ask) -> Sent:
    """A question with one answer."""
    sent = ask("What is the capital?")
    Message.objects.filter(pk=sent.answer.pk).update(text="The capital of France is Paris.\n\nThe end.")
    Generation.objects.update(status=Status.COMPLETED, ttft_ms=640, output_tokens=9, **receipt())
    return sent


def receipt(**values: object) -> dict[str, object]:
    return {"receipt": {"rounds": [{"sha256": "a"}], "turns": [[1, 1]], "options": {"seed": 1}, **values}}


def another(sent: Sent, text: str = "The capital of Italy is Rome.\n\nThe end.", **values: object) -> Message:
    """One more answer to it."""
    answer = Message.objects.create(
        conversation=sent.conversation, parent=sent.question, role="assistant", text=text
    )
    now = timezone.now()
    Generation.objects.create(
        message=answer,
        backend=sent.generation.backend,
        backend_name="Demo",
        model_name="Play",
        status=Status.COMPLETED,
        started_at=now,
        finished_at=now + timedelta(seconds=2),
        **({"ttft_ms": 900, "model_id": "play", "output_tokens": 9} | receipt() | values),
    )
    return answer


def compared(browser: Client, answer: Message, query: str = "") -> HttpResponse:
    response: HttpResponse = browser.get(f"/messages/{answer.pk}/compare/{query}")
    return response


def words(response: HttpResponse) -> str:
    return " ".join(" ".join(read(response).texts()).split())


def test_two_answers_stand_beside_each_other_with_what_differs(answered: Sent, as_alice: Client) -> None:
    second = another(answered)

    response = compared(as_alice, second)

    assert not faults(response)
    page = read(response)
    assert [tag.text for tag in page.all("del")][1:] == ["France is Paris"]  # the first is the legend
    assert [tag.text for tag in page.all("ins")][1:] == ["Italy is Rome"]
    shown = words(response)
    for text in ("only in the first:", "only in the second:", "640 ms", "900 ms", "Answer 1", "Answer 2"):
        assert text in shown
    assert "Both were asked exactly the same." in shown
    assert not page.all("select")


def test_what_was_asked_differently_is_named(answered: Sent, as_alice: Client) -> None:
    second = another(answered, model_id="other", **receipt(options={}))

    assert "What was asked differs in: the model, the options." in words(compared(as_alice, second))


def test_of_three_any_two_can_be_chosen(answered: Sent, as_alice: Client) -> None:
    second, third = another(answered), another(answered, "Something else.")

    default = read(compared(as_alice, third))
    chosen = read(compared(as_alice, third, f"?first={third.pk}&second={answered.answer.pk}"))

    picked = [
        [tag.attributes["value"] for tag in page.all("option") if "selected" in tag.attributes]
        for page in (default, chosen)
    ]
    assert picked == [[str(second.pk), str(third.pk)], [str(third.pk), str(answered.answer.pk)]]


@pytest.mark.parametrize(
    "query", ["?first=999999&second=1", "?first=x", "?first=", "?second=٣", "?first=" + "9" * 5000]
)
def test_what_is_no_answer_to_that_question_is_not_compared(
    query: str, answered: Sent, as_alice: Client
) -> None:
    second = another(answered)

    assert "Italy" in words(compared(as_alice, second, query))


def test_somebody_else_s_answer_cannot_be_named(
    answered: Sent, as_alice: Client, as_bob: Client, bob: User
) -> None:
    second = another(answered)
    theirs = type(answered.conversation).objects.create(owner=bob, updated_at=timezone.now())
    secret = Message.objects.create(
        conversation=theirs, parent=answered.question, role="assistant", text="Bob's secret"
    )

    for url in (f"?first={secret.pk}&second={second.pk}", ""):
        assert "secret" not in words(compared(as_alice, second, url))
    assert compared(as_bob, second).status_code == 404
    assert compared(as_alice, secret).status_code == 404


def test_an_only_answer_a_question_and_a_deleted_answer_are_not_compared(
    answered: Sent, as_alice: Client
) -> None:
    assert compared(as_alice, answered.answer).status_code == 404
    second = another(answered)
    assert compared(as_alice, answered.question).status_code == 404
    Message.objects.filter(pk=second.pk).update(deleted_at=timezone.now())
    assert compared(as_alice, answered.answer).status_code == 404


def test_an_answer_in_a_deleted_fork_is_not_compared(answered: Sent, as_alice: Client, alice: User) -> None:
    fork = branches.fork(answered.conversation, answered.answer)
    Message.objects.create(conversation=fork, parent=answered.question, role="assistant", text="In the fork")
    details = f"/messages/{answered.answer.pk}/details/"

    assert "fork" in words(compared(as_alice, answered.answer))
    order.delete(alice, [fork.pk])

    assert compared(as_alice, answered.answer).status_code == 404
    assert "/compare/" not in as_alice.get(details).content.decode()


def test_equal_answers_and_hand_written_ones(answered: Sent, as_alice: Client) -> None:
    same = another(answered, "The capital of France is Paris.\n\nThe end.")
    assert "Both answers say the same, to the letter." in words(compared(as_alice, same))
    Generation.objects.filter(message=same).delete()
    Message.objects.filter(pk=same.pk).update(edited=True)

    response = compared(as_alice, same)

    assert not faults(response)
    assert "edited by you" in words(response)


def test_markup_in_answers_is_text(answered: Sent, as_alice: Client) -> None:
    response = compared(as_alice, another(answered, "<script>alert(1)</script> **bold**"))

    assert not faults(response)
    assert "<script>alert(1)</script> **bold**" in words(response)


def test_the_number_of_queries_does_not_grow_with_answers(answered: Sent, as_alice: Client) -> None:
    counts = []
    for _more in range(3):
        answer = another(answered)
        with CaptureQueriesContext(connection) as queries:
            compared(as_alice, answer)
        counts.append(len(queries))
    assert len(set(counts)) == 1
