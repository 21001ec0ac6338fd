"""A conversation of about twenty thousand tokens on the real llama.cpp server, whose window has 4,096."""

from __future__ import annotations

import re
import uuid

import pytest
from django.test import Client

from backends.adapters.base import Endpoint
from backends.builtin.facts import CONTEXT_LENGTH, SMOLLM2
from backends.database import in_database
from backends.models import Backend, CatalogueModel
from chat.generation import runtime
from chat.generation.rebuild import rebuild
from chat.models import Conversation, Cut, Generation, Overflow
from chat.services.sending import send_message
from privatechathub.accounts.models import User
from tests.chat.context.talking import long_conversation, spoken
from tests.chat.watching import ended, until

pytestmark = [
    pytest.mark.real,
    pytest.mark.xdist_group("conformance"),
    pytest.mark.django_db(transaction=True),
]

REF = f"real/{SMOLLM2.id}"
#: Seconds: a busy machine reads a window of text that slowly.
PATIENCE = 240.0
#: Tokens kept free for an answer, which ends with its first sentence: a whole window takes a minute to read.
ROOM = CONTEXT_LENGTH // 2


@pytest.fixture
def backend(transactional_db: None, llamacpp: Endpoint) -> Backend:
    """The server as an administrator would add it."""
    backend = Backend(name="Real", kind="openai", base_url=llamacpp.base_url)
    backend.set_api_key(llamacpp.api_key.reveal())
    backend.save()
    return backend


async def listed() -> CatalogueModel:
    """The model, as the hub's own look at the server found it; the next look is a minute away."""
    await until(CatalogueModel.objects.exists, PATIENCE)
    return await in_database(CatalogueModel.objects.get)


def talk(owner: User, backend: Backend, exchanges: int, overflow: Overflow) -> Conversation:
    """A long conversation in words."""
    found = long_conversation(owner, exchanges, backend, text=spoken)
    values = {"overflow": overflow, "options": {"max_tokens": ROOM, "stop": ["."]}}
    Conversation.objects.filter(pk=found.pk).update(backend=backend, model_id=SMOLLM2.id, **values)
    found.refresh_from_db()
    return found


async def ask(owner: User, conversation: Conversation) -> Generation:
    sent = await in_database(
        send_message, owner, conversation, "What did we speak of?", REF, uuid.uuid4().hex
    )
    return await ended(sent, PATIENCE)


def turns_sent(generation: Generation) -> list[int]:
    """Which turns were in the request, by its receipt, which must be exact."""
    rebuilt = rebuild(Generation.objects.select_related("message__conversation").get(pk=generation.pk))
    assert rebuilt.same
    texts = " ".join(message.text for message in rebuilt.rounds[-1].request.messages)
    return [int(number) for number in re.findall(r"turn (\d{5})", texts)]


async def test_the_person_sees_what_the_model_will_not(
    backend: Backend, alice: User, as_alice: Client, hub: runtime.Runtime
) -> None:
    model = await listed()
    assert model.context_length == CONTEXT_LENGTH == 4096
    conversation = await in_database(talk, alice, backend, 100, Overflow.ASK)

    failed = await ask(alice, conversation)
    assert (failed.status, failed.error_kind) == ("failed", "context_overflow")
    assert not failed.receipt, "nothing was sent"
    assert (await in_database(Cut.objects.get)).kind == "proposed"

    await in_database(as_alice.post, f"/messages/{failed.message_id}/context/drop/")
    retried = await in_database(lambda: Generation.objects.select_related("message").latest("created_at"))
    await until(lambda: not Generation.objects.get(pk=retried.pk).is_active, PATIENCE)
    answered = await in_database(Generation.objects.get, pk=retried.pk)
    assert (answered.status, answered.error_message) == ("completed", "")
    assert answered.input_tokens is not None
    assert answered.input_tokens <= CONTEXT_LENGTH - ROOM

    cut = await in_database(Cut.objects.get)
    sent = await in_database(turns_sent, answered)
    assert sent == list(range(cut.left_out, 200))
    page = (await in_database(as_alice.get, conversation.get_absolute_url())).content.decode()
    above, line, below = page.partition(f"The model does not see the {cut.left_out} messages above.")
    assert line
    assert f"turn {cut.left_out - 1:05d}" in above
    assert f"turn {cut.left_out:05d}" in below
    assert f"of {CONTEXT_LENGTH:,} tokens" in page

    learned = (await in_database(CatalogueModel.objects.get)).bytes_per_token
    assert learned is not None
    again = await ask(alice, conversation)
    estimate = sum(again.context["parts"].values())
    assert again.input_tokens is not None
    assert abs(estimate - again.input_tokens) < 0.1 * again.input_tokens, "it has learned this tokenizer"


async def test_a_summary_of_a_small_model_stands_for_the_rest(
    backend: Backend, alice: User, hub: runtime.Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a small part of the window: reading a whole one takes minutes on a busy machine."""
    monkeypatch.setattr("chat.generation.cutting.SUMMARY_MOST", 60)  # it goes on as long as it may
    await listed()
    await in_database(CatalogueModel.objects.update, context_length=1024)
    conversation = await in_database(talk, alice, backend, 7, Overflow.SUMMARISE)

    answered = await ask(alice, conversation)
    assert (answered.status, answered.error_message) == ("completed", "")
    cut = await in_database(Cut.objects.get)
    assert (cut.kind, bool(cut.summary), cut.unread) == ("summarised", True, 0)
    rebuilt = await in_database(
        lambda: rebuild(Generation.objects.select_related("message__conversation").get(pk=answered.pk))
    )
    assert rebuilt.same
    first = rebuilt.rounds[-1].request.messages[0].text
    assert cut.summary in first
    assert f"turn {cut.left_out:05d}" in first
    assert answered.context["parts"]["summary"] > 0


async def test_a_refusal_says_how_much_fits(backend: Backend, alice: User, hub: runtime.Runtime) -> None:
    """A catalogue that is wrong: the server refuses, and the answer comes with less."""
    await listed()
    await in_database(
        CatalogueModel.objects.update, context_length=16_384, max_context_length=16_384, loaded=True
    )
    conversation = await in_database(talk, alice, backend, 100, Overflow.DROP)

    answered = await ask(alice, conversation)
    assert (answered.status, answered.error_message) == ("completed", "")
    assert answered.context["window"] == CONTEXT_LENGTH
    assert (answered.input_tokens or 0) < CONTEXT_LENGTH
