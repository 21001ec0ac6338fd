"""Questions typed while an answer is written: kept as rows, asked in their order, the person's to change."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from backends.adapters import scripted
from backends.adapters.errors import BadRequest
from backends.adapters.events import TextDelta
from backends.adapters.messages import ChatRequest
from backends.database import in_database
from backends.models import CatalogueModel
from chat.generation import runtime
from chat.models import Conversation, Generation, Message, Status, UpcomingQuestion
from chat.services import answers, upcoming
from chat.services.refusals import Refused
from chat.services.sending import Sent
from privatechathub.accounts.models import User
from tests.chat.page import faults, read
from tests.chat.watching import opened, until

pytestmark = pytest.mark.django_db(transaction=True)

Ask = Callable[..., Sent]
HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def _script() -> Iterator[None]:
    with scripted.registered("play", [TextDelta("yes")]):
        yield


def add(sent: Sent, text: str, ref: str = "demo/play", key: str = "") -> UpcomingQuestion | None:
    return upcoming.add(sent.conversation.owner, sent.conversation, text, ref, key)


def end(status: Status = Status.COMPLETED) -> None:
    Generation.objects.active().update(status=status)


def questions(conversation: Conversation) -> list[str]:
    conversation.refresh_from_db()
    return [row.text for row in conversation.path() if row.role == "user"]


def waiting(conversation: Conversation) -> list[str]:
    conversation.refresh_from_db()
    rows = [row.text for row in conversation.upcoming.order_by("pk")]
    assert conversation.upcoming_count == len(rows)
    return rows


def test_questions_go_one_by_one_in_their_order(ask: Ask) -> None:
    sent = ask("first")
    add(sent, "second")
    add(sent, "third")
    assert (questions(sent.conversation), waiting(sent.conversation)) == (["first"], ["second", "third"])

    end()
    upcoming.send_next(sent.conversation.pk)
    assert upcoming.send_next(sent.conversation.pk) is None, "one answer at a time"
    assert (questions(sent.conversation), waiting(sent.conversation)) == (["first", "second"], ["third"])
    end(Status.STOPPED)
    upcoming.send_next(sent.conversation.pk)
    assert (questions(sent.conversation), waiting(sent.conversation)) == (["first", "second", "third"], [])


@pytest.mark.parametrize("status", [Status.FAILED, Status.INTERRUPTED])
def test_after_a_failure_the_person_decides(ask: Ask, status: Status) -> None:
    sent = ask("first")
    row = add(sent, "second")
    assert row is not None
    with pytest.raises(Refused, match="still being written"):
        upcoming.send_now(row)
    end(status)

    assert upcoming.send_next(sent.conversation.pk) is None
    assert waiting(sent.conversation) == ["second"]
    upcoming.send_now(row)
    assert questions(sent.conversation) == ["first", "second"]


def test_a_question_that_comes_just_after_the_end_is_sent_at_once(ask: Ask) -> None:
    sent = ask("first")
    end()
    add(sent, "second")
    assert (questions(sent.conversation), waiting(sent.conversation)) == (["first", "second"], [])


def test_the_same_form_twice_makes_one(ask: Ask) -> None:
    sent = ask("first")
    assert add(sent, "second", key="k")
    assert add(sent, "second", key="k") is None
    assert waiting(sent.conversation) == ["second"]
    end()
    upcoming.send_next(sent.conversation.pk)
    assert add(sent, "second", key="k") is None, "also when it has gone meanwhile"
    assert waiting(sent.conversation) == []


def test_there_is_an_end_to_typing_ahead(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upcoming, "LIMIT", 1)
    sent = ask("first")
    add(sent, "second")
    with pytest.raises(Refused, match="1 questions are waiting already"):
        add(sent, "third")
    with pytest.raises(Refused, match="Write something"):
        add(sent, " ")


def test_a_question_whose_model_is_gone_stays_and_says_so(ask: Ask, as_alice: Client) -> None:
    sent = ask("first")
    add(sent, "second", ref="demo/away")
    end()

    assert upcoming.send_next(sent.conversation.pk) is None
    assert upcoming.send_next(sent.conversation.pk) is None
    assert waiting(sent.conversation) == ["second"]
    page = as_alice.get(sent.conversation.get_absolute_url()).content.decode()
    assert "This model is not available." in page
    CatalogueModel.objects.create(backend=sent.generation.backend, model_id="away", name="Away")
    upcoming.send_next(sent.conversation.pk)
    assert questions(sent.conversation) == ["first", "second"]


def test_what_was_forgotten_is_found(ask: Ask) -> None:
    sent, other = ask("first"), ask("another")
    add(sent, "second")
    add(other, "waits still")
    Generation.objects.filter(pk=sent.generation.pk).update(status=Status.COMPLETED)

    upcoming.send_forgotten()

    assert questions(sent.conversation) == ["first", "second"]
    assert waiting(other.conversation) == ["waits still"]


def test_a_deleted_conversation_asks_nothing(ask: Ask) -> None:
    sent = ask("first")
    add(sent, "second")
    from chat.services import conversations

    conversations.delete(sent.conversation)
    end()
    assert upcoming.send_next(sent.conversation.pk) is None
    upcoming.send_forgotten()
    assert Message.objects.filter(text="second").count() == 0


def test_sending_while_an_answer_is_written_keeps_the_question(as_alice: Client, ask: Ask) -> None:
    sent = ask("first")
    url = sent.conversation.get_absolute_url()
    form = {"text": "second", "model": "demo/play"}

    assert as_alice.post(f"{url}messages/", form | {"key": "k"})["Location"] == url
    body = as_alice.post(
        f"{url}messages/", form | {"key": "l", "text": "third"}, headers=HTMX
    ).content.decode()

    assert 'hx-target="#upcoming"' in body
    assert 'hx-target="#composer-key"' in body
    response = as_alice.get(url)
    assert not faults(response)
    assert [tag.text for tag in read(response).all("p", class_="upcoming-text")] == ["second", "third"]
    end(Status.FAILED)
    assert "Held back" in as_alice.get(url).content.decode()


def test_a_waiting_question_is_edited_and_removed(as_alice: Client, ask: Ask) -> None:
    sent = ask("first")
    row = add(sent, "second")
    assert row is not None
    edit = f"/upcoming/{row.pk}/edit/"
    assert not faults(as_alice.get(edit))

    assert as_alice.post(edit, {"text": " "}).status_code == 422
    assert as_alice.post(edit, {"text": "2nd"}).status_code == 302
    assert waiting(sent.conversation) == ["2nd"]
    assert as_alice.post(f"/upcoming/{row.pk}/remove/").status_code == 302
    assert waiting(sent.conversation) == []
    assert as_alice.post(f"/upcoming/{row.pk}/remove/").status_code == 404


def test_what_is_written_after_it_was_sent_goes_into_the_message_field(
    as_alice: Client, as_bob: Client, ask: Ask
) -> None:
    sent = ask("first")
    row = add(sent, "second")
    assert row is not None
    edit, late = f"/upcoming/{row.pk}/edit/", {"text": "2nd", "conversation": str(sent.conversation.pk)}
    assert f'value="{sent.conversation.pk}"' in as_alice.get(edit).content.decode()
    end()
    upcoming.send_next(sent.conversation.pk)
    Conversation.objects.update(draft="begun")

    assert as_bob.post(edit, late).status_code == 404
    assert as_alice.post(edit, late | {"conversation": "none"}).status_code == 404
    page = as_alice.post(edit, late, follow=True).content.decode()

    assert "What you wrote is in the message field." in page
    assert questions(sent.conversation) == ["first", "second"]
    sent.conversation.refresh_from_db()
    assert sent.conversation.draft == "begun\n\n2nd"


def test_so_does_what_is_saved_in_the_moment_in_which_it_goes(
    as_alice: Client, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = ask("first")
    row = add(sent, "second")
    assert row is not None

    def gone(*_: object) -> None:
        raise upcoming.gone()

    monkeypatch.setattr(upcoming, "edit", gone)
    late = {"text": "2nd", "conversation": str(sent.conversation.pk)}
    assert as_alice.post(f"/upcoming/{row.pk}/edit/", late).status_code == 302
    sent.conversation.refresh_from_db()
    assert sent.conversation.draft == "2nd"


def test_a_stranger_finds_none(as_bob: Client, ask: Ask) -> None:
    sent = ask("first")
    row = add(sent, "second")
    assert row is not None

    for verb in ("send", "edit", "remove"):
        assert as_bob.post(f"/upcoming/{row.pk}/{verb}/", {"text": "mine"}).status_code == 404
    assert as_bob.get(f"/upcoming/{row.pk}/edit/").status_code == 404
    assert waiting(sent.conversation) == ["second"]


def test_no_query_more_where_nothing_waits(as_alice: Client, ask: Ask) -> None:
    sent = ask("first")
    end()
    with CaptureQueriesContext(connection) as queries:
        as_alice.get(sent.conversation.get_absolute_url())
        as_alice.post(
            f"{sent.conversation.get_absolute_url()}messages/",
            {"text": "And?", "model": "demo/play", "key": "k"},
        )
    assert not [query for query in queries.captured_queries if "upcomingquestion" in query["sql"]]


# --- while the hub runs -------------------------------------------------------------------------


async def test_they_follow_by_themselves_and_every_page_sees_it(
    hub: runtime.Runtime, ask: Ask, alice: User
) -> None:
    gate = {"open": False}

    def script(request: ChatRequest) -> Iterator[TextDelta | float]:
        while not gate["open"]:
            yield 0.01
        yield TextDelta(f"answer to {request.messages[-1].text}")

    scripted.register("play", script)
    sent = await in_database(ask, "first")
    tab = await opened(alice, sent.conversation)
    await in_database(add, sent, "second")
    assert "second" in await tab.until('id="upcoming-')
    await in_database(add, sent, "third")

    gate["open"] = True

    await until(lambda: Message.objects.filter(text="answer to third").exists())
    assert await in_database(questions, sent.conversation) == ["first", "second", "third"]
    assert await in_database(waiting, sent.conversation) == []
    await tab.socket.disconnect()


async def test_a_failed_answer_holds_them_back(hub: runtime.Runtime, ask: Ask) -> None:
    gate = {"open": False}

    def script(_request: ChatRequest) -> Iterator[object]:
        while not gate["open"]:
            yield 0.01
        yield BadRequest("no")

    scripted.register("play", script)
    sent = await in_database(ask, "first")
    await in_database(add, sent, "second")
    gate["open"] = True

    await until(lambda: Generation.objects.filter(status=Status.FAILED).exists())
    await in_database(upcoming.send_forgotten)
    assert await in_database(waiting, sent.conversation) == ["second"]


async def test_stopping_goes_on_with_the_next(hub: runtime.Runtime, ask: Ask) -> None:
    def script(request: ChatRequest) -> Iterator[object]:
        yield TextDelta("…")
        while request.messages[-1].text == "first":
            yield 0.01

    scripted.register("play", script)
    sent = await in_database(ask, "first")
    await in_database(add, sent, "second")

    await in_database(answers.stop_answers, sent.conversation)

    await until(lambda: Message.objects.filter(text="second").exists())


async def test_they_survive_a_restart(hub: runtime.Runtime, ask: Ask) -> None:
    sent = await in_database(ask, "first")
    await until(lambda: not Generation.objects.active().exists())
    await in_database(
        lambda: UpcomingQuestion.objects.create(
            conversation=sent.conversation, text="second", ref="demo/play"
        )
    )
    await in_database(lambda: Conversation.objects.update(upcoming_count=1))

    await runtime.stop()
    await runtime.start()

    await until(lambda: Message.objects.filter(text="second").exists())
