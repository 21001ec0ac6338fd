"""One running answer: takes pieces from its plan and writes their frames to the socket."""

from __future__ import annotations

import asyncio
import itertools
import json
import socket
import struct
import time
from collections.abc import Callable
from typing import Any

from tests.fakes import http1
from tests.fakes.answers import Piece
from tests.fakes.commands import Plan
from tests.fakes.pacer import Pacer
from tests.fakes.records import StreamRecord
from tests.fakes.wire import Tally, Wire

BATCH = 64  # tokens a write at full speed
RESET_DELAY = 0.02  # lets the last tokens arrive before a reset throws away what is unsent


class Stream:
    """The pump of one streamed answer."""

    def __init__(
        self,
        transport: asyncio.Transport,
        wire: Wire,
        plan: Plan,
        record: StreamRecord,
        tally: Tally,
        *,
        pacer: Pacer,
        limit: int | None,
        done: Callable[[], None],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport, self._wire, self._plan = transport, wire, plan
        self._record, self._tally, self._pacer = record, tally, pacer
        self._limit, self._done = limit, done
        self._pieces = plan.pieces if plan.pieces is not None else iter(())
        self._calls = 0
        self._owed = 0
        self._paused = self._over = False
        self._ending: Callable[[], None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin, now or after the silence that the plan asks for."""
        if self._plan.hang:
            return
        self._timer = self._loop.call_later(self._plan.silence, self._begin)

    def pause(self) -> None:
        """The client does not read fast enough."""
        self._paused = True

    def resume(self) -> None:
        """The client reads again: send what was held back."""
        self._paused = False
        if self._plan.rate is None:
            self._pump()
        while self._owed and not self._paused:
            self._owed -= 1
            self._send(1)

    def hang_up(self) -> None:
        """The client closed the connection."""
        self._over = True
        if self._timer is not None:
            self._timer.cancel()
        if self._record.running:
            self._record.hung_up = time.time()

    def step(self) -> bool:
        """Send one token of a rated stream."""
        if self._paused:
            self._owed += 1
        elif not self._over:
            self._send(1)
        return not self._over

    def _begin(self) -> None:
        opening = self._wire.opening()
        self._transport.write(self._wire.stream_head() + (http1.chunk(opening) if opening else b""))
        if self._plan.rate:
            self._pacer.add(self, self._plan.rate)
        else:
            self._pump()

    def _pump(self) -> None:
        if self._over or self._paused:
            return
        self._send(BATCH)
        if not self._over:
            self._loop.call_soon(self._pump)

    def _send(self, count: int) -> None:
        data = [frame for frame in itertools.islice(iter(self._next_chunk, None), count) if frame]
        if data:
            self._transport.write(b"".join(data))
        if self._ending is not None and not self._over:
            self._over = True
            self._ending()

    def _next_chunk(self) -> bytes | None:
        """The next token as a chunk of the body; None at the end, whose kind is then in ``_ending``."""
        record, plan = self._record, self._plan
        if plan.cut is not None and record.tokens >= plan.cut_after:
            self._ending = self._cut
            return None
        if self._limit is not None and record.tokens >= self._limit:
            self._ending = self._finish_at_limit
            return None
        piece = next(self._pieces, None)
        if piece is None:
            self._ending = self._finish
            return None
        record.tokens += 1
        record.last_token = time.time()
        if record.first_token is None:
            record.first_token = record.last_token
            self._tally.first = time.perf_counter()
        return self._frame(piece)

    def _frame(self, piece: Piece) -> bytes:
        kind, text = piece
        if kind == "text":
            return http1.chunk(self._wire.text(text))
        if kind == "reasoning":
            return http1.chunk(self._wire.reasoning(text))
        call = json.loads(text)
        self._calls += 1
        frames = self._wire.call(self._calls - 1, call["name"], call["arguments"])
        return b"".join(map(http1.chunk, frames))

    def _finish(self) -> None:
        self._end_with(self._plan.finish or ("tool_calls" if self._calls else "stop"))

    def _finish_at_limit(self) -> None:
        self._end_with("length")

    def _end_with(self, reason: str) -> None:
        self._tally.tokens = self._record.tokens
        frames = self._wire.closing(reason, self._tally)
        self._transport.write(b"".join(map(http1.chunk, frames)) + http1.LAST_CHUNK)
        self._ended()
        self._done()

    def _cut(self) -> None:
        match self._plan.cut:
            case "stall":
                return
            case "drop":
                self._timer = self._loop.call_later(RESET_DELAY, self._reset)
            case "cut":
                self._ended()
                self._transport.close()
            case "eof":
                self._end_body(b"")
            case "error":
                message = (
                    self._plan.cut_message
                    or "an error was encountered while running the model: unexpected EOF"
                )
                self._end_body(self._wire.stream_error(message))
            case "garbage":
                self._end_body(b"this is { not a frame\n\n")

    def _end_body(self, last: bytes) -> None:
        self._transport.write((http1.chunk(last) if last else b"") + http1.LAST_CHUNK)
        self._ended()
        self._done()

    def _reset(self) -> None:
        sock = self._transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._ended()
        self._transport.abort()

    def _ended(self) -> None:
        self._record.ended = time.time()


def collect(pieces: list[Piece], limit: int | None) -> tuple[str, str, list[dict[str, Any]], bool]:
    """Text, reasoning and calls of a whole answer, and whether the limit cut it."""
    cut = limit is not None and len(pieces) > limit
    kept = pieces[:limit] if cut else pieces
    text = "".join(part for kind, part in kept if kind == "text")
    thinking = "".join(part for kind, part in kept if kind == "reasoning")
    return text, thinking, [json.loads(part) for kind, part in kept if kind == "call"], cut
