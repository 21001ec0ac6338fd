"""Tool calls as servers write them: ids that may be missing, arguments that may come in pieces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from backends.adapters.events import ToolCall
from backends.adapters.messages import ChatRequest, ToolCallPart
from backends.adapters.values import as_dict, as_int, as_str, parse_json


class CallIds:
    """Gives every call of a conversation an id of its own; keeps the server's where it can."""

    def __init__(self, request: ChatRequest) -> None:
        parts = [part for message in request.messages for part in message.parts]
        self._used = {part.id for part in parts if isinstance(part, ToolCallPart)}
        self._count = len(self._used)

    def take(self, wanted: str) -> str:
        """The id itself, or an invented one where it is empty or taken."""
        chosen = wanted
        while not chosen or chosen in self._used:
            chosen = f"call_{self._count}"
            self._count += 1
        self._used.add(chosen)
        return chosen


def arguments_of(value: Any) -> tuple[Mapping[str, Any], str | None]:
    """The arguments, from an object or its JSON text; the text itself where it is not valid."""
    if isinstance(value, dict):
        return value, None
    text = as_str(value)
    if not text.strip():
        return {}, None
    try:
        parsed = parse_json(text)
    except ValueError:
        return {}, text
    return (parsed, None) if isinstance(parsed, dict) else ({}, text)


@dataclass(slots=True)
class _Call:
    index: int | None
    id: str = ""
    name: str = ""
    pieces: list[str] = field(default_factory=list)
    whole: dict[str, Any] | None = None

    def add(self, fragment: Mapping[str, Any]) -> None:
        function = as_dict(fragment.get("function"))
        self.id = self.id or as_str(fragment.get("id"))
        self.name = as_str(function.get("name")) or self.name
        arguments = function.get("arguments")
        if isinstance(arguments, dict):
            self.whole = arguments
        elif text := as_str(arguments):
            self.pieces.append(text)

    def result(self, ids: CallIds, position: int) -> ToolCall:
        arguments, raw = arguments_of(self.whole if self.whole is not None else "".join(self.pieces))
        return ToolCall(ids.take(self.id), self.name, arguments, raw, position)


class CallAssembler:
    """Puts the calls of an OpenAI stream together from their fragments."""

    def __init__(self, ids: CallIds) -> None:
        self._ids = ids
        self._calls: list[_Call] = []

    def __bool__(self) -> bool:
        return bool(self._calls)

    def add(self, fragment: Mapping[str, Any]) -> None:
        """One entry of ``delta.tool_calls``."""
        self._find(as_int(fragment.get("index")), as_str(fragment.get("id"))).add(fragment)

    def calls(self, *, only_whole: bool) -> list[ToolCall]:
        """All calls in order; ``only_whole`` leaves out those whose arguments broke off."""
        whole = [call for call in self._calls if call.whole is not None or call.pieces or not only_whole]
        results = [call.result(self._ids, position) for position, call in enumerate(whole)]
        return [result for result in results if not only_whole or result.raw is None]

    def _find(self, index: int | None, call_id: str) -> _Call:
        for call in reversed(self._calls):
            if _continues(call, index, call_id):
                return call
        call = _Call(index)
        self._calls.append(call)
        return call


def _continues(call: _Call, index: int | None, call_id: str) -> bool:
    """Some servers leave the index out, others say 0 for every call: then the id decides."""
    if index is not None and call.index != index:
        return False
    return not call_id or not call.id or call.id == call_id
