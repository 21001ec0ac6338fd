"""One reply, picked from the stream of everything that happens on an OpenCode server."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from backends.adapters.base import Endpoint
from backends.adapters.errors import Truncated
from backends.adapters.events import (
    Event,
    Finish,
    FinishReason,
    Phase,
    Status,
)
from backends.adapters.opencode_asks import Asks
from backends.adapters.opencode_errors import ENDINGS, failure, line_of
from backends.adapters.opencode_messages import Messages
from backends.adapters.opencode_texts import Budget
from backends.adapters.opencode_usage import usage_of
from backends.adapters.opencode_wire import Frame, frame_of
from backends.adapters.sse import ServerEvent
from backends.adapters.values import as_dict, as_str

_REASONS = {
    "": FinishReason.STOP,
    "stop": FinishReason.STOP,
    "length": FinishReason.LENGTH,
    "tool-calls": FinishReason.STOP,  # the run was ended by a denied permission
    "content-filter": FinishReason.CONTENT_FILTER,
}
#: What may come without a session: errors, and events of servers with bare properties.
_UNSIGNED = frozenset({"session.error", "message.part", "message.complete"})


class OpenCodeAnswer:
    """Reads frames; keeps those of one session that answer one question.

    ``settling``: the session went quiet but the outcome is not known yet; it may follow within a
    second, so call :meth:`settle` then. ``over``: nothing more is to come. ``heard`` counts the
    frames of this session.
    """

    def __init__(self, endpoint: Endpoint, session_id: str, known: Iterable[str] = ()) -> None:
        self.session_id = session_id
        self.settling = False
        self.over = False
        self.heard = 0
        self._endpoint = endpoint
        self._budget = Budget()
        self.asks = Asks(session_id, self._budget)
        self._messages = Messages(frozenset(known), self._budget)
        self._busy = False
        self._worked = False
        self._retrying = False
        self._stepping = False
        self._error: Mapping[str, Any] | None = None

    @property
    def question_ids(self) -> frozenset[str]:
        """The messages of ours that are being answered."""
        return frozenset(self._messages.asked)

    @property
    def waits_long(self) -> bool:
        """Whether silence is all right: a person is asked, or a tool works."""
        return bool(self.asks.open) or self._messages.tools.running

    @property
    def steady(self) -> bool:
        """Whether the run can be aborted without harm.

        OpenCode 1.18.34 gets itself ready during its first answer: after the message is made, before the
        second "busy". An abort in between is remembered as the outcome of that, and every later prompt
        fails ("All fibers interrupted without error") until the server is started anew.
        """
        return self.over or self.settling or self._retrying or self._stepping or self._messages.spoken

    def feed(self, event: ServerEvent) -> Iterator[Event]:
        """The events in one frame of the wire."""
        if (frame := frame_of(event)) is not None:
            yield from self.take(frame)

    def close(self) -> Iterator[Event]:
        """The stream of events has no proper end."""
        raise Truncated("the stream of events ended")

    def take(self, frame: Frame) -> Iterator[Event]:
        """The events in one frame."""
        if self.over:
            return
        if (asked := self.asks.take(frame)) is not None:
            self.heard += len(asked)
            yield from asked
        elif frame.session_id == self.session_id or (not frame.session_id and frame.type in _UNSIGNED):
            self.heard += 1
            yield from self._ours(frame)

    def settle(self, *, lost: bool = False) -> Iterator[Event]:
        """End with what is known. ``lost``: the session was found quiet after the stream had broken."""
        yield from self._messages.unintroduced()
        newest = self._messages.newest
        if self._error is not None or newest.get("error"):
            yield from self._failed(self._error or as_dict(newest.get("error")))
        elif _completed(newest):
            yield from self._finish(self._reason(newest))
        elif lost:
            self.over = True
            raise Truncated("OpenCode was interrupted in the middle of the answer")
        elif newest or self._messages.texts.shown:
            yield from self._finish(FinishReason.UNKNOWN)
        else:
            yield from self._finish(FinishReason.CANCELLED)

    def _ours(self, frame: Frame) -> Iterator[Event]:
        properties = frame.properties
        match frame.type:
            case "message.updated":
                yield from self._messages.message(as_dict(properties.get("info")))
            case "message.part.updated" | "message.part" | "message.part.delta":
                yield from self._messages.part(frame)
            case "message.part.removed":
                yield from self._messages.texts.abandon(lambda part, _: part == properties.get("partID"))
            case "message.removed":
                yield from self._messages.removed(as_str(properties.get("messageID")))
            case "session.status":
                yield from self._status(as_dict(properties.get("status")))
            case "session.idle":
                yield from self._idle()
            case "message.complete":
                yield from self._complete()
            case "session.error":
                yield from self._failure(frame)
            case "session.compacted":
                self._messages.compacted = True
                yield Status(Phase.PROMPT)

    # How it goes, and how it ends

    def _status(self, status: dict[str, Any]) -> Iterator[Event]:
        match status.get("type"):
            case "idle":
                yield from self._idle()
            case "retry":
                self._work()
                self._retrying = True
                yield Status(Phase.RETRYING, detail=line_of(as_str(status.get("message")), self._endpoint))
                yield from self._messages.retried()
            case "busy":
                self._stepping = bool(self._messages.mine)
                self._work()

    @property
    def _begun(self) -> bool:
        """Whether the server took up our question."""
        return self._worked or self._messages.begun

    def _work(self) -> None:
        self._busy = self._worked = True
        self.settling = self._retrying = False

    def _idle(self) -> Iterator[Event]:
        """The end, if it is known already. An idle before our question began is somebody else's."""
        self._busy = False
        newest = self._messages.newest
        known = _completed(newest) and newest.get("finish") != "tool-calls"
        if self._begun and (self._error is not None or newest.get("error") or known):
            yield from self.settle()
        else:
            self.settling = self._begun or self._messages.texts.shown or self._messages.waiting

    def _complete(self) -> Iterator[Event]:
        """``message.complete``, from servers written after OpenCode's first documents."""
        newest = self._messages.newest
        if self._error is not None or newest:
            yield from self._idle()
        else:
            yield from self._finish(FinishReason.STOP)

    def _failure(self, frame: Frame) -> Iterator[Event]:
        """While nothing runs, an error is the end: an unknown agent brings no idle. Only the first counts."""
        error = as_dict(frame.properties.get("error"))
        if self._busy and not frame.session_id:
            return
        if as_str(error.get("name")) in ENDINGS and not self._begun:
            return
        if self._error is None:
            self._error = error
        if not self._busy:
            yield from self._failed(self._error)

    def _failed(self, error: Mapping[str, Any]) -> Iterator[Event]:
        ending = ENDINGS.get(as_str(error.get("name")))
        if ending is None:
            self.over = True
            raise failure(error, self._endpoint)
        yield from self._finish(ending)

    def _reason(self, info: Mapping[str, Any]) -> FinishReason:
        """An abort between two attempts leaves a message that is complete but does not say how it ended."""
        finish = as_str(info.get("finish"))
        if not finish and (self._retrying or not self._messages.texts.shown):
            return FinishReason.CANCELLED
        return _REASONS.get(finish, FinishReason.UNKNOWN)

    def _finish(self, reason: FinishReason) -> Iterator[Event]:
        self.over = True
        if (usage := usage_of(list(self._messages.mine.values()))) is not None:
            yield usage
        yield Finish(reason)


def _completed(info: Mapping[str, Any]) -> bool:
    return bool(as_dict(info.get("time")).get("completed"))
