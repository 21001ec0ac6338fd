"""What goes for good between a look at it and holding it: whoever asks gets the page of what is not there."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.test import Client

from backends.models import Backend
from chat.gone import NOT_SAVED, GoneMeanwhile
from chat.models import Comparison, Conversation, Message, Project
from privatechathub.accounts.models import User
from tests.chat.test_access import DOORS, OWNED, PLAIN_AND_HTMX, knock, places, wait_for_server

__all__ = ["places"]

Purge = Callable[..., None]

#: What changes a conversation holds it first, and finds nothing.
HOLD = (
    *("chat:send", "chat:rename", "chat:settings", "chat:conversation-tools", "chat:tags", "chat:context"),
    *(
        "chat:message-retry",
        "chat:message-continue",
        "chat:message-show",
        "chat:message-edit",
        "chat:message-fork",
    ),
    *(
        "chat:message-delete",
        "chat:generation-repeat",
        "chat:undo",
        "chat:upcoming-edit",
        "chat:upcoming-remove",
    ),
    *("chat:carry-on", "chat:context-choice", "chat:cut", "chat:cut-remove", "chat:comparison-send"),
)


@pytest.fixture
def purge(monkeypatch: pytest.MonkeyPatch, alice: User) -> Purge:
    """Has all rows of Alice of these kinds go for good, right after a door has let her in."""
    doomed: list[type[Any]] = []

    def found(rows: QuerySet[Any], **named: Any) -> Any:
        row = get_object_or_404(rows, **named)
        for model in doomed:
            model.objects.filter(owner=alice).delete()
        return row

    monkeypatch.setattr("chat.access.get_object_or_404", found)
    return lambda *models: doomed.extend(models)


def statuses(browser: Client, places: dict[str, Any]) -> dict[tuple[str, str, bool], int]:
    """What every door of Alice's answers, each in a world of its own: door, method, whether it was htmx."""
    found = {}
    for name, headers in product(OWNED, PLAIN_AND_HTMX):
        for method in sorted(DOORS[name].methods - {"HEAD"}):
            with transaction.atomic():
                response = knock(browser, name, method, places, **headers)
                connection.check_constraints()
                transaction.set_rollback(True)
            found[name, method, bool(headers)] = response.status_code
    return found


@pytest.mark.parametrize("waits", [False, True])
def test_no_door_falls_over_a_conversation_that_is_gone(
    waits: bool, places: dict[str, Any], as_alice: Client, purge: Purge
) -> None:
    if waits:
        wait_for_server()
    purge(Conversation)

    found = statuses(as_alice, places)

    assert {(name, found[name, "POST", htmx]) for name in HOLD for htmx in (False, True)} == {
        (name, 404) for name in HOLD
    }


@pytest.mark.parametrize("models", [(Project,), (Comparison, Conversation, Project)], ids=["project", "all"])
def test_no_door_falls_over_anything_else_that_is_gone(
    models: Any, places: dict[str, Any], as_alice: Client, purge: Purge
) -> None:
    purge(*models)

    found = statuses(as_alice, places)

    for name in ("edit", "memory", "tools", "archive", "pin", "restore"):
        assert (name, found[f"chat:project-{name}", "POST", False]) == (name, 404)


def test_the_page_says_that_there_is_nothing(places: dict[str, Any], as_alice: Client, purge: Purge) -> None:
    purge(Conversation)

    for headers in PLAIN_AND_HTMX:
        with transaction.atomic():
            response = knock(as_alice, "chat:send", "POST", places, **headers)
            transaction.set_rollback(True)
        assert "There is nothing here" in response.content.decode()


@pytest.mark.parametrize(
    "missing", [Message.DoesNotExist(), Project.DoesNotExist(), DatabaseError(NOT_SAVED)]
)
def test_a_missing_row_is_not_found(missing: Exception) -> None:
    with pytest.raises(Http404):
        GoneMeanwhile(lambda _request: HttpResponse()).process_exception(HttpRequest(), missing)


@pytest.mark.parametrize(
    "error",
    [
        Backend.DoesNotExist(),
        User.DoesNotExist(),
        DatabaseError("disk"),
        IntegrityError(),
        KeyError("x"),
        ValueError(),
    ],
)
def test_any_other_error_stays_one(error: Exception) -> None:
    GoneMeanwhile(lambda _request: HttpResponse()).process_exception(HttpRequest(), error)
