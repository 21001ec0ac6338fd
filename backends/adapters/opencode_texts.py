"""The text and reasoning parts of a reply: deltas append, snapshots correct, retries throw away."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from backends.adapters.errors import ProtocolError
from backends.adapters.events import Event, ReasoningDelta, Restart, TextDelta

#: Characters of one reply that are held, in whatever form.
MAX_HELD = 64 * 1024 * 1024

Delta = type[TextDelta] | type[ReasoningDelta]


class Budget:
    """Bounds what a server can make us keep."""

    def __init__(self, limit: int = MAX_HELD) -> None:
        self._left = limit

    def spend(self, size: int) -> None:
        """Count some characters; every entry costs a little more. Raises ProtocolError."""
        self._left -= size + 64
        if self._left < 0:
            raise ProtocolError("answer too large")


@dataclass(slots=True)
class _Part:
    """``kind`` is None until the first snapshot tells it; ``gone``: its attempt was given up."""

    message_id: str
    kind: Delta | None = None
    pieces: list[str] = field(default_factory=list)
    gone: bool = False

    @property
    def text(self) -> str:
        if len(self.pieces) > 1:
            self.pieces = ["".join(self.pieces)]
        return self.pieces[0] if self.pieces else ""


class Texts:
    """All parts in their order, and what of them was shown."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._parts: dict[str, _Part] = {}

    @property
    def shown(self) -> bool:
        """Whether any text or reasoning was."""
        return any(map(_is_shown, self._parts.values()))

    def append(self, kind: Delta, text: str) -> Iterator[Event]:
        """Text of a part without an id, as the first documents of OpenCode had it."""
        part = self._part("", "")
        part.kind = kind
        yield from self._grow(part, text, joint="")

    def delta(self, part_id: str, message_id: str, text: str) -> Iterator[Event]:
        """An increment; it waits where nobody knows yet whether it is text or reasoning."""
        part = self._part(part_id, message_id)
        if part.gone:
            return
        if part.kind is None:
            self._budget.spend(len(text))
            part.pieces.append(text)
        else:
            yield from self._grow(part, text)

    def snapshot(
        self, part_id: str, message_id: str, kind: Delta, text: str, *, ended: bool
    ) -> Iterator[Event]:
        """The whole part so far. A correction of what was shown counts only once the part has ended."""
        part = self._part(part_id, message_id)
        if part.gone:
            return
        known = part.text
        if part.kind is None:
            part.kind, part.pieces = kind, []
            yield from self._grow(part, known if known.startswith(text) else text)
        elif text.startswith(known):
            yield from self._grow(part, text[len(known) :])
        elif ended and text.rstrip() != known.rstrip():
            self._budget.spend(len(text))
            part.pieces = [text]
            yield from self._again()

    def abandon(self, unwanted: Callable[[str, str], bool]) -> Iterator[Event]:
        """Give up the parts for which ``unwanted(part_id, message_id)``; what remains is shown anew."""
        parts = [part for key, part in self._parts.items() if unwanted(key, part.message_id)]
        shown = any(map(_is_shown, parts))
        for part in parts:
            part.gone = True
            part.pieces = []
        if shown:
            yield from self._again()

    def _part(self, part_id: str, message_id: str) -> _Part:
        if part_id not in self._parts:
            self._budget.spend(len(part_id) + len(message_id))
            self._parts[part_id] = _Part(message_id)
        return self._parts[part_id]

    def _grow(self, part: _Part, text: str, joint: str = "\n\n") -> Iterator[Event]:
        """Show more of a part. A blank line goes between two parts of a kind."""
        if not text or part.kind is None:
            return
        self._budget.spend(len(text))
        first = not part.pieces
        part.pieces.append(text)
        others = (other for other in self._parts.values() if other is not part and other.kind is part.kind)
        yield part.kind(f"{joint}{text}" if first and any(map(_is_shown, others)) else text)

    def _again(self) -> Iterator[Event]:
        yield Restart()
        seen: set[Delta] = set()
        for part in filter(_is_shown, self._parts.values()):
            if part.kind is not None:
                yield part.kind(f"\n\n{part.text}" if part.kind in seen else part.text)
                seen.add(part.kind)


def _is_shown(part: _Part) -> bool:
    return part.kind is not None and bool(part.pieces) and not part.gone
