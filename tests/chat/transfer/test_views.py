"""The pages: one conversation or all of them out, a file in; never anybody else's."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import AsyncClient, Client
from django.utils import timezone

from backends.models import Backend
from chat.models import Conversation, Import, ImportStatus, Message, Origin
from chat.services import importing
from chat.services.sending import Sent
from chat.transfer import limits, planning
from chat.transfer.archive import zipped
from chat.transfer.writing import KINDS
from privatechathub.accounts.models import User
from tests.chat.page import faults, read
from tests.chat.transfer import samples
from tests.chat.transfer.test_round_trip import anything


def send(browser: Client, data: bytes, name: str = "export.json") -> Any:
    """Send a file and give the page that comes of it."""
    return browser.post("/transfer/import/", {"file": SimpleUploadedFile(name, data)}, follow=True)


def confirm(browser: Client) -> Any:
    """Say yes to what was sent last."""
    return browser.post(f"/transfer/import/{Import.objects.get().pk}/", follow=True)


def bring(browser: Client, value: Any) -> Any:
    send(browser, samples.as_json(value))
    return confirm(browser)


def words(response: HttpResponse) -> str:
    return " ".join(" ".join(read(response).texts()).split())


@pytest.mark.parametrize("ending", KINDS)
def test_one_conversation_as_a_file(
    ending: str, ask: Callable[..., Sent], as_alice: Client, as_bob: Client, as_ada: Client
) -> None:
    sent = ask("Why?\r\nX-Evil: 1")
    url = f"/chat/{sent.conversation.pk}/export/?as={ending}"

    response = as_alice.get(url)

    assert response["Content-Type"] == f"{KINDS[ending].media_type}; charset=utf-8"
    assert response["Content-Disposition"] == f'attachment; filename="Why.{ending}"'
    assert response["Cache-Control"] == "private, no-store"
    assert "Why?" in response.content.decode()
    assert as_bob.get(url).status_code == 404
    assert as_ada.get(url).status_code == 404


def test_a_kind_that_there_is_not(ask: Callable[..., Sent], as_alice: Client) -> None:
    assert as_alice.get(f"/chat/{ask().conversation.pk}/export/?as=exe").status_code == 404
    assert as_alice.post("/transfer/export/", {"as": "exe"}).status_code == 404


def test_the_menu_of_a_conversation_offers_every_kind(ask: Callable[..., Sent], as_alice: Client) -> None:
    page = read(as_alice.get(f"/chat/{ask().conversation.pk}/menu/"))

    links = [tag.attributes["href"] for tag in page.all("a") if "download" in tag.attributes]
    assert sorted(link.partition("?as=")[2] for link in links) == sorted([*KINDS, "zip"])
    assert {as_alice.get(link).status_code for link in links} == {200}


def test_the_pages_are_whole_and_the_settings_lead_there(as_alice: Client) -> None:
    assert read(as_alice.get("/settings/")).all("a", href="/transfer/")
    for response in (
        as_alice.get("/transfer/"),
        send(as_alice, samples.as_json(list(samples.FOREIGN.values()))),
    ):
        assert response.status_code == 200
        assert faults(response) == []


@pytest.mark.parametrize("kind", KINDS)
async def test_everything_of_one_person_as_a_zip(
    kind: str, alice: User, bob: User, demo: Backend, threads: None
) -> None:
    for owner, seed in ((alice, 1), (alice, 2), (bob, 3)):
        row = await sync_to_async(anything)(owner, demo, seed)
        await Conversation.objects.filter(pk=row.pk).aupdate(title="Bob’s" if owner == bob else "Same")
    browser = AsyncClient()
    await browser.aforce_login(alice, backend="django.contrib.auth.backends.ModelBackend")

    response = await browser.post("/transfer/export/", {"as": kind})
    data = b"".join([piece async for piece in response.streaming_content])

    assert response["Content-Type"] == "application/zip"
    assert response["Content-Encoding"] == "identity"
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [f"Same.{kind}", f"Same (2).{kind}"]
        assert b"Bob" not in b"".join(archive.read(name) for name in archive.namelist())


async def test_a_zip_holds_one_conversation_at_a_time(
    alice: User, demo: Backend, threads: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sync_to_async(anything)(alice, demo, 1)
    gone = await sync_to_async(anything)(alice, demo, 2)
    await sync_to_async(anything)(alice, demo, 3)
    pieces = zipped(alice, KINDS["json"])

    first = await anext(pieces)
    await Conversation.objects.filter(pk=gone.pk).aupdate(head=None)
    await gone.adelete()
    rest = [piece async for piece in pieces]

    with zipfile.ZipFile(io.BytesIO(first + b"".join(rest))) as archive:
        assert archive.namelist() == ["Chat 1.json", "Chat 3.json"]


@pytest.mark.parametrize("name", samples.FOREIGN)
def test_a_file_is_shown_then_imported_then_known(name: str, as_alice: Client, alice: User) -> None:
    data = samples.as_json([samples.FOREIGN[name]])

    report = send(as_alice, data)
    assert "New conversations 1" in words(report).replace("  ", " ")
    assert not Conversation.objects.exists()

    done = confirm(as_alice)
    row = Conversation.objects.get()
    assert "1 conversation was imported" in words(done)
    assert row.owner == alice
    assert row.title == samples.FOREIGN[name].get("title", samples.FOREIGN[name].get("name"))
    assert row.updated_at < timezone.now() - timedelta(days=30)
    assert as_alice.get(row.get_absolute_url()).status_code == 200
    assert not Import.objects.get().path.exists()

    again = send(as_alice, data)
    assert "conversations that are here already 1" in words(again)
    confirm(as_alice)
    assert Conversation.objects.count() == 1


def test_every_message_of_an_import_can_be_opened(as_alice: Client) -> None:
    bring(as_alice, list(samples.FOREIGN.values()))

    for message in Message.objects.filter(role="assistant"):
        assert as_alice.get(f"/messages/{message.pk}/details/").status_code == 200
    for row in Conversation.objects.all():
        assert faults(as_alice.get(row.get_absolute_url())) == []
        assert as_alice.get(f"/chat/{row.pk}/settings/").status_code == 200


def test_the_same_conversation_twice_in_one_file(as_alice: Client) -> None:
    bring(as_alice, [samples.CLAUDE, samples.CLAUDE])

    assert Conversation.objects.count() == 1


def test_a_conversation_that_went_on_elsewhere_comes_as_a_new_one(as_alice: Client) -> None:
    longer = samples.MOBILE | {
        "messages": [
            *samples.MOBILE["messages"],
            {"id": "m3", "text": "Thanks", "isMe": True, "timestamp": "2026-03-02T10:00:00Z", "role": "user"},
        ]
    }
    bring(as_alice, samples.MOBILE)
    bring(as_alice, longer)

    assert sorted(row.messages.count() for row in Conversation.objects.all()) == [2, 3]


def test_a_renamed_conversation_is_still_known_and_a_deleted_one_may_come_back(as_alice: Client) -> None:
    bring(as_alice, samples.CLAUDE)
    row = Conversation.objects.get()
    as_alice.post(f"/chat/{row.pk}/rename/", {"title": "Other"})
    bring(as_alice, samples.CLAUDE)
    assert Conversation.objects.count() == 1

    as_alice.post(f"/chat/{row.pk}/delete/")
    bring(as_alice, samples.CLAUDE)
    assert Conversation.objects.get(deleted_at=None).title == "Tides"


def test_each_person_imports_for_themselves(as_alice: Client, as_bob: Client, bob: User) -> None:
    bring(as_alice, samples.CLAUDE)
    Import.objects.all().delete()
    bring(as_bob, samples.CLAUDE)

    assert Conversation.objects.count() == 2
    assert Conversation.objects.owned_by(bob).count() == 1


def test_what_this_hub_exported_is_known_here_and_new_to_others(
    as_alice: Client, as_bob: Client, alice: User, demo: Backend
) -> None:
    row = anything(alice, demo, 5)
    data = json.loads(as_alice.get(f"/chat/{row.pk}/export/").content)

    bring(as_alice, data)
    assert Conversation.objects.count() == 1
    Import.objects.all().delete()
    bring(as_bob, data)
    assert Conversation.objects.count() == 2


def test_two_tabs_that_say_yes_at_once(alice: User, as_alice: Client) -> None:
    send(as_alice, samples.as_json([samples.CLAUDE]))
    talk, digest = next(planning.new_ones(alice, importing.Upload(Import.objects.get().path, "x")))

    assert planning.bring_in_one(alice, talk, digest)
    assert not planning.bring_in_one(alice, talk, digest)
    assert (Conversation.objects.count(), Origin.objects.count()) == (1, 1)
    confirm(as_alice)
    assert Conversation.objects.count() == 1


def test_saying_yes_twice_does_nothing_more(as_alice: Client) -> None:
    bring(as_alice, samples.CLAUDE)
    before = list(Conversation.objects.values_list("pk", flat=True))

    assert "is done" in words(confirm(as_alice))
    assert list(Conversation.objects.values_list("pk", flat=True)) == before


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"hello", "neither JSON nor a zip"),
        (b"[]", "No conversations were found"),
        (samples.as_json([{"user": "x"}]), "No conversations were found"),
        (samples.zipped({"a.txt": b"x"}), "No conversations were found"),
    ],
    ids=["no JSON", "an empty list", "something else", "an empty zip"],
)
def test_a_bad_file_is_refused_in_words_and_not_kept(data: bytes, told: str, as_alice: Client) -> None:
    response = send(as_alice, data)

    assert response.status_code == 422
    assert told in words(response)
    assert faults(response) == []
    assert not Import.objects.exists()


def test_a_file_that_is_too_large(as_alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LARGEST_FILE", 10)

    assert "too large" in words(send(as_alice, samples.as_json([samples.CLAUDE])))
    assert not Import.objects.exists()


def test_no_file_at_all(as_alice: Client) -> None:
    assert "Choose a file first" in words(as_alice.post("/transfer/import/", follow=True))


def test_strangers_see_nothing_of_an_import(as_alice: Client, as_bob: Client, as_ada: Client) -> None:
    send(as_alice, samples.as_json([samples.CLAUDE]))
    row = Import.objects.get()

    for browser in (as_bob, as_ada):
        assert browser.get(f"/transfer/import/{row.pk}/").status_code == 404
        assert browser.post(f"/transfer/import/{row.pk}/").status_code == 404
        assert browser.post(f"/transfer/import/{row.pk}/cancel/").status_code == 404
    assert row.path.exists()
    assert not Conversation.objects.exists()


def test_forgetting_a_file(as_alice: Client) -> None:
    send(as_alice, samples.as_json([samples.CLAUDE]))
    row = Import.objects.get()

    as_alice.post(f"/transfer/import/{row.pk}/cancel/")

    assert not row.path.exists()
    assert not Import.objects.exists()


def test_another_file_replaces_the_one_that_waits(as_alice: Client) -> None:
    send(as_alice, samples.as_json([samples.CLAUDE]))
    first = Import.objects.get()
    send(as_alice, samples.as_json([samples.MOBILE]), name="../../x/" + "n" * 300 + ".json")

    row = Import.objects.get()
    assert row.pk != first.pk
    assert not first.path.exists()
    assert row.path.parent == first.path.parent
    assert row.path.stat().st_mode & 0o077 == 0


def test_an_import_that_was_cut_off_goes_on_where_it_was(as_alice: Client, alice: User) -> None:
    send(as_alice, samples.as_json([samples.CLAUDE, samples.MOBILE]))
    row = Import.objects.get()
    talk, digest = next(planning.new_ones(alice, importing.Upload(row.path, "x")))
    planning.bring_in_one(alice, talk, digest)
    Import.objects.update(status=ImportStatus.RUNNING, touched_at=timezone.now() - timedelta(minutes=5))

    assert "broke off" in words(as_alice.get(f"/transfer/import/{row.pk}/"))
    confirm(as_alice)
    assert Conversation.objects.count() == 2


def test_a_failure_within_is_told_and_keeps_the_file(
    as_alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(as_alice, samples.as_json([samples.CLAUDE]))

    def full(*_args: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("chat.transfer.saving.save", full)
    with pytest.raises(OSError, match="disk full"):
        confirm(as_alice)

    row = Import.objects.get()
    assert (row.status, row.can_begin) == (ImportStatus.FAILED, True)
    monkeypatch.undo()
    confirm(as_alice)
    assert Conversation.objects.count() == 1


def test_a_large_file_is_imported_while_the_page_shows_how_far_it_is(
    transactional_db: None, as_alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "AT_ONCE", 1)
    send(as_alice, samples.as_json(list(samples.FOREIGN.values())))
    row = Import.objects.get()

    future = importing.begin(row)

    assert future is not None
    future.result(timeout=60)
    assert Import.objects.get().status == ImportStatus.DONE
    assert Conversation.objects.count() == len(samples.FOREIGN)


def test_the_page_of_a_running_import_asks_again_by_itself(as_alice: Client) -> None:
    send(as_alice, samples.as_json([samples.CLAUDE]))
    Import.objects.update(status=ImportStatus.RUNNING, touched_at=timezone.now(), total=4, done=1)

    response = as_alice.get(f"/transfer/import/{Import.objects.get().pk}/")

    assert faults(response) == []
    assert read(response).one("meta", http_equiv="refresh")
    assert read(response).one("progress").attributes["value"] == "25"
    assert not [tag for tag in read(response).all("form") if "/transfer/" in tag.attributes.get("action", "")]
