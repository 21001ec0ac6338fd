"""A fake AI server: Ollama's ``/api`` and OpenAI's ``/v1`` (as llama.cpp speaks it) on plain asyncio.

Start it in a test::

    async with FakeServer() as fake:          # in the test's own event loop
        fake.url                              # http://127.0.0.1:PORT
        fake.requests, fake.streams, fake.disconnects, fake.open_connections
        await fake.wait_until(lambda: fake.disconnects)

    with FakeServerThread() as fake:          # tests.fakes.thread: in a thread of its own
        fake.wait_until(lambda: fake.disconnects)

    python -m tests.fakes.server --port 8081  # as a process; GET /_fake/state tells what it saw

It serves ``GET / /api/version /api/tags /api/ps /v1/models /health /v1/health /props``,
``POST /api/show /api/chat /v1/chat/completions``. With ``api_key`` all but health wants it as Bearer.

**Models** decide the pace and the gifts: ``fast`` (as fast as the socket takes it), ``steady-50`` and
``slow-5`` (tokens a second; any number works), ``thinking`` (reasons first), ``vision`` (says how many
images it sees), ``tools`` (calls the first tool that it is offered, then tells what the tool said),
``tools-last`` (the same, its calls on ``/api`` come with the last frame; add it to ``models``),
``hf.co/fake/tiny:Q4_K_M`` (a name with everything in it). Others are not found.

**Commands** stand in the last user message, anywhere, several of them if wanted. Without one the
answer is a pleasant sentence that repeats the question.

What to say:

``!echo TEXT``            the rest of the message, word by word
``!tokens N``             N plain words
``!stamped N``            N tokens ``t17@1732189000.123456``, numbered from 0, each with its time of
                          sending; ``as paragraphs`` breaks them every 60, ``as code`` makes one fence
``!reasoning N then M``   N words of thinking, then M of answer
``!markdown``             a long answer with headings, lists, a table, code and mathematics
``!code N``               one fence of N lines
``!words N``              N words in one paragraph
``!paragraphs N``         N words in paragraphs of 60
``!call NAME {JSON}``     a tool call; a later turn that brings its result gets a sentence about it
``A !then B``             A at first, B once tools have been called and their results have come

How to say it:

``rate R``                after any of them, or ``!rate R``: R tokens a second, kept without drift
``!finish REASON``        another finish reason, such as ``length``
``!loading S``            S seconds of silence before the headers

What to do instead, or in the middle:

``!error STATUS TEXT``    that status with the dialect's own error body (TEXT is optional)
``!status STATUS``        that status with an empty body (401 asks for Basic, 429 and 503 retry after 7)
``!html STATUS``          a web page (200 unless told otherwise)
``!hang``                 takes the request and never sends a byte
``!drop after N``         connection reset after N tokens
``!cut after N``          connection closed without the end of the chunked body
``!eof after N``          proper end of the body without a last frame
``!stall after N``        silence after N tokens, connection open
``!error after N TEXT``   the dialect's error frame in mid-stream
``!garbage after N``      a line that is no frame

With ``context_length`` a request that is longer is refused as each dialect does it; where Ollama was not
told to refuse, it cuts in silence, which ``silent_cuts`` counts.

``max_tokens`` and ``num_predict`` are kept. ``think: false`` and ``reasoning_effort: "none"`` drop the
reasoning; Ollama's errors for models without thinking or tools are there too.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import signal
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from tests.fakes import catalogue, llamacpp_wire, ollama_wire, window
from tests.fakes.commands import Plan, plan_for
from tests.fakes.connection import Connection
from tests.fakes.instead import instead_of
from tests.fakes.llamacpp_wire import LlamaCppWire
from tests.fakes.ollama_wire import OllamaWire
from tests.fakes.pacer import Pacer
from tests.fakes.records import Request, StreamRecord
from tests.fakes.refusals import knows, refusal_of
from tests.fakes.stream import Stream, collect
from tests.fakes.wire import Tally, Wire

_OPEN_PATHS = ("/health", "/v1/health")


class FakeServer:
    """The server and its memory. ``models`` and ``api_key`` may be changed while it runs."""

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        api_key: str | None = None,
        models: Iterable[str] = catalogue.DEFAULT_MODELS,
        version: str = "0.9.3",
        context_length: int | None = None,
    ) -> None:
        self.host, self.port = host, port
        self.api_key = api_key
        self.models = list(models)
        self.version = version
        self.context_length = context_length
        #: What its lists of models say; None where they leave it out.
        self.announced: int | None = context_length or catalogue.CONTEXT_LENGTH
        self.silent_cuts = 0
        self.too_long: list[Request] = []
        self.requests: list[Request] = []
        self.streams: list[StreamRecord] = []
        self.connections: set[Connection] = set()
        self._server: asyncio.Server | None = None
        self._pacer: Pacer | None = None

    @property
    def url(self) -> str:
        """The base URL, without a slash at its end."""
        return f"http://{self.host}:{self.port}"

    @property
    def disconnects(self) -> list[StreamRecord]:
        """The answers whose client hung up before the end."""
        return [stream for stream in list(self.streams) if stream.hung_up is not None]

    @property
    def open_connections(self) -> int:
        """How many clients are connected now."""
        return len(self.connections)

    @property
    def chats(self) -> list[Request]:
        """The chat requests alone, without catalogue and health."""
        return [request for request in list(self.requests) if request.path in _CHAT_PATHS]

    async def __aenter__(self) -> FakeServer:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen; ``port`` and ``url`` are known afterwards."""
        loop = asyncio.get_running_loop()
        self._pacer = Pacer(loop)
        self._server = await loop.create_server(lambda: Connection(self), self.host, self.port, backlog=1024)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close the port and reset every connection."""
        if self._server is None or self._pacer is None:
            return
        self._pacer.close()
        self._server.close()
        for connection in list(self.connections):
            connection.transport.abort()
        while self.connections:
            await asyncio.sleep(0)
        await self._server.wait_closed()
        self._server = self._pacer = None

    async def wait_until(self, condition: Callable[[], Any], timeout: float = 5.0) -> None:  # noqa: ASYNC109
        """Wait for something that can be seen on this object; TimeoutError if it does not come."""
        async with asyncio.timeout(timeout):
            while not condition():
                await asyncio.sleep(0.005)

    def clear(self) -> None:
        """Forget requests and streams."""
        self.requests.clear()
        self.streams.clear()

    def respond(self, connection: Connection, request: Request) -> None:
        """Answer one request."""
        if request.path.startswith("/_fake/"):
            connection.reply(self._tell(request))
            return
        self.requests.append(request)
        if not self._allowed(request):
            connection.reply(self._wire(request, "").error(401))
        elif request.path in _CHAT_PATHS and request.method == "POST":
            self._chat(connection, request)
        else:
            connection.reply(self._page(request))

    def _allowed(self, request: Request) -> bool:
        if self.api_key is None or request.path in _OPEN_PATHS:
            return True
        return request.headers.get("authorization") == f"Bearer {self.api_key}"

    def _tell(self, request: Request) -> bytes:
        if request.method == "POST":
            self.clear()
        value = {
            "open_connections": self.open_connections,
            "requests": [
                {"method": seen.method, "path": seen.path, "json": seen.json} for seen in self.requests
            ],
            "streams": [stream.summary() for stream in self.streams],
        }
        return llamacpp_wire.reply(request, 200, value)

    def _page(self, request: Request) -> bytes:
        values: dict[str, Callable[[], Any]] = {
            "/api/version": lambda: {"version": self.version},
            "/api/tags": lambda: catalogue.ollama_tags(self.models),
            "/api/ps": lambda: catalogue.ollama_ps(self._loaded(), self.announced),
            "/v1/models": lambda: catalogue.llamacpp_models(self.models, self.announced),
            "/props": lambda: catalogue.llamacpp_props(self.models, self.announced),
            "/health": lambda: {"status": "ok"},
            "/v1/health": lambda: {"status": "ok"},
        }
        ollama = request.path.startswith("/api/")
        if request.method in ("GET", "HEAD"):
            if request.path == "/":
                return ollama_wire.text_reply(request, 200, "Ollama is running")
            if request.path in values:
                write = ollama_wire.reply if ollama else llamacpp_wire.reply
                return write(request, 200, values[request.path]())
        elif request.method == "POST" and request.path == "/api/show":
            return self._show(request)
        if ollama:
            return ollama_wire.text_reply(request, 404, "404 page not found")
        return llamacpp_wire.error_reply(request, 404, "File Not Found")

    def _show(self, request: Request) -> bytes:
        model = _model_of(request)
        if not knows(self.models, model):
            return ollama_wire.reply(request, 404, {"error": f"model '{model}' not found"})
        return ollama_wire.reply(request, 200, catalogue.ollama_show(model, self.announced))

    def _loaded(self) -> list[str]:
        return list(dict.fromkeys(stream.model for stream in self.streams))

    def _chat(self, connection: Connection, request: Request) -> None:
        model = _model_of(request)
        wire = self._wire(request, model)
        refusal = refusal_of(request, model, wire, known=self.models)
        if refusal is not None:
            connection.reply(refusal)
            return
        body, messages = request.json, request.messages
        tokens: int | None = None
        if self.context_length:
            tokens, limit = window.counted(messages), window.window(body, wire, self.context_length)
            if tokens > limit:
                if refusal := window.too_long(body, wire, tokens, limit):
                    self.too_long.append(request)
                    connection.reply(refusal)
                    return
                self.silent_cuts += 1
        plan = _without_reasoning(plan_for(model, body, messages), body)
        if plan.instead is not None:
            connection.reply(instead_of(wire, plan.instead))
            return
        record = StreamRecord(request, model)
        self.streams.append(record)
        words = sum(len(str(message.get("content", "")).split()) for message in messages)
        tally = Tally(prompt_tokens=tokens or words)
        most = _limit_of(body)
        if body.get("stream", isinstance(wire, OllamaWire)) or plan.hang:
            pacer = self._pacer
            assert pacer is not None
            connection.begin(
                lambda: Stream(
                    connection.transport,
                    wire,
                    plan,
                    record,
                    tally,
                    pacer=pacer,
                    limit=most,
                    done=connection.done,
                )
            )
        else:
            _reply_whole(connection, wire, plan, record, tally, most)

    @staticmethod
    def _wire(request: Request, model: str) -> Wire:
        return (
            OllamaWire(request, model) if request.path.startswith("/api/") else LlamaCppWire(request, model)
        )


_CHAT_PATHS = ("/api/chat", "/v1/chat/completions")


def _model_of(request: Request) -> str:
    body = request.json if isinstance(request.json, dict) else {}
    return str(body.get("model") or body.get("name") or "")


def _limit_of(body: dict[str, Any]) -> int | None:
    options = body.get("options") if isinstance(body.get("options"), dict) else {}
    found = body.get("max_tokens") or body.get("max_completion_tokens") or options.get("num_predict")
    return found if isinstance(found, int) and found > 0 else None


def _without_reasoning(plan: Plan, body: dict[str, Any]) -> Plan:
    if body.get("think") is False or body.get("reasoning_effort") == "none":
        pieces = plan.pieces or iter(())
        return replace(plan, pieces=(piece for piece in pieces if piece[0] != "reasoning"))
    return plan


def _reply_whole(
    connection: Connection, wire: Wire, plan: Plan, record: StreamRecord, tally: Tally, limit: int | None
) -> None:
    pieces = list(plan.pieces or ())
    text, thinking, calls, cut = collect(pieces, limit)
    record.tokens = tally.tokens = limit if cut and limit is not None else len(pieces)
    reason = "length" if cut else plan.finish or ("tool_calls" if calls else "stop")
    delay = plan.silence + (record.tokens / plan.rate if plan.rate else 0.0)

    def send() -> None:
        if not connection.transport.is_closing():
            record.ended = record.first_token = record.last_token = record.started + delay
            connection.reply(wire.whole(text, thinking, calls, reason, tally))

    asyncio.get_running_loop().call_later(delay, send)


async def _serve(server: FakeServer) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    async with server:
        sys.stdout.write(f"listening on {server.url}\n")
        sys.stdout.flush()
        gc.freeze()
        await stopped.wait()


def main(arguments: list[str] | None = None) -> None:
    """Serve until SIGINT or SIGTERM. The first line on standard output names the URL."""
    parser = argparse.ArgumentParser(prog="python -m tests.fakes.server", description="A fake AI server.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--api-key", help="ask for this key as Bearer")
    parser.add_argument(
        "--models", help="names, with commas between them", default=",".join(catalogue.DEFAULT_MODELS)
    )
    parser.add_argument(
        "--window", type=int, help="tokens that its models say they take", default=catalogue.CONTEXT_LENGTH
    )
    chosen = parser.parse_args(arguments)
    server = FakeServer(
        host=chosen.host, port=chosen.port, api_key=chosen.api_key, models=chosen.models.split(",")
    )
    server.announced = chosen.window
    asyncio.run(_serve(server))


if __name__ == "__main__":
    main()
