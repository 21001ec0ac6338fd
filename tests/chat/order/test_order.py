"""Pins, archive, tags, deleting and having back; and what is purged."""

from __future__ import annotations

import io
import json
import uuid
import zipfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backends.database import close_connections, in_database
from chat import trash
from chat.generation.recorder import save_end
from chat.generation.recovery import new_run
from chat.models import Conversation, Generation, Message, Project, Status, Tag
from chat.presenting.sidebar import SIDEBAR_PAGE, sidebar_view
from chat.realtime.room import revision_and_active
from chat.services import order, upcoming
from chat.services.answers import retry
from chat.services.editing import put_answer
from chat.services.refusals import Refused
from chat.services.sending import Sent, send_message
from chat.transfer import loading, saving
from chat.transfer.formats import hub
from chat.transfer.planning import bring_in_one
from chat.transfer.writing import as_json
from privatechathub.accounts.models import User

Ask = Callable[..., Sent]


@pytest.fixture
def talk(ask: Ask) -> Conversation:
    """A conversation of Alice's whose answer was given."""
    conversation = ask("Tides").conversation
    Generation.objects.update(status=Status.COMPLETED)
    return conversation


def titles(user: User) -> list[tuple[str, list[str]]]:
    """What the sidebar lists."""
    return [(group.label, [item.title for item in group.items]) for group in sidebar_view(user).groups]


def test_pinned_ones_stand_on_top_and_nowhere_else(alice: User, ask: Ask) -> None:
    old = ask("Older").conversation
    ask("Newer")
    assert order.pin(alice, [old.pk], on=True) == 1
    assert titles(alice) == [("Pinned", ["Older"]), ("Today", ["Newer"])]
    order.pin(alice, [old.pk], on=False)
    assert titles(alice) == [("Today", ["Newer", "Older"])]


def test_archived_ones_leave_the_list_until_something_is_asked_there(
    alice: User, ask: Ask, talk: Conversation
) -> None:
    order.pin(alice, [talk.pk], on=True)
    order.archive(alice, [talk.pk], on=True)
    assert titles(alice) == []
    ask("And ebb?", talk)
    assert titles(alice) == [("Today", ["Tides"])]


def test_what_is_deleted_is_gone_everywhere_and_can_be_had_back(
    alice: User, as_alice: Client, talk: Conversation
) -> None:
    message = talk.messages.get(role="user")
    _count, moment = order.delete(alice, [talk.pk])
    for path in (f"/chat/{talk.pk}/", f"/messages/{message.pk}/raw/", f"/chat/{talk.pk}/export/"):
        assert as_alice.get(path).status_code == 404
    assert titles(alice) == []

    response = as_alice.post("/conversations/restore/", {"moment": moment.isoformat()})

    assert response["Location"] == f"/chat/{talk.pk}/"
    assert titles(alice) == [("Today", ["Tides"])]


def test_nobody_elses_deletion_is_undone(alice: User, as_bob: Client, talk: Conversation) -> None:
    _count, moment = order.delete(alice, [talk.pk])
    as_bob.post("/conversations/restore/", {"moment": moment.isoformat()})
    as_bob.post("/conversations/change/", {"conversation": talk.pk, "action": "restore"})
    as_bob.post("/conversations/change/", {"conversation": talk.pk, "action": "destroy"})
    assert Conversation.objects.deleted_by(alice).exists()


@pytest.mark.parametrize(
    "moment", ["", "x", "2026-01-01", "2026-01-01T00:00:00", "9999-12-31T23:59:59-14:00"]
)
def test_a_moment_that_is_none_brings_nothing_back(moment: str, as_alice: Client, talk: Conversation) -> None:
    assert as_alice.post("/conversations/restore/", {"moment": moment}).status_code == 302


def test_deleting_stops_what_is_written(alice: User, ask: Ask) -> None:
    sent = ask("Tides")
    order.delete(alice, [sent.conversation.pk])
    assert Generation.objects.get().status == Status.STOPPED


def test_after_a_month_it_is_gone_for_good(alice: User, talk: Conversation, ask: Ask) -> None:
    kept = ask("Kept").conversation
    order.delete(alice, [talk.pk])
    assert trash.purge() == 0
    Conversation.objects.filter(pk=talk.pk).update(
        deleted_at=timezone.now() - trash.KEPT - timedelta(hours=1)
    )
    assert trash.purge() == 1
    assert list(Conversation.objects.all()) == [kept]
    assert set(Message.objects.values_list("conversation", flat=True)) == {kept.pk}


def test_what_was_deleted_can_be_imported_again(alice: User, talk: Conversation) -> None:
    found = loading.load(talk)
    assert bring_in_one(alice, found, found.digest())
    assert not bring_in_one(alice, found, found.digest())
    order.delete(alice, Conversation.objects.values_list("pk", flat=True))
    assert bring_in_one(alice, found, found.digest())


