"""Turns of a file in the order in which rows are made: parents first, no cycles, nothing twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from chat.transfer.portable import LeftOut, Turn


def arranged(turns: Iterable[Turn], left_out: Counter[LeftOut]) -> tuple[Turn, ...]:
    """The same turns, parents first, else as they came. Counts those of a cycle and doubles as broken.

    A turn whose parent is missing begins a tree of its own.
    """
    known: dict[str, Turn] = {}
    for turn in turns:
        if turn.id in known:
            left_out[LeftOut.BROKEN] += 1
        else:
            known[turn.id] = turn
    children: dict[str | None, list[str]] = {}
    for turn in known.values():
        children.setdefault(turn.parent if turn.parent in known else None, []).append(turn.id)
    found = [replace(known[pk], parent=None) for pk in children.get(None, ())]
    for turn in found:  # grows while it is walked
        found += [known[pk] for pk in children.get(turn.id, ())]
    left_out[LeftOut.BROKEN] += len(known) - len(found)
    places = {pk: place for place, pk in enumerate(known)}
    return _parents_first(sorted(found, key=lambda turn: places[turn.id]))


def _parents_first(turns: list[Turn]) -> tuple[Turn, ...]:
    waiting: dict[str, list[Turn]] = {}
    done: dict[str, Turn] = {}
    for turn in turns:
        if turn.parent is not None and turn.parent not in done:
            waiting.setdefault(turn.parent, []).append(turn)
            continue
        ready = [turn]
        while ready:
            step = ready.pop()
            done[step.id] = step
            ready += reversed(waiting.pop(step.id, []))
    return tuple(done.values())


def without(turns: Iterable[Turn], dropped: set[str], parents: dict[str, str | None]) -> list[Turn]:
    """The turns that are kept, each hung under its nearest kept ancestor. ``parents`` names everybody's."""
    return [replace(turn, parent=_kept_above(turn.parent, dropped, parents)) for turn in turns]


def _kept_above(step: str | None, dropped: set[str], parents: dict[str, str | None]) -> str | None:
    """The nearest kept one. What was walked over is remembered in ``parents``, so that each link is walked once."""
    walked: dict[str, None] = {}
    while step is not None and step in dropped and step not in walked:
        walked[step] = None
        step = parents.get(step)
    found = None if step in dropped else step
    for passed in walked:
        parents[passed] = found
    return found


def last_of(turns: tuple[Turn, ...], wanted: str | None) -> str | None:
    """The head: the wanted turn where it was kept, else the end of the newest branch."""
    if wanted is not None and any(turn.id == wanted for turn in turns):
        return wanted
    return turns[-1].id if turns else None
