"""Tools for tests, and models that call them by a script."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from backends.adapters.events import ToolCall
from backends.adapters.messages import ChatRequest, Role, ToolResultPart
from chat.tools.base import Caller, Reach, Tool, ToolError, ToolResult


class Adder(Tool):
    """Adds; tells how often and how many at once."""

    name = "add"
    label = "Add"
    description = "Adds two numbers."
    parameters = {
        "type": "object",
        "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
        "required": ["a", "b"],
    }

    def __init__(self, pause: float = 0.0) -> None:
        self.pause = pause
        self.calls: list[Mapping[str, Any]] = []
        self.at_work = self.most_at_work = 0
        self.callers: list[Caller] = []

    async def run(self, arguments: Mapping[str, Any], caller: Caller) -> ToolResult:
        self.calls.append(arguments)
        self.callers.append(caller)
        self.at_work += 1
        self.most_at_work = max(self.most_at_work, self.at_work)
        try:
            await asyncio.sleep(self.pause)
        finally:
            self.at_work -= 1
        return ToolResult(str(arguments["a"] + arguments["b"]))


class Saying(Tool):
    """Does whatever the test wants."""

    description = "Test."

    def __init__(
        self, name: str, act: Callable[[], ToolResult | BaseException], *reach: Reach, **more: Any
    ) -> None:
        self.name = name  # type: ignore[misc]
        self.label = name.capitalize()  # type: ignore[misc]
        self.reach = frozenset(reach)  # type: ignore[misc]
        self.timeout = more.get("timeout", 30.0)  # type: ignore[misc]
        self.pause = more.get("pause", 0.0)
        self.ran = 0
        self._act = act

    async def run(self, arguments: Mapping[str, Any], caller: Caller) -> ToolResult:
        self.ran += 1
        await asyncio.sleep(self.pause)
        result = self._act()
        if isinstance(result, BaseException):
            raise result
        return result


def saying(name: str, text: str, *reach: Reach, **more: Any) -> Saying:
    """A tool that gives the text back."""
    return Saying(name, lambda: ToolResult(text), *reach, **more)


def failing(name: str, error: BaseException) -> Saying:
    """A tool that raises."""
    return Saying(name, lambda: error)


def tool_error(text: str) -> ToolError:
    return ToolError(text)


def call(name: str, call_id: str, index: int = 0, raw: str | None = None, **arguments: Any) -> ToolCall:
    return ToolCall(call_id, name, arguments, raw, index)


class Rounds:
    """A model that plays one list of events for each request, and keeps the requests."""

    def __init__(self, *rounds: Sequence[Any]) -> None:
        self.rounds = rounds
        self.requests: list[ChatRequest] = []

    def __call__(self, request: ChatRequest) -> Iterable[Any]:
        self.requests.append(request)
        return self.rounds[min(len(self.requests), len(self.rounds)) - 1]


def results(request: ChatRequest) -> list[str]:
    """What tools gave back, as the model was sent it, without the marks."""
    parts = [part for message in request.messages for part in message.parts]
    texts = [part.content for part in parts if isinstance(part, ToolResultPart)]
    return [text.removeprefix("<tool_output>\n").removesuffix("\n</tool_output>") for text in texts]


def roles(request: ChatRequest) -> str:
    """``user assistant tool …`` by first letters."""
    return "".join(
        {Role.USER: "u", Role.ASSISTANT: "a", Role.TOOL: "t"}[message.role] for message in request.messages
    )
