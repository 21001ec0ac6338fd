"""The tree without a database: places, versions and paths, by the ids of messages.

A message that was deleted alone is a gap: what follows it hangs on what was before it. So the tree that
a person sees, and all that is said here of parents and children, leaves hidden messages out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Node:
    """One message; ``parent`` and ``chosen`` as they are stored. ``hidden``: deleted; ``is_gap``: alone."""

    id: int
    parent: int | None
    chosen: int | None = None
    hidden: bool = False
    is_gap: bool = False


class Tree:
    """All messages of one conversation. Every parent is among them, and has a smaller id."""

    def __init__(self, nodes: Iterable[Node]) -> None:
        self.nodes = {node.id: node for node in nodes}
        self._below: dict[int | None, list[int]] = {}
        for node in sorted(self.nodes.values(), key=lambda node: node.id):
            self._below.setdefault(node.parent, []).append(node.id)

    def shows(self, node_id: int) -> bool:
        """Whether it belongs to the conversation and is not deleted."""
        return node_id in self.nodes and not self.nodes[node_id].hidden

    def parent(self, node_id: int) -> int | None:
        """What is before it."""
        above = self.nodes[node_id].parent
        while above is not None and self.nodes[above].hidden:
            above = self.nodes[above].parent
        return above

    def children(self, node_id: int | None) -> list[int]:
        """All that may follow it, the oldest first; of None, all that may begin the conversation."""
        return sorted(self._follow(node_id))

    def _follow(self, node_id: int | None) -> Iterator[int]:
        waiting = list(self._below.get(node_id, ()))
        while waiting:
            node = self.nodes[waiting.pop()]
            if not node.hidden:
                yield node.id
            elif node.is_gap:
                waiting += self._below.get(node.id, ())

    def versions(self, node_id: int) -> list[int]:
        """What may stand in its place, itself included, the oldest first."""
        return self.children(self.parent(node_id))

    def next_of(self, node_id: int) -> int | None:
        """What is shown after it: what was chosen last, else the newest."""
        found = self.children(node_id)
        wanted = self.nodes[node_id].chosen
        return wanted if wanted in found else (found[-1] if found else None)

    def end_of(self, node_id: int) -> int:
        """The last message of the path that is shown below it."""
        while (below := self.next_of(node_id)) is not None:
            node_id = below
        return node_id

    def path(self, node_id: int | None) -> list[int]:
        """From the first message to that one."""
        found: list[int] = []
        while node_id is not None:
            found.append(node_id)
            node_id = self.parent(node_id)
        return found[::-1]

    def gaps_above(self, node_id: int) -> list[int]:
        """The hidden messages between that one and the first."""
        found: list[int] = []
        above = self.nodes[node_id].parent
        while above is not None:
            if self.nodes[above].hidden:
                found.append(above)
            above = self.nodes[above].parent
        return found[::-1]

    def branch(self, node_id: int) -> list[int]:
        """It and all that follows it, whichever versions, without what is deleted already."""
        found, waiting = [], [node_id]
        while waiting:
            found.append(step := waiting.pop())
            waiting += self._follow(step)
        return sorted(found)

    def choices(self, node_id: int | None) -> dict[int, int]:
        """Parent -> child, wherever the way up from that message differs from what would be shown by itself."""
        path = self.path(node_id)
        return {above: below for above, below in pairwise(path) if self.next_of(above) != below}
