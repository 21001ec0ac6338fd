"""Models without a channel for their thinking write it between tags: it is told apart here, whatever the server."""

from __future__ import annotations

from collections.abc import Sequence

from backends.adapters.base import Endpoint
from backends.adapters.events import Event, Finish, ReasoningDelta, Restart, TextDelta, ToolCall
from backends.adapters.think import ThinkSplitter
from chat.generation.run import Run


def splitter(endpoint: Endpoint) -> ThinkSplitter:
    """For one stream; leaves the tags alone where the server is set up so."""
    return ThinkSplitter(on=endpoint.options.get("think_tags") != "off")


def told_apart(run: Run, events: Sequence[Event]) -> Sequence[Event]:
    """The same events with what stands between the tags as reasoning; the very same once the text has begun."""
    if run.think.is_done and not any(isinstance(event, Restart) for event in events):
        return events
    found: list[Event] = []
    for event in events:
        match event:
            case TextDelta():
                found += run.think.feed(event.text)
                continue
            case ReasoningDelta():
                found += run.think.skip()
            case ToolCall() | Finish():
                found += run.think.close()
            case Restart() if not event.keep_chars:
                run.think = run.think.anew()
            case _:
                pass
        found.append(event)
    return found
