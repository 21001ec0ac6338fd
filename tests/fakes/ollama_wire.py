"""Ollama's native dialect (`/api/*`), frame by frame as version 0.9.3 writes it."""

from __future__ import annotations

import secrets
import time
from typing import Any

from tests.fakes import http1
from tests.fakes.records import Request
from tests.fakes.wire import Tally, Wire, to_json

MESSAGES = {
    400: "invalid request",
    401: "unauthorized",
    403: "this model is not available",
    404: 'model "{model}" not found, try pulling it first',
    429: "you have reached your usage limit",
    499: "request canceled",
    500: "llama runner process has terminated: exit status 2",
    502: "upstream unreachable",
    503: "server busy, please try again.  maximum pending requests exceeded",
}
_GO_ESCAPES = str.maketrans(
    {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
)
_last_second = (0, "")


def timestamp() -> str:
    """Now in RFC 3339 with nanoseconds and without trailing zeros."""
    global _last_second
    seconds, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
    if _last_second[0] != seconds:
        _last_second = (seconds, time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)))
    return f"{_last_second[1]}.{nanoseconds:09d}".rstrip("0").rstrip(".") + "Z"


def go_json(value: Any) -> str:
    """JSON as Go's encoder writes it: ``< > &`` escaped."""
    return to_json(value).translate(_GO_ESCAPES)


def reply(request: Request, status: int, value: Any) -> bytes:
    """A whole JSON response."""
    body = go_json(value).encode()
    return _plain_reply(request, status, "application/json; charset=utf-8", body)


def text_reply(request: Request, status: int, text: str) -> bytes:
    """A whole text response."""
    return _plain_reply(request, status, "text/plain; charset=utf-8", text.encode())


def _plain_reply(request: Request, status: int, media_type: str, body: bytes) -> bytes:
    headers = [("Content-Type", media_type), http1.date_header(), ("Content-Length", str(len(body)))]
    if request.headers.get("connection", "").lower() == "close":
        headers.append(("Connection", "close"))
    return http1.head(status, headers) + (b"" if request.method == "HEAD" else body)


class OllamaWire(Wire):
    """NDJSON, one object a token."""

    def __init__(self, request: Request, model: str) -> None:
        super().__init__(request, model)
        self._held: list[dict[str, Any]] = []
        self._prefix = f'{{"model":{go_json(model)},"created_at":"'

    def stream_head(self) -> bytes:
        """Ollama sends it with the first token, not before."""
        headers = [("Content-Type", "application/x-ndjson"), http1.date_header()]
        if self.close:
            headers.append(("Connection", "close"))
        headers.append(("Transfer-Encoding", "chunked"))
        return http1.head(200, headers)

    def opening(self) -> bytes:
        """Nothing comes before the first token."""
        return b""

    def text(self, text: str) -> bytes:
        """One frame with ``content``."""
        return self._frame(f'"content":{go_json(text)}')

    def reasoning(self, text: str) -> bytes:
        """One frame with ``thinking`` and an empty ``content``."""
        return self._frame(f'"content":"","thinking":{go_json(text)}')

    def call(self, index: int, name: str, arguments: Any) -> list[bytes]:
        """A call arrives whole, in a frame of its own or with the last one, as the model's template wants."""
        calls = [self._call(index, name, arguments)]
        if self.model.startswith("tools-last"):
            self._held += calls
            return []
        return [self._frame(f'"content":"","tool_calls":{go_json(calls)}')]

    def closing(self, reason: str, tally: Tally) -> list[bytes]:
        """The frame with ``done`` and the timings."""
        message: dict[str, Any] = {"role": "assistant", "content": ""}
        if self._held:
            message["tool_calls"] = self._held
        return [f"{self._last(message, reason, tally)}\n".encode()]

    def stream_error(self, message: str) -> bytes:
        """One more line."""
        return f"{go_json({'error': message})}\n".encode()

    def whole(
        self, text: str, reasoning: str, calls: list[dict[str, Any]], reason: str, tally: Tally
    ) -> bytes:
        """One object with the same fields as the last frame."""
        message: dict[str, Any] = {"role": "assistant", "content": text}
        if reasoning:
            message["thinking"] = reasoning
        if calls:
            message["tool_calls"] = [
                self._call(index, call["name"], call["arguments"]) for index, call in enumerate(calls)
            ]
        body = self._last(message, reason, tally).encode()
        return _plain_reply(self.request, 200, "application/json; charset=utf-8", body)

    def loaded(self, reason: str) -> bytes:
        """The answer to an empty list of messages."""
        value = {
            "model": self.model,
            "created_at": timestamp(),
            "message": {"role": "assistant", "content": ""},
            "done_reason": reason,
            "done": True,
        }
        return reply(self.request, 200, value)

    def error(self, status: int, message: str | None = None) -> bytes:
        """``{"error": "text"}``."""
        text = message or MESSAGES.get(status, f"error {status}").replace("{model}", self.model)
        return reply(self.request, status, {"error": text})

    def _frame(self, message: str) -> bytes:
        head = f'{self._prefix}{timestamp()}","message":{{"role":"assistant",'
        return f'{head}{message}}},"done":false}}\n'.encode()

    @staticmethod
    def _call(index: int, name: str, arguments: Any) -> dict[str, Any]:
        function = {"index": index, "name": name, "arguments": arguments}
        return {"id": f"call_{secrets.token_hex(4)}", "function": function}

    def _last(self, message: dict[str, Any], reason: str, tally: Tally) -> str:
        prompt, generation = tally.prompt_seconds(), tally.token_seconds()
        value = {
            "model": self.model,
            "created_at": timestamp(),
            "message": message,
            "done_reason": "stop" if reason == "tool_calls" else reason,
            "done": True,
            "total_duration": int((prompt + generation) * 1e9),
            "load_duration": 1_000_000,
            "prompt_eval_count": tally.prompt_tokens,
            "prompt_eval_duration": max(int(prompt * 1e9), 1),
            "eval_count": tally.tokens,
            "eval_duration": int(generation * 1e9),
        }
        return go_json(value)
