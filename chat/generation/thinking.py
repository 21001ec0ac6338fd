"""Models without a channel for their thinking write it between tags: it is told apart here, whatever the server.

Some chat templates open the tag themselves, so that an answer begins inside it and only closes it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from backends.adapters.events import Event, Finish, ReasoningDelta, Restart, TextDelta, ToolCall
from backends.adapters.think import CLOSE, OPEN, ThinkSplitter

if TYPE_CHECKING:
    from backends.adapters.base import Endpoint
    from chat.generation.run import Run

#: A closing tag that stands where a line begins.
_CLOSED = re.compile(rf"^[ \t]*{re.escape(CLOSE)}", re.MULTILINE)


class Thinking:
    """What is known of one stream. Not ``on``, it leaves all tags alone."""

    def __init__(self, *, on: bool = True) -> None:
        self._on = on
        self._begin()

    def _begin(self) -> None:
        self._splitter = ThinkSplitter(on=self._on)
        self._may_close = self._on
        self._tail = ""

    @classmethod
    def of(cls, endpoint: Endpoint) -> Thinking:
        """For a stream of that server."""
        return cls(on=endpoint.options.get("think_tags") != "off")

    def apart(self, run: Run, events: Sequence[Event]) -> Sequence[Event]:
        """The same events with the thinking as reasoning; the very same once it is certain that none comes."""
        if self._splitter.is_done and not self._may_close and not any(map(_begins_anew, events)):
            return events
        found: list[Event] = []
        for event in events:
            match event:
                case TextDelta():
                    for piece in self._splitter.feed(event.text):
                        found += self._piece(run, piece, found)
                    continue
                case ReasoningDelta():
                    self._may_close = False
                    found += self._splitter.skip()
                case ToolCall() | Finish():
                    found += self._splitter.close()
                case Restart() if _begins_anew(event):
                    self._begin()
                case _:
                    pass
            found.append(event)
        return found

    def _piece(self, run: Run, piece: TextDelta | ReasoningDelta, before: Sequence[Event]) -> Sequence[Event]:
        if isinstance(piece, ReasoningDelta):
            self._may_close = False
        if not self._may_close or isinstance(piece, ReasoningDelta):
            return [piece]
        seen = self._tail + piece.text
        self._tail = seen[-len(CLOSE) :]
        return self._closed(run, piece, before) if CLOSE in seen else [piece]

    def _closed(self, run: Run, piece: TextDelta, before: Sequence[Event]) -> Sequence[Event]:
        """The first closing tag: all before it was thinking, unless somebody only writes about tags."""
        self._may_close = False
        said = run.text_of_round() + "".join(event.text for event in before if isinstance(event, TextDelta))
        said += piece.text
        tag = _CLOSED.search(said)
        if tag is None or OPEN in said or said.count("```", 0, tag.start()) % 2:
            return [piece]
        self._splitter = ThinkSplitter.after_thinking()
        run.thought_from_start = True
        return [
            Restart(),
            ReasoningDelta(said[: tag.start()].strip()),
            *self._splitter.feed(said[tag.end() :]),
        ]


def _begins_anew(event: Event) -> bool:
    return isinstance(event, Restart) and not event.keep_chars
