"""A line that a person draws: above a question or below an answer, never in silence, and taken away again."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from backends.models import CatalogueModel
from chat.generation.prompt import prepare
from chat.models import Conversation, Cut, CutKind, Generation, Message, Status
from chat.services import branches
from chat.services.context import leave_out, line_above
from chat.services.sending import send_message
from privatechathub.accounts.models import User
from tests.chat.context.talking import long_conversation
from tests.chat.page import faults

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


@pytest.fixture
def talk(alice: User, demo: object) -> Conversation:
    """Five exchanges, the last of which was counted by its server."""
    model = CatalogueModel.objects.select_related("backend").get()
    CatalogueModel.objects.update(context_length=8192)
    found = long_conversation(alice, 5, model.backend)
    Conversation.objects.update(backend=model.backend, model_id="play")
    counted = {"window": 8192, "parts": {"history": 1000}, "input": 1000, "output": 100}
    Generation.objects.update(context=counted, model_id="play")
    found.refresh_from_db()
    return found


def message(talk: Conversation, at: int) -> Message:
    return Message.objects.get(pk=talk.path_ids()[at])


def sent(alice: User, talk: Conversation) -> list[str]:
    """What the model would be asked, by the first words of the turns."""
    talk.refresh_from_db()
    generation = send_message(alice, talk, "And now?", "demo/play", "").generation
    request = prepare(generation.pk).request
    Generation.objects.filter(pk=generation.pk).update(status=Status.COMPLETED)
    return [turn.text[:10] for turn in request.messages]


def menu_of(client: Client, row: Message, conversation: Conversation) -> str:
    address = f"/messages/{row.pk}/menu/?conversation={conversation.pk}"
    return client.get(address, headers=HTMX).content.decode()


def thread(client: Client, talk: Conversation) -> str:
    response = client.get(talk.get_absolute_url())
    assert not faults(response)
    return response.content.decode()


@pytest.mark.parametrize(
    ("at", "words", "left_out", "first"),
    [
        (6, "Leave out everything above", 6, "turn 00006"),
        (5, "Leave out everything up to here", 6, "turn 00006"),
        (9, "Leave out everything up to here", 10, "And now?"),
    ],
)
def test_a_person_draws_the_line_and_sees_it(
    talk: Conversation, alice: User, as_alice: Client, at: int, words: str, left_out: int, first: str
) -> None:
    row = message(talk, at)
    menu = menu_of(as_alice, row, talk)
    assert words in menu
    assert f'hx-post="/messages/{row.pk}/leave-out/"' in menu

    answer = as_alice.post(f"/messages/{row.pk}/leave-out/", {"conversation": str(talk.pk)})

    assert answer.headers["Location"].startswith(talk.get_absolute_url())
    page = thread(as_alice, talk)
    sentence = f"The model does not see the {left_out} messages above."
    assert page.count(sentence) == 1
    below = page.partition(sentence)[2]
    shown = re.search(r'<article id="message-(\d+)"', below)
    assert (shown and int(shown[1])) == (message(talk, left_out).pk if left_out < 10 else None)
    assert "1,100 of" not in page
    assert sentence in as_alice.get(f"/chat/{talk.pk}/context/").content.decode()
    assert sent(alice, talk)[0] == first
    assert thread(as_alice, talk).count(sentence) == 1


def test_undo_shows_the_model_what_it_saw_before(talk: Conversation, alice: User, as_alice: Client) -> None:
    leave_out(talk, message(talk, 2))
    leave_out(talk, message(talk, 9))
    lower = Cut.objects.latest("created_at")
    page = thread(as_alice, talk)
    assert f'form="actions" formaction="/cuts/{lower.pk}/remove/"' in page
    assert (
        f'formaction="/cuts/{lower.pk}/remove/"' in as_alice.get(f"/chat/{talk.pk}/context/").content.decode()
    )

    anew = as_alice.post(f"/cuts/{lower.pk}/remove/", headers=HTMX)

    assert "The model does not see the 2 messages above." in anew.content.decode()
    assert sent(alice, talk)[0] == "turn 00002"
    as_alice.post(f"/cuts/{Cut.objects.get().pk}/remove/")
    assert "does not see" not in thread(as_alice, talk)
    assert "1,100 of 8,192 tokens" not in thread(as_alice, talk)  # a question came since
    assert sent(alice, talk)[0] == "turn 00000"


def test_the_meter_is_exact_again_once_the_line_is_gone(talk: Conversation, as_alice: Client) -> None:
    assert "1,100 of 8,192 tokens" in thread(as_alice, talk)
    leave_out(talk, message(talk, 8))
    assert "about 2" in thread(as_alice, talk)
    as_alice.post(f"/cuts/{Cut.objects.get().pk}/remove/")
    assert "1,100 of 8,192 tokens" in thread(as_alice, talk)


def test_it_is_offered_only_where_it_changes_something(
    talk: Conversation, alice: User, as_alice: Client
) -> None:
    rows = [message(talk, at) for at in range(10)]
    assert line_above(talk, rows[0]) is None
    assert "Leave out" not in menu_of(as_alice, rows[0], talk)

    leave_out(talk, rows[4])
    talk.refresh_from_db()

    assert [line_above(talk, row) for row in rows[:5]] == [None] * 5
    assert [line_above(talk, row) for row in rows[5:8]] == [rows[5].pk, rows[5].pk, rows[7].pk]
    refused = as_alice.post(f"/messages/{rows[2].pk}/leave-out/", {"conversation": str(talk.pk)}, follow=True)
    assert "The model does not see what is above anyway." in refused.content.decode()
    assert Cut.objects.count() == 1


def test_a_line_that_was_only_proposed_gives_way(talk: Conversation, as_alice: Client) -> None:
    row = message(talk, 3)
    Conversation.objects.update(has_cuts=True)
    Cut.objects.create(conversation=talk, after=row, covers=row, kind=CutKind.PROPOSED, left_out=4)
    talk.refresh_from_db()

    leave_out(talk, message(talk, 4))

    assert [(cut.kind, cut.after_id) for cut in Cut.objects.all()] == [(CutKind.DROPPED, row.pk)]


def test_not_on_a_branch_that_is_not_shown(talk: Conversation, alice: User, as_alice: Client) -> None:
    row = message(talk, 9)
    send = Message.objects.create(
        conversation=talk, parent_id=row.parent_id, role=row.role, text="Another", edited=True
    )
    Conversation.objects.filter(pk=talk.pk).update(head=send)
    talk.refresh_from_db()

    assert line_above(talk, row) is None
    assert line_above(talk, send) == send.pk


def test_a_fork_draws_its_own_line_among_what_it_shares(
    talk: Conversation, alice: User, as_alice: Client
) -> None:
    row = message(talk, 4)
    fork = branches.fork(talk, message(talk, 7))
    assert "Leave out everything above" in menu_of(as_alice, row, fork)

    as_alice.post(f"/messages/{row.pk}/leave-out/", {"conversation": str(fork.pk)})

    assert "does not see the 4 messages above" in thread(as_alice, fork)
    assert "does not see" not in thread(as_alice, talk)
    assert sent(alice, fork)[0] == "turn 00004"
    assert sent(alice, talk)[0] == "turn 00000"


def test_not_while_an_answer_is_written_and_not_by_others(
    talk: Conversation, alice: User, as_alice: Client, as_bob: Client
) -> None:
    row = message(talk, 4)
    address = f"/messages/{row.pk}/leave-out/"
    assert as_bob.post(address, {"conversation": str(talk.pk)}).status_code == 404
    assert as_bob.post(address).status_code == 404
    assert Client().post(address).status_code == 302
    assert as_alice.get(address).status_code == 405

    send_message(alice, talk, "And now?", "demo/play", "")
    page = as_alice.post(address, {"conversation": str(talk.pk)}, follow=True).content.decode()

    assert "An answer is still being written." in page
    assert not Cut.objects.exists()
