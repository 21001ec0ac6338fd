"""What OpenCode asks a person while it works: permissions and questions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backends.adapters.events import AskClosed, Event
from backends.adapters.opencode_texts import Budget
from backends.adapters.opencode_wire import Frame, ask_of
from backends.adapters.values import as_dict, as_str

#: ``permission.updated`` is what servers before 1.0 say.
_ASKED = ("permission.asked", "permission.updated", "question.asked")
_REPLIED = ("permission.replied", "question.replied", "question.rejected")
_SESSION = ("session.created", "session.updated")


class Asks:
    """The requests of a session and of its children (a tool may run a task in a session of its own).

    ``open``: the ids that wait for an answer. ``strangers``: requests of sessions whose parents are
    not known here; adopt those that are children and take the frame again.
    """

    def __init__(self, session_id: str, budget: Budget) -> None:
        self.open: set[str] = set()
        self.strangers: list[Frame] = []
        self.family = {session_id}
        self._budget = budget
        self._seen: set[str] = set()

    def take(self, frame: Frame) -> list[Event] | None:
        """The events in a frame that is about requests or children; None for any other."""
        if frame.type in _ASKED:
            return self._asked(frame)
        if frame.type in _REPLIED:
            return self._replied(frame.properties)
        if frame.type in _SESSION:
            self._session(as_dict(frame.properties.get("info")))
            return []
        return None

    def adopt(self, session_id: str) -> None:
        """Count another session as a child."""
        self._budget.spend(len(session_id))
        self.family.add(session_id)

    def _asked(self, frame: Frame) -> list[Event]:
        ask = ask_of(frame)
        if not ask.id or ask.id in self._seen:
            return []
        if frame.session_id not in self.family:
            self._budget.spend(len(repr(frame.properties)))
            self.strangers.append(frame)
            return []
        self._budget.spend(len(ask.id))
        self._seen.add(ask.id)
        self.open.add(ask.id)
        return [ask]

    def _replied(self, properties: Mapping[str, Any]) -> list[Event]:
        ask_id = as_str(properties.get("requestID")) or as_str(properties.get("permissionID"))
        if ask_id not in self.open:
            return []
        self.open.discard(ask_id)
        return [AskClosed(ask_id)]

    def _session(self, info: Mapping[str, Any]) -> None:
        session_id = as_str(info.get("id"))
        if session_id not in self.family and as_str(info.get("parentID")) in self.family:
            self.adopt(session_id)
