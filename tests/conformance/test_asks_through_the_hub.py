"""The person's word on what the real OpenCode server asks, given on the hub's page."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client

from backends.adapters.base import Endpoint
from backends.adapters.http import Http
from backends.adapters.opencode_api import OpenCodeApi
from backends.database import in_database
from backends.models import Backend, CatalogueModel
from chat.generation import asks, runtime
from chat.models import Activity, Ask, Status
from chat.services import answers
from chat.services.sending import Sent, start_conversation
from privatechathub.accounts.models import User
from tests.chat.watching import ended, until
from tests.conformance.opencode import OpenCode
from tests.conformance.provider import COMMAND

pytestmark = [
    pytest.mark.real,
    pytest.mark.xdist_group("conformance"),
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture
def worker(transactional_db: None, place: Endpoint) -> Endpoint:
    """OpenCode with an agent that may use tools when the person lets it, known to the hub."""
    return known(place)


def known(place: Endpoint) -> Endpoint:
    """The same place for such an agent, as a backend of the hub."""
    place = replace(place, options={"agent": "worker", "tools": "ask"})
    backend = Backend(name="OpenCode", kind="opencode", base_url=place.base_url, options=dict(place.options))
    backend.set_password(place.password.reveal())
    backend.save()
    CatalogueModel.objects.create(backend=backend, model_id="shell/shell", name="Shell")
    return place


async def asked(alice: User) -> tuple[Sent, Ask]:
    """A question whose answer needs a command, and the request for it."""
    ref, key = "opencode/shell/shell", uuid.uuid4().hex
    sent = await in_database(start_conversation, alice, "Run it.", ref, key)
    await until(lambda: Ask.objects.open().exists(), 30)
    return sent, await in_database(Ask.objects.open().get)


async def test_an_allowed_command_runs_and_its_card_says_so(
    hub: runtime.Runtime, alice: User, as_alice: Client, worker: Endpoint
) -> None:
    sent, ask = await asked(alice)
    page = await in_database(as_alice.get, sent.conversation.get_absolute_url())
    assert COMMAND in page.content.decode()

    await in_database(as_alice.post, f"/asks/{ask.pk}/answer/", {"verdict": "once"})
    row = await ended(sent, 30)

    assert (row.status, row.error_message) == (Status.COMPLETED, "")
    assert "The tool said: from-the-shell" in row.message.text
    call: Any = await in_database(Activity.objects.get)
    assert (call.name, call.state, call.output.strip()) == ("bash", "done", "from-the-shell")
    assert COMMAND in call.input


async def test_always_holds_for_other_conversations_too(
    hub: runtime.Runtime, alice: User, as_alice: Client, place: Endpoint, fresh_server: OpenCode
) -> None:
    await in_database(known, replace(place, base_url=fresh_server.url))
    first, ask = await asked(alice)
    await in_database(as_alice.post, f"/asks/{ask.pk}/answer/", {"verdict": "always"})
    await ended(first, 30)

    second = await in_database(start_conversation, alice, "Again.", "opencode/shell/shell", "k")
    row = await ended(second, 30)

    assert "The tool said: from-the-shell" in row.message.text
    assert await in_database(Ask.objects.count) == 1


async def test_a_denied_command_does_not_run(
    hub: runtime.Runtime, alice: User, as_alice: Client, worker: Endpoint
) -> None:
    sent, ask = await asked(alice)

    await in_database(as_alice.post, f"/asks/{ask.pk}/answer/", {"verdict": "deny"})
    row = await ended(sent, 30)

    assert "from-the-shell" not in row.message.text
    assert (await in_database(Activity.objects.get)).state == "error"


async def test_nobody_s_word_denies(
    hub: runtime.Runtime, alice: User, worker: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asks, "LIMIT", 0.5)
    sent, _ask = await asked(alice)

    row = await ended(sent, 30)

    assert "from-the-shell" not in row.message.text
    assert (await in_database(Ask.objects.get)).state == "expired"


async def test_stop_takes_the_request_back_from_the_server_too(
    hub: runtime.Runtime, alice: User, worker: Endpoint, http: Http
) -> None:
    sent, _ask = await asked(alice)

    await in_database(answers.stop_answers, sent.conversation)

    assert (await ended(sent)).status == Status.STOPPED
    assert (await in_database(Ask.objects.get)).state == "closed"
    assert not await OpenCodeApi(worker, http).get("/permission")


async def test_what_is_answered_at_the_server_leaves_the_page(
    hub: runtime.Runtime, alice: User, worker: Endpoint, http: Http
) -> None:
    sent, _ask = await asked(alice)
    api = OpenCodeApi(worker, http)
    (request,) = await api.get("/permission")

    await api.post(f"/permission/{request['id']}/reply", {"reply": "once"})

    assert "The tool said: from-the-shell" in (await ended(sent, 30)).message.text
    assert (await in_database(Ask.objects.get)).state == "closed"
