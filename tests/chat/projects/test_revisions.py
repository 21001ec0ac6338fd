"""What a project said before is kept, of each field the newest."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.test import Client

from chat.models import Conversation, Project, ProjectRevision, Told, project_revision
from chat.models.project import Icon
from chat.services import order
from privatechathub.accounts.models import User

tell = ProjectRevision.objects.tell


def earlier(field: Told = Told.MEMORY) -> list[str]:
    return list(ProjectRevision.objects.filter(field=field).values_list("text", flat=True))


def test_what_is_replaced_is_kept(garden: Project, planted: Conversation) -> None:
    assert tell(garden, Told.MEMORY, "Sand.")
    assert tell(garden, Told.MEMORY, "Loam.", planted.pk)

    garden.refresh_from_db()
    assert garden.memory == "Loam."
    assert earlier() == ["Sand.", "The soil is clay."]
    assert [(row.by_model, row.conversation) for row in ProjectRevision.objects.all()] == [
        (True, planted),
        (False, None),
    ]


def test_saying_the_same_again_keeps_nothing(garden: Project) -> None:
    assert not tell(garden, Told.MEMORY, "The soil is clay.")
    assert earlier() == []


def test_what_another_tab_said_meanwhile_is_kept(garden: Project) -> None:
    Project.objects.update(memory="From another tab.")
    tell(garden, Told.MEMORY, "Mine.")
    assert earlier() == ["From another tab."]


def test_only_the_newest_of_each_field_stay(garden: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(project_revision, "KEPT", 2)
    tell(garden, Told.NAME, "Balcony")
    for number in range(4):
        tell(garden, Told.MEMORY, str(number))
    assert earlier() == ["2", "1"]
    assert earlier(Told.NAME) == ["Garden"]


def test_a_conversation_that_is_gone_is_still_a_models_doing(garden: Project, planted: Conversation) -> None:
    tell(garden, Told.NAME, "Balcony", planted.pk)
    Conversation.objects.filter(pk=planted.pk).update(head=None)
    planted.delete()
    row = ProjectRevision.objects.get()
    assert (row.by_model, row.conversation) == (True, None)


def test_a_conversation_in_the_trash_is_not_named(
    garden: Project, planted: Conversation, as_alice: Client
) -> None:
    tell(garden, Told.NAME, "Balcony", planted.pk)
    Conversation.objects.filter(pk=planted.pk).update(title="Secret seeds")
    edit = f"/projects/{garden.pk}/edit/"
    assert "Secret seeds" in as_alice.get(edit).content.decode()
    order.delete(planted.owner, [planted.pk])
    page = as_alice.get(edit).content.decode()
    assert "Secret seeds" not in page
    assert "Changed by a model" in page


def test_they_belong_to_the_owner(garden: Project, alice: User, bob: User) -> None:
    tell(garden, Told.NAME, "Balcony")
    assert ProjectRevision.objects.owned_by(alice).count() == 1
    assert not ProjectRevision.objects.owned_by(bob).exists()
    assert Project.objects.owned_by(alice).get() == garden
    assert not Project.objects.owned_by(bob).exists()


def test_a_project_that_is_deleted_leaves_its_conversations(garden: Project, planted: Conversation) -> None:
    garden.delete()
    planted.refresh_from_db()
    assert planted.project is None


def test_every_icon_is_in_the_sprite() -> None:
    sprite = (settings.BASE_DIR / "static/icons/sprite.svg").read_text()
    assert not [icon for icon in Icon.values if f'<symbol id="{icon}"' not in sprite]
