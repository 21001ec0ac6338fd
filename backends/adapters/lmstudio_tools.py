"""Tools that LM Studio runs by itself (MCP servers and plugins), as its stream tells of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from backends.adapters.events import ToolActivity, ToolState
from backends.adapters.values import as_dict, as_str

_STATES = {
    "start": ToolState.PENDING,
    "arguments": ToolState.RUNNING,
    "success": ToolState.DONE,
    "failure": ToolState.ERROR,
}


@dataclass(slots=True)
class _Call:
    id: str
    name: str
    title: str | None = None


class ToolRuns:
    """Gives the calls ids by their order, since the wire has none, and finds each one's later events."""

    def __init__(self) -> None:
        self._open: list[_Call] = []
        self._count = 0

    @property
    def seen(self) -> bool:
        """Whether any call was told of."""
        return bool(self._count)

    def step(self, step: str, payload: Mapping[str, Any]) -> Iterator[ToolActivity]:
        """One event ``tool_call.STEP``."""
        state = _STATES.get(step)
        if state is not None:
            yield self._activity(state, payload)

    def whole(self, step: str, item: Mapping[str, Any]) -> list[ToolActivity]:
        """One call of an answer that came in one piece."""
        return [self._activity(_STATES[step], item)]

    def _activity(self, state: ToolState, payload: Mapping[str, Any]) -> ToolActivity:
        metadata = as_dict(payload.get("metadata"))
        call = self._call(state, as_str(payload.get("tool")) or as_str(metadata.get("tool_name")))
        call.title = _provider(as_dict(payload.get("provider_info"))) or call.title
        arguments = payload.get("arguments", metadata.get("arguments"))
        return ToolActivity(
            id=call.id,
            name=call.name,
            state=state,
            input=arguments if isinstance(arguments, dict) else None,
            output=as_str(payload.get("output")) or as_str(payload.get("reason")) or None,
            title=call.title,
        )

    def _call(self, state: ToolState, name: str) -> _Call:
        """The open call of that name, else the last open one, else a new one."""
        call = self._find(name) if state is not ToolState.PENDING else None
        if call is None:
            call = _Call(f"tool_{self._count}", name)
            self._count += 1
            self._open.append(call)
        call.name = call.name or name
        if state in (ToolState.DONE, ToolState.ERROR):
            self._open.remove(call)
        return call

    def _find(self, name: str) -> _Call | None:
        same = [call for call in self._open if not name or call.name == name]
        return next(iter(same or self._open[-1:]), None)


def _provider(info: Mapping[str, Any]) -> str | None:
    """The plugin or MCP server that has the tool."""
    return as_str(info.get("plugin_id")) or as_str(info.get("server_label")) or None
