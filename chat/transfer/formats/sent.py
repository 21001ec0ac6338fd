"""The exact request of a run in a file: messages by their ids, long texts by their digests and once for all runs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any

from chat.generation import canonical
from chat.transfer import values
from chat.transfer.portable import Run, SentRequest, Stretch, Turn

#: Requests of one run. A run has about 20 rounds.
MOST_ROUNDS = 30
#: Characters of all texts of one file, and of all summaries in it, each as often as a run was sent it.
LONGEST_TEXTS = 16_000_000
LONGEST_SUMMARIES = 20_000_000
LONGEST_SUMMARY = 100_000
#: Messages that are gone, of one run, and tools that it was offered.
MOST_GONE = 10_000
MOST_TOOLS = 1_000
#: Pieces of ways that are walked for one file. A way has more than one only where it passes by other branches.
MOST_PIECES = 1_000_000


class BadReceipt(Exception):
    """What a file tells of a request has not the shape that its format promises, or is too much."""


class Ways:
    """Ways up through a tree of turns, as stretches of places that each is the parent of the next one."""

    def __init__(self, turns: Sequence[Turn]) -> None:
        self.places = {turn.id: place for place, turn in enumerate(turns)}
        self._above = [self.places.get(turn.parent or "", -1) for turn in turns]
        self._tops: list[int] = []
        for place, above in enumerate(self._above):
            self._tops.append(self._tops[above] if above >= 0 and above == place - 1 else place)
        self.left = MOST_PIECES

    def up(self, last: int, first: int) -> tuple[Stretch, ...]:
        """From ``last`` up to ``first``, ascending; to the beginning where that is not on the way.

        Raises BadReceipt where too much was walked.
        """
        found: list[Stretch] = []
        step = last
        while step >= first and step >= 0:
            self._pay()
            top = max(self._tops[step], first)
            found.append((top, step))
            step = self._above[top]
        return tuple(reversed(found))

    def _pay(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise BadReceipt


class Writer:
    """Writes the requests of one file. ``texts``: what they name, by digest."""

    def __init__(self, turns: Sequence[Turn]) -> None:
        self._turns = turns
        self._ways = Ways(turns)
        self.texts: dict[str, str] = {}
        self._digests: dict[str, str] = {}
        self._room = LONGEST_TEXTS

    def written(self, run: Run) -> dict[str, Any] | None:
        """The request of a run as JSON values; None where it is not known."""
        sent = run.sent
        if sent is None:
            return None
        found: dict[str, Any] = {"rounds": list(map(dict, sent.rounds)), **self._messages(sent)}
        named = {"system": sent.system, "tools": sent.tools, "summary": sent.summary}
        found |= {name: self._named(text) for name, text in named.items() if text}
        found |= {name: True for name in ("plain", "reminded") if getattr(sent, name)}
        found["capabilities"] = None if sent.capabilities is None else list(sent.capabilities)
        if sent.begun is not None:
            found["begun"] = sent.begun
        if sent.repeats is not None:
            place, number = sent.repeats
            found["repeats"] = {"message": self._turns[place].id, "generation": number}
        return found

    def _named(self, text: str) -> str:
        """A text's digest. The text is left out where the file holds too much already."""
        if text not in self._digests:
            digest = self._digests[text] = sha256(text.encode("utf-8", "replace")).hexdigest()
            if len(text) <= self._room:
                self._room -= len(text)
                self.texts[digest] = text
        return self._digests[text]

    def _messages(self, sent: SentRequest) -> dict[str, Any]:
        """The ends of the way, and which messages on it were not sent."""
        if not sent.turns:
            return {"gone": sent.gone} if sent.gone else {}
        first, last = sent.turns[0][0], sent.turns[-1][1]
        self._ways.left = MOST_PIECES
        way = self._ways.up(last, first)
        without = minus(way, sent.turns)
        gone = sent.gone + counted(minus(sent.turns, way))
        first = minus(way, without)[0][0]
        ids = {"first": self._turns[first].id, "last": self._turns[last].id}
        hidden = [self._turns[place].id for place in _each(without) if place > first]
        more = {"without": hidden, "gone": gone}
        return ids | {name: value for name, value in more.items() if value}