def test_tags_are_one_persons_and_known_in_any_case(
    alice: User, bob: User, talk: Conversation, ask: Ask
) -> None:
    Tag.objects.create(owner=bob, name="Sea")
    order.set_tags(alice, talk, " sea ,  to   read, SEA, #physics,, ")
    assert [tag.name for tag in talk.tags.all()] == ["physics", "sea", "to read"]
    order.set_tags(alice, talk, "Sea")
    assert [(tag.name, tag.owner) for tag in talk.tags.all()] == [("sea", alice)]
    assert Tag.objects.count() == 2
    other = ask("Moon").conversation
    assert order.add_tags(alice, [talk.pk, other.pk], "sea, night") == 2
    assert {tag.name for tag in talk.tags.all()} == {"sea", "night"}
    with pytest.raises(Refused):
        order.set_tags(alice, talk, ",".join(map(str, range(order.MOST_TAGS + 1))))
    with pytest.raises(Refused):
        order.add_tags(alice, [talk.pk], " , ")


def test_pins_tags_and_the_archive_travel(alice: User, bob: User, talk: Conversation) -> None:
    order.set_tags(alice, talk, "sea, to read")
    order.pin(alice, [talk.pk], on=True)
    found = hub.read(json.loads(as_json(loading.load(Conversation.objects.get()))))
    there = saving.save(bob, found)
    assert [tag.name for tag in there.tags.all()] == ["sea", "to read"]
    assert {tag.owner for tag in there.tags.all()} == {bob}
    assert there.pinned_at == Conversation.objects.get(pk=talk.pk).pinned_at
    order.archive(alice, [talk.pk], on=True)
    there = saving.save(bob, loading.load(Conversation.objects.get(pk=talk.pk)))
    assert there.archived_at
    assert not there.pinned_at
    assert Tag.objects.owned_by(bob).count() == 2


# --- unread ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "unseen", "unread"),
    [
        (Status.COMPLETED, True, True),
        (Status.FAILED, True, True),
        (Status.STOPPED, True, False),
        (Status.COMPLETED, False, False),
    ],
)
def test_an_answer_that_ended_while_nobody_looked_is_unread(
    status: Status, unseen: bool, unread: bool, ask: Ask
) -> None:
    sent = ask("Tides")
    run = new_run(sent.generation)
    run.unseen = unseen
    run.end(status)
    save_end(run)
    assert Conversation.objects.get().unread is unread


def test_looking_makes_it_read_but_loading_ahead_does_not(
    alice: User, as_alice: Client, talk: Conversation
) -> None:
    Conversation.objects.update(unread=True)
    assert sidebar_view(alice).groups[0].items[0].is_unread
    as_alice.get(f"/chat/{talk.pk}/", headers={"HX-Request": "true"})
    assert Conversation.objects.get().unread
    revision_and_active(str(talk.pk))
    assert not Conversation.objects.get().unread
    Conversation.objects.update(unread=True)
    as_alice.get(f"/chat/{talk.pk}/")
    assert not Conversation.objects.get().unread


# --- pages -------------------------------------------------------------------------------------------


def test_the_menus_pin_and_archive(as_alice: Client, talk: Conversation) -> None:
    here = {"HX-Request": "true", "HX-Current-URL": f"http://testserver/chat/{talk.pk}/"}
    page = as_alice.post(f"/chat/{talk.pk}/pin/", {"on": "1"}, headers=here).content.decode()
    assert "data-pinned" in page
    assert 'hx-target="#thread-order"' in page
    assert "Unpin" in page
    as_alice.post(f"/chat/{talk.pk}/pin/", {"on": "0"})
    assert Conversation.objects.get().pinned_at is None
    assert as_alice.post(f"/chat/{talk.pk}/archive/", {"on": "1"}).status_code == 302
    assert Conversation.objects.get().archived_at


def test_deleting_with_htmx_offers_the_way_back(as_alice: Client, talk: Conversation, ask: Ask) -> None:
    elsewhere = {"HX-Request": "true", "HX-Current-URL": "http://testserver/"}
    page = as_alice.post(f"/chat/{talk.pk}/delete/", headers=elsewhere).content.decode()
    moment = Conversation.objects.get().deleted_at
    assert moment
    assert f'value="{moment.isoformat()}"' in page
    page = as_alice.post("/conversations/restore/", {"moment": moment.isoformat()}, headers=elsewhere)
    assert "Tides" in page.content.decode()
    there = elsewhere | {"HX-Current-URL": f"http://testserver/chat/{talk.pk}/"}
    assert as_alice.post(f"/chat/{talk.pk}/delete/", headers=there)["HX-Redirect"] == "/"
    assert "Undo" in as_alice.get("/").content.decode()


BULK: list[tuple[str, dict[str, str], Callable[[Conversation], Any]]] = [
    ("archive", {}, lambda row: row.archived_at),
    ("delete", {}, lambda row: row.deleted_at),
    ("tag", {"tags": "sea"}, lambda row: row.tags.filter(name="sea").exists()),
]


