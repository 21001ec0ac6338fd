"""Ten thousand messages: only what can fit is read, and asking costs as many queries as in a short conversation."""

from __future__ import annotations

import time

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backends.models import Backend, CatalogueModel
from chat.generation.cutting import DoesNotFit
from chat.generation.prompt import Prepared, prepare_from
from chat.models import Conversation, Cut, Generation, Overflow, Status
from chat.services.sending import send_message
from privatechathub.accounts.models import User
from tests.chat.context.talking import long_conversation

pytestmark = pytest.mark.django_db

WINDOW = 4096


@pytest.fixture
def play(demo: Backend) -> CatalogueModel:
    CatalogueModel.objects.update(context_length=WINDOW, loaded=True)
    return CatalogueModel.objects.select_related("backend").get()


def asked(user: User, conversation: Conversation, play: CatalogueModel) -> tuple[Prepared, list[str]]:
    """A request for one more question, and the queries that making it took."""
    generation = send_message(user, conversation, "And now?", play.ref, "").generation
    with CaptureQueriesContext(connection) as caught:
        prepared = prepare_from(generation, play)
    return prepared, [query["sql"] for query in caught]


def test_only_what_fits_is_read(alice: User, play: CatalogueModel) -> None:
    long = long_conversation(alice, 5000)
    Conversation.objects.update(overflow=Overflow.DROP)
    long.refresh_from_db()
    began = time.process_time()
    first, _queries = asked(alice, long, play)
    assert time.process_time() - began < 2.0
    cut = Cut.objects.get()
    assert cut.left_out > 9900
    assert len(first.request.messages) == 10_001 - cut.left_out

    Generation.objects.update(status=Status.STOPPED)
    long.refresh_from_db()
    second, queries = asked(alice, long, play)
    assert len(second.request.messages) == len(first.request.messages)
    assert Cut.objects.count() == 1
    short, few = asked(alice, long_conversation(alice, 3), play)
    assert short.cut is None
    assert len(queries) == len(few) + 1, "one query for the line, where there is one"


def test_a_proposal_costs_no_more(alice: User, play: CatalogueModel) -> None:
    long = long_conversation(alice, 5000)
    with pytest.raises(DoesNotFit) as caught:
        asked(alice, long, play)
    assert caught.value.tokens > WINDOW
    assert not caught.value.alone
