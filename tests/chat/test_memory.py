"""What a backend remembers is named to it only while the conversation is still the same."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from backends.adapters import scripted
from backends.adapters.errors import Truncated
from backends.adapters.events import Finish, FinishReason, Started, TextDelta
from backends.adapters.messages import ChatMessage, ChatRequest, ImagePart, Role, TextPart, ToolCallPart
from backends.adapters.scripted import Step
from backends.database import in_database
from backends.models import Backend
from chat.generation import runtime
from chat.generation.memory import fingerprint
from chat.models import Conversation, Generation, Message, Status
from chat.services import answers, conversations, deleting
from chat.services.sending import Sent
from privatechathub.accounts.models import User

Ask = Callable[..., Sent]


class Server:
    """A scripted backend that gives every answer a name, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[ChatRequest] = []
        self.steps: Callable[[int], Iterable[Step]] | None = None

    def __call__(self, request: ChatRequest) -> Iterable[Step]:
        self.asked.append(request)
        number = len(self.asked)
        if self.steps:
            return self.steps(number)
        return whole(number)

    @property
    def states(self) -> list[dict[str, str]]:
        return [dict(request.state) for request in self.asked]


def whole(number: int, session: str | None = None) -> list[Step]:
    return [
        Started(response_id=f"shown_{number}", session_id=session),
        TextDelta(f"Answer {number}"),
        Finish(FinishReason.STOP, response_id=f"resp_{number}"),
    ]


@pytest.fixture
def server() -> Iterable[Server]:
    playing = Server()
    with scripted.registered("play", playing):
        yield playing


class Talk:
    """Alice's conversation, one whole turn at a time."""

    def __init__(self, ask: Ask) -> None:
        self.ask = ask
        self.conversation: Conversation | None = None

    async def say(self, text: str) -> Sent:
        sent = await in_database(self.ask, text, self.conversation)
        self.conversation = sent.conversation
        await ended(sent.generation)
        return sent


async def ended(generation: Generation) -> None:
    async with asyncio.timeout(5):
        while (await in_database(Generation.objects.get, pk=generation.pk)).is_active:
            await asyncio.sleep(0.01)


@pytest.fixture
def talk(ask: Ask) -> Talk:
    return Talk(ask)


