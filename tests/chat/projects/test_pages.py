"""The pages of projects: made, read, changed, put away, deleted; conversations in and out. All without a script."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backends.models import Backend, CatalogueModel
from chat.models import Comparison, Conversation, Project, ProjectRevision, Told
from chat.presenting import projects as presenting
from chat.services.sending import Sent
from privatechathub.accounts.models import User
from tests.chat.page import faults, read
from tests.chat.test_pages import HOSTILE

Ask = Callable[..., Sent]
FORM = {"name": "Garden", "colour": "red", "icon": "sun"}


def words(response: Any) -> str:
    return " ".join(" ".join(read(response).texts()).split())


def current(response: Any) -> str:
    """The model that the picker begins with."""
    return next(
        tag.attributes["value"] for tag in read(response).all("option") if "selected" in tag.attributes
    )


# --- making and changing ---------------------------------------------------------------------------------


def test_a_project_is_made_with_everything(as_alice: Client, alice: User, demo: Backend) -> None:
    more = {
        "name": " My\n garden ",
        "description": "Beds and pots.",
        "instructions": "Be\r\nbrief.",
        "system_prompt": "You garden.",
        "model": "demo/play",
    }
    response = as_alice.post("/projects/add/", FORM | more)

    project = Project.objects.owned_by(alice).get()
    assert response["Location"] == project.get_absolute_url()
    assert (project.name, project.colour, project.icon) == ("My garden", "red", "sun")
    assert (project.instructions, project.ref) == ("Be\nbrief.", "demo/play")
    page = words(as_alice.get(response["Location"]))
    for word in ("My garden", "Beds and pots.", "Be brief.", "You garden.", "Play"):
        assert word in page


@pytest.mark.parametrize(
    "wrong",
    [{"name": " "}, {"colour": "mauve"}, {"icon": "<b>"}, {"name": "x" * 81}, {"model": "demo/nothing"}],
)
def test_what_is_wrong_is_said_and_nothing_is_lost(wrong: dict[str, str], as_alice: Client) -> None:
    response = as_alice.post("/projects/add/", FORM | {"instructions": "Keep this."} | wrong)
    assert (response.status_code, faults(response)) == (422, [])
    assert "Keep this." in words(response)
    assert not Project.objects.exists()


def test_a_model_that_the_person_may_not_use_cannot_be_chosen(as_bob: Client, demo: Backend) -> None:
    demo.access = "admins"
    demo.save()
    assert as_bob.post("/projects/add/", FORM | {"model": "demo/play"}).status_code == 422


def test_an_edit_keeps_what_was_said_before(as_alice: Client, garden: Project) -> None:
    as_alice.post(f"/projects/{garden.pk}/edit/", FORM | {"name": "Balcony", "instructions": "New."})
    garden.refresh_from_db()
    assert (garden.name, garden.instructions, garden.memory) == ("Balcony", "New.", "The soil is clay.")

    page = as_alice.get(f"/projects/{garden.pk}/edit/")
    assert "Answer as a gardener." in words(page)
    assert "Changed by you" in words(page)
    earlier = ProjectRevision.objects.get(field=Told.NAME)
    as_alice.post(f"/projects/earlier/{earlier.pk}/restore/")
    garden.refresh_from_db()
    assert (garden.name, garden.instructions) == ("Garden", "New.")


def test_an_edit_leaves_a_model_that_is_away(as_alice: Client, garden: Project, demo: Backend) -> None:
    garden.backend, garden.model_id = demo, "gone"
    garden.save()
    page = read(as_alice.get(f"/projects/{garden.pk}/edit/"))
    assert page.one("option", value="demo/gone").attributes.keys() >= {"selected"}
    as_alice.post(f"/projects/{garden.pk}/edit/", FORM | {"model": "demo/gone"})
    garden.refresh_from_db()
    assert (garden.ref, garden.colour) == ("demo/gone", "red")
    as_alice.post(f"/projects/{garden.pk}/edit/", FORM)
    garden.refresh_from_db()
    assert garden.ref == ""


def test_the_memory_is_edited_and_taken_back(
    as_alice: Client, garden: Project, planted: Conversation
) -> None:
    ProjectRevision.objects.tell(garden, Told.MEMORY, "Slugs.", planted.pk)
    as_alice.post(f"/projects/{garden.pk}/memory/", {"memory": "Slugs\r\nand snails."})

    page = as_alice.get(f"/projects/{garden.pk}/memory/")
    assert "Slugs and snails." in words(page)
    assert "Changed by a model" in words(page)
    assert read(page).all("a", href=planted.get_absolute_url())
    oldest = ProjectRevision.objects.last()
    assert oldest is not None
    response = as_alice.post(f"/projects/earlier/{oldest.pk}/restore/", follow=True)
    assert "It says again" in words(response)
    garden.refresh_from_db()
    assert garden.memory == "The soil is clay."
    assert list(ProjectRevision.objects.values_list("text", flat=True)) == [
        "Slugs\nand snails.",
        "Slugs.",
        "The soil is clay.",
    ]


def test_a_memory_that_is_too_long_is_not_taken(as_alice: Client, garden: Project) -> None:
    assert as_alice.post(f"/projects/{garden.pk}/memory/", {"memory": "x" * 50_001}).status_code == 422
    garden.refresh_from_db()
    assert garden.memory == "The soil is clay."


def test_tools_are_chosen_for_a_project(as_alice: Client, garden: Project, planted: Conversation) -> None:
    as_alice.post(f"/projects/{garden.pk}/tools/", {"switch-*": "on", "rule-calculate": "allow"})
    garden.refresh_from_db()
    assert garden.tools == {"*": True}
    assert not garden.owner.tool_rules.exists()
    page = as_alice.get(f"{planted.get_absolute_url()}tools/")
    assert read(page).one("select", id="switch-all")
    assert "No choice (on)" in words(page)


# --- lists -----------------------------------------------------------------------------------------------


def test_pinned_ones_come_first_and_archived_ones_are_elsewhere(as_alice: Client, alice: User) -> None:
    made = {name: Project.objects.create(owner=alice, name=name) for name in ("A", "B", "C", "D")}
    as_alice.post(f"/projects/{made['C'].pk}/pin/", {"on_top": "1"})
    as_alice.post(f"/projects/{made['B'].pk}/pin/", {"on_top": "1"})
    as_alice.post(f"/projects/{made['B'].pk}/archive/", {"away": "1"})

    def listed(path: str) -> list[str]:
        return [tag.text for tag in read(as_alice.get(path)).all("strong")]

    assert listed("/projects/") == ["C", "A", "D"]
    assert listed("/projects/?archived=1") == ["B"]
    as_alice.post(f"/projects/{made['C'].pk}/pin/", {"on_top": "0"})
    as_alice.post(f"/projects/{made['B'].pk}/archive/", {"away": "0"})
    assert listed("/projects/") == ["A", "B", "C", "D"]


def test_an_archived_project_takes_its_conversations_out_of_the_list(
    as_alice: Client, garden: Project, planted: Conversation
) -> None:
    href = planted.get_absolute_url()
    assert read(as_alice.get("/")).all("a", href=href)
    as_alice.post(f"/projects/{garden.pk}/archive/", {"away": "1"})
    page = read(as_alice.get("/"))
    assert not page.all("a", href=href)
    assert not page.all("a", href=garden.get_absolute_url())
    assert read(as_alice.get(garden.get_absolute_url())).all("a", href=href)
    assert as_alice.get(href).status_code == 200


def test_the_sidebar_and_the_top_bar_show_the_project(
    as_alice: Client, garden: Project, planted: Conversation
) -> None:
    page = read(as_alice.get(planted.get_absolute_url()))
    links = page.all("a", href=garden.get_absolute_url())
    assert [link.attributes["class"] for link in links] == ["sidebar-line", "topbar-project"]
    assert not read(as_alice.get("/")).all("a", class_="topbar-project")


def test_no_page_asks_more_with_more_rows(
    as_alice: Client, alice: User, garden: Project, planted: Conversation, demo: Backend
) -> None:
    def asked(path: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert as_alice.get(path).status_code == 200
        return len(queries)

    paths = [
        "/",
        "/projects/",
        garden.get_absolute_url(),
        f"/projects/{garden.pk}/edit/",
        f"/projects/{garden.pk}/memory/",
        f"{planted.get_absolute_url()}project/",
    ]
    few = [asked(path) for path in paths]
    for number in range(12):
        other = Project.objects.create(owner=alice, name=f"Other {number}")
        ProjectRevision.objects.tell(garden, Told.MEMORY, str(number), planted.pk)
        for project in (other, garden):
            Conversation.objects.create(owner=alice, project=project, updated_at=timezone.now())
    assert [asked(path) for path in paths] == few


def test_older_conversations_are_a_link_away(
    as_alice: Client, alice: User, garden: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presenting, "PAGE", 2)
    for number in range(3):
        Conversation.objects.create(
            owner=alice, project=garden, title=f"Number {number}", updated_at=timezone.now()
        )
    page = as_alice.get(garden.get_absolute_url())
    assert "Number 0" not in words(page)
    older = next(
        tag.attributes["href"] for tag in read(page).all("a", class_="button") if "before" in str(tag)
    )
    page = as_alice.get(garden.get_absolute_url() + older)
    assert "Number 0" in words(page)
    assert "Number 1" not in words(page)


# --- conversations in and out ----------------------------------------------------------------------------


def test_a_new_chat_begins_in_the_project_with_its_model(
    as_alice: Client, garden: Project, demo: Backend
) -> None:
    CatalogueModel.objects.create(backend=demo, model_id="a-first", name="A first")
    garden.backend, garden.model_id = demo, "play"
    garden.save()
    page = as_alice.get(f"/?project={garden.pk}")
    assert current(page) == "demo/play"
    assert current(as_alice.get("/")) == "demo/a-first"
    assert "New chat in “Garden”" in words(page)
    field = read(page).one("input", name_="project").attributes["value"]

    response = as_alice.post("/chat/", {"text": "Hi", "model": "demo/play", "key": "k", "project": field})

    assert Conversation.objects.get().project == garden
    assert response["Location"] == Conversation.objects.get().get_absolute_url()


def test_a_new_chat_says_that_its_model_knows_no_tools_where_the_project_wants_some(
    as_alice: Client, as_bob: Client, garden: Project, demo: Backend
) -> None:
    garden.tools = {"*": True}
    garden.save()
    CatalogueModel.objects.update(capabilities=[])
    hint = "this model can’t use them"
    assert hint in words(as_alice.get(f"/?project={garden.pk}"))
    assert hint not in words(as_alice.get("/"))
    path = f"/models/health/?model=demo/play&project={garden.pk}"
    assert hint in as_alice.get(path).content.decode()
    assert hint not in as_bob.get(path).content.decode()


def test_a_new_chat_shows_its_project_at_once(as_alice: Client, garden: Project, demo: Backend) -> None:
    form = {"text": "Hi", "model": "demo/play", "key": "k", "project": str(garden.pk)}
    response = as_alice.post("/chat/", form, headers={"HX-Request": "true"})
    assert read(response).all("a", class_="topbar-project", href=garden.get_absolute_url())


@pytest.mark.parametrize("htmx", [{}, {"HX-Request": "true"}])
def test_a_refused_question_stays_in_the_project(
    htmx: dict[str, str], as_alice: Client, garden: Project, demo: Backend
) -> None:
    form = {"text": "Hi", "model": "demo/nothing", "project": str(garden.pk)}
    response = as_alice.post("/chat/", form, headers=htmx)
    assert response.status_code == 422
    assert read(response).one("input", name_="project").attributes["value"] == str(garden.pk)


@pytest.mark.parametrize("project", ["other", "nothing", "", "x"])
def test_nobody_asks_in_a_project_that_is_not_theirs(
    project: str, as_bob: Client, garden: Project, demo: Backend
) -> None:
    named = {"other": str(garden.pk), "nothing": str(uuid.uuid4())}.get(project, project)
    response = as_bob.post("/chat/", {"text": "My words", "model": "demo/play", "project": named})
    if not named:
        assert response.status_code == 302
        return
    assert response.status_code == 422
    assert "My words" in words(response)
    assert "This project is gone." in words(response)
    assert not read(response).all("input", name_="project")
    assert not Conversation.objects.exists()
    assert as_bob.get(f"/?project={named}").status_code == 404


def test_a_conversation_is_moved_in_and_out(as_alice: Client, garden: Project, ask: Ask) -> None:
    conversation = ask().conversation
    path = f"{conversation.get_absolute_url()}project/"
    for menu in (conversation.get_absolute_url(), f"{conversation.get_absolute_url()}settings/"):
        assert read(as_alice.get(menu)).all("a", href=path)
    assert read(as_alice.get(path)).all("button", name_="project", value=str(garden.pk))

    for value, project in ((str(garden.pk), garden), ("", None)):
        response = as_alice.post(path, {"project": value})
        assert response["Location"] == conversation.get_absolute_url()
        conversation.refresh_from_db()
        assert conversation.project == project
        shown = words(as_alice.get(f"{conversation.get_absolute_url()}settings/"))
        assert ("Garden" in shown, "No project" in shown) == (project == garden, project is None)


def test_its_own_project_is_shown_though_it_was_put_away(
    as_alice: Client, garden: Project, planted: Conversation
) -> None:
    as_alice.post(f"/projects/{garden.pk}/archive/", {"away": "1"})
    page = read(as_alice.get(f"{planted.get_absolute_url()}project/"))
    assert page.one("button", value=str(garden.pk), aria_current="true")


def test_nothing_is_moved_into_a_stranger_s_project(as_alice: Client, bob: User, ask: Ask) -> None:
    theirs = Project.objects.create(owner=bob, name="Bob's")
    conversation = ask().conversation
    for value in (str(theirs.pk), str(uuid.uuid4()), "x"):
        assert (
            as_alice.post(f"{conversation.get_absolute_url()}project/", {"project": value}).status_code == 404
        )
    conversation.refresh_from_db()
    assert conversation.project is None
    assert "Bob's" not in words(as_alice.get(f"{conversation.get_absolute_url()}project/"))


def test_a_project_is_made_for_a_conversation(as_alice: Client, as_bob: Client, ask: Ask) -> None:
    conversation = ask().conversation
    path = f"/projects/add/?conversation={conversation.pk}"
    assert "will be moved into it" in words(as_alice.get(path))
    assert as_bob.get(path).status_code == as_bob.post(path, FORM).status_code == 404
    assert not Project.objects.exists()

    response = as_alice.post(path, FORM)

    assert response["Location"] == conversation.get_absolute_url()
    conversation.refresh_from_db()
    assert conversation.project == Project.objects.get()


# --- deleting --------------------------------------------------------------------------------------------


def test_deleting_asks_whether_conversations_stay(
    as_alice: Client, garden: Project, planted: Conversation
) -> None:
    path = f"/projects/{garden.pk}/delete/"
    page = read(as_alice.get(path))
    assert [tag.attributes["value"] for tag in page.all("button", name_="conversations")] == [
        "keep",
        "delete",
    ]
    as_alice.post(path)
    assert Project.objects.exists()

    page = read(as_alice.post(path, {"conversations": "keep"}, follow=True))

    assert f"“{garden.name}” was deleted." in " ".join(page.texts())
    assert not Project.objects.exists()
    planted.refresh_from_db()
    assert planted.project is None


def test_a_project_goes_with_its_conversations(
    as_alice: Client, alice: User, garden: Project, planted: Conversation, ask: Ask
) -> None:
    other = ask().conversation
    as_alice.post(f"/projects/{garden.pk}/delete/", {"conversations": "delete"})
    assert not Project.objects.exists()
    assert list(Conversation.objects.owned_by(alice)) == [other]
    assert list(Conversation.objects.deleted_by(alice)) == [planted]


def test_an_empty_project_asks_only_once(as_alice: Client, garden: Project) -> None:
    page = read(as_alice.get(f"/projects/{garden.pk}/delete/"))
    assert [tag.attributes["value"] for tag in page.all("button", name_="conversations")] == ["keep"]


# --- markup ----------------------------------------------------------------------------------------------


def test_every_page_is_sound_with_hostile_words(
    as_alice: Client, garden: Project, planted: Conversation, demo: Backend
) -> None:
    garden.instructions = garden.memory = garden.system_prompt = garden.description = HOSTILE
    garden.name, garden.backend, garden.model_id = HOSTILE[:80], demo, HOSTILE
    garden.save()
    for field in Told:
        ProjectRevision.objects.tell(garden, field, f"{field} now", planted.pk)
        ProjectRevision.objects.tell(garden, field, HOSTILE[:80])
    Conversation.objects.update(title=HOSTILE[:120])
    base, chat = f"/projects/{garden.pk}/", planted.get_absolute_url()
    paths = [
        "/projects/", "/projects/?archived=1", "/projects/add/", base, f"{base}edit/", f"{base}memory/",
        f"{base}tools/", f"{base}delete/", f"{chat}project/", f"{chat}settings/", chat,
        f"/projects/add/?conversation={planted.pk}", f"/?project={garden.pk}",
    ]  # fmt: skip
    for path in paths:
        response = as_alice.get(path)
        assert (path, response.status_code, faults(response)) == (path, 200, [])
        assert "<script>alert" not in response.content.decode()


def test_a_comparison_is_one_line_of_its_project(as_alice: Client, alice: User, garden: Project) -> None:
    comparison = Comparison.objects.create(owner=alice)
    for column in range(2):
        Conversation.objects.create(
            owner=alice,
            project=garden,
            title="Tides",
            comparison=comparison,
            column=column,
            updated_at=timezone.now(),
        )
    assert "1 conversation" in words(as_alice.get("/projects/"))
    page = read(as_alice.get(garden.get_absolute_url()))
    assert len(page.all("a", href=comparison.get_absolute_url())) == 1
    assert "1 conversation" in words(as_alice.get(f"/projects/{garden.pk}/delete/"))
