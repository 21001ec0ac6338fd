"""Versions, forks, deleting and bringing back, as their owner uses them."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chat.generation.prompt import prepare
from chat.models import Attachment, Conversation, Generation, Message, Status
from chat.models.search_entry import SearchEntry
from chat.permalinks import permalink
from chat.presenting.thread import thread_view
from chat.services import branches, deleting
from chat.services.sending import Sent
from chat.trash import destroy
from chat.tree.keeping import KEPT, purge_deleted
from privatechathub.accounts.models import User
from tests.chat.attachments.pictures import attach_picture
from tests.chat.page import Page, read
from tests.chat.tree.conftest import add, chain

pytestmark = pytest.mark.django_db

Ask = Callable[..., Sent]
HTMX = {"HX-Request": "true"}


def end(sent: Sent, text: str) -> Sent:
    """The answer is there."""
    Message.objects.filter(pk=sent.answer.pk).update(text=text)
    Generation.objects.filter(pk=sent.generation.pk).update(status=Status.COMPLETED)
    return sent


def texts(conversation: Conversation) -> list[str]:
    """What is shown."""
    conversation.refresh_from_db()
    return [row.text for row in conversation.path()]


def finish_newest(text: str) -> Message:
    generation = Generation.objects.latest("created_at")
    generation.status = Status.COMPLETED
    generation.save()
    generation.message.text = text
    generation.message.save()
    return generation.message


@pytest.fixture
def talked(ask: Ask) -> Conversation:
    """Two questions and their answers."""
    first = end(ask("One?"), "1")
    end(ask("Two?", first.conversation), "2")
    return first.conversation


def row(text: str) -> Message:
    return Message.objects.get(text=text)


def versions(page: Page) -> list[str]:
    return [tag.text for tag in page.all("span") if tag.text.startswith("Version ")]


# --- versions -------------------------------------------------------------------------------------


def test_an_edited_question_is_asked_anew_and_the_old_one_stays(
    as_alice: Client, talked: Conversation
) -> None:
    response = as_alice.post(f"/messages/{row('One?').pk}/edit/", {"text": "Eleven?", "model": "demo/play"})
    finish_newest("11")

    assert response.url == talked.get_absolute_url()  # type: ignore[attr-defined]
    assert texts(talked) == ["Eleven?", "11"]
    page = read(as_alice.get(talked.get_absolute_url()))
    assert versions(page) == ["Version 2 of 2"]
    back = page.one("button", id="v0-previous")
    assert "disabled" in page.one("button", id="v0-next").attributes

    response = as_alice.post(back.attributes["formaction"], {"conversation": talked.pk})
    assert response.url == permalink(row("One?"))  # type: ignore[attr-defined]
    assert texts(talked) == ["One?", "1", "Two?", "2"]


def test_the_title_follows_the_first_question(as_alice: Client, talked: Conversation) -> None:
    as_alice.post(f"/messages/{row('One?').pk}/edit/", {"text": "Eleven?", "model": "demo/play"})
    talked.refresh_from_db()
    assert talked.title == "Eleven?"


def test_the_chosen_path_is_remembered_below_each_version(as_alice: Client, talked: Conversation) -> None:
    as_alice.post(f"/messages/{row('2').pk}/retry/", {"model": "demo/play"})
    finish_newest("two")
    as_alice.post(f"/messages/{row('2').pk}/show/")
    as_alice.post(f"/messages/{row('1').pk}/retry/", {"model": "demo/play"})
    finish_newest("one")
    assert texts(talked) == ["One?", "one"]

    as_alice.post(f"/messages/{row('1').pk}/show/")
    assert texts(talked) == ["One?", "1", "Two?", "2"]
    as_alice.post(f"/messages/{row('two').pk}/show/")
    as_alice.post(f"/messages/{row('one').pk}/show/")
    as_alice.post(f"/messages/{row('1').pk}/show/")
    assert texts(talked) == ["One?", "1", "Two?", "two"]


def test_a_new_version_is_shown_whatever_was_chosen_before(as_alice: Client, talked: Conversation) -> None:
    as_alice.post(f"/messages/{row('2').pk}/retry/", {"model": "demo/play"})
    finish_newest("two")
    as_alice.post(f"/messages/{row('2').pk}/show/")
    as_alice.post(f"/messages/{row('2').pk}/retry/", {"model": "demo/play"})
    finish_newest("II")
    as_alice.post(f"/messages/{row('1').pk}/retry/", {"model": "demo/play"})
    finish_newest("one")
    as_alice.post(f"/messages/{row('1').pk}/show/")
    assert texts(talked)[-1] == "II"


def test_an_edited_answer_is_marked_and_told_to_the_model(
    as_alice: Client, talked: Conversation, ask: Ask
) -> None:
    as_alice.post(f"/messages/{row('2').pk}/edit/", {"text": "Two, I say."})

    assert texts(talked) == ["One?", "1", "Two?", "Two, I say."]
    page = read(as_alice.get(talked.get_absolute_url()))
    assert page.one("p", class_="edited").text == "Edited by you"
    assert versions(page) == ["Version 2 of 2"]
    sent = ask("Sure?", talked)
    told = prepare(sent.generation.pk).request.messages
    assert [message.text for message in told][-2:] == ["Two, I say.", "Sure?"]


def test_another_model_answers_again(as_alice: Client, talked: Conversation, demo: object) -> None:
    menu = read(as_alice.get(f"/messages/{row('2').pk}/menu/", headers=HTMX))
    assert menu.one("option", value="demo/play")
    response = as_alice.post(f"/messages/{row('2').pk}/retry/", {"model": "demo/play"}, headers=HTMX)
    assert versions(read(response)) == []  # it has no text yet, and its arrows come when it ends
    finish_newest("two")
    assert versions(read(as_alice.get(talked.get_absolute_url()))) == ["Version 2 of 2"]


def test_an_edited_question_keeps_its_files(as_alice: Client, talked: Conversation) -> None:
    picture = attach_picture(row("Two?"))
    other = attach_picture(row("Two?"), "dog.png")
    question = row("Two?")
    form = read(as_alice.get(f"/messages/{question.pk}/edit/"))
    boxes = form.all("input", type="checkbox")
    assert [box.attributes["value"] for box in boxes] == [str(picture.pk), str(other.pk)]

    as_alice.post(
        f"/messages/{question.pk}/edit/",
        {"text": "Two and what?", "model": "demo/play", "keep": str(picture.pk)},
    )
    anew = row("Two and what?")
    (copy,) = Attachment.objects.filter(message=anew)
    assert (anew.attached, copy.digest) == (1, picture.digest)
    assert copy.pk != picture.pk
    assert Attachment.objects.filter(message=question).count() == 2


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_an_empty_text_is_refused_and_the_form_comes_back(
    as_alice: Client, talked: Conversation, headers: dict[str, str]
) -> None:
    response = as_alice.post(f"/messages/{row('1').pk}/edit/", {"text": "  "}, headers=headers)
    assert response.status_code == 422
    assert "Write something first." in response.content.decode()
    assert talked.messages.count() == 4


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_the_form_holds_the_text(as_alice: Client, talked: Conversation, headers: dict[str, str]) -> None:
    Message.objects.filter(text="One?").update(text="\n<b>One</b> & two?")
    page = read(as_alice.get(f"/messages/{row('1').parent_id}/edit/", headers=headers))
    field = next(tag for tag in page.all("textarea") if tag.attributes["id"].startswith("m"))
    assert field.text == "\n\n<b>One</b> & two?"
    assert page.faults == []


def test_nothing_is_edited_or_changed_while_an_answer_is_written(as_alice: Client, ask: Ask) -> None:
    first = end(ask("One?"), "1")
    ask("Two?", first.conversation)
    for verb in ("edit", "retry", "delete"):
        response = as_alice.post(f"/messages/{first.answer.pk}/{verb}/", {"text": "x", "model": "demo/play"})
        assert response.status_code == 422, verb
    assert Message.objects.filter(deleted_at=None).count() == 4


def test_a_version_far_above_is_shown_with_what_surrounds_it(as_alice: Client, talk: Conversation) -> None:
    rows = chain(talk, 60)
    other = add(talk, rows[0], "another", "assistant")
    html = as_alice.post(f"/messages/{rows[1].pk}/show/", {"conversation": talk.pk}, headers=HTMX)
    page = read(html)
    assert page.one("article", id=f"message-{rows[1].pk}")
    assert page.one("a", id="later")
    assert other.pk


def test_a_question_that_waits_is_changed_itself(as_alice: Client, ask: Ask) -> None:
    sent = ask("One?")
    Generation.objects.update(status=Status.QUEUED, awaits_server=True)
    url = f"/messages/{sent.answer.pk}/waiting/edit/"
    address = f"/messages/{sent.question.pk}/edit/"
    assert as_alice.get(address, headers=HTMX)["HX-Redirect"] == url
    assert as_alice.get(address, follow=True).redirect_chain == [(url, 302)]


# --- the price ------------------------------------------------------------------------------------


def queries(conversation: Conversation) -> int:
    conversation = Conversation.objects.get(pk=conversation.pk)
    with CaptureQueriesContext(connection) as caught:
        thread_view(conversation)
    return len(caught)


def test_versions_cost_no_more_queries_however_many_there_are(talk: Conversation) -> None:
    rows = chain(talk, 40)
    plain = queries(talk)
    add(talk, rows[20], "another")
    assert queries(talk) == plain
    for one in rows[20:39]:
        add(talk, one, "more")
    assert queries(talk) == plain


# --- deleting -------------------------------------------------------------------------------------


def test_what_was_deleted_comes_back(as_alice: Client, talked: Conversation) -> None:
    as_alice.post(f"/messages/{row('1').pk}/delete/")
    assert texts(talked) == ["One?", "Two?", "2"]
    page = read(as_alice.get(talked.get_absolute_url()))
    undo = page.one("p", id="deleted")
    assert undo
    (button,) = [tag for tag in page.all("button") if tag.text == "Undo"]

    response = as_alice.post(button.attributes["formaction"])
    assert response.status_code == 302
    assert texts(talked) == ["One?", "1", "Two?", "2"]
    assert not read(as_alice.get(talked.get_absolute_url())).all("p", id="deleted")
    assert (
        "nothing to bring back"
        in as_alice.post(button.attributes["formaction"], follow=True).content.decode()
    )


def test_a_branch_is_deleted_and_comes_back(as_alice: Client, talked: Conversation) -> None:
    as_alice.post(f"/messages/{row('1').pk}/delete/", {"branch": "1"})
    assert texts(talked) == ["One?"]
    page = read(as_alice.get(talked.get_absolute_url()))
    assert page.one("button", aria_label="Answer again")
    as_alice.post(f"/chat/{talked.pk}/undo/")
    assert texts(talked) == ["One?", "1", "Two?", "2"]


def test_deleting_a_version_shows_the_one_before_it(as_alice: Client, talked: Conversation) -> None:
    as_alice.post(f"/messages/{row('1').pk}/retry/", {"model": "demo/play"})
    finish_newest("one")
    as_alice.post(f"/messages/{row('one').pk}/delete/")
    assert texts(talked) == ["One?", "1", "Two?", "2"]
    as_alice.post(f"/chat/{talked.pk}/undo/")
    assert texts(talked) == ["One?", "one"]


def test_versions_are_counted_across_a_gap(as_alice: Client, talked: Conversation) -> None:
    as_alice.post(f"/messages/{row('1').pk}/retry/", {"model": "demo/play"})
    finish_newest("one")
    as_alice.post(f"/messages/{row('1').pk}/show/")
    as_alice.post(f"/messages/{row('1').pk}/delete/")
    assert texts(talked) == ["One?", "Two?", "2"]
    page = read(as_alice.get(talked.get_absolute_url()))
    assert versions(page) == ["Version 1 of 2"]
    as_alice.post(f"/messages/{row('one').pk}/show/")
    assert texts(talked) == ["One?", "one"]


def test_undo_is_offered_until_the_next_question(as_alice: Client, talked: Conversation, ask: Ask) -> None:
    as_alice.post(f"/messages/{row('2').pk}/delete/")
    end(ask("Three?", Conversation.objects.get(pk=talked.pk)), "3")
    assert not read(as_alice.get(talked.get_absolute_url())).all("p", id="deleted")


def test_the_deleted_is_purged_after_a_while_with_its_files(
    as_alice: Client, talked: Conversation, django_capture_on_commit_callbacks: Callable[..., object]
) -> None:
    question = row("One?")
    picture = attach_picture(question)
    as_alice.post(f"/messages/{question.pk}/delete/")
    assert purge_deleted() == 0
    Message.objects.filter(deleted_at__isnull=False).update(
        deleted_at=timezone.now() - KEPT - timedelta(hours=1)
    )
    Conversation.objects.update(last_deletion=timezone.now() - KEPT - timedelta(hours=1))
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]
        assert purge_deleted() == 2
    assert texts(talked) == ["Two?", "2"]
    assert row("Two?").parent_id is None
    with pytest.raises(FileNotFoundError):
        picture.content()
    talked.refresh_from_db()
    assert talked.last_deletion is None


# --- forks ----------------------------------------------------------------------------------------


def fork(client: Client, message: Message, within: Conversation | None = None) -> Conversation:
    data = {"conversation": within.pk} if within else {}
    response = client.post(f"/messages/{message.pk}/fork/", data)
    return Conversation.objects.get(pk=uuid.UUID(response.url.split("/")[2]))  # type: ignore[attr-defined]


def test_a_fork_goes_on_by_itself_and_copies_nothing(
    as_alice: Client, talked: Conversation, ask: Ask
) -> None:
    Conversation.objects.filter(pk=talked.pk).update(system_prompt="Be short.", options={"temperature": 0.5})
    made = fork(as_alice, row("1"))
    assert (made.title, made.system_prompt, made.options) == (
        "One? (fork)",
        "Be short.",
        {"temperature": 0.5},
    )
    assert made.messages.count() == 0
    assert texts(made) == ["One?", "1"]
    end(ask("Three?", made), "3")
    assert texts(made) == ["One?", "1", "Three?", "3"]
    assert texts(talked) == ["One?", "1", "Two?", "2"]
    assert versions(read(as_alice.get(talked.get_absolute_url()))) == []
    assert versions(read(as_alice.get(made.get_absolute_url()))) == []


def test_a_shared_message_is_not_deleted_from_the_fork(as_alice: Client, talked: Conversation) -> None:
    made = fork(as_alice, row("2"))
    answer = row("1")
    response = as_alice.post(f"/messages/{answer.pk}/delete/", {"conversation": made.pk})
    assert response.status_code == 422
    address = f"/messages/{answer.pk}/menu/"
    assert "Delete" not in as_alice.get(f"{address}?conversation={made.pk}", headers=HTMX).content.decode()
    assert "Delete" in as_alice.get(address, headers=HTMX).content.decode()
    assert texts(made) == texts(talked)


def test_versions_of_what_is_shared_belong_to_the_fork(as_alice: Client, talked: Conversation) -> None:
    made = fork(as_alice, row("2"))
    within = {"conversation": made.pk, "model": "demo/play"}
    as_alice.post(f"/messages/{row('1').pk}/retry/", within)
    finish_newest("one")
    assert texts(made) == ["One?", "one"]
    as_alice.post(f"/messages/{row('One?').pk}/edit/", within | {"text": "Eleven?"})
    finish_newest("11")
    assert texts(made) == ["Eleven?", "11"]
    assert versions(read(as_alice.get(made.get_absolute_url()))) == ["Version 2 of 2"]
    as_alice.post(f"/messages/{row('One?').pk}/show/", within)
    as_alice.post(f"/messages/{row('1').pk}/show/", within)
    assert texts(made) == ["One?", "1", "Two?", "2"]
    assert versions(read(as_alice.get(made.get_absolute_url()))) == ["Version 1 of 2", "Version 1 of 2"]
    assert texts(talked) == ["One?", "1", "Two?", "2"]
    assert versions(read(as_alice.get(talked.get_absolute_url()))) == []


@pytest.mark.parametrize("by_queryset", [False, True])
def test_a_fork_outlives_its_origin(
    as_alice: Client, talked: Conversation, ask: Ask, by_queryset: bool
) -> None:
    early, late = fork(as_alice, row("1")), fork(as_alice, row("2"))
    end(ask("Three?", late), "3")
    if by_queryset:
        Conversation.objects.filter(pk=talked.pk).update(head=None)
        Conversation.objects.filter(pk=talked.pk).delete()
    else:
        destroy(Conversation.objects.filter(pk=talked.pk))
    assert texts(late) == ["One?", "1", "Two?", "2", "Three?", "3"]
    assert texts(early) == ["One?", "1"]
    found = SearchEntry.objects.owned_by(talked.owner).filter(message=row("1"))
    assert [entry.conversation_id for entry in found] == [early.pk], "it is found where it is now"
    assert as_alice.get(permalink(row("1"), late.pk).partition("#")[0]).status_code == 200
    destroy(Conversation.objects.filter(pk=early.pk))
    assert texts(late) == ["One?", "1", "Two?", "2", "Three?", "3"]
    destroy(Conversation.objects.filter(pk=late.pk))
    assert Message.objects.count() == 0


def test_a_fork_shows_what_is_deleted_in_its_origin(as_alice: Client, talked: Conversation) -> None:
    made = fork(as_alice, row("2"))
    as_alice.post(f"/messages/{row('1').pk}/delete/", {"branch": "1"})
    assert texts(talked) == ["One?"]
    assert texts(made) == ["One?", "1", "Two?", "2"]
    again = fork(as_alice, row("2"), made)
    assert texts(again) == texts(made)
    Message.objects.filter(deleted_at__isnull=False).update(deleted_at=timezone.now() - 2 * KEPT)
    assert purge_deleted() == 0
    destroy(Conversation.objects.filter(pk=talked.pk))
    assert texts(made) == ["One?", "1", "Two?", "2"]
    assert not Message.objects.exclude(deleted_at=None).exists()


def test_a_fork_of_a_conversation_in_the_trash_can_be_read(as_alice: Client, talked: Conversation) -> None:
    made = fork(as_alice, row("2"))
    Conversation.objects.filter(pk=talked.pk).update(deleted_at=timezone.now())
    page = read(as_alice.get(made.get_absolute_url()))
    copies = [tag.attributes["data-url"] for tag in page.all("button", data_action="copy-message")]
    assert [as_alice.get(url).content.decode() for url in copies] == ["One?", "1", "Two?", "2"]
    as_alice.post(f"/messages/{row('1').pk}/retry/", {"conversation": made.pk, "model": "demo/play"})
    finish_newest("one")
    assert texts(made) == ["One?", "one"]
    assert as_alice.get(f"/messages/{row('1').pk}/raw/").status_code == 404


def test_an_answer_that_is_written_is_not_forked(as_alice: Client, ask: Ask) -> None:
    sent = ask("One?")
    assert as_alice.post(f"/messages/{sent.answer.pk}/fork/").status_code == 422
    assert Conversation.objects.count() == 1


def test_titles_of_forks_do_not_pile_up() -> None:
    assert branches.title_of_fork("A") == "A (fork)"
    assert branches.title_of_fork("A (fork)") == "A (fork)"
    assert len(branches.title_of_fork("A" * 120)) == 120


# --- strangers ------------------------------------------------------------------------------------

POSTS = ("show", "edit", "fork", "delete", "retry", "continue")


@pytest.mark.parametrize("verb", POSTS)
def test_a_stranger_does_nothing(as_bob: Client, bob: User, talked: Conversation, verb: str) -> None:
    own = Conversation.objects.create(owner=bob, updated_at=timezone.now())
    (mine,) = chain(own, 1)
    pk = row("1").pk
    before = list(Message.objects.values())
    for data in ({}, {"conversation": talked.pk}, {"conversation": own.pk}):
        data = data | {"text": "Mine", "model": "demo/play"}
        assert as_bob.post(f"/messages/{pk}/{verb}/", data).status_code == 404
    assert as_bob.post(f"/messages/{mine.pk}/{verb}/", {"conversation": talked.pk}).status_code == 404
    assert list(Message.objects.values()) == before
    assert as_bob.post(f"/chat/{talked.pk}/undo/").status_code == 404


@pytest.mark.parametrize("page", ["", "menu/", "edit/"])
def test_a_stranger_reads_nothing(as_bob: Client, talked: Conversation, page: str) -> None:
    for headers in ({}, HTMX):
        response: HttpResponse = as_bob.get(f"/messages/{row('1').pk}/{page}", headers=headers)
        assert response.status_code == 404


@pytest.mark.parametrize("verb", POSTS)
@pytest.mark.parametrize("conversation", ["x", "other", "00000000-0000-0000-0000-000000000000"])
def test_a_conversation_that_does_not_show_a_message_is_not_found(
    as_alice: Client, talked: Conversation, talk: Conversation, verb: str, conversation: str
) -> None:
    named = str(talk.pk) if conversation == "other" else conversation
    data = {"conversation": named, "text": "x", "model": "demo/play"}
    assert as_alice.post(f"/messages/{row('1').pk}/{verb}/", data).status_code == 404


@pytest.mark.parametrize("verb", POSTS)
def test_a_deleted_message_is_gone_for_all_that_can_be_done(
    as_alice: Client, talked: Conversation, verb: str
) -> None:
    pk = row("1").pk
    deleting.delete_message(talked, row("1"))
    assert as_alice.post(f"/messages/{pk}/{verb}/", {"text": "x", "model": "demo/play"}).status_code == 404


def test_an_address_that_no_row_can_have_is_not_found(as_alice: Client, talked: Conversation) -> None:
    made = fork(as_alice, row("2"))
    assert as_alice.get(f"/messages/{'9' * 20}/raw/?conversation={made.pk}").status_code == 404
