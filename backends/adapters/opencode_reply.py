"""Following one reply: events as they come, asks of children, and what was missed while disconnected."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import suppress
from itertools import chain

from backends.adapters import frames
from backends.adapters.errors import (
    BackendError,
    CannotConnect,
    Overloaded,
    Stalled,
    TimedOut,
    Truncated,
)
from backends.adapters.events import Event, ReasoningDelta, TextDelta
from backends.adapters.opencode_answer import OpenCodeAnswer
from backends.adapters.opencode_api import OpenCodeApi, session_path
from backends.adapters.opencode_feed import Feed
from backends.adapters.opencode_missed import missed_by
from backends.adapters.opencode_wire import Frame
from backends.adapters.values import as_dict, as_str

#: Seconds between the first idle and the message that tells how it ended.
GRACE = 1.0
#: Times that a stream may break before it has held for STEADY seconds, and the pause before the second
#: attempt in seconds; each later pause is twice as long.
MAX_BREAKS = 5
STEADY = 60.0
PAUSE = 0.5
#: How far up the parents of an unknown session are asked for.
MAX_DEPTH = 5

_BROKEN = (Stalled, Truncated, TimedOut)
_AWAY = (*_BROKEN, CannotConnect, Overloaded)

Gathered = tuple[list[Event], BackendError | None]


class Reply:
    """One answer that is being written. ``working``: the server would go on if we left now."""

    def __init__(self, api: OpenCodeApi, feed: Feed, answer: OpenCodeAnswer) -> None:
        self._api = api
        self._feed = feed
        self._answer = answer
        self._breaks = 0
        self._broke_at = 0.0
        self._heard = 0
        self._heard_at = asyncio.get_running_loop().time()
        self._settle_at: float | None = None
        self._delivered = False
        self._gave_up = False

    @property
    def working(self) -> bool:
        return not self._answer.over and not self._answer.settling

    @property
    def steady(self) -> bool:
        """Whether it can be aborted without harm, or has been silent for so long that nothing else is left."""
        return self._answer.steady or self._gave_up

    async def batches(self, already: Iterable[Frame] | None = None) -> AsyncGenerator[list[Event], None]:
        """All events. ``already``: the whole reply, from a server that does not stream."""
        if already is not None:
            events, failure = self._ended(already)
        else:
            events, failure = await self._next()
        while True:
            self._delivered = self._delivered or any(type(event) in _DELTAS for event in events)
            if events:
                yield frames.merged(events)
            if failure is not None:
                failure.partial = self._delivered
                raise failure
            if self._answer.over:
                return
            events, failure = await self._next()

    async def until_steady(self, seconds: float) -> None:
        """Listen on until an abort does no harm, but not longer than this, nor after the stream broke."""
        clock = asyncio.get_running_loop().time
        end = clock() + seconds
        with suppress(BackendError):
            while not self.steady and (chunk := await self._feed.read(max(0.0, end - clock()))):
                frames.gathered(frames.events_in(chunk, self._feed.decoder, self._answer))

    async def _next(self) -> Gathered:
        """What the next read brings; nothing, mostly, since all sessions share the stream."""
        try:
            chunk = await self._feed.read(self._patience())
        except _BROKEN:
            chunk = b""
        except BackendError as error:
            return [], error
        if chunk is None:
            return frames.gathered(self._answer.settle())
        if not chunk:
            return await self._again()
        events, failure = frames.gathered(frames.events_in(chunk, self._feed.decoder, self._answer))
        if failure is None and not self._answer.over:
            more, failure = await self._strangers()
            events += more
        return events, failure or self._silence()

    def _patience(self) -> float | None:
        """Seconds until the outcome must be known; None as long as the session works."""
        now = asyncio.get_running_loop().time()
        if not self._answer.settling:
            self._settle_at = None
            return None
        self._settle_at = self._settle_at or now + GRACE
        return max(0.0, self._settle_at - now)

    def _silence(self) -> Stalled | None:
        """Heartbeats go on while a provider hangs: our own session has to say something in time."""
        now = asyncio.get_running_loop().time()
        if self._answer.heard != self._heard or self._answer.waits_long:
            self._heard, self._heard_at = self._answer.heard, now
        limit = self._api.endpoint.timeouts.first_byte
        if self._answer.over or now - self._heard_at < limit:
            return None
        self._gave_up = True
        return Stalled(f"nothing for {limit:g} s")

    # Requests of sessions that may be children

    async def _strangers(self) -> Gathered:
        asks = self._answer.asks
        waiting, asks.strangers = asks.strangers, []
        result: list[Event] = []
        for frame in waiting:
            if await self._is_child(frame.session_id):
                events, failure = frames.gathered(self._answer.take(frame))
                result += events
                if failure is not None:
                    return result, failure
        return result, None

    async def _is_child(self, session_id: str) -> bool:
        """Whether the chain of parents leads to our session; all on it are adopted then."""
        chain_of: list[str] = []
        asks = self._answer.asks
        with suppress(BackendError):
            while session_id and session_id not in asks.family and len(chain_of) < MAX_DEPTH:
                chain_of.append(session_id)
                session_id = as_str(as_dict(await self._api.get(session_path(session_id))).get("parentID"))
        if session_id not in asks.family:
            return False
        for child in chain_of:
            asks.adopt(child)
        return True

    # After the stream broke

    async def _again(self) -> Gathered:
        """Connect once more and make up for what was missed."""
        try:
            await self._reconnect()
            missed, busy = await missed_by(self._api, self._answer.session_id, self._answer.question_ids)
        except BackendError as error:
            return [], error
        if busy:
            return frames.gathered(chain.from_iterable(map(self._answer.take, missed)))
        return self._ended(missed, lost=True)

    async def _reconnect(self) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._broke_at > STEADY:
            self._breaks = 0
        self._broke_at = now
        while True:
            self._breaks += 1
            if self._breaks > MAX_BREAKS:
                raise Truncated("the connection to OpenCode broke again and again")
            if self._breaks > 1:
                await asyncio.sleep(PAUSE * 2 ** (self._breaks - 2))
            try:
                return await self._feed.open()
            except _AWAY:
                continue

    def _ended(self, told: Iterable[Frame], *, lost: bool = False) -> Gathered:
        """These frames, and then the end."""
        events, failure = frames.gathered(chain.from_iterable(map(self._answer.take, told)))
        if failure is None and not self._answer.over:
            more, failure = frames.gathered(self._answer.settle(lost=lost))
            events += more
        return events, failure


_DELTAS = (TextDelta, ReasoningDelta)
