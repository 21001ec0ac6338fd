"""The hub's own way of an answer, with the real OpenCode server behind it."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest

from backends.adapters.base import Endpoint
from backends.adapters.http import Http
from backends.adapters.opencode_api import OpenCodeApi
from backends.builtin.facts import SMOLLM2
from backends.database import in_database
from backends.models import Backend, CatalogueModel
from chat.generation import runtime
from chat.models import Generation, Status
from chat.services import answers
from chat.services.sending import Sent, send_message, start_conversation
from privatechathub.accounts.models import User

pytestmark = [
    pytest.mark.real,
    pytest.mark.xdist_group("conformance"),
    pytest.mark.django_db(transaction=True),
]

REF = f"opencode/local/{SMOLLM2.id}"


@pytest.fixture
def backend(transactional_db: None, place: Endpoint) -> Backend:
    backend = Backend(name="OpenCode", kind="opencode", base_url=place.base_url, options=dict(place.options))
    backend.set_password(place.password.reveal())
    backend.save()
    CatalogueModel.objects.create(backend=backend, model_id=f"local/{SMOLLM2.id}", name="Small")
    return backend


async def ended(sent: Sent) -> Generation:
    """The generation once it is no longer active."""
    async with asyncio.timeout(60):
        while True:
            row: Generation = await in_database(
                Generation.objects.select_related("message").get, pk=sent.generation.pk
            )
            if not row.is_active:
                return row
            await asyncio.sleep(0.05)


async def test_turns_of_a_conversation_share_a_session(
    hub: runtime.Runtime, alice: User, backend: Backend
) -> None:
    first = await in_database(start_conversation, alice, "What is the capital of France?", REF, key())
    row = await ended(first)
    assert row.status == Status.COMPLETED, row.error_message
    assert "Paris" in row.message.text
    second = await in_database(send_message, alice, first.conversation, "And of Italy?", REF, key())
    later = await ended(second)
    assert later.status == Status.COMPLETED
    assert row.state["session_id"]
    assert later.state == row.state


async def test_stop_ends_the_work_on_the_server(
    hub: runtime.Runtime, alice: User, backend: Backend, place: Endpoint, http: Http
) -> None:
    sent = await in_database(start_conversation, alice, "Tell me a very long story about a king.", REF, key())
    api = OpenCodeApi(place, http)
    await until_busy(api, True)
    await in_database(answers.stop_answers, sent.conversation)
    assert (await ended(sent)).status == Status.STOPPED
    await until_busy(api, False)


async def until_busy(api: OpenCodeApi, wanted: bool) -> None:
    """Wait until some session works, or none does."""
    async with asyncio.timeout(20):
        while bool(await api.get("/session/status")) is not wanted:
            await asyncio.sleep(0.02)


def key() -> Any:
    return uuid.uuid4().hex
