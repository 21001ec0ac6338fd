"""Projects travel: with everything in them, once, and with their conversations."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from backends.models import Backend
from chat.models import Conversation, Import, Project, ProjectRevision, Told
from chat.models.project import Colour, Icon
from chat.services import project_files
from chat.services.sending import Sent
from chat.transfer import loading, planning, projects, saving, survey
from chat.transfer.archive import zipped
from chat.transfer.formats import project as format_
from chat.transfer.portable import PortableProject, Unreadable
from chat.transfer.unpacking import Upload
from chat.transfer.writing import KINDS, project_as_json
from privatechathub.accounts.models import User
from tests.chat.transfer import samples

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\r"), max_size=30)
MOMENT = st.none() | st.datetimes(datetime(1971, 1, 1), datetime(2199, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
Ask = Callable[..., Sent]


@given(
    st.builds(
        PortableProject,
        id=st.uuids().map(str),
        values=st.fixed_dictionaries(
            {
                "name": TEXT.map(lambda text: " ".join(text.split()) or "x"),
                "description": TEXT,
                "colour": st.sampled_from(Colour.values),
                "icon": st.sampled_from(Icon.values),
                "instructions": TEXT,
                "memory": TEXT,
                "system_prompt": TEXT,
                "tools": st.dictionaries(TEXT, st.booleans(), max_size=3),
                "pinned_at": MOMENT,
                "archived_at": MOMENT,
                "created_at": MOMENT,
            }
        ),
        earlier=st.lists(
            st.fixed_dictionaries(
                {
                    "field": st.sampled_from(Told.values),
                    "text": TEXT,
                    "by_model": st.booleans(),
                    "created_at": MOMENT,
                }
            ),
            max_size=3,
        ).map(tuple),
    )
)
def test_any_project_comes_back_from_json(project: PortableProject) -> None:
    assert format_.read(json.loads(project_as_json(project))) == project


@pytest.mark.parametrize(
    "wrong",
    [{"version": 2}, {"version": None}, {"project": None}, {"project": {"id": "x"}}, {"project": [1]}],
)
def test_what_is_no_project_is_unreadable(wrong: dict[str, Any]) -> None:
    good = {"format": format_.PROJECT, "version": 1, "project": {"id": "x", "name": "Garden"}}
    assert format_.read(good).values["name"] == "Garden"
    with pytest.raises(Unreadable):
        format_.read(good | wrong)


def test_values_that_the_hub_would_never_write_do_not_get_in() -> None:
    odd = {
        "id": "x", "name": " a\n b ", "colour": "mauve", "icon": "../x", "tools": {"*": 1, "add": False},
        "memory": "x" * 60_000, "pinned_at": "soon", "earlier": [{"field": "owner"}, 7, {"field": "name"}],
    }  # fmt: skip
    found = format_.read({"format": format_.PROJECT, "version": 1, "project": odd})
    assert [found.values[name] for name in ("name", "colour", "icon", "tools", "pinned_at")] == [
        "a b",
        "teal",
        "folder",
        {"add": False},
        None,
    ]
    assert len(found.values["memory"]) == 50_000
    assert [row["field"] for row in found.earlier] == ["name"]


@pytest.fixture
def garden(alice: User, demo: Backend, ask: Ask) -> Project:
    """A project of Alice's with a conversation, and a past."""
    project = Project.objects.create(
        owner=alice,
        name="Garden",
        description="Beds.",
        colour="green",
        icon="sun",
        instructions="Be brief.",
        memory="Clay.",
        system_prompt="You garden.",
        tools={"*": True},
        backend=demo,
        model_id="play",
        pinned_at=datetime(2026, 5, 1, tzinfo=UTC),
    )
    ProjectRevision.objects.tell(project, Told.MEMORY, "Loam.", ask("Peas?").conversation.pk)
    ProjectRevision.objects.tell(project, Told.NAME, "Kitchen garden")
    Conversation.objects.update(project=project)
    return project


def file_of(owner: User, tmp_path: Path) -> Upload:
    """Everything of that person."""

    async def collect() -> bytes:
        return b"".join([piece async for piece in zipped(owner, KINDS["json"])])

    path = tmp_path / uuid.uuid4().hex
    path.write_bytes(async_to_sync(collect)())
    return Upload(path, "all.zip")


def content(project: Project) -> PortableProject:
    project.refresh_from_db()
    return projects.load(project)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("threads")