@pytest.mark.django_db(transaction=True)
class TestTurns:
    async def test_the_next_turn_names_the_answer_before(
        self, hub: runtime.Runtime, server: Server, talk: Talk
    ) -> None:
        for text in ("One", "Two", "Three"):
            await talk.say(text)
        assert server.states == [{}, {"response_id": "resp_1"}, {"response_id": "resp_2"}]
        assert len(server.asked[2].messages) == 5  # the whole history is there all the same

    async def test_a_second_answer_names_what_came_before_the_question(
        self, hub: runtime.Runtime, server: Server, talk: Talk, alice: User
    ) -> None:
        await talk.say("One")
        second = await talk.say("Two")
        await ended(await in_database(answers.retry, alice, second.answer))
        await talk.say("Three")
        assert server.states[2:] == [{"response_id": "resp_1"}, {"response_id": "resp_3"}]

    async def test_the_answer_of_another_branch_is_not_named(
        self, hub: runtime.Runtime, server: Server, talk: Talk, alice: User
    ) -> None:
        first = await talk.say("One")
        await talk.say("Two")
        await ended(await in_database(answers.retry, alice, first.answer))
        await talk.say("Other")
        assert server.states[2:] == [{}, {"response_id": "resp_3"}]

    @pytest.mark.parametrize("what", ["question", "answer"])
    async def test_changed_words_end_the_chain(
        self, hub: runtime.Runtime, server: Server, talk: Talk, what: str
    ) -> None:
        first = await talk.say("One")
        await talk.say("Two")
        row = first.question if what == "question" else first.answer
        await in_database(Message.objects.filter(pk=row.pk).update, text="Something else")
        await talk.say("Three")
        await talk.say("Four")
        assert server.states[2:] == [{}, {"response_id": "resp_3"}]

    async def test_a_deleted_turn_ends_the_chain(
        self, hub: runtime.Runtime, server: Server, talk: Talk
    ) -> None:
        first = await talk.say("One")
        await talk.say("Two")
        await in_database(deleting.delete_message, first.question.conversation, first.question)
        await talk.say("Three")
        assert server.states[2] == {}
        assert [message.text for message in server.asked[2].messages] == ["Two", "Answer 2", "Three"]

    async def test_another_system_prompt_ends_the_chain(
        self, hub: runtime.Runtime, server: Server, talk: Talk
    ) -> None:
        await talk.say("One")
        assert talk.conversation
        await in_database(conversations.change_settings, talk.conversation, "Be brief.", {})
        await talk.say("Two")
        assert server.states[1] == {}

    @pytest.mark.parametrize("same_backend", [True, False])
    async def test_another_model_or_backend_does_not_know_the_answer(
        self, hub: runtime.Runtime, server: Server, talk: Talk, demo: Backend, same_backend: bool
    ) -> None:
        first = await talk.say("One")
        changes: dict[str, Any] = {"model_id": "other"} if same_backend else {"backend": None}
        await in_database(Generation.objects.filter(pk=first.generation.pk).update, **changes)
        await talk.say("Two")
        assert server.states[1] == {}

    async def test_a_turn_of_another_backend_in_between_ends_the_chain(
        self, hub: runtime.Runtime, server: Server, talk: Talk, demo: Backend
    ) -> None:
        await talk.say("One")
        second = await talk.say("Two")
        await in_database(Generation.objects.filter(pk=second.generation.pk).update, backend=None)
        await talk.say("Three")
        assert server.states[2] == {}

    async def test_an_answer_that_is_continued_is_named_and_then_forgotten(
        self, hub: runtime.Runtime, server: Server, talk: Talk, alice: User
    ) -> None:
        first = await talk.say("One")
        answer = await in_database(Message.objects.get, pk=first.answer.pk)
        await ended(await in_database(answers.continue_answer, alice, answer))
        await talk.say("Two")
        assert server.states[1:] == [{"response_id": "resp_1"}, {}]

    async def test_a_failed_answer_is_not_named(
        self, hub: runtime.Runtime, server: Server, talk: Talk
    ) -> None:
        server.steps = lambda number: (
            [TextDelta("Half"), Truncated("broke off", partial=True)] if number == 1 else whole(number)
        )
        first = await talk.say("One")
        row = await in_database(Generation.objects.get, pk=first.generation.pk)
        assert (row.status, row.state) == (Status.FAILED, {})
        await talk.say("Two")
        assert server.states[1] == {}

    async def test_a_session_is_named_even_after_changes(
        self, hub: runtime.Runtime, server: Server, talk: Talk
    ) -> None:
        server.steps = lambda number: whole(number, session=f"ses_{number}")
        first = await talk.say("One")
        await talk.say("Two")
        await in_database(Message.objects.filter(pk=first.answer.pk).update, text="Something else")
        await talk.say("Three")
        assert server.states == [
            {},
            {"session_id": "ses_1", "response_id": "resp_1"},
            {"session_id": "ses_2"},
        ]

    async def test_a_stopped_answer_leaves_its_session(
        self, hub: runtime.Runtime, server: Server, talk: Talk
    ) -> None:
        server.steps = lambda number: (
            [
                Started(session_id="ses_1"),
                TextDelta("Half"),
                Finish(FinishReason.CANCELLED, response_id="resp_1"),
            ]
            if number == 1
            else whole(number)
        )
        await talk.say("One")
        await talk.say("Two")
        assert server.states[1] == {"session_id": "ses_1"}


@pytest.mark.django_db(transaction=True)
async def test_the_same_words_elsewhere_are_another_conversation(
    hub: runtime.Runtime, server: Server, ask: Ask, demo: Backend
) -> None:
    for _ in range(2):
        talk = Talk(ask)
        await talk.say("One")
        await talk.say("Two")
    assert server.states == [{}, {"response_id": "resp_1"}, {}, {"response_id": "resp_3"}]


def test_every_difference_shows_in_the_fingerprint() -> None:
    picture = ImagePart(b"\x89PNG", "image/png")
    hello = ChatMessage.of(Role.USER, "Hello")
    talks: list[tuple[str, list[ChatMessage]]] = [
        ("", []),
        ("a", []),
        ("", [hello]),
        ("", [hello, hello]),
        ("", [ChatMessage.of(Role.ASSISTANT, "Hello")]),
        ("", [ChatMessage(Role.USER, (TextPart("Hel"), TextPart("lo")))]),
        ("", [ChatMessage(Role.USER, (TextPart("Hello"), picture))]),
        ("", [ChatMessage(Role.USER, (TextPart("Hello"), ImagePart(b"\x89PNH", "image/png")))]),
        ("", [ChatMessage(Role.USER, (ToolCallPart("c", "f", {"a": 1}),))]),
        ("", [ChatMessage(Role.USER, (ToolCallPart("c", "f", {"a": 2}),))]),
    ]
    assert len({fingerprint(system, messages) for system, messages in talks}) == len(talks)
    assert fingerprint("a", [hello]) == fingerprint("a", [ChatMessage.of(Role.USER, "Hello")])
