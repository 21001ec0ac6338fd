"""Pages that show a project by its name, once an answer has renamed it."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chat.models import Activity, Conversation, Generation, Message, Project
from chat.realtime.room import ended_answer
from privatechathub.accounts.models import User


@pytest.fixture
def answer(planted: Conversation) -> Message:
    """The answer in the project's conversation."""
    return Message.objects.get(conversation=planted, role="assistant")


def call(answer: Message, name: str) -> None:
    Activity.objects.create(
        generation=Generation.objects.get(message=answer), position=0, name=name, state="done", title=name,
        started_at=timezone.now(),
    )  # fmt: skip


def test_the_new_name_comes_with_the_end_of_the_answer(
    answer: Message, planted: Conversation, garden: Project, bob: User
) -> None:
    Project.objects.create(owner=bob, name="Secret")
    call(answer, "rename_project")
    Project.objects.filter(pk=garden.pk).update(name="Orchard <b>")

    frame = ended_answer(answer.pk, str(planted.pk))[3]

    assert frame.count("Orchard &lt;b&gt;") == 2
    assert 'hx-target="#topbar-project"' in frame
    assert 'hx-target="#sidebar-projects"' in frame
    assert "Secret" not in frame


def test_other_answers_say_nothing_of_it(answer: Message, planted: Conversation, garden: Project) -> None:
    with CaptureQueriesContext(connection) as plain:
        assert "project" not in ended_answer(answer.pk, str(planted.pk))[3]
    assert not [query for query in plain if "chat_project" in query["sql"]]
    call(answer, "get_project_memory")

    assert "project" not in ended_answer(answer.pk, str(planted.pk))[3]


def test_one_that_left_its_project_shows_none(answer: Message, planted: Conversation) -> None:
    call(answer, "rename_project")
    Conversation.objects.filter(pk=planted.pk).update(project=None)

    assert "project" not in ended_answer(answer.pk, str(planted.pk))[3]
