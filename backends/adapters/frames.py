"""From bytes to batches of events: the loop that every streaming adapter shares."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Iterator
from itertools import groupby
from typing import Protocol, TypeVar, cast

from backends.adapters.errors import BackendError
from backends.adapters.events import Event, Finish, ReasoningDelta, TextDelta

Frame = TypeVar("Frame")
FrameIn = TypeVar("FrameIn", contravariant=True)
FrameOut = TypeVar("FrameOut", covariant=True)


class Source(Protocol):
    """Where the bytes come from; ``b""`` is their proper end (see ``http.Stream``)."""

    async def read(self) -> bytes: ...


class Decoder(Protocol[FrameOut]):
    """Cuts bytes into frames (see ``ndjson`` and ``sse``)."""

    def feed(self, chunk: bytes) -> Iterable[FrameOut]: ...

    def close(self) -> Iterable[FrameOut]: ...


class Answer(Protocol[FrameIn]):
    """What one wire says, frame by frame. Both methods may raise a BackendError."""

    def feed(self, frame: FrameIn) -> Iterable[Event]:
        """The events in one frame."""

    def close(self) -> Iterable[Event]:
        """What the proper end of the body stands for: its last event is a Finish, or it raises."""


async def batches(
    source: Source, decoder: Decoder[Frame], answer: Answer[Frame]
) -> AsyncGenerator[list[Event], None]:
    """One list of events for each read that brought some; stops after a Finish.

    A BackendError rises after the events before it, and knows whether any of them was text.
    """
    delivered = False
    finished = False
    while not finished:
        try:
            chunk = await source.read()
        except BackendError as error:
            error.partial = delivered
            raise
        events, failure = gathered(events_in(chunk, decoder, answer))
        delivered = delivered or any(type(event) in _DELTAS for event in events)
        finished = not chunk or (bool(events) and type(events[-1]) is Finish)
        if events:
            yield merged(events)
        if failure is not None:
            failure.partial = delivered
            raise failure


def merged(events: Iterable[Event]) -> list[Event]:
    """The same events with neighbouring increments of one kind joined."""
    result: list[Event] = []
    for kind, group in groupby(events, type):
        if kind is TextDelta or kind is ReasoningDelta:
            deltas = cast("Iterator[TextDelta | ReasoningDelta]", group)
            result.append(kind("".join([delta.text for delta in deltas])))
        else:
            result.extend(group)
    return result


_DELTAS = (TextDelta, ReasoningDelta)


def gathered(events: Iterable[Event]) -> tuple[list[Event], BackendError | None]:
    """All of them up to a Finish, and the error that ended them."""
    result: list[Event] = []
    try:
        for event in events:
            result.append(event)
            if type(event) is Finish:
                break
    except BackendError as error:
        return result, error
    return result, None


def events_in(chunk: bytes, decoder: Decoder[Frame], answer: Answer[Frame]) -> Iterator[Event]:
    """The events in some bytes; none are the end of them."""
    for frame in decoder.feed(chunk) if chunk else decoder.close():
        yield from answer.feed(frame)
    if not chunk:
        yield from answer.close()
