"""The address of a message opens its conversation there, on its branch."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from chat.models import Conversation, Generation, Message, Status
from chat.permalinks import permalink
from tests.chat.page import read
from tests.chat.tree.conftest import add, chain

pytestmark = pytest.mark.django_db


def ids(response_text: str) -> list[int]:
    return [
        int(tag.attributes["id"].removeprefix("message-"))
        for tag in read(response_text).all("article")
        if "id" in tag.attributes
    ]


def get(client: Client, url: str, **headers: str) -> str:
    response = client.get(url.partition("#")[0], headers=headers)
    assert response.status_code == 200, response
    return response.content.decode()


def test_a_message_of_long_ago_stands_among_its_neighbours(as_alice: Client, talk: Conversation) -> None:
    rows = chain(talk, 100)
    url = permalink(rows[40])
    assert url == f"/chat/{talk.pk}/?message={rows[40].pk}#message-{rows[40].pk}"
    html = get(as_alice, url)
    assert ids(html) == [row.pk for row in rows[31:61]]
    page = read(html)
    assert page.one("a", id="earlier").attributes["href"].endswith(f"?before={rows[31].pk}")
    later = page.one("a", id="later").attributes["href"]
    assert later.endswith(f"?after={rows[60].pk}")
    assert ids(get(as_alice, later, **{"HX-Request": "true"})) == [row.pk for row in rows[61:91]]
    last = get(as_alice, f"{talk.get_absolute_url()}?after={rows[90].pk}", **{"HX-Request": "true"})
    assert ids(last) == [row.pk for row in rows[91:]]
    assert not read(last).all("a", id="later")


def test_a_message_near_the_end_is_on_the_ordinary_page(as_alice: Client, talk: Conversation) -> None:
    rows = chain(talk, 50)
    html = get(as_alice, permalink(rows[30]))
    assert ids(html) == [row.pk for row in rows[20:]]
    assert not read(html).all("a", id="later")
    talk.refresh_from_db()
    assert talk.revision == 0


def test_a_message_of_another_branch_changes_the_view(as_alice: Client, talk: Conversation) -> None:
    rows = chain(talk, 4)
    other = add(talk, rows[1], "another question")
    below = add(talk, other, "its answer", "assistant")
    html = get(as_alice, permalink(other))
    assert ids(html) == [rows[0].pk, rows[1].pk, other.pk, below.pk]
    talk.refresh_from_db()
    assert (talk.head_id, talk.revision) == (below.pk, 1)
    assert ids(get(as_alice, permalink(rows[2]))) == [row.pk for row in rows]


def test_a_shared_message_opens_in_the_fork_too(as_alice: Client, talk: Conversation) -> None:
    rows = chain(talk, 60)
    fork = Conversation.objects.create(
        owner=talk.owner, forked_from=rows[49], head=rows[49], updated_at=timezone.now()
    )
    assert ids(get(as_alice, permalink(rows[5], fork.pk)))[5] == rows[5].pk
    assert as_alice.get(f"/chat/{fork.pk}/?message={rows[55].pk}").status_code == 404


@pytest.mark.parametrize("name", ["message", "around", "before", "after"])
def test_a_stranger_sees_nothing(as_alice: Client, as_bob: Client, talk: Conversation, name: str) -> None:
    rows = chain(talk, 3)
    own = Conversation.objects.create(owner_id=as_bob.session["_auth_user_id"], updated_at=timezone.now())
    mine = chain(own, 2)
    assert as_bob.get(f"/chat/{talk.pk}/?{name}={rows[0].pk}").status_code == 404
    response = as_bob.get(f"/chat/{own.pk}/?{name}={rows[0].pk}")
    if name == "message":
        assert response.status_code == 404
    else:
        assert ids(response.content.decode()) == [row.pk for row in mine]


def test_a_deleted_message_has_no_address(as_alice: Client, talk: Conversation) -> None:
    rows = chain(talk, 3)
    Message.objects.filter(pk=rows[2].pk).update(deleted_at=timezone.now())
    talk.head = rows[1]
    talk.save()
    assert as_alice.get(permalink(rows[2]).partition("#")[0]).status_code == 404


@pytest.mark.parametrize("value", ["", "x", "-1", "1" * 30, "٣", "1.5"])
def test_an_address_without_sense_opens_the_end(as_alice: Client, talk: Conversation, value: str) -> None:
    rows = chain(talk, 40)
    html = get(as_alice, f"{talk.get_absolute_url()}?message={value}")
    assert ids(html) == [row.pk for row in rows[10:]]


def test_the_view_stays_while_an_answer_is_being_written(as_alice: Client, talk: Conversation) -> None:
    rows = chain(talk, 2)
    other = add(talk, rows[0], "another answer", "assistant")
    Generation.objects.create(message=rows[1], backend_name="Demo", model_id="play", status=Status.RUNNING)
    response = as_alice.get(f"/chat/{talk.pk}/?message={other.pk}", follow=True)
    assert "still being written" in response.content.decode()
    talk.refresh_from_db()
    assert talk.head_id == rows[1].pk
