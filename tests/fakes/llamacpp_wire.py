"""OpenAI's chat completions (`/v1/*`), frame by frame as llama.cpp's server writes them."""

from __future__ import annotations

import secrets
import time
from typing import Any

from tests.fakes import http1
from tests.fakes.records import Request
from tests.fakes.wire import Tally, Wire, to_json

MESSAGES = {
    400: ("invalid request", "invalid_request_error"),
    401: ("Invalid API Key", "authentication_error"),
    403: ("This model is not available", "permission_error"),
    404: ("model '{model}' not found", "not_found_error"),
    429: ("Too many requests", "rate_limit_error"),
    501: ("This server does not support this feature", "not_supported_error"),
    503: ("Loading model", "unavailable_error"),
}
_BY_MIDDLEWARE = (401, 404, 503)  # written by another part of the server, which orders the fields otherwise
FINGERPRINT = "b0-unknown"


def reply(request: Request, status: int, value: Any) -> bytes:
    """A whole JSON response."""
    body = to_json(value).encode()
    headers = _common(request)
    headers += [("Content-Type", "application/json; charset=utf-8"), ("Content-Length", str(len(body)))]
    if request.headers.get("connection", "").lower() == "close":
        headers.append(("Connection", "close"))
    return http1.head(status, headers) + (b"" if request.method == "HEAD" else body)


def error_reply(request: Request, status: int, message: str, kind: str | None = None) -> bytes:
    """A whole response with an error object."""
    kind = kind or MESSAGES.get(status, ("", "server_error"))[1]
    error = {"message": message, "type": kind, "code": status}
    if status not in _BY_MIDDLEWARE:
        error = {"code": status, "message": message, "type": kind}
    return reply(request, status, {"error": error})


def _common(request: Request) -> list[tuple[str, str]]:
    origin = request.headers.get("origin", "")
    return [("Server", "llama.cpp"), ("Access-Control-Allow-Origin", origin)]


class LlamaCppWire(Wire):
    """Server-sent events, one a token."""

    def __init__(self, request: Request, model: str) -> None:
        super().__init__(request, model)
        body = request.json if isinstance(request.json, dict) else {}
        self._usage = bool((body.get("stream_options") or {}).get("include_usage"))
        self._id = f"chatcmpl-{secrets.token_urlsafe(24)}"
        self._created = int(time.time())
        self._tail = (
            f'"created":{self._created},"id":"{self._id}","model":{to_json(model)},'
            f'"system_fingerprint":"{FINGERPRINT}","object":"chat.completion.chunk"'
        )
        self._token_tail = f"}}}}],{self._tail}}}\n\n"

    def stream_head(self) -> bytes:
        """Sent together with the first token."""
        headers = _common(self.request)
        headers += [("X-Accel-Buffering", "no"), ("Content-Type", "text/event-stream")]
        headers.append(("Transfer-Encoding", "chunked"))
        if self.close:
            headers.append(("Connection", "close"))
        return http1.head(200, headers)

    def opening(self) -> bytes:
        """The role, with ``content: null``."""
        return self._choice('"role":"assistant","content":null')

    def text(self, text: str) -> bytes:
        """One event with ``content``."""
        return self._choice(f'"content":{to_json(text)}')

    def reasoning(self, text: str) -> bytes:
        """One event with ``reasoning_content``."""
        return self._choice(f'"reasoning_content":{to_json(text)}')

    def call(self, index: int, name: str, arguments: Any) -> list[bytes]:
        """A call comes in fragments of its argument string."""
        text = to_json(arguments)
        first = {
            "index": index,
            "id": secrets.token_urlsafe(24),
            "type": "function",
            "function": {"name": name, "arguments": text[:1]},
        }
        rest = [
            {"index": index, "function": {"arguments": text[at : at + 8]}} for at in range(1, len(text), 8)
        ]
        return [self._choice(f'"tool_calls":{to_json([fragment])}') for fragment in (first, *rest)]

    def closing(self, reason: str, tally: Tally) -> list[bytes]:
        """The finish reason, usage and timings if asked for, and ``[DONE]``."""
        ending = f'"choices":[{{"finish_reason":"{reason}","index":0,"delta":{{}}}}],{self._tail}'
        timings = f'"timings":{to_json(_timings(tally))}'
        if not self._usage:
            return [f"data: {{{ending},{timings}}}\n\n".encode(), b"data: [DONE]\n\n"]
        trailer = f'"choices":[],{self._tail},"usage":{to_json(_usage(tally))},{timings}'
        return [f"data: {{{ending}}}\n\ndata: {{{trailer}}}\n\n".encode(), b"data: [DONE]\n\n"]

    def stream_error(self, message: str) -> bytes:
        """One event with an error object."""
        error = {"message": message, "type": "server_error", "code": 500}
        return f"data: {to_json({'error': error})}\n\n".encode()

    def whole(
        self, text: str, reasoning: str, calls: list[dict[str, Any]], reason: str, tally: Tally
    ) -> bytes:
        """One completion object."""
        message: dict[str, Any] = {"role": "assistant", "content": text if text or not calls else None}
        if reasoning:
            message["reasoning_content"] = reasoning
        if calls:
            message["tool_calls"] = [
                {
                    "id": secrets.token_urlsafe(24),
                    "type": "function",
                    "function": {"name": call["name"], "arguments": to_json(call["arguments"])},
                }
                for call in calls
            ]
        value = {
            "choices": [{"finish_reason": reason, "index": 0, "message": message}],
            "created": self._created,
            "model": self.model,
            "system_fingerprint": FINGERPRINT,
            "object": "chat.completion",
            "usage": _usage(tally),
            "id": self._id,
            "timings": _timings(tally),
        }
        return reply(self.request, 200, value)

    def error(self, status: int, message: str | None = None) -> bytes:
        """``{"error": {"message", "type", "code"}}``."""
        usual = MESSAGES.get(status, (f"Error {status}", ""))[0].replace("{model}", self.model)
        return error_reply(self.request, status, message or usual)

    def _choice(self, delta: str) -> bytes:
        head = 'data: {"choices":[{"finish_reason":null,"index":0,"delta":{'
        return f"{head}{delta}{self._token_tail}".encode()


def _usage(tally: Tally) -> dict[str, Any]:
    return {
        "completion_tokens": tally.tokens,
        "prompt_tokens": tally.prompt_tokens,
        "total_tokens": tally.tokens + tally.prompt_tokens,
        "prompt_tokens_details": {"cached_tokens": 0},
    }


def _timings(tally: Tally) -> dict[str, Any]:
    prompt, generation = max(tally.prompt_seconds(), 1e-6), tally.token_seconds()
    prompt_count, count = max(tally.prompt_tokens, 1), max(tally.tokens, 1)
    return {
        "cache_n": 0,
        "prompt_n": tally.prompt_tokens,
        "prompt_ms": prompt * 1e3,
        "prompt_per_token_ms": prompt * 1e3 / prompt_count,
        "prompt_per_second": prompt_count / prompt,
        "predicted_n": tally.tokens,
        "predicted_ms": generation * 1e3,
        "predicted_per_token_ms": generation * 1e3 / count,
        "predicted_per_second": count / generation,
    }
