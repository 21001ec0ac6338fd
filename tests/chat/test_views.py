"""What a person does on the pages: with htmx and without, once and twice, rightly and wrongly."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backends.models import Backend
from chat.models import Conversation, Generation, Message, MessageRole, Status
from chat.presenting import message
from chat.presenting.sidebar import SIDEBAR_PAGE
from chat.presenting.window import PAGE
from chat.services.sending import Sent
from chat.services.titles import LONGEST, title_from
from privatechathub.accounts.models import User
from tests.chat.page import read
from tests.conftest import signed_in

Ask = Callable[..., Sent]

HTMX = {"HX-Request": "true"}
MODEL = "demo/play"


@pytest.fixture
def answered(ask: Ask) -> Sent:
    """A question with its whole answer."""
    sent = ask("What is **one** and one?")
    end(sent, "It is **two**.")
    return sent


def end(sent: Sent, text: str = "Yes.", status: Status = Status.COMPLETED, **values: Any) -> None:
    """Let the answer be written."""
    Message.objects.filter(pk=sent.answer.pk).update(text=text)
    Generation.objects.filter(pk=sent.generation.pk).update(status=status, **values)


def path_of(conversation: Conversation) -> list[str]:
    """The texts of the shown thread."""
    return [row.text for row in Conversation.objects.get(pk=conversation.pk).path()]


def question(text: str, key: str = "k1", model: str = MODEL) -> dict[str, str]:
    return {"text": text, "model": model, "key": key}


# --- asking ---------------------------------------------------------------------------------------


def test_a_new_page_offers_models_and_a_fresh_key(as_alice: Client, demo: Backend) -> None:
    first, second = (read(as_alice.get("/")) for _ in range(2))

    assert first.one("form", id="composer").attributes["action"] == "/chat/"
    assert [tag.attributes["value"] for tag in first.all("option")] == [MODEL]
    key, other = (page.one(id="composer-key").attributes["value"] for page in (first, second))
    assert len(key) > 16
    assert key != other


def test_without_a_model_nothing_can_be_sent(as_alice: Client) -> None:
    page = read(as_alice.get("/"))

    assert not page.all("select", name_="model")
    assert "disabled" in page.one("button", class_="round-button send").attributes


def test_a_proposed_text_stands_in_the_composer(as_alice: Client, demo: Backend) -> None:
    page = read(as_alice.get("/", {"text": "</textarea><b>Hi"}))

    assert page.one("textarea", name_="text").text == "</textarea><b>Hi"


def test_the_first_question_makes_a_conversation(as_alice: Client, alice: User, demo: Backend) -> None:
    response = as_alice.post("/chat/", question("Hello there"))

    conversation = Conversation.objects.get()
    assert (response.status_code, response["Location"]) == (302, conversation.get_absolute_url())
    assert (conversation.owner, conversation.title) == (alice, "Hello there")


def test_with_htmx_it_comes_as_the_main_column_with_its_address(as_alice: Client, demo: Backend) -> None:
    response = as_alice.post("/chat/", question("Hello there"), headers=HTMX)

    conversation = Conversation.objects.get()
    assert response.status_code == 200
    assert response["HX-Push-Url"] == conversation.get_absolute_url()
    assert (response["HX-Retarget"], response["HX-Reswap"]) == ("#main", "outerHTML")
    page = read(response)
    assert page.tags[0].attributes["id"] == "main"
    assert [tag.attributes["data-status"] for tag in page.all("article", class_="message")][:2] == [
        "completed",
        "queued",
    ]
    assert page.one("hx-partial", hx_target="#conversations")
    assert page.one("a", data_conversation=str(conversation.pk)).attributes["aria-current"] == "page"


def test_the_next_question_with_htmx_is_two_articles_and_a_fresh_key(
    as_alice: Client, answered: Sent
) -> None:
    url = f"/chat/{answered.conversation.pk}/messages/"
    page = read(as_alice.post(url, question("And two?"), headers=HTMX))

    assert [tag.attributes["data-role"] for tag in page.all("article")] == ["user", "assistant"]
    assert page.one(id="composer-key").attributes["value"] not in ("", "k1")
    assert path_of(answered.conversation)[2:] == ["And two?", ""]


def test_the_next_question_without_a_script_comes_back_to_the_page(as_alice: Client, answered: Sent) -> None:
    url = answered.conversation.get_absolute_url()

    response = as_alice.post(f"{url}messages/", question("And two?"))

    assert (response.status_code, response["Location"]) == (302, url)


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_double_submit_makes_one_message(as_alice: Client, demo: Backend, headers: dict[str, str]) -> None:
    first = as_alice.post("/chat/", question("Hello"), headers=headers)
    second = as_alice.post("/chat/", question("Hello"), headers=headers)

    assert first.status_code == second.status_code
    assert first.get("Location") == second.get("Location")
    assert first.get("HX-Push-Url") == second.get("HX-Push-Url")
    assert Conversation.objects.count() == 1
    assert Message.objects.filter(role=MessageRole.USER).count() == 1


def test_a_double_submit_in_a_conversation_gives_the_same_articles(as_alice: Client, answered: Sent) -> None:
    url = f"/chat/{answered.conversation.pk}/messages/"

    pages = [read(as_alice.post(url, question("And two?"), headers=HTMX)) for _ in range(2)]

    ids = [[tag.attributes["id"] for tag in page.all("article")] for page in pages]
    assert ids[0] == ids[1]
    assert Generation.objects.count() == 2


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("where", ["/chat/", "/chat/{}/messages/"])
def test_a_double_click_that_arrives_at_the_same_time_makes_one_message(
    alice: User, answered: Sent, where: str
) -> None:
    start, url = Barrier(4), where.format(answered.conversation.pk)

    def click() -> str:
        browser = signed_in(alice)
        start.wait()
        try:
            return str(browser.post(url, question("Hello"))["Location"])
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        clicks = [pool.submit(click) for _ in range(4)]

    assert len({clicked.result() for clicked in clicks}) == 1
    assert Message.objects.filter(text="Hello").count() == 1
    assert Generation.objects.count() == 2


def test_a_key_that_was_used_for_another_text_does_not_swallow_this_one(
    as_alice: Client, demo: Backend
) -> None:
    as_alice.post("/chat/", question("First"))

    as_alice.post("/chat/", question("Second, typed after going back"))

    assert sorted(Conversation.objects.values_list("title", flat=True)) == [
        "First",
        "Second, typed after going back",
    ]


def test_a_form_sent_again_after_its_answer_was_deleted_asks_again(as_alice: Client, answered: Sent) -> None:
    url = f"/chat/{answered.conversation.pk}/messages/"
    as_alice.post(url, question("And two?"))
    Generation.objects.update(status=Status.COMPLETED)
    as_alice.post(f"/messages/{Conversation.objects.get().head_id}/delete/")

    response = as_alice.post(url, question("And two?"))

    assert response.status_code == 302
    assert Generation.objects.active().count() == 1


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        (question("  "), "Write something first."),
        (question("Keep me", model=""), "Pick a model first."),
        (question("Keep me", model="demo/other"), "not available"),
        (question("x" * 1_500_001), "too long"),
    ],
)
def test_a_refused_question_comes_back_with_its_text(
    as_alice: Client, answered: Sent, fields: dict[str, str], says: str
) -> None:
    for url in ("/chat/", f"/chat/{answered.conversation.pk}/messages/"):
        for headers in ({}, HTMX):
            response = as_alice.post(url, fields, headers=headers)
            page = read(response)

            assert response.status_code == 422
            assert says in page.one(id="composer-error").text
            assert page.one("textarea", name_="text").text == fields["text"]
            assert bool(page.all("html")) == (not headers)
            if headers:
                assert (response["HX-Retarget"], response["HX-Reswap"]) == ("#composer", "outerHTML")
                assert page.tags[0].attributes["id"] == "composer"
    assert Message.objects.count() == 2


def test_a_file_while_an_answer_is_written_is_refused_and_its_question_kept(
    as_alice: Client, ask: Ask
) -> None:
    conversation = ask("Hello").conversation
    file = SimpleUploadedFile("notes.txt", b"Words", "text/plain")

    response = as_alice.post(
        f"/chat/{conversation.pk}/messages/", question("Too soon") | {"files": file}, headers=HTMX
    )

    assert response.status_code == 422
    assert read(response).one("textarea").text == "Too soon"
    assert path_of(conversation) == ["Hello", ""]
    assert not conversation.upcoming.exists()


def test_a_question_while_an_answer_is_written_waits_for_it(as_alice: Client, ask: Ask) -> None:
    conversation = ask("Hello").conversation

    response = as_alice.post(f"/chat/{conversation.pk}/messages/", question("Too soon"), headers=HTMX)

    assert response.status_code == 200
    assert [row.text for row in conversation.upcoming.all()] == ["Too soon"]
    assert path_of(conversation) == ["Hello", ""]


def test_the_model_of_the_last_conversation_is_offered_first(as_alice: Client, demo: Backend) -> None:
    demo.models.create(model_id="z-other", name="Other", position=5)
    as_alice.post("/chat/", question("Hi", model="demo/z-other"))

    chosen = [tag for tag in read(as_alice.get("/")).all("option") if "selected" in tag.attributes]

    assert [tag.attributes["value"] for tag in chosen] == ["demo/z-other"]


def test_what_a_database_cannot_keep_is_left_out(as_alice: Client, demo: Backend) -> None:
    as_alice.post("/chat/", question("a\x00b", key="k\x00ey"))
    conversation = Conversation.objects.get()
    as_alice.post(f"/chat/{conversation.pk}/rename/", {"title": "c\x00d"})

    assert path_of(conversation)[0] == "ab"
    assert Conversation.objects.get().title == "cd"
    assert as_alice.post("/chat/", question("x", model="demo/\x00")).status_code == 422


# --- what can be done with an answer --------------------------------------------------------------


def test_stop_ends_a_waiting_answer(as_alice: Client, ask: Ask) -> None:
    conversation = ask("Hello").conversation

    response = as_alice.post(f"/chat/{conversation.pk}/stop/", headers=HTMX)

    assert (response.status_code, response.content) == (204, b"")
    assert Generation.objects.get().status == Status.STOPPED
    assert as_alice.post(f"/chat/{conversation.pk}/stop/").status_code == 302


def test_the_stop_button_is_offered_in_every_conversation_and_has_its_form(
    as_alice: Client, ask: Ask
) -> None:
    conversation = ask("Hello").conversation
    page = read(as_alice.get(conversation.get_absolute_url()))

    assert page.one("button", data_action="stop").attributes["form"] == "stop"
    assert page.one("form", id="stop").attributes["action"] == f"/chat/{conversation.pk}/stop/"


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_retry_shows_a_new_answer_and_keeps_the_old_one(
    as_alice: Client, answered: Sent, headers: dict[str, str]
) -> None:
    response = as_alice.post(f"/messages/{answered.answer.pk}/retry/", headers=headers)

    assert path_of(answered.conversation) == ["What is **one** and one?", ""]
    assert Message.objects.filter(role=MessageRole.ASSISTANT).count() == 2
    if headers:
        articles = read(response).all("article")
        assert [tag.attributes["data-status"] for tag in articles] == ["completed", "queued"]
    else:
        assert response["Location"] == answered.conversation.get_absolute_url()


def test_retry_with_another_model(as_alice: Client, answered: Sent, demo: Backend) -> None:
    demo.models.create(model_id="other")

    as_alice.post(f"/messages/{answered.answer.pk}/retry/", {"model": "demo/other"})

    assert Generation.objects.latest("created_at").model_id == "other"


def test_continue_goes_on_with_the_same_message(as_alice: Client, ask: Ask) -> None:
    sent = ask("Count")
    end(sent, "One, two", Status.STOPPED)
    page = read(as_alice.get(sent.conversation.get_absolute_url()))
    url = f"/messages/{sent.answer.pk}/continue/"
    assert page.one("button", formaction=url)

    response = as_alice.post(url, headers=HTMX)

    assert read(response).all("article")[1].attributes["data-status"] == "queued"
    assert Generation.objects.latest("created_at").continues
    assert Message.objects.count() == 2


def test_a_whole_answer_offers_no_continue(as_alice: Client, answered: Sent) -> None:
    page = read(as_alice.get(answered.conversation.get_absolute_url()))

    assert not page.all("button", formaction=f"/messages/{answered.answer.pk}/continue/")
    assert page.all("button", formaction=f"/messages/{answered.answer.pk}/retry/")


def test_a_question_is_not_continued(as_alice: Client, answered: Sent) -> None:
    response = as_alice.post(f"/messages/{answered.question.pk}/continue/")

    assert response.status_code == 422
    assert Generation.objects.count() == 1


@pytest.mark.parametrize("verb", ["retry", "continue", "delete"])
def test_nothing_is_done_with_messages_while_an_answer_is_written(
    as_alice: Client, ask: Ask, verb: str
) -> None:
    sent = ask("Hello")

    for headers in ({}, HTMX):
        response = as_alice.post(f"/messages/{sent.answer.pk}/{verb}/", headers=headers)
        assert response.status_code == 422
        assert "still being written" in read(response).one(id="composer-error").text
    assert (Message.objects.count(), Generation.objects.count()) == (2, 1)


def test_an_answer_is_deleted_and_what_followed_stays(as_alice: Client, answered: Sent, ask: Ask) -> None:
    end(ask("More", answered.conversation), "Fine.")

    response = as_alice.post(f"/messages/{answered.answer.pk}/delete/", headers=HTMX)

    assert path_of(answered.conversation) == ["What is **one** and one?", "More", "Fine."]
    assert len(read(response).all("article")) == 3


def test_a_deleted_question_takes_its_answers_along(as_alice: Client, answered: Sent, ask: Ask) -> None:
    end(ask("More", answered.conversation), "Fine.")

    as_alice.post(f"/messages/{answered.question.pk}/delete/")

    assert path_of(answered.conversation) == ["More", "Fine."]
    assert Message.objects.filter(deleted_at=None).count() == 2


def test_the_last_message_is_deleted_and_the_page_is_empty(as_alice: Client, answered: Sent) -> None:
    as_alice.post(f"/messages/{answered.question.pk}/delete/")

    assert path_of(answered.conversation) == []
    page = read(as_alice.get(answered.conversation.get_absolute_url()))
    assert not page.all("article", class_="message") or page.one("article", data_status="pending")


def test_the_source_of_an_answer_is_plain_text(as_alice: Client, answered: Sent) -> None:
    response = as_alice.get(f"/messages/{answered.answer.pk}/raw/")

    assert response.content.decode() == "It is **two**."
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert as_alice.head(f"/messages/{answered.answer.pk}/raw/").content == b""


def test_numbers_that_no_database_has_are_not_found(as_alice: Client, answered: Sent) -> None:
    assert as_alice.get(f"/messages/{10**30}/raw/").status_code == 404
    for before in (str(10**30), "9" * 5000, "²", "-1", "x", ""):
        url = answered.conversation.get_absolute_url()
        assert as_alice.get(url, {"before": before}).status_code == 200


# --- what is shown --------------------------------------------------------------------------------


def test_text_is_rendered_and_facts_stand_below(as_alice: Client, ask: Ask) -> None:
    sent = ask("Hello")
    end(
        sent,
        "It is **two**.",
        ttft_ms=120,
        tokens_per_second=28.44,
        output_tokens=1234,
        finish_reason="stop",
    )
    page = read(as_alice.get(sent.conversation.get_absolute_url()))

    assert [tag.text for tag in page.all("strong") if "article" in tag.inside] == ["two"]
    facts = {tag.attributes["data-fact"]: tag.text for tag in page.all("li") if "data-fact" in tag.attributes}
    assert facts == {
        "model": "Play",
        "ttft": "120 ms",
        "speed": "28.4 tokens/s",
        "tokens": "1,234 tokens",
        "finish": "complete",
    }


@pytest.mark.parametrize(
    ("status", "values", "says"),
    [
        (Status.STOPPED, {}, "You stopped this answer."),
        (Status.INTERRUPTED, {}, "The hub was restarted"),
        (Status.FAILED, {"error_message": "It broke", "error_hint": "Mend it"}, "It broke"),
        (Status.COMPLETED, {"finish_reason": "length"}, "length limit"),
        (Status.COMPLETED, {"finish_reason": "content_filter"}, "content filter"),
        (Status.COMPLETED, {"finish_reason": "incomplete"}, "closed the connection"),
    ],
)
def test_how_an_answer_ended_is_said(
    as_alice: Client, ask: Ask, status: Status, values: dict[str, str], says: str
) -> None:
    sent = ask("Hello")
    end(sent, "Half", status, **values)

    page = read(as_alice.get(sent.conversation.get_absolute_url()))

    assert page.one("article", id=f"message-{sent.answer.pk}").attributes["data-status"] == status.value
    assert any(says in tag.text for tag in page.tags if tag.name == "p")


def test_an_answer_without_a_word_says_so(as_alice: Client, ask: Ask) -> None:
    sent = ask("Hello")
    end(sent, "", Status.COMPLETED, finish_reason="stop")

    assert "ended without an answer" in as_alice.get(sent.conversation.get_absolute_url()).content.decode()


def test_a_long_thread_shows_its_end_and_a_link_to_what_came_before(as_alice: Client, ask: Ask) -> None:
    conversation = ask("0").conversation
    grow(conversation, PAGE + 10)
    url = conversation.get_absolute_url()
    ids = conversation_ids(conversation)

    page = read(as_alice.get(url))
    shown = articles(page)
    assert shown == ids[-PAGE:]
    earlier = page.one("a", id="earlier").attributes["href"]
    fragment = read(as_alice.get(earlier, headers=HTMX))
    assert articles(fragment) == ids[:-PAGE]
    assert not fragment.all("a", id="earlier")
    assert articles(read(as_alice.get(earlier))) == ids[:-PAGE]


def articles(page: Any) -> list[int]:
    return [
        int(tag.attributes["id"].removeprefix("message-"))
        for tag in page.all("article")
        if "id" in tag.attributes
    ]


def conversation_ids(conversation: Conversation) -> list[int]:
    return [row.pk for row in Conversation.objects.get(pk=conversation.pk).path()]


def grow(conversation: Conversation, messages: int) -> None:
    """Let the conversation have that many messages."""
    Generation.objects.update(status=Status.COMPLETED)
    conversation = Conversation.objects.get(pk=conversation.pk)
    while conversation.messages.count() < messages:
        role = MessageRole.ASSISTANT if conversation.messages.count() % 2 else MessageRole.USER
        row = Message.objects.create(
            conversation=conversation, parent_id=conversation.head_id, role=role, text="x"
        )
        if role == MessageRole.ASSISTANT:
            Generation.objects.create(message=row, backend_name="Demo", model_id="m", status="completed")
        conversation.head = row
        conversation.save()


def test_a_page_takes_as_many_queries_at_three_as_at_thirty(as_alice: Client, ask: Ask) -> None:
    conversation = ask("0").conversation
    others = [ask(f"other {number}").conversation for number in range(2)]
    grow(conversation, 3)
    url = conversation.get_absolute_url()
    paths = ("/", url, "/chat/sidebar/", f"{url}settings/")
    few = {path: queries(as_alice, path) for path in paths}

    grow(conversation, 30)
    others += [ask(f"other {number}").conversation for number in range(2, 29)]
    ask("and one that waits")

    assert {path: queries(as_alice, path) for path in paths} == few
    assert max(few.values()) <= 12


def test_lists_of_the_administrator_take_as_many_queries_at_three_as_at_thirty(
    as_ada: Client, ada: User
) -> None:
    from privatechathub.accounts.models import Invitation

    def add(numbers: range) -> None:
        for number in numbers:
            Backend.objects.create(name=f"B {number}", kind="ollama", base_url=f"http://h{number}")
            User.objects.create_user(f"user{number}")
            Invitation.issue(ada)

    add(range(3))
    few = {path: queries(as_ada, path) for path in ("/backends/", "/people/")}
    add(range(3, 30))

    assert {path: queries(as_ada, path) for path in few} == few


def queries(browser: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert browser.get(path).status_code == 200
    return len(captured)


# --- the list of conversations --------------------------------------------------------------------


def make(owner: User, count: int, **ages: float) -> None:
    """Conversations, each a minute older than the one before."""
    now = timezone.now() - timedelta(**ages)
    Conversation.objects.bulk_create(
        Conversation(owner=owner, title=f"Chat {number}", updated_at=now - timedelta(minutes=number))
        for number in range(count)
    )


def titles(page: Any) -> list[str]:
    return [tag.text for tag in page.all("a") if "data-conversation" in tag.attributes]


def test_conversations_are_grouped_by_their_date(as_alice: Client, alice: User) -> None:
    noon = timezone.localtime().replace(hour=12)
    days = {"Today": 0, "Yesterday": 1, "Previous 7 days": 4, "Previous 30 days": 20, "old": 400}
    for title, ago in days.items():
        Conversation.objects.create(owner=alice, title=title, updated_at=noon - timedelta(days=ago))

    page = read(as_alice.get("/chat/sidebar/", headers=HTMX))

    labels = [tag.text for tag in page.all("h2")]
    assert labels[:4] == list(days)[:4]
    assert re.fullmatch(r"[A-Z][a-z]+ \d{4}", labels[4])
    assert titles(page) == list(days)


def test_older_conversations_come_page_by_page_without_gap_or_repetition(
    as_alice: Client, alice: User, bob: User
) -> None:
    make(alice, 2 * SIDEBAR_PAGE + 5)
    make(bob, 3)
    path, seen, pages = "/chat/sidebar/", [], 0

    while path:
        page = read(as_alice.get(path, headers=HTMX))
        seen += titles(page)
        pages += 1
        path = next((tag.attributes["href"] for tag in page.all("a", class_="sidebar-more")), "")

    assert pages == 3
    assert seen == [f"Chat {number}" for number in range(2 * SIDEBAR_PAGE + 5)]


def test_older_conversations_come_without_a_script_too(as_alice: Client, alice: User) -> None:
    make(alice, SIDEBAR_PAGE + 1)
    more = read(as_alice.get("/")).one("a", class_="sidebar-more").attributes["href"]

    page = read(as_alice.get(more))

    assert page.all("html")
    assert titles(page) == [f"Chat {SIDEBAR_PAGE}"]


@pytest.mark.parametrize(
    "before", ["x", "nan", "inf", "-1e300", "1e300", "-62135596800", "253402300799", "0"]
)
def test_an_odd_moment_is_no_mistake_of_ours(as_alice: Client, before: str) -> None:
    assert as_alice.get("/chat/sidebar/", {"before": before}).status_code == 200


def test_the_shown_conversation_and_running_ones_are_marked(as_alice: Client, ask: Ask) -> None:
    quiet, running = ask("quiet"), ask("running")
    end(quiet)
    page = read(as_alice.get(quiet.conversation.get_absolute_url()))

    current = [tag for tag in page.all("a", aria_current="page") if "data-conversation" in tag.attributes]
    assert [tag.text for tag in current] == ["quiet"]
    dots = ["hidden" not in tag.attributes for tag in page.all("span", class_="running-dot")]
    assert dict(zip(titles(page), dots, strict=True)) == {"running": True, "quiet": False}
    assert running.conversation.title == "running"


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("What is love?", "What is love?"),
        ("\n\n  # **Heading** \nmore", "Heading"),
        ("```\nprint(1)\n```", "print(1)"),
        ("> quoted\n\nQuestion", "quoted"),
        ("***", "***"),
        ("Tell me of **gardens**", "Tell me of gardens"),
        ("What does `ls -l` do?", "What does ls -l do?"),
        ("Is 2**3 less than 2**4?", "Is 2**3 less than 2**4?"),
        ("a\tb   c", "a b c"),
        ("word " * 40, "word " * 11 + "word…"),
        ("x" * 100, "x" * (LONGEST - 1) + "…"),
    ],
)
def test_the_title_is_the_first_words(text: str, title: str) -> None:
    assert title_from(text) == title
    assert len(title_from(text)) <= LONGEST + 1


# --- rename, delete, settings ---------------------------------------------------------------------


def test_rename_without_a_script(as_alice: Client, answered: Sent) -> None:
    url = answered.conversation.get_absolute_url()

    response = as_alice.post(f"{url}rename/", {"title": "  A  <b>better</b>\nname "})

    assert response["Location"] == url
    assert read(as_alice.get(url)).one(id="title").text == "A <b>better</b> name"


def test_rename_with_htmx_gives_the_list_and_the_title_of_the_shown_page(
    as_alice: Client, answered: Sent
) -> None:
    url = answered.conversation.get_absolute_url()

    here = as_alice.post(
        f"{url}rename/", {"title": "<i>New"}, headers=HTMX | {"HX-Current-URL": f"http://testserver{url}"}
    )
    elsewhere = as_alice.post(
        f"{url}rename/", {"title": "Newer"}, headers=HTMX | {"HX-Current-URL": "http://testserver/"}
    )

    assert titles(read(here)) == ["<i>New"]
    assert read(here).one(id="title").text == "<i>New"
    assert read(here).one("a", aria_current="page")
    assert titles(read(elsewhere)) == ["Newer"]
    assert not read(elsewhere).all(id="title")


@pytest.mark.parametrize("title", ["", "  \n ", "\x00"])
def test_an_empty_name_is_refused(as_alice: Client, answered: Sent, title: str) -> None:
    url = answered.conversation.get_absolute_url()

    as_alice.post(f"{url}rename/", {"title": title})

    assert Conversation.objects.get().title == "What is one and one?"
    assert "A title needs" in as_alice.get("/settings/").content.decode()


def test_delete_asks_first_and_asking_deletes_nothing(as_alice: Client, answered: Sent) -> None:
    url = f"{answered.conversation.get_absolute_url()}delete/"

    page = read(as_alice.get(url))
    as_alice.head(url)

    assert "one and one?" in page.one("h1").text or "**one**" in page.one("h1").text
    assert [form for form in page.all("form", method="post") if "action" not in form.attributes]
    assert Conversation.objects.count() == 1


def test_delete_takes_the_conversation_along_and_nothing_else(
    as_alice: Client, alice: User, answered: Sent, ask: Ask
) -> None:
    other = ask("other").conversation

    response = as_alice.post(f"{answered.conversation.get_absolute_url()}delete/")

    assert response["Location"] == "/"
    assert list(Conversation.objects.owned_by(alice)) == [other]
    assert {row.conversation_id for row in Message.objects.owned_by(alice)} == {other.pk}
    assert Generation.objects.owned_by(alice).count() == 1


def test_delete_with_htmx_leaves_the_page_only_if_it_is_the_shown_one(
    as_alice: Client, answered: Sent, ask: Ask
) -> None:
    other = ask("other").conversation.get_absolute_url()
    this = answered.conversation.get_absolute_url()
    showing_other = HTMX | {"HX-Current-URL": f"http://testserver{other}"}

    first = as_alice.post(f"{this}delete/", headers=showing_other)
    second = as_alice.post(f"{other}delete/", headers=showing_other)

    assert titles(read(first)) == ["other"]
    assert "HX-Redirect" not in first
    assert second["HX-Redirect"] == "/"


def test_a_conversation_that_is_being_written_can_be_deleted(as_alice: Client, ask: Ask) -> None:
    conversation = ask("Hello").conversation

    as_alice.post(f"/chat/{conversation.pk}/delete/")

    assert Conversation.objects.get().deleted_at
    assert not Generation.objects.active().exists()


SETTINGS = {
    "system_prompt": "Be brief.\r\nAlways.",
    "temperature": "0.2",
    "top_k": "40",
    "max_tokens": "500",
    "stop": "END\n\nSTOP",
    "reasoning": "off",
}


def test_settings_are_kept_and_shown_again(as_alice: Client, answered: Sent) -> None:
    url = f"{answered.conversation.get_absolute_url()}settings/"

    assert as_alice.post(url, SETTINGS)["Location"] == answered.conversation.get_absolute_url()

    conversation = Conversation.objects.get()
    assert conversation.system_prompt == "Be brief.\nAlways."
    assert conversation.options == {
        "temperature": 0.2,
        "top_k": 40,
        "max_tokens": 500,
        "stop": ["END", "STOP"],
        "reasoning": "off",
    }
    page = read(as_alice.get(url))
    assert page.one("textarea", name_="stop").text.strip() == "END\nSTOP"
    assert page.one("input", name_="temperature").attributes["value"] == "0.2"
    as_alice.post(url, {})
    assert (Conversation.objects.get().options, Conversation.objects.get().system_prompt) == ({}, "")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("temperature", "hot"),
        ("temperature", "2.1"),
        ("temperature", "nan"),
        ("temperature", "inf"),
        ("top_p", "-0.1"),
        ("top_k", "1.5"),
        ("min_p", "2"),
        ("repeat_penalty", "4"),
        ("max_tokens", "0"),
        ("seed", "1e99"),
        ("context_length", "255"),
        ("reasoning", "very"),
        ("system_prompt", "x" * 200_001),
        ("system_prompt", "\x00"),
    ],
)
def test_values_that_cannot_be_are_refused_and_nothing_is_kept(
    as_alice: Client, answered: Sent, name: str, value: str
) -> None:
    url = f"{answered.conversation.get_absolute_url()}settings/"

    response = as_alice.post(url, SETTINGS | {name: value})

    assert response.status_code == 422
    assert read(response).all("ul", class_="errorlist")
    conversation = Conversation.objects.get()
    assert (conversation.options, conversation.system_prompt) == ({}, "")


def test_the_next_answer_is_asked_for_with_the_options_of_its_time(
    as_alice: Client, answered: Sent, ask: Ask
) -> None:
    as_alice.post(f"{answered.conversation.get_absolute_url()}settings/", {"temperature": "0.5"})

    sent = ask("More", answered.conversation)

    assert sent.generation.options == {"temperature": 0.5}
    assert Generation.objects.get(pk=answered.generation.pk).options == {}


def test_an_answer_that_is_saved_while_its_page_is_read_does_not_look_ended_without_its_text(
    as_alice: Client, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = ask("Question")
    Generation.objects.update(status=Status.RUNNING)
    read = message.cards_of

    def save_meanwhile(generations: Sequence[Generation]) -> Any:
        Message.objects.filter(pk=sent.answer.pk).update(text="The whole answer")
        Generation.objects.update(status=Status.COMPLETED)
        return read(generations)

    monkeypatch.setattr(message, "cards_of", save_meanwhile)
    page = as_alice.get(sent.conversation.get_absolute_url()).content.decode()

    assert "The whole answer" in page
    assert 'data-status="running"' in page
