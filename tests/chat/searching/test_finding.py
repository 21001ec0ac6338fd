"""What is found, by whom, and when: on SQLite here and on PostgreSQL in tests/services."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings

from backends.models import Backend
from chat import trash
from chat.generation.recorder import save_end, save_progress
from chat.generation.recovery import new_run
from chat.models import (
    Activity,
    Attachment,
    Conversation,
    Generation,
    Message,
    Project,
    SearchEntry,
    Status,
    Tag,
)  # fmt: skip
from chat.presenting.found import found_view, quick_view
from chat.searching.excerpts import as_text
from chat.searching.finding import find
from chat.searching.index import after_migrations, before_migrations, index
from chat.searching.language import parse
from chat.services import order
from chat.services.sending import Sent
from privatechathub.accounts.models import User
from tests.chat.searching.test_language import SPICE

Ask = Callable[..., Sent]


def answer(sent: Sent, text: str, reasoning: str = "") -> None:
    """The model has answered."""
    run = new_run(Generation.objects.select_related("message").get(pk=sent.generation.pk))
    run.grow(text, reasoning)
    run.end(Status.COMPLETED)
    save_end(run)


def titles(user: User, text: str) -> list[str]:
    """The conversations and projects that are found, the best first."""
    return ["".join(piece.text for piece in group.title) for group in found_view(user, text).groups]


def kinds(user: User, text: str) -> set[str]:
    """Where it is found."""
    return {hit.kind.value for group in find(user, parse(text)) for hit in group.hits}


@pytest.fixture
def sea(ask: Ask) -> Sent:
    """A conversation about the sea, answered, with everything there can be in it."""
    sent = ask("Why are there tides?")
    Attachment.objects.create(
        owner=sent.conversation.owner, message=sent.question, name="almanac.pdf", media_type="application/pdf",
        digest="0" * 64, size=1, text="High water at Dover: 04:12",
    )  # fmt: skip
    Message.objects.filter(pk=sent.question.pk).update(attached=1)
    Activity.objects.create(
        generation=sent.generation, position=0, name="fetch_url", state="done", title="Reads a page",
        input='{"url": "tidetables.example"}', output="Neap tide on Thursday", started_at=timezone.now(),
    )  # fmt: skip
    answer(sent, "The Moon pulls. ```python\nebb()\n```", "Gravity, presumably, of Luna")
    return sent


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("why", "title"), ("moon pulls", "text"), ("gravity", "reasoning"), ("dover", "file"), ("almanac", "file"),
        ("neap", "tool"), ("tidetables", "tool"),
    ],
)  # fmt: skip
def test_everything_of_a_conversation_is_found(
    text: str, kind: str, alice: User, bob: User, sea: Sent
) -> None:
    assert kind in kinds(alice, text)
    assert titles(alice, text) == ["Why are there tides?"]
    assert titles(bob, text) == []


def test_notes_of_projects_are_found(alice: User, bob: User) -> None:
    project = Project.objects.create(owner=alice, name="Garden", instructions="Answer about tulips")
    project.memory = "The soil is chalk"
    project.save()
    assert titles(alice, "tulip") == titles(alice, "chalk") == ["Garden"]
    assert titles(bob, "chalk") == []
    project.delete()
    assert titles(alice, "chalk") == []
    assert not SearchEntry.objects.exists()


def test_files_of_projects_are_found(alice: User, bob: User) -> None:
    project = Project.objects.create(owner=alice, name="Garden")
    Attachment.objects.create(
        owner=alice, project=project, name="plan.txt", media_type="text/plain", digest="1" * 64, size=1,
        text="Gooseberries along the wall",
    )  # fmt: skip
    assert titles(alice, "gooseberr wall") == ["Garden"]
    assert titles(bob, "gooseberr") == []
    (group,) = found_view(alice, "gooseberr").groups
    assert (group.hits[0].label, group.url) == ("File", project.get_absolute_url())


def test_words_without_spaces_between_them(alice: User, bob: User, ask: Ask) -> None:
    ask("私は日本語を勉強する in Tokyo")
    for text in ("日本語", "勉強", "tokyo 日本語", "日本語 from:me"):
        assert titles(alice, text) == ["私は日本語を勉強する in Tokyo"], text
        assert titles(bob, text) == []
    for text in ("中国語", "osaka 日本語", "日本語 from:model"):
        assert titles(alice, text) == [], text


def test_accents_case_beginnings_and_phrases(alice: User, ask: Ask) -> None:
    ask("Crème BRÛLÉE for six people")
    for text in ("creme", "brulee", "BRÛ", "peop", '"six people"', "Crème six"):
        assert titles(alice, text) == ["Crème BRÛLÉE for six people"], text
    for text in ('"peop"', '"people six"', "people -creme", "rème", "six seven"):
        assert titles(alice, text) == [], text


def test_an_answer_is_indexed_when_it_has_ended_and_not_before(alice: User, ask: Ask) -> None:
    sent = ask("Hello")
    run = new_run(sent.generation)
    for text in ("walrus ", "and carpenter"):
        run.grow(text, "oyster")
        with CaptureQueriesContext(connection):
            save_progress([run])
        assert titles(alice, "walrus") == titles(alice, "oyster") == []
    run.end(Status.STOPPED)
    save_end(run)
    assert titles(alice, "walrus carpenter") == titles(alice, "oyster") == ["Hello"]


def test_an_answer_that_goes_on_is_indexed_anew(alice: User, ask: Ask, demo: Backend) -> None:
    sent = ask("Hello")
    answer(sent, "First half")
    more = Generation.objects.create(
        message=sent.answer, backend=demo, backend_name="Demo", model_id="play", status=Status.RUNNING
    )
    Message.objects.filter(pk=sent.answer.pk).update(text="First half, second")
    assert titles(alice, "second") == []
    Generation.objects.filter(pk=more.pk).update(status=Status.COMPLETED)
    assert titles(alice, "second half") == ["Hello"]
    assert SearchEntry.objects.filter(kind="text", message=sent.answer).count() == 1


def test_what_changes_is_found_by_its_new_words_alone(alice: User, sea: Sent) -> None:
    Conversation.objects.update(title="Ebb and flow")
    Attachment.objects.update(text="Low water at Brest")
    assert titles(alice, "why flow") == titles(alice, "dover") == []
    assert titles(alice, "ebb flow") == titles(alice, "brest") == ["Ebb and flow"]


def test_what_is_deleted_is_not_found_and_leaves_nothing(alice: User, sea: Sent) -> None:
    Message.objects.filter(pk=sea.answer.pk).update(deleted_at=timezone.now())
    assert titles(alice, "moon") == titles(alice, "gravity") == titles(alice, "neap") == []
    _count, moment = order.delete(alice, [sea.conversation.pk])
    assert titles(alice, "tides") == []
    order.restore(alice, moment)
    assert titles(alice, "tides") == ["Why are there tides?"]
    order.delete(alice, [sea.conversation.pk])
    trash.destroy(Conversation.objects.all())
    assert not SearchEntry.objects.exists()
    assert words_kept() == 0


def words_kept() -> int:
    """Texts in the index."""
    sqlite, postgres = "SELECT count(*) FROM chat_search", "SELECT count(*) FROM chat_searchentry"
    with connection.cursor() as cursor:
        cursor.execute(sqlite if connection.vendor == "sqlite" else postgres)
        return int(cursor.fetchone()[0])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("tides from:me", True), ("tides from:model", False), ("moon from:model", True),
        ("moon model:play", True), ("moon model:other", False),
        ("tides has:file", True), ("tides has:image", False), ("moon has:code", True), ("why has:code", False),
        ("moon has:tool", True), ("tag:Coast", True), ("tides tag:coast", True), ("tag:coast tag:other", False),
        ("project:ocean", True), ("moon project:land", False), ("in:archive", False), ("has:file", True),
        ("after:yesterday", True), ("before:yesterday", False), ("moon after:today", True), ("moon before:2020", False),
        ("from:model has:file", False),
    ],
)  # fmt: skip
def test_filters(text: str, found: bool, alice: User, bob: User, sea: Sent) -> None:
    order.set_tags(alice, sea.conversation, "coast")
    project = Project.objects.create(owner=alice, name="The ocean")
    order.move(alice, [sea.conversation.pk], project)
    assert ("Why are there tides?" in titles(alice, text)) is found
    assert titles(bob, text) == []


def test_the_archive_is_searched_and_can_be_asked_for(alice: User, ask: Ask) -> None:
    old, _new = ask("Tides, old").conversation, ask("Tides, new").conversation
    order.archive(alice, [old.pk], on=True)
    assert set(titles(alice, "tides")) == {"Tides, old", "Tides, new"}
    assert titles(alice, "tides in:archive") == titles(alice, "in:archive") == ["Tides, old"]


def test_titles_count_more_and_the_new_before_the_old(alice: User, ask: Ask) -> None:
    ask("Something else\n\n" + "much more " * 30 + "herons")
    ask("Herons")
    assert titles(alice, "herons")[0] == "Herons"
    for title, age in (("Owls before", 400), ("Owls after", 0)):
        sent = ask(title)
        Message.objects.filter(pk=sent.question.pk).update(created_at=timezone.now() - timedelta(days=age))
    Conversation.objects.filter(title="Owls before").update(updated_at=timezone.now() - timedelta(days=400))
    assert titles(alice, "owls") == ["Owls after", "Owls before"]


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(SPICE)
def test_no_text_is_an_error_of_the_database(alice: User, text: str) -> None:
    find(alice, parse(text))


@pytest.mark.parametrize("name", ["tag", "project", "model"])
def test_more_filters_than_a_database_takes_are_no_error(alice: User, name: str) -> None:
    find(alice, parse(" ".join(f"{name}:{number}" for number in range(60))))


def test_what_is_found_links_to_the_message_and_is_escaped(as_alice: Client, ask: Ask) -> None:
    sent = ask("tide <script>alert(1)</script> & tide")
    page = as_alice.get("/search/?q=tide").content.decode()
    assert f"?message={sent.question.pk}#message-{sent.question.pk}" in page
    assert "<mark>tide</mark> &lt;script&gt;alert(1)&lt;/script&gt; &amp; <mark>tide</mark>" in page
    quick = as_alice.get("/search/quick/?q=tide").content.decode()
    assert "<script>" not in quick
    assert "<mark>tide</mark>" in quick


def test_pages_and_lists_for_typing(alice: User, as_alice: Client, as_bob: Client, ask: Ask) -> None:
    Conversation.objects.bulk_create(
        Conversation(owner=alice, title=f"Tide {number}", updated_at=timezone.now()) for number in range(25)
    )
    assert len(found_view(alice, "tide").groups) == 20
    assert len(found_view(alice, "tide", 2).groups) == 5
    assert len(quick_view(alice, "tide").groups) == 8
    assert 'rel="next"' in as_alice.get("/search/?q=tide").content.decode()
    for path in ("/search/?q=tide", "/search/quick/?q=tide", "/switcher/?q=tide"):
        assert "Tide 1" not in as_bob.get(path).content.decode()
    for query in ("page=x", "page=0", "page=99999", "q=%00", "q=" + "a" * 900):
        assert as_alice.get(f"/search/?{query}").status_code == 200


def test_the_switcher_lists_recent_ones_commands_and_what_fits(
    as_alice: Client, as_ada: Client, ask: Ask
) -> None:
    ask("Tides")
    page = as_alice.get("/switcher/").content.decode()
    assert "Tides" in page
    assert "Settings" in page
    assert "Backends" not in page
    assert "Backends" in as_ada.get("/switcher/?q=back").content.decode()
    page = as_alice.get("/switcher/?q=tid").content.decode()
    assert "<mark>Tides</mark>" in page
    assert "Settings" not in page
    assert 'id="switcher"' in as_alice.get("/switcher/?dialog").content.decode()


def test_the_switcher_lists_projects_by_their_names_once(
    alice: User, as_alice: Client, as_bob: Client
) -> None:
    project = Project.objects.create(owner=alice, name="Kitchen garden", instructions="All of a garden.")
    Project.objects.create(owner=alice, name="Garden of old", archived_at=timezone.now())

    page = as_alice.get("/switcher/?q=gard").content.decode()

    assert page.count(f'href="{project.get_absolute_url()}"') == 1
    assert "Kitchen garden</span>" in page
    assert "Kitchen" not in as_alice.get("/switcher/").content.decode()
    assert "Kitchen" not in as_bob.get("/switcher/?q=gard").content.decode()


def test_lists_of_single_lines_show_the_word_near_their_beginning(alice: User, ask: Ask) -> None:
    ask("nothing of note " * 20 + "lighthouse " + "and more " * 9)

    (group,) = quick_view(alice, "lighthouse").groups

    line = as_text(group.hits[0].pieces)
    assert 0 < line.index("lighthouse") <= 20


def test_the_number_of_queries_does_not_grow_with_what_is_found(
    as_alice: Client, alice: User, sea: Sent
) -> None:
    paths = (
        "/search/?q=tides",
        "/search/quick/?q=tides",
        "/switcher/?q=tides",
        "/search/?q=from:me",
        "/search/?q=tag:x",
    )
    order.set_tags(alice, sea.conversation, "x")
    before = {path: queries(as_alice, path) for path in paths}
    for number in range(12):
        talk = Conversation.objects.create(owner=alice, title=f"Tides {number}", updated_at=timezone.now())
        talk.tags.add(Tag.objects.get())
        Message.objects.bulk_create(
            Message(conversation=talk, role="user", text=f"tides {place}") for place in range(5)
        )
    for path, count in before.items():
        assert (path, queries(as_alice, path) <= count) == (path, True)


def queries(browser: Client, path: str) -> int:
    """How many queries that page takes."""
    with CaptureQueriesContext(connection) as captured:
        assert browser.get(path).status_code == 200
    return len(captured)


def test_the_index_catches_up_with_what_was_written_without_it(alice: User, ask: Ask) -> None:
    ask("Before")
    index().uninstall()
    if connection.vendor == "sqlite":
        Conversation.objects.update(title="Meanwhile")
        ask("Unheard")
    index().install()
    index().fill()
    assert titles(alice, "before") == ["Before"] if connection.vendor != "sqlite" else True
    if connection.vendor == "sqlite":
        assert titles(alice, "unheard") == ["Unheard"]
    ask("Afterwards")
    assert titles(alice, "afterwards") == ["Afterwards"]


def test_migrations_leave_the_index_in_place(db: None) -> None:
    before_migrations(plan=[])
    assert index().is_installed()
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER chat_search_forget")
        assert not index().is_installed()
    before_migrations(plan=["something"])
    after_migrations(plan=["something"])
    assert index().is_installed()
    after_migrations()
    call_command("migrate", verbosity=0)
    assert index().is_installed()


def test_a_call_is_found_when_it_is_over(alice: User, ask: Ask) -> None:
    sent = ask("Hello")
    call = Activity.objects.create(
        generation=sent.generation,
        position=0,
        name="x",
        state="running",
        output="partly",
        started_at=timezone.now(),
    )
    assert titles(alice, "partly") == []
    Activity.objects.filter(pk=call.pk).update(state="done", output="wholly")
    assert titles(alice, "wholly") == ["Hello"]
