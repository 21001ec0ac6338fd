"""A conversation that outgrows its model's window, on servers that refuse what is too long."""

from __future__ import annotations

import pytest

from backends.adapters.errors import ContextOverflow
from backends.adapters.scripted import registered
from backends.database import in_database
from backends.models import Backend, CatalogueModel
from chat.generation import runtime
from chat.models import Conversation, Cut, Generation, Overflow
from chat.services.sending import send_message
from privatechathub.accounts.models import User
from tests.chat.context.talking import long_conversation, model_on, turns_in
from tests.chat.watching import ended
from tests.fakes.thread import FakeServerThread

pytestmark = pytest.mark.django_db(transaction=True)

KINDS = pytest.mark.parametrize("kind", ["ollama", "openai"])
WINDOW = 4096


@pytest.fixture
def long(alice: User, fake: FakeServerThread, request: pytest.FixtureRequest) -> Conversation:
    """Twenty thousand tokens in it, and a model that reads four thousand of them."""
    fake.server.context_length = fake.server.announced = WINDOW
    model_on(fake.url, request.getfixturevalue("kind"), context_length=WINDOW, loaded=True)
    return long_conversation(alice, 100)


async def ask(user: User, conversation: Conversation, text: str = "And now?") -> Generation:
    return await ended(await in_database(send_message, user, conversation, text, "fake/fast", ""))


def decide(conversation: Conversation, overflow: Overflow) -> None:
    Conversation.objects.filter(pk=conversation.pk).update(overflow=overflow)


def lists(fake: FakeServerThread, window: int | None) -> None:
    """What the catalogue has of the model's window, now and after the next look."""
    fake.server.announced = window
    CatalogueModel.objects.update(context_length=window, max_context_length=window)


@KINDS
async def test_nothing_is_cut_before_the_owner_has_decided(
    kind: str, long: Conversation, alice: User, fake: FakeServerThread, hub: runtime.Runtime
) -> None:
    generation = await ask(alice, long)

    assert (generation.status, generation.error_kind) == ("failed", "context_overflow")
    assert "Fast reads 4,096" in generation.error_message
    assert not fake.chats, "it was sent although it cannot fit"
    cut = await in_database(Cut.objects.get)
    assert cut.kind == "proposed"
    assert cut.left_out > 150


@KINDS
async def test_the_oldest_are_left_out_where_the_owner_wants_that(
    kind: str, long: Conversation, alice: User, fake: FakeServerThread, hub: runtime.Runtime
) -> None:
    await in_database(decide, long, Overflow.DROP)
    generation = await ask(alice, long)

    assert (generation.status, generation.error_message) == ("completed", "")
    [request] = fake.chats
    sent = turns_in(request)
    cut = await in_database(Cut.objects.get)
    assert sent == list(range(cut.left_out, 200)), "the newest, in their order, none missing"
    assert sent[0] % 2 == 0, "the first turn is a question"
    assert 1500 < len(sent) * 104 < WINDOW
    assert cut.kind == "dropped"
    assert fake.server.silent_cuts == 0
    if kind == "ollama":
        assert request.json["truncate"] is False
        assert request.json["options"]["num_ctx"] == WINDOW

    await ask(alice, long)
    assert turns_in(fake.chats[1]) == sent, "the line moved although there was room"
    assert await in_database(Cut.objects.count) == 1


@KINDS
async def test_a_summary_is_written_first_and_sent_in_their_place(
    kind: str, long: Conversation, alice: User, fake: FakeServerThread, hub: runtime.Runtime
) -> None:
    await in_database(decide, long, Overflow.SUMMARISE)
    generation = await ask(alice, long)

    assert (generation.status, generation.error_message) == ("completed", "")
    *pieces, request = fake.chats
    assert len(pieces) > 2, "four windows of text cannot be read at once"
    assert "write summaries" in pieces[0].messages[0]["content"]
    cut = await in_database(Cut.objects.get)
    assert cut.summary.startswith("Thank you for asking.")
    texts = [message["content"] for message in request.messages]
    first = next(text for text in texts if "turn " in text)
    assert first.startswith("<summary_of_earlier_conversation>\nThank you for asking.")
    assert not fake.server.too_long
    assert not fake.server.silent_cuts
    parts = generation.context["parts"]
    assert parts["summary"] > 0
    assert generation.context["first"] == cut.left_out + (await in_database(first_of, long))


