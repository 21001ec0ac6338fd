"""Draws the line in a conversation that outgrows the window of its model, as its owner has decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Q

from backends.database import write_transaction
from chat.generation.estimate import NOTHING, Size
from chat.generation.fit import Fit
from chat.generation.reach import Reach, count_up
from chat.generation.window import Window, plan
from chat.models import Conversation, Cut, CutKind, Message, Overflow

#: How far an estimate may be off before a server is not asked: without and with what was learned of its model.
_DOUBT, _LESS_DOUBT = 1.3, 1.1
#: The share of a window that a summary may take, and tokens at most and at least.
_SUMMARY_SHARE, SUMMARY_MOST, _SUMMARY_LEAST = 8, 1200, 150


_KINDS = {
    Overflow.ASK: CutKind.PROPOSED,
    Overflow.DROP: CutKind.DROPPED,
    Overflow.SUMMARISE: CutKind.SUMMARISED,
}


class DoesNotFit(Exception):
    """The conversation outgrows the window, and its owner has to say what is left out.

    ``alone``: the last question is too much by itself, and nothing that is left out would help.
    """

    def __init__(self, tokens: int, window: Window, *, alone: bool = False) -> None:
        super().__init__(f"about {tokens} of {window.tokens} tokens")
        self.tokens = tokens
        self.window = window
        self.alone = alone


@dataclass(frozen=True, slots=True)
class Demand:
    """What is known beside the rows. ``tools`` are on offer.

    After a refusal: ``ratio`` and ``window`` are what it taught, and ``sure`` is that there is too much.
    """

    tools: Size = NOTHING
    ratio: float | None = None
    window: int | None = None
    sure: bool = False


#: Before anything is known.
NO_DEMAND = Demand()


def summary_room(window: Window) -> int:
    """Tokens that a summary may have."""
    return min(max((window.tokens or 8192) // _SUMMARY_SHARE, _SUMMARY_LEAST), SUMMARY_MOST)


def room_of(
    conversation: Conversation, window: Window, reserve: int, *, learned: bool, sure: bool
) -> int | None:
    """How many tokens may be sent; None where nobody knows.

    Where the owner is to be asked, a server that refuses is the better judge in case of doubt.
    """
    if window.tokens is None:
        return None
    if conversation.overflow != Overflow.ASK or sure:
        return window.tokens - reserve
    return int(window.tokens * (_LESS_DOUBT if learned else _DOUBT))


def shortened(conversation: Conversation, found: Reach, fit: Fit, room: int) -> Reach:
    """What is sent of it beside what ``fit`` holds already. Raises DoesNotFit."""
    turns, fixed, window = found.weighed(fit.ratio), fit.tokens, fit.window
    whole = plan(turns, fixed, room)
    if whole.start == 0 and whole.fits and found.whole:
        return found
    summarises = conversation.overflow == Overflow.SUMMARISE
    best = plan(turns, fixed, rest_of(fit) - (summary_room(window) if summarises else 0))
    everything = fixed + sum(turn.tokens for turn in turns)
    if best.start == 0 or not best.fits:
        raise DoesNotFit(best.tokens, window, alone=True)
    cut = draw(conversation, found.rows[best.start - 1], _KINDS[Overflow(conversation.overflow)])
    if cut.kind == CutKind.PROPOSED:
        raise DoesNotFit(everything, window)
    rest = found.below(best.start)
    rest.cut, rest.whole = cut, True
    return rest


def rest_of(fit: Fit) -> int:
    """Tokens beside those that are kept for the answer."""
    return max((fit.window.tokens or 0) - fit.reserve, 0)


def settled(conversation: Conversation, cuts: Mapping[int | None, Cut]) -> None:
    """It fits: proposals are off the table. No query where there are none."""
    if any(cut.kind == CutKind.PROPOSED for cut in cuts.values()):
        conversation.cuts.filter(kind=CutKind.PROPOSED).delete()


def draw(conversation: Conversation, after: Message, kind: CutKind) -> Cut:
    """The line below that message. Proposals elsewhere in the conversation go."""
    with write_transaction():
        conversation.cuts.filter(~Q(after=after), kind=CutKind.PROPOSED).delete()
        left_out = count_up(conversation, after)
        cut, _made = Cut.objects.update_or_create(
            conversation=conversation,
            after=after,
            defaults={"kind": kind, "covers": after, "left_out": left_out},
        )
        if not conversation.has_cuts:
            conversation.has_cuts = True
            Conversation.objects.filter(pk=conversation.pk).update(has_cuts=True)
    cut.is_new = True
    return cut
