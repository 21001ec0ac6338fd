"""Asking a real server: one answer with everything that came."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from backends.adapters.base import Adapter
from backends.adapters.errors import BackendError
from backends.adapters.events import Event, Finish, Restart, Started, TextDelta, Usage
from backends.adapters.messages import ChatMessage, ChatRequest, Role

E = TypeVar("E")


@dataclass
class Answer:
    """What came, and the error that ended it."""

    events: list[Event] = field(default_factory=list)
    error: BackendError | None = None

    def all(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def text(self) -> str:
        """What is shown in the end."""
        text = ""
        for event in self.events:
            if isinstance(event, Restart):
                text = ""
            elif isinstance(event, TextDelta):
                text += event.text
        return text

    @property
    def finish(self) -> Finish:
        assert self.error is None, repr(self.error)
        assert isinstance(self.events[-1], Finish)
        return self.events[-1]

    @property
    def usage(self) -> Usage:
        [usage] = self.all(Usage)
        return usage

    @property
    def state(self) -> dict[str, str]:
        """What the next turn gives back."""
        [started] = self.all(Started)
        return {"session_id": started.session_id or ""}


def question(model: str, *texts: str, **more: object) -> ChatRequest:
    """A conversation: question and answer in turn."""
    roles = (Role.USER, Role.ASSISTANT)
    messages = tuple(ChatMessage.of(roles[at % 2], text) for at, text in enumerate(texts))
    return ChatRequest(model=model, messages=messages, title="Conformance", **more)  # type: ignore[arg-type]


async def ask(adapter: Adapter, request: ChatRequest) -> Answer:
    """The whole answer."""
    answer = Answer()
    try:
        async for event in adapter.stream(request):
            answer.events.append(event)
    except BackendError as error:
        answer.error = error
    return answer


@asynccontextmanager
async def left_after(
    adapter: Adapter, request: ChatRequest, enough: Callable[[Event], bool]
) -> AsyncIterator[Answer]:
    """An answer that is left in the middle: the block runs after that."""
    answer = Answer()
    async with aclosing(adapter.batches(request)) as batches:
        async for batch in batches:
            answer.events += batch
            if any(map(enough, batch)):
                break
    assert not answer.all(Finish)
    yield answer
