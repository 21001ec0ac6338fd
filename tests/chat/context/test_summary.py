"""In which pieces a model reads what it is to summarise, and what becomes of a summary that fails."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.adapters.errors import ContextOverflow, ServerError
from backends.adapters.events import Finish, FinishReason, TextDelta
from backends.adapters.messages import ChatRequest
from backends.adapters.scripted import registered
from backends.database import in_database
from backends.models import Backend, CatalogueModel
from chat.generation import runtime
from chat.generation.summary import MOST_PIECES, pieces
from chat.models import Conversation, Cut, Overflow
from chat.services.sending import send_message
from privatechathub.accounts.models import User
from tests.chat.context.talking import long_conversation
from tests.chat.watching import ended


@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=3000), max_size=40),
    st.integers(300, 4000),
)
def test_pieces_are_small_enough_and_keep_the_newest(turns: list[str], room: int) -> None:
    found = pieces(turns, room, 4.0)
    limit = max((room - 260) * 4, 400)
    assert all(len(text.encode()) <= limit for text in found.texts)
    assert len(found.texts) <= MOST_PIECES
    if not found.unread:
        assert "".join(found.texts).replace("\n\n", "") == "".join(turns).replace("\n\n", "")
    if turns:
        assert found.texts[-1].endswith(turns[-1][-1:])


def test_what_is_too_much_is_counted() -> None:
    found = pieces(["x" * 900] * 100, 500, 4.0)
    assert len(found.texts) == MOST_PIECES
    assert 80 < found.unread < 100


class Model:
    """Says what the test wants, and keeps what it was asked."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.requests: list[ChatRequest] = []

    def __call__(self, request: ChatRequest) -> Iterable[Any]:
        self.requests.append(request)
        answer = self.answers.pop(0) if self.answers else "Fine."
        return [answer] if isinstance(answer, Exception) else [TextDelta(answer), Finish(FinishReason.STOP)]


def saying(summary: str, answer: str) -> Model:
    """One that says the same whenever it is to summarise."""
    model = Model()

    class Always(list[str]):
        def pop(self, _at: Any = 0) -> str:
            return summary if model.requests[-1].title == "Summary" else answer

    model.answers = Always(["always"])
    return model


@pytest.fixture
def talk(alice: User, demo: Backend) -> Conversation:
    CatalogueModel.objects.update(context_length=8192)  # as the next look finds it, too
    found = long_conversation(alice, 60, demo)
    Conversation.objects.update(overflow=Overflow.SUMMARISE)
    return found


async def asked(alice: User, talk: Conversation) -> Any:
    return await ended(await in_database(send_message, alice, talk, "And now?", "demo/play", ""))


live = pytest.mark.django_db(transaction=True)


@live
async def test_a_summary_that_fails_fails_the_answer_and_is_tried_again(
    alice: User, talk: Conversation, hub: runtime.Runtime
) -> None:
    with registered("play", Model(ServerError("It broke."))):
        failed = await asked(alice, talk)
    assert (failed.status, failed.error_message) == ("failed", "It broke.")
    assert (await in_database(Cut.objects.get)).awaits_summary

    model = saying("They spoke of turns.", "Fine.")
    with registered("play", model):
        answered = await asked(alice, talk)
    assert answered.status == "completed"
    assert (await in_database(Cut.objects.get)).summary == "They spoke of turns."
    assert "They spoke of turns." in model.requests[-1].messages[0].text


@live
async def test_pieces_that_are_refused_get_smaller(
    alice: User, talk: Conversation, hub: runtime.Runtime
) -> None:
    model = Model(ContextOverflow("context length"), "One.", "Two.", "Three.", "Four.", "Five.")
    with registered("play", model):
        answered = await asked(alice, talk)
    assert answered.status == "completed"
    first, second, *_rest = model.requests
    assert len(second.messages[0].text) < len(first.messages[0].text)


@live
async def test_an_empty_summary_is_none(alice: User, talk: Conversation, hub: runtime.Runtime) -> None:
    with registered("play", Model("  ")):
        failed = await asked(alice, talk)
    assert "no summary" in failed.error_message


@live
async def test_the_next_summary_is_made_of_the_one_before(
    alice: User, talk: Conversation, hub: runtime.Runtime
) -> None:
    with registered("play", saying("The first.", "Well. " * 4000)):
        await asked(alice, talk)
    model = saying("The second.", "Fine.")
    with registered("play", model):
        answered = await asked(alice, talk)
    assert answered.status == "completed", answered.error_message
    assert "<earlier_summary>\nThe first." in model.requests[0].messages[0].text
    summaries = await in_database(lambda: list(Cut.objects.values_list("summary", flat=True)))
    assert summaries == ["The first.", "The second."]
    assert "The second." in model.requests[-1].messages[0].text
