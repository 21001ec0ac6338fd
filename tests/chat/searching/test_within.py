"""Finding something in one conversation, and in the columns of a comparison."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from backends.models import Backend, CatalogueModel
from chat.models import Comparison, Generation, Message, Status
from chat.presenting.found import found_view, within_view
from chat.services import order
from chat.services.branches import fork
from chat.services.comparing import Wish, begin_comparison
from chat.services.deleting import delete_branch, delete_message, undo
from chat.services.sending import Sent
from privatechathub.accounts.models import User
from tests.chat.page import faults

Ask = Callable[..., Sent]


@pytest.fixture
def long(ask: Ask) -> Sent:
    """A conversation of which the beginning is not on its page."""
    sent = ask("Where do walruses sleep?")
    Message.objects.filter(pk=sent.answer.pk).update(text="On the ice.", reasoning="A walrus is heavy.")
    Generation.objects.update(status=Status.COMPLETED)
    above = sent.answer
    for number in range(40):
        above = Message.objects.create(
            conversation=sent.conversation, parent=above, role="user", text=f"Number {number}"
        )
    type(sent.conversation).objects.filter(pk=sent.conversation.pk).update(head=above)
    sent.conversation.refresh_from_db()
    return sent


@pytest.fixture
def compared(alice: User, demo: Backend) -> Comparison:
    """Two columns that were asked the same."""
    CatalogueModel.objects.create(backend=demo, model_id="second", name="Second")
    comparison = begin_comparison(
        alice, "Where do walruses sleep?", [Wish("demo/play"), Wish("demo/second")], "k"
    )
    Message.objects.filter(role="assistant").update(text="Walruses sleep on ice.")
    Generation.objects.update(status=Status.COMPLETED)
    return comparison


def test_what_is_not_loaded_is_found_and_opens_there(long: Sent, as_alice: Client, ask: Ask) -> None:
    ask("A walrus of another conversation")
    url = f"/chat/{long.conversation.pk}/"
    page = as_alice.get(url).content.decode()
    assert f'id="message-{long.question.pk}"' not in page
    assert f'href="{url}find/"' in page
    assert f'href="{url}find/"' in as_alice.get(f"{url}menu/").content.decode()
    assert not faults(as_alice.get(f"{url}find/"))

    response = as_alice.get(f"{url}find/?q=walrus")

    assert not faults(response)
    text = response.content.decode()
    assert "another" not in text
    for message in (long.question, long.answer):
        assert f'href="{url}?message={message.pk}#message-{message.pk}"' in text
    opened = as_alice.get(f"{url}?message={long.question.pk}").content.decode()
    assert f'id="message-{long.question.pk}"' in opened


def test_nothing_filters_and_what_means_nothing(long: Sent, as_alice: Client) -> None:
    url = f"/chat/{long.conversation.pk}/find/"

    assert "Nothing was found" in as_alice.get(f"{url}?q=giraffe").content.decode()
    assert "from:nobody" in as_alice.get(f"{url}?q=from:nobody").content.decode()
    mine = within_view(long.conversation, "from:me number", 1)
    assert len(mine.hits) == 40
    assert len(within_view(long.conversation, "from:me").hits) == 41
    assert [hit.label for hit in within_view(long.conversation, "from:model").hits] == ["Answer"]
    for page in ("0", "x", "99999"):
        assert as_alice.get(f"{url}?q=walrus&page={page}").status_code == 200


def test_what_was_deleted_is_not_found(long: Sent) -> None:
    Message.objects.filter(pk=long.question.pk).update(deleted_at=long.conversation.updated_at)

    hits = within_view(long.conversation, "walrus").hits

    assert [hit.label for hit in hits] == ["Thinking"]


def test_a_fork_finds_what_it_shares(long: Sent) -> None:
    made = fork(long.conversation, long.answer)

    urls = [hit.url for hit in within_view(made, "walrus").hits]

    home = f"/chat/{made.pk}/"
    assert urls == [f"{home}?message={m.pk}#message-{m.pk}" for m in (long.question, long.answer)]
    assert not within_view(made, "number").hits


def test_a_fork_does_not_find_what_was_deleted_before_and_is_back_in_its_origin(long: Sent) -> None:
    delete_message(long.conversation, long.answer)
    long.conversation.refresh_from_db()
    made = fork(long.conversation, long.conversation.path()[2])
    undo(long.conversation)

    assert [hit.label for hit in within_view(made, "walrus").hits] == ["You"]
    assert [hit.label for hit in within_view(made, "from:model").hits] == []
    assert [hit.label for hit in within_view(long.conversation, "walrus").hits] == ["You", "Thinking"]


@pytest.mark.parametrize("what", ["message", "conversation"])
def test_a_fork_finds_what_it_shares_though_that_is_deleted(
    what: str, long: Sent, alice: User, as_alice: Client
) -> None:
    made = fork(long.conversation, long.answer)
    if what == "message":
        delete_branch(long.conversation, long.question)
    else:
        order.delete(alice, [long.conversation.pk])

    hits = within_view(made, "walrus").hits

    assert [hit.label for hit in hits] == ["You", "Thinking"]
    assert [as_alice.get(hit.url).status_code for hit in hits] == [200, 200]


def test_strangers_find_nothing(long: Sent, as_bob: Client) -> None:
    assert as_bob.get(f"/chat/{long.conversation.pk}/find/?q=walrus").status_code == 404


def test_the_number_of_queries_does_not_grow_with_hits(long: Sent) -> None:
    def queries(text: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            within_view(long.conversation, text)
        return len(captured)

    assert queries("number") == queries('"number 7"')


def test_a_comparison_is_found_once(compared: Comparison, alice: User, as_alice: Client) -> None:
    (group,) = found_view(alice, "walruses").groups

    assert group.url == compared.get_absolute_url()
    assert sorted(hit.label for hit in group.hits) == ["Play", "Second", "You"]
    assert all(hit.url.startswith(f"{group.url}?message=") for hit in group.hits)
    for hit in group.hits:
        assert as_alice.get(hit.url).status_code == 200
    assert len(found_view(alice, "from:model").groups) == 1
    assert as_alice.get("/switcher/").content.decode().count(f' href="{group.url}"') == 1
    compared.columns.first().tags.create(owner=alice, name="sea")  # type: ignore[union-attr]
    assert len(found_view(alice, "tag:sea").groups) == 1


def test_a_comparison_is_searched_as_one(compared: Comparison, as_alice: Client, as_bob: Client) -> None:
    first = compared.columns.get(column=0)
    url = f"/chat/{first.pk}/find/?q=sleep"

    text = as_alice.get(url).content.decode()

    assert ">Play</span>" in text
    assert ">Second</span>" in text
    assert f'href="/chat/{first.pk}/find/"' in as_alice.get(compared.get_absolute_url()).content.decode()
    assert as_bob.get(url).status_code == 404
