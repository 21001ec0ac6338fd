"""The items of a response that are no text: calls for us to run, and tools that the server runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from backends.adapters.calls import CallIds, arguments_of
from backends.adapters.events import Event, ToolActivity, ToolCall, ToolState
from backends.adapters.values import as_dict, as_int, as_list, as_str

_CALL = "function_call"
_SUFFIX = "_call"
_FAILED = frozenset({"failed", "incomplete"})


@dataclass(slots=True)
class _Call:
    """A call whose arguments may still be coming."""

    id: str
    name: str
    pieces: list[str] = field(default_factory=list)
    whole: str = ""


class Items:
    """Puts calls together, each told once, when it is complete."""

    def __init__(self, ids: CallIds) -> None:
        self._ids = ids
        self._open: dict[str, _Call] = {}
        self._told: set[str] = set()
        self._count = 0

    @property
    def called(self) -> bool:
        """Whether there was any call for us."""
        return bool(self._count)

    def added(self, payload: Mapping[str, Any]) -> Iterator[Event]:
        """``response.output_item.added``."""
        item = as_dict(payload.get("item"))
        if item.get("type") == _CALL:
            self._open[_key(item, payload)] = _Call(as_str(item.get("call_id")), as_str(item.get("name")))
        else:
            yield from _activity(item, ToolState.RUNNING)

    def arguments(self, payload: Mapping[str, Any]) -> Iterable[Event]:
        """``response.function_call_arguments``: ``delta`` adds to them, ``done`` has all."""
        call = self._open.get(as_str(payload.get("item_id")) or _position(payload))
        if call is not None:
            call.pieces.append(as_str(payload.get("delta")))
            call.whole = as_str(payload.get("arguments")) or call.whole
        return ()

    def done(self, payload: Mapping[str, Any]) -> Iterator[Event]:
        """``response.output_item.done``."""
        item = as_dict(payload.get("item"))
        if item.get("type") == _CALL:
            begun = self._open.pop(_key(item, payload), None)
            if not _failed(item):
                yield from self._whole(item, begun)
        else:
            failed = bool(item.get("error")) or _failed(item)
            yield from _activity(item, ToolState.ERROR if failed else ToolState.DONE)

    def rest(self, response: Mapping[str, Any], *, only_whole: bool) -> Iterator[Event]:
        """The calls of the whole output that no event told; ``only_whole``: not those that broke off."""
        for item in map(as_dict, as_list(response.get("output"))):
            if item.get("type") == _CALL and not (only_whole and _failed(item)):
                yield from self._whole(item, self._open.pop(as_str(item.get("id")), None))
        for call in () if only_whole else self._open.values():
            yield from self._whole({}, call)

    def _whole(self, item: Mapping[str, Any], begun: _Call | None) -> Iterator[ToolCall]:
        begun = begun or _Call("", "")
        call_id = as_str(item.get("call_id")) or begun.id
        if call_id and call_id in self._told:
            return
        self._told.add(call_id)
        arguments, raw = arguments_of(item.get("arguments") or begun.whole or "".join(begun.pieces))
        name = as_str(item.get("name")) or begun.name
        yield ToolCall(self._ids.take(call_id), name, arguments, raw, self._count)
        self._count += 1


def _key(item: Mapping[str, Any], payload: Mapping[str, Any]) -> str:
    return as_str(item.get("id")) or as_str(payload.get("item_id")) or _position(payload)


def _position(payload: Mapping[str, Any]) -> str:
    return f"#{as_int(payload.get('output_index'))}"


def _failed(item: Mapping[str, Any]) -> bool:
    return as_str(item.get("status")) in _FAILED


def _activity(item: Mapping[str, Any], state: ToolState) -> Iterator[ToolActivity]:
    """Searches, code, MCP: every item whose type ends in ``_call`` and that is not ours to run."""
    kind = as_str(item.get("type"))
    if not kind.endswith(_SUFFIX):
        return
    arguments, _raw = arguments_of(item.get("arguments") or as_dict(item.get("action")))
    error = item.get("error")
    yield ToolActivity(
        id=as_str(item.get("id")),
        name=as_str(item.get("name")) or kind.removesuffix(_SUFFIX),
        state=state,
        input=arguments or None,
        output=as_str(item.get("output")) or as_str(error) or as_str(as_dict(error).get("message")) or None,
        title=as_str(item.get("server_label")) or None,
    )