@pytest.mark.parametrize(("action", "more", "done"), BULK)
def test_several_at_once_and_none_of_anybody_else(
    action: str,
    more: dict[str, str],
    done: Callable[[Conversation], Any],
    as_alice: Client,
    as_bob: Client,
    talk: Conversation,
    ask: Ask,
) -> None:
    chosen = [talk.pk, ask("Second").conversation.pk]
    spared = ask("Third").conversation
    form = {"conversation": [*chosen, "nonsense", uuid.uuid4()], "action": action, **more}
    assert as_bob.post("/conversations/change/", form).status_code == 302
    assert not any(done(row) for row in Conversation.objects.all())
    as_alice.post("/conversations/change/", form)
    assert all(done(row) for row in Conversation.objects.filter(pk__in=chosen))
    assert not done(Conversation.objects.get(pk=spared.pk))


def test_several_go_into_a_project_of_ones_own(
    alice: User, bob: User, as_alice: Client, talk: Conversation
) -> None:
    mine, theirs = (Project.objects.create(owner=user, name="Sea") for user in (alice, bob))
    form = {"conversation": [talk.pk], "action": "move", "project": theirs.pk}
    assert as_alice.post("/conversations/change/", form).status_code == 404
    as_alice.post("/conversations/change/", form | {"project": mine.pk})
    assert Conversation.objects.get().project == mine
    as_alice.post("/conversations/change/", form | {"project": ""})
    assert Conversation.objects.get().project is None


@pytest.fixture
def threads(transactional_db: None) -> Iterator[None]:
    """Database threads may work, and leave nothing open."""
    yield
    close_connections()


async def test_several_are_exported(threads: None, ask: Ask, as_alice: Client, as_bob: Client) -> None:
    talk = (await in_database(ask, "Tides")).conversation
    await in_database(ask, "Another")
    form = {"conversation": [talk.pk], "action": "export", "as": "md"}
    for browser, names in ((as_alice, ["Tides.md"]), (as_bob, [])):
        response = await in_database(browser.post, "/conversations/change/", form)
        data = b"".join([piece async for piece in response.streaming_content])
        assert zipfile.ZipFile(io.BytesIO(data)).namelist() == names


def test_the_way_back_stays_within_the_list(as_alice: Client) -> None:
    for back in ("https://elsewhere.example/", "//elsewhere.example/", "/accounts/logout/"):
        response = as_alice.post("/conversations/change/", {"back": back})
        assert response["Location"] == "/conversations/"


def test_deleted_ones_are_listed_brought_back_or_destroyed(
    as_alice: Client, as_bob: Client, alice: User, talk: Conversation, ask: Ask
) -> None:
    second = ask("Second").conversation
    order.delete(alice, [talk.pk, second.pk])
    page = as_alice.get("/conversations/?in=deleted").content.decode()
    assert "30 days left" in page
    assert f'href="/chat/{talk.pk}/"' not in page
    assert "Tides" not in as_bob.get("/conversations/?in=deleted").content.decode()
    as_alice.post("/conversations/change/", {"conversation": [talk.pk], "action": "restore"})
    as_alice.post("/conversations/change/", {"conversation": [second.pk, talk.pk], "action": "destroy"})
    assert [row.title for row in Conversation.objects.all()] == ["Tides"]


def test_the_number_of_queries_does_not_grow_with_the_list(
    as_alice: Client, alice: User, talk: Conversation
) -> None:
    order.set_tags(alice, talk, "sea")
    pages = ("/", "/conversations/", "/conversations/?in=archive", "/conversations/?tag=SEA")
    counts = {path: queries(as_alice, path) for path in pages}
    Conversation.objects.bulk_create(
        Conversation(owner=alice, title=f"T{number}", updated_at=timezone.now(), pinned_at=pinned)
        for number in range(SIDEBAR_PAGE + 5)
        for pinned in (None, timezone.now())
    )
    order.add_tags(alice, Conversation.objects.values_list("pk", flat=True), "sea, many")
    for path, count in counts.items():
        assert (path, queries(as_alice, path)) == (path, count)


def queries(browser: Client, path: str) -> int:
    """How many queries that page takes."""
    with CaptureQueriesContext(connection) as captured:
        assert browser.get(path).status_code == 200
    return len(captured)


def test_nothing_is_asked_in_what_another_tab_has_deleted(talk: Conversation, alice: User) -> None:
    answer = talk.messages.get(role="assistant")
    order.delete(alice, [talk.pk])  # the others still have the rows that they read before
    before = Message.objects.count()

    for verb in (
        lambda: send_message(alice, talk, "More?", "demo/play", "k"),
        lambda: retry(alice, answer),
        lambda: upcoming.add(alice, talk, "Later?", "demo/play", "k"),
        lambda: put_answer(talk, answer, "Mine"),
    ):
        with pytest.raises(Refused, match="deleted"):
            verb()

    assert Message.objects.count() == before