class Reader:
    """Reads the requests of one file, which nobody vouches for."""

    def __init__(self, turns: Sequence[Turn], texts: Any) -> None:
        self._ways = Ways(turns)
        self._given = values.mapping(texts)
        self._texts: dict[str, str] = {}
        self._tools: dict[str, str] = {}
        self._room = LONGEST_SUMMARIES

    def read(self, value: Any) -> SentRequest | None:
        """The request of a run; None where nothing is told of it. Raises BadReceipt."""
        if not value:
            return None
        told = values.mapping(value)
        turns, gone = self._messages(told)
        capabilities = told.get("capabilities")
        listed = [values.text(word, 100) for word in values.sequence(capabilities)[:50]]
        return SentRequest(
            rounds=_rounds(told.get("rounds")),
            turns=turns,
            gone=gone,
            system=self._text(told.get("system")),
            tools=self._tools_text(told.get("tools")),
            summary=self._summary(told.get("summary")),
            begun=values.whole(told.get("begun")),
            plain=told.get("plain") is True,
            reminded=told.get("reminded") is True,
            capabilities=tuple(filter(None, listed)) if isinstance(capabilities, list) else None,
            repeats=self._repeats(values.mapping(told.get("repeats"))),
        )

    def _messages(self, told: Mapping[str, Any]) -> tuple[tuple[Stretch, ...], int]:
        gone = min(values.whole(told.get("gone")) or 0, MOST_GONE)
        ends = [told.get(name) for name in ("first", "last")]
        if ends == [None, None]:
            return (), gone
        first, last = (self._place(end) for end in ends)
        if last is None:
            return (), gone + 1
        way = self._ways.up(last, first or 0)
        if first is None or not way or way[0][0] != first:
            gone += 1
        hidden = {self._place(each) for each in values.sequence(told.get("without"))}
        return minus(way, sorted((place, place) for place in hidden if place is not None)), gone

    def _place(self, value: Any) -> int | None:
        return self._ways.places.get(values.name(value, 100)) if isinstance(value, str) else None

    def _text(self, key: Any) -> str:
        """What a request names; what it does not name is empty. Raises BadReceipt where it is not in the file."""
        if key is None:
            return ""
        if not isinstance(key, str):
            raise BadReceipt
        if key not in self._texts:
            self._texts[key] = values.exact(self._given.get(key))
        if not self._texts[key]:
            raise BadReceipt
        return self._texts[key]

    def _summary(self, key: Any) -> str:
        found = self._text(key)[:LONGEST_SUMMARY]
        self._room -= len(found)
        if self._room < 0:
            raise BadReceipt
        return found

    def _tools_text(self, key: Any) -> str:
        """The same for tools, each of which has to be one."""
        text = self._text(key)
        if text and key not in self._tools:
            self._tools[key] = _tools(text)
        return self._tools[key] if text else ""

    def _repeats(self, told: Mapping[str, Any]) -> tuple[int, int] | None:
        place, number = self._place(told.get("message")), values.whole(told.get("generation"))
        return None if place is None or number is None else (place, number)


def _rounds(value: Any) -> tuple[Mapping[str, Any], ...]:
    listed = values.sequence(value)
    found = [_round(entry) for entry in values.objects(value) if values.is_digest(entry.get("sha256"))]
    if not 0 < len(found) == len(listed) <= MOST_ROUNDS:
        raise BadReceipt
    return tuple(found)


def _round(entry: Mapping[str, Any]) -> dict[str, Any]:
    found = {
        "sha256": entry["sha256"],
        "steps": values.small(entry.get("steps")),
        "tools": entry.get("tools") is True,
    }
    return found | ({"refused": True} if entry.get("refused") is True else {})


def _tools(text: str) -> str:
    """Tools on offer, written in the one way. Raises BadReceipt."""
    try:
        listed = json.loads(text, parse_constant=lambda _word: None)
    except (ValueError, RecursionError):
        raise BadReceipt from None
    found = [_tool(entry) for entry in values.objects(listed)]
    if not 0 < len(found) == len(values.sequence(listed)) <= MOST_TOOLS:
        raise BadReceipt
    return canonical.as_bytes(found).decode()


def _tool(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": values.exact(entry.get("name"), 200),
        "description": values.exact(entry.get("description")),
        "parameters": values.stored(values.mapping(entry.get("parameters")), values.DEEPEST_ARGUMENTS),
    }


def minus(these: Sequence[Stretch], those: Sequence[Stretch]) -> tuple[Stretch, ...]:
    """What is in these and not in those; all ascending."""
    found: list[Stretch] = []
    start = 0
    for begin, end in these:
        while start < len(those) and those[start][1] < begin:
            start += 1
        place = start
        while place < len(those) and those[place][0] <= end:
            low, high = those[place]
            if begin < low:
                found.append((begin, low - 1))
            begin = max(begin, high + 1)
            place += 1
        if begin <= end:
            found.append((begin, end))
    return tuple(found)


def counted(found: Iterable[Stretch]) -> int:
    """How many places they are."""
    return sum(last - first + 1 for first, last in found)


def _each(found: Iterable[Stretch]) -> Iterator[int]:
    for first, last in found:
        yield from range(first, last + 1)
