"""What of a conversation goes into a request, when not all of it fits. Plain values in, plain values out.

A conversation is cut between two exchanges: a question with everything that answered it goes or stays as one, so
that calls of tools and their results stay together and the first turn that is sent is always a question. The last
exchange is never given up, nor anything that stands outside the turns (system text, tools).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate

#: The share of the room that is filled again when something has to go, so that the cut does not move with every
#: question: servers keep what they have read as long as the beginning stays the same.
COMFORTABLE = 0.7
#: The part of a window that is kept free for the answer where nobody has set its length.
_SHARE = 8
_LEAST, _MOST = 256, 4096


class Source(StrEnum):
    """How the size of a window is known.

    ``ASKED``: the request names it, and the server allocates that. ``ALLOCATED``: the server says that it has.
    ``LIMIT``: no more than the model can take; the server may give less. ``UNKNOWN``: nobody tells.
    """

    ASKED = "asked"
    ALLOCATED = "allocated"
    LIMIT = "limit"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Window:
    """How many tokens question and answer may have together; None where that is not known."""

    tokens: int | None = None
    source: Source = Source.UNKNOWN

    def reserve(self, max_tokens: int | None = None) -> int:
        """Tokens kept free for the answer; never more than half of the window."""
        if self.tokens is None:
            return max_tokens or 0
        usual = min(max(self.tokens // _SHARE, _LEAST), _MOST)
        return min(max_tokens or usual, self.tokens // 2)


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of the path: whether a person asks, and how many tokens it takes."""

    asks: bool
    tokens: int


@dataclass(frozen=True, slots=True)
class Plan:
    """``start``: the first turn that is sent. ``tokens``: what is sent takes, all in all.

    ``fits`` is False where even the last exchange alone is too much.
    """

    start: int
    tokens: int
    fits: bool = True


def plan(turns: Sequence[Turn], fixed: int, room: int) -> Plan:
    """The most recent exchanges that fit into ``room`` tokens beside the ``fixed`` ones.

    Everything where everything fits; else only so much that there is room again for some more.
    """
    if not turns:
        return Plan(0, fixed, fits=fixed <= room)
    choices = list(zip(exchanges(turns), _sizes(turns, fixed), strict=True))
    start, tokens = choices[0]
    if tokens <= room:
        return Plan(start, tokens)
    comfortable = fixed + int((room - fixed) * COMFORTABLE)
    for limit in (comfortable, room):
        for start, tokens in choices:
            if tokens <= limit:
                return Plan(start, tokens)
    return Plan(start, tokens, fits=False)


def exchanges(turns: Sequence[Turn]) -> list[int]:
    """Where each exchange begins. What stands before the first question belongs to its exchange."""
    asking = [at for at, turn in enumerate(turns) if turn.asks]
    return [0, *asking[1:]] if turns else []


def _sizes(turns: Sequence[Turn], fixed: int) -> list[int]:
    """What is sent takes from the beginning of each exchange on."""
    after = list(accumulate((turn.tokens for turn in reversed(turns)), initial=fixed))
    return [after[len(turns) - start] for start in exchanges(turns)]
