"""What a fork shows of the conversation that it came from opens there, whatever becomes of that one."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from chat.models import Activity, Conversation, Generation, Status
from chat.models.activity import PREVIEW
from chat.services import branches, deleting, order
from chat.services.sending import Sent
from privatechathub.accounts.models import User
from tests.chat.page import read

Ask = Callable[..., Sent]
OUTPUT = "x" * PREVIEW + " the end"


@pytest.fixture
def sent(ask: Ask) -> Sent:
    """An answer for which a tool said a lot, with a receipt."""
    found = ask()
    kept = {
        "turns": [[found.question.pk] * 2],
        "rounds": [{"sha256": "0" * 64, "steps": 0, "tools": False}],
    }
    Generation.objects.update(status=Status.COMPLETED, receipt=kept)
    found.answer.text = "Yes."
    found.answer.save()
    Activity.objects.create(
        generation=found.generation,
        position=0,
        name="ls",
        state="done",
        output=OUTPUT,
        output_size=len(OUTPUT),
        started_at=timezone.now(),
    )
    return found


def forked(sent: Sent) -> Conversation:
    return branches.fork(sent.conversation, sent.answer)


def doors(browser: Client, fork: Conversation) -> set[str]:
    """Where the fork's page and its details lead for the answer."""
    page = read(browser.get(fork.get_absolute_url()))
    found = {str(tag.attributes.get("href")) for tag in page.all("a")}
    outputs = {url for url in found if "/output/" in url}
    details = next(url for url in found if "/details/" in url)
    page = read(browser.get(details))
    receipts = {
        str(tag.attributes.get("href"))
        for tag in page.all("a")
        if "/receipt" in str(tag.attributes.get("href"))
    }
    assert len(outputs) == len(receipts) == 1
    receipt = next(iter(receipts))
    parts = {receipt.replace("?", f"{part}/?") for part in ("request", "receipt")}
    return {details, *outputs, *receipts, *parts}


@pytest.mark.parametrize("what", ["nothing", "message", "conversation"])
def test_shared_answers_open_from_the_fork_and_for_nobody_else(
    what: str, sent: Sent, alice: User, as_alice: Client, as_bob: Client, as_ada: Client
) -> None:
    fork = forked(sent)
    if what == "message":
        deleting.delete_branch(sent.conversation, sent.question)
    elif what == "conversation":
        order.delete(alice, [sent.conversation.pk])

    found = doors(as_alice, fork)
    assert [as_alice.get(url).status_code for url in found] == [200] * 5
    for stranger in (as_bob, as_ada):
        assert [stranger.get(url).status_code for url in found] == [404] * 5
    output = next(url for url in found if "/output/" in url)
    assert as_alice.get(output).content.decode() == OUTPUT


@pytest.mark.parametrize("what", ["message", "conversation"])
def test_what_nobody_shows_any_more_does_not_open(
    what: str, sent: Sent, alice: User, as_alice: Client
) -> None:
    fork = forked(sent)
    found = doors(as_alice, fork)
    if what == "message":
        deleting.delete_branch(sent.conversation, sent.question)
    else:
        order.delete(alice, [sent.conversation.pk])
    order.delete(alice, [fork.pk])

    bare = {url.partition("?")[0] for url in found}
    assert [as_alice.get(url).status_code for url in found | bare] == [404] * len(found | bare)


def test_what_was_deleted_before_the_fork_does_not_open_from_it(
    sent: Sent, ask: Ask, alice: User, as_alice: Client
) -> None:
    more = ask("More?", sent.conversation)
    Generation.objects.update(status=Status.COMPLETED)
    deleting.delete_message(sent.conversation, sent.answer)
    sent.conversation.refresh_from_db()
    branches.fork(sent.conversation, more.answer)

    activity = Activity.objects.get()
    for url in (
        reverse("chat:activity-output", args=[activity.pk]),
        reverse("chat:receipt", args=[sent.generation.pk]),
    ):
        assert as_alice.get(url).status_code == 404


def test_the_answer_whose_request_was_repeated_opens_from_the_fork(
    sent: Sent, ask: Ask, alice: User, as_alice: Client
) -> None:
    fork = forked(sent)
    repeated = ask("Once more", fork)
    kept = Generation.objects.get(pk=sent.generation.pk).receipt
    Generation.objects.filter(pk=repeated.generation.pk).update(
        status=Status.COMPLETED, receipt=kept, repeats=sent.generation.pk
    )
    order.delete(alice, [sent.conversation.pk])

    page = as_alice.get(reverse("chat:receipt", args=[repeated.generation.pk]))
    url = page.context["receipt"].repeated.url

    assert as_alice.get(url).status_code == 200
    order.delete(alice, [fork.pk])
    assert as_alice.get(url).status_code == 404


def test_a_shared_answer_that_is_compared_leads_to_its_receipt(
    sent: Sent, ask: Ask, alice: User, as_alice: Client
) -> None:
    fork = forked(sent)
    fork.messages.create(role="assistant", text="No.", parent=sent.question)
    order.delete(alice, [sent.conversation.pk])

    page = as_alice.get(
        reverse("chat:compare-answers", args=[sent.answer.pk]), {"conversation": str(fork.pk)}
    )

    assert as_alice.get(page.context["comparison"].first_receipt).status_code == 200