def first_of(conversation: Conversation) -> int:
    return conversation.messages.order_by("pk").values_list("pk", flat=True)[0]


@KINDS
async def test_a_refusal_teaches_how_large_it_is(
    kind: str, long: Conversation, alice: User, fake: FakeServerThread, hub: runtime.Runtime
) -> None:
    """The catalogue is wrong: the server's window is half of what it says."""
    await in_database(decide, long, Overflow.DROP)
    await in_database(lists, fake, 2 * WINDOW)
    if kind == "ollama":
        await in_database(CatalogueModel.objects.update, bytes_per_token=8.0)
    generation = await ask(alice, long)

    assert generation.status == "completed"
    assert fake.server.too_long
    assert turns_in(fake.chats[-1])[-1] == 199
    assert not fake.server.silent_cuts


@KINDS
async def test_a_refusal_becomes_the_owners_choice(
    kind: str, long: Conversation, alice: User, fake: FakeServerThread, hub: runtime.Runtime
) -> None:
    await in_database(lists, fake, WINDOW if kind == "ollama" else None)
    if kind == "ollama":
        await in_database(CatalogueModel.objects.update, bytes_per_token=9.0)
    await in_database(lambda: long.messages.filter(pk__lte=long.head_id - 30).update(text="short"))
    generation = await ask(alice, long)

    assert fake.server.too_long, "nobody could know before"
    assert (generation.status, generation.error_kind) == ("failed", "context_overflow")
    assert await in_database(Cut.objects.get)
    if kind == "openai":
        assert (await in_database(CatalogueModel.objects.get, model_id="fast")).refused_window == WINDOW


@KINDS
async def test_one_question_too_long_by_itself_is_said_so(
    kind: str, long: Conversation, alice: User, fake: FakeServerThread, hub: runtime.Runtime
) -> None:
    await in_database(decide, long, Overflow.DROP)
    generation = await ask(alice, long, "y" * 40_000)

    assert generation.error_kind == "context_overflow"
    assert "This question alone is too long" in generation.error_message
    assert not fake.chats


@KINDS
async def test_what_the_server_counts_is_kept_and_teaches(
    kind: str, alice: User, fake: FakeServerThread, hub: runtime.Runtime
) -> None:
    fake.server.context_length = fake.server.announced = WINDOW
    await in_database(model_on, fake.url, kind, context_length=WINDOW, loaded=True)
    short = await in_database(long_conversation, alice, 8)
    generation = await ask(alice, short)

    assert generation.context["input"] == generation.input_tokens == 17 * 4 + 16 * 100 + 2
    assert generation.context["window"] == WINDOW
    model = await in_database(CatalogueModel.objects.get, model_id="fast")
    assert model.bytes_per_token == pytest.approx(4.0, rel=0.05)


async def test_a_refusal_without_numbers_keeps_the_words_of_the_server(
    alice: User, demo: Backend, hub: runtime.Runtime
) -> None:
    """Nobody knows the window: nothing is claimed about it, and the line is only where it may well be."""
    refusal = ContextOverflow("context length exceeded, says the server", status=400)
    await in_database(CatalogueModel.objects.all().delete)
    await in_database(CatalogueModel.objects.create, backend=demo, model_id="vague", name="Vague")
    talk = await in_database(long_conversation, alice, 6, demo)
    with registered("play", [refusal]):
        sent = await in_database(send_message, alice, talk, "And now?", "demo/vague", "")
        generation = await ended(sent)
    assert (generation.status, generation.error_kind) == ("failed", "context_overflow")
    assert "says the server" in generation.error_message
    assert (await in_database(Cut.objects.get)).kind == "proposed"
