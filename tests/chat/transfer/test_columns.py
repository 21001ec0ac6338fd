"""Nothing that a person made is forgotten by accident: every column travels, or is left out on purpose."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db.models import Model

from backends.models import Backend
from chat.models import (
    Activity,
    Ask,
    Comparison,
    Conversation,
    Cut,
    Generation,
    Message,
    Project,
    ProjectRevision,
    SamplingPreset,
    Step,
    SystemPrompt,
    UpcomingQuestion,
    Vote,
)
from chat.transfer import fields, loading
from chat.transfer.writing import as_json
from privatechathub.accounts.models import User
from tests.chat.transfer.test_round_trip import anything

#: What a hub gives to each row, and where rows belong: a file says that by its form.
PLACES = {"id", "owner", "conversation", "message", "generation", "project", "position"}

#: Of each kind of row: what the file calls differently, then what stays behind, with the reason.
RENAMED: dict[type[Model], set[str]] = {
    Conversation: {"builtin_preset", "column"},  # in ``preset`` and ``comparison``
    Message: {"has_steps", "attached"},  # counted again
    Generation: {"receipt", "system_text", "tools_text", "repeats"},  # as ``asked`` and ``receipt``
    Cut: {"covers"},  # the same place as ``after``
    UpcomingQuestion: {"ref"},  # as ``backend`` and ``model_id``
}
STAYS: dict[type[Model], set[str]] = {
    Conversation: {
        *("forked_from", "forked_without"),  # a fork holds what it shares
        *("last_deletion", "deleted_at"),  # what was deleted is not in the file
        *("revision", "has_cuts", "upcoming_count"),  # counted for pages
        "alias",  # made anew for a blind comparison
    },
    Message: {"deleted_at", "is_gap"},  # what was deleted is not in the file
    Generation: {
        *("backend", "worker", "lease_until", "awaits_server", "waits", "retry_at", "after"),  # while it ran
        "state",  # names what a server keeps for one person
        "alias",
    },
    Activity: {"imported"},  # told by where it is
    Cut: {"created_at"},  # nobody sees it
    Project: {"origin_id", "attached", "updated_at"},
    ProjectRevision: set(),
    SystemPrompt: {"created_at", "updated_at"},
    UpcomingQuestion: {"key", "trouble", "held", "created_at"},  # about sending it at that hub
}


def columns_of(model: type[Model]) -> set[str]:
    """Those that somebody has to decide about."""
    every = {field.name for field in model._meta.concrete_fields} - PLACES
    return every - RENAMED.get(model, set()) - STAYS.get(model, set())


@pytest.mark.parametrize(
    ("model", "told"),
    [
        (Generation, fields.RUN),
        (Activity, fields.ACTIVITY),
        (Step, fields.STEP),
        (Ask, fields.ASK),
        (Vote, fields.VOTE),
        (Cut, {*fields.LINE, "after"}),
        (Project, {*fields.PROJECT, "backend", "model_id"}),
        (ProjectRevision, fields.REVISION),
        (SystemPrompt, {"name", "description", "text"}),
        (SamplingPreset, {"name", "options"}),
        (Comparison, {"blind", "voted_at", "created_at"}),
        (UpcomingQuestion, {"text"}),
    ],
)
def test_every_column_is_decided_about(model: type[Model], told: Any) -> None:
    assert columns_of(model) == set(told)


def test_every_column_of_a_conversation_and_its_messages_is_decided_about(alice: User, demo: Backend) -> None:
    talk = json.loads(as_json(loading.load(anything(alice, demo, 3))))["conversation"]

    beside = {"id", "project", "tags", "lines", "upcoming", "messages", "texts"}
    assert columns_of(Conversation) == talk.keys() - beside
    assert columns_of(Message) == talk["messages"][0].keys() - {"id", "files", "generations"}
