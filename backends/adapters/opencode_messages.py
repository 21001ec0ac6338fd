"""Whose message is whose in an OpenCode session, and what the parts of ours say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from backends.adapters.events import Event, ReasoningDelta, TextDelta
from backends.adapters.opencode_history import visible
from backends.adapters.opencode_texts import Budget, Texts
from backends.adapters.opencode_tools import Tools
from backends.adapters.opencode_wire import Frame
from backends.adapters.values import as_dict, as_str


class Messages:
    """Picks the messages that answer our question; their parts become events.

    ``known`` are the ids of messages that were there before, ``asked`` those of our question, ``mine``
    the answers to it (a tool loop makes several). Parts of a message that nobody introduced yet wait:
    the question itself comes back as one. ``compacted``: OpenCode made room for itself, and goes on
    with a question of its own. ``spoken``: some part of an answer was there.
    """

    def __init__(self, known: frozenset[str], budget: Budget) -> None:
        self.texts = Texts(budget)
        self.tools = Tools(budget)
        self.known = known
        self.asked: set[str] = set()
        self.mine: dict[str, Mapping[str, Any]] = {}
        self.compacted = False
        self.spoken = False
        self._others: set[str] = set()
        self._held: dict[str, list[Frame]] = {}
        self._budget = budget

    @property
    def begun(self) -> bool:
        """Whether a message of ours was seen."""
        return bool(self.asked or self.mine or self._others)

    @property
    def waiting(self) -> bool:
        """Whether there are parts of messages that were not introduced."""
        return bool(self._held)

    @property
    def newest(self) -> Mapping[str, Any]:
        """The latest answer; empty where there is none."""
        return next(reversed(self.mine.values()), {})

    def message(self, info: dict[str, Any]) -> Iterator[Event]:
        """A message is there, or changed."""
        message_id = as_str(info.get("id"))
        if not message_id or message_id in self.known:
            return
        self._budget.spend(0)
        held = self._held.pop(message_id, [])
        if info.get("role") == "assistant" and self._answers_us(info):
            self.mine[message_id] = info
            for frame in held:
                yield from self.part(frame)
            return
        self._others.add(message_id)
        self.compacted = self.compacted or info.get("summary") is True
        if info.get("role") == "user" and (not self.asked or self.compacted):
            self.asked.add(message_id)

    def part(self, frame: Frame) -> Iterator[Event]:
        """A part, or an increment of one."""
        part = as_dict(frame.properties.get("part"))
        message_id = as_str(part.get("messageID")) or as_str(frame.properties.get("messageID"))
        if message_id in self.mine or not message_id:
            self.spoken = True
            yield from self._shown(frame, part, message_id)
        elif message_id not in self.known and message_id not in self._others:
            self._budget.spend(len(repr(frame.properties)))
            self._held.setdefault(message_id, []).append(frame)

    def removed(self, message_id: str) -> Iterator[Event]:
        """A message is gone: so is what it said, and how it ended."""
        self.mine.pop(message_id, None)
        yield from self.texts.abandon(lambda _, message: message == message_id)

    def retried(self) -> Iterator[Event]:
        """The provider failed: what the newest message said is given up."""
        failed = as_str(self.newest.get("id"))
        yield from self.texts.abandon(lambda _, message: message == failed)

    def unintroduced(self) -> Iterator[Event]:
        """Parts of messages that a simple server never introduced: at the end they count as the answer."""
        if self.mine:
            return
        held, self._held = self._held, {}
        for message_id, frames in held.items():
            for frame in frames:
                yield from self._shown(frame, as_dict(frame.properties.get("part")), message_id)

    def _answers_us(self, info: Mapping[str, Any]) -> bool:
        parent = as_str(info.get("parentID"))
        return info.get("summary") is not True and (not parent or not self.asked or parent in self.asked)

    def _shown(self, frame: Frame, part: dict[str, Any], message_id: str) -> Iterator[Event]:
        properties = frame.properties
        if frame.type == "message.part.delta":
            if properties.get("field", "text") == "text":
                part_id, text = as_str(properties.get("partID")), as_str(properties.get("delta"))
                yield from self.texts.delta(part_id, message_id, text)
        elif part.get("type") == "tool":
            yield from self.tools.part(part)
        elif part.get("type") == "reasoning" or visible(part):
            yield from self._text(part, message_id)

    def _text(self, part: dict[str, Any], message_id: str) -> Iterator[Event]:
        """A snapshot. Without an id it is an increment, as the first documents of OpenCode had it."""
        kind = ReasoningDelta if part.get("type") == "reasoning" else TextDelta
        text, part_id = as_str(part.get("text")), as_str(part.get("id"))
        if part_id:
            ended = bool(as_dict(part.get("time")).get("end"))
            yield from self.texts.snapshot(part_id, message_id, kind, text, ended=ended)
        else:
            yield from self.texts.append(kind, text)