def test_everything_arrives_once(garden: Project, alice: User, bob: User, tmp_path: Path) -> None:
    Project.objects.create(owner=alice, name="Empty")
    upload = file_of(alice, tmp_path)
    report = survey.look_through(bob, upload)
    assert (report["projects"], report["new"], report["lost"]) == (2, 1, {})

    for _ in range(2):
        planning.bring_in(bob, upload, lambda count: None)

    theirs = Project.objects.owned_by(bob).get(name="Kitchen garden")
    assert content(theirs) == content(garden)
    assert Project.objects.owned_by(bob).count() == 2
    assert Conversation.objects.owned_by(bob).get().project == theirs
    report = survey.look_through(bob, upload)
    assert (report["projects"], report["new"], report["known"]) == (0, 0, 1)
    assert Project.objects.owned_by(alice).count() == 2


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("threads")
def test_what_comes_home_is_known(garden: Project, alice: User, bob: User, tmp_path: Path) -> None:
    planning.bring_in(bob, file_of(alice, tmp_path), lambda count: None)
    garden.memory = "Changed since."
    garden.save()

    planning.bring_in(alice, file_of(bob, tmp_path), lambda count: None)

    assert Project.objects.owned_by(alice).get() == garden
    garden.refresh_from_db()
    assert garden.memory == "Changed since."


def test_a_single_conversation_brings_the_name_and_the_rest_may_follow(garden: Project, bob: User) -> None:
    talk = loading.load(Conversation.objects.get())

    copied = saving.save(bob, talk)
    again = saving.save(bob, talk)

    bare = copied.project
    assert bare is not None
    assert again.project == bare
    assert (bare.name, bare.memory) == ("Kitchen garden", "")
    projects.save(bob, projects.load(garden))
    assert content(bare) == content(garden)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("threads")
def test_its_files_travel_with_it(garden: Project, alice: User, bob: User, tmp_path: Path) -> None:
    plan = SimpleUploadedFile("plan.md", b"# North bed\n\nPeas, then kale.")
    project_files.add(alice, garden, [plan])
    upload = file_of(alice, tmp_path)
    assert survey.look_through(bob, upload)["attached"] == 1

    for _ in range(2):
        planning.bring_in(bob, upload, lambda count: None)

    theirs = Project.objects.owned_by(bob).get()
    row = theirs.attachments.get()
    assert theirs.attached == 1
    assert (row.owner, row.name, row.text) == (bob, "plan.md", "# North bed\n\nPeas, then kale.")
    assert row.content() == garden.attachments.get().content()
    assert content(theirs) == content(garden)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("threads")
def test_a_file_that_is_not_there_or_is_none_is_left_out(bob: User, tmp_path: Path) -> None:
    told = {"media_type": "text/plain", "size": 3}
    project = {"id": "p", "name": "Garden", "memory": "x", "files": [
        {**told, "name": "../../gone.txt", "sha256": "0" * 64}, {**told, "name": "odd", "sha256": "../x"}, 7,
    ]}  # fmt: skip
    data = {"format": format_.PROJECT, "version": 1, "project": project}
    path = tmp_path / "upload"
    path.write_bytes(samples.zipped({"p.json": json.dumps(data).encode()}))
    upload = Upload(path, "p.zip")
    report = survey.look_through(bob, upload)
    assert (report["attached"], report["left_out"]) == (0, {"file": 2})

    planning.bring_in(bob, upload, lambda count: None)

    found = Project.objects.owned_by(bob).get()
    assert (found.attached, found.attachments.count()) == (0, 0)


def test_nobody_s_project_is_taken_by_its_id(garden: Project, bob: User, alice: User) -> None:
    assert projects.find(bob, str(garden.pk)) is None
    assert projects.find(alice, str(garden.pk)) == garden
    copied = saving.save(bob, loading.load(Conversation.objects.get()))
    assert copied.project is not None
    assert copied.project.owner == bob
    garden.refresh_from_db()
    assert garden.memory == "Loam."


def test_a_model_that_the_person_may_not_use_stays_behind(garden: Project, bob: User, demo: Backend) -> None:
    demo.access = "admins"
    demo.save()
    projects.save(bob, projects.load(garden))
    found = Project.objects.owned_by(bob).get()
    assert (found.backend, found.model_id) == (None, "")


def test_a_file_of_projects_alone_can_be_imported(as_bob: Client, bob: User, garden: Project) -> None:
    data = samples.zipped({"p.json": project_as_json(projects.load(garden)).encode()})
    as_bob.post("/transfer/import/", {"file": SimpleUploadedFile("p.zip", data)})
    row = Import.objects.get()
    page = as_bob.get(f"/transfer/import/{row.pk}/").content.decode()
    assert "New projects" in page
    assert "disabled" not in page.split("import-cancel")[0].split("<main")[1]

    as_bob.post(f"/transfer/import/{row.pk}/")

    assert Project.objects.owned_by(bob).get().memory == "Loam."
