"""Tools that nobody switched on cost no query."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from backends.adapters import scripted
from backends.adapters.events import TextDelta
from chat.generation.prompt import prepare
from chat.models import Activity, Generation, Status, Step, ToolPolicy, ToolRule
from chat.services.sending import Sent
from privatechathub.accounts.models import User

Ask = Callable[..., Sent]
TABLES = tuple(model._meta.db_table for model in (Step, ToolPolicy, ToolRule))


@pytest.fixture(autouse=True)
def _original_script() -> Iterator[None]:
    with scripted.registered("play", [TextDelta("unused")]):
        yield


def ended(sent: Sent) -> Sent:
    """Its answer is no longer waited for."""
    Generation.objects.filter(pk=sent.generation.pk).update(status=Status.COMPLETED)
    return sent


def asked_of_tools(queries: CaptureQueriesContext) -> list[str]:
    """The queries that are there for tools alone."""
    return [query["sql"] for query in queries if any(table in query["sql"] for table in TABLES)]


def test_a_question_and_a_page_ask_nothing_of_tools(as_alice: Client, ask: Ask) -> None:
    first = ended(ask())
    with CaptureQueriesContext(connection) as queries:
        sent = ask("And?", first.conversation)
        prepared = prepare(sent.generation.pk)
        as_alice.get(sent.conversation.get_absolute_url())
        as_alice.get("/")
    assert not asked_of_tools(queries)
    assert not prepared.wants_tools


def test_a_conversation_with_calls_is_read_by_one_more_query(alice: User, ask: Ask) -> None:
    first = ended(ask())
    second = ask("And?", first.conversation)
    Step.objects.create(
        generation=first.generation, position=0, end=0, finished_at=first.conversation.updated_at, calls=[]
    )
    type(first.answer).objects.filter(pk=first.answer.pk).update(has_steps=True)
    with CaptureQueriesContext(connection) as queries:
        prepare(second.generation.pk)
    assert len(asked_of_tools(queries)) == 1
    assert not Activity.objects.exists()
