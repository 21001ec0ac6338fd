"""Which error is it? From a status, headers and a body, or from an error frame inside a stream."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from backends.adapters.base import Endpoint
from backends.adapters.errors import (
    AuthFailed,
    BackendError,
    BadRequest,
    ContextOverflow,
    Forbidden,
    ModelNotFound,
    NotFound,
    Overloaded,
    RateLimited,
    ServerError,
    TimedOut,
    Unsupported,
    WrongService,
    gettext_noop,
)
from backends.adapters.redact import redact
from backends.adapters.values import as_dict, as_int, as_list, as_str, parse_json

#: Characters of a server's message that are kept.
MAX_MESSAGE = 300

BY_STATUS: dict[int, type[BackendError]] = {
    401: AuthFailed,
    403: Forbidden,
    404: NotFound,
    408: TimedOut,
    429: RateLimited,
    499: TimedOut,
    501: Unsupported,
    503: Overloaded,
    504: TimedOut,
}

#: What servers say, whatever the status. The first that fits wins.
BY_TEXT: tuple[tuple[re.Pattern[str], type[BackendError]], ...] = tuple(
    (re.compile("|".join(patterns), re.IGNORECASE | re.DOTALL), error)
    for error, patterns in (
        (WrongService, [r"unexpected endpoint or method"]),
        (
            ContextOverflow,
            [
                r"context[ _](length|size|window)",
                r"n_keep",
                r"ContextOverflowError",
                r"maximum context",
                r"(prompt|input|request) is too long",
                r"(input|prompt) token count\b.{0,80}?\bexceeds",
                r"exceeds the (model's )?max(imum)?( number of)?( input)? tokens",
            ],
        ),
        (
            Unsupported,
            [
                r"does not support (tools|thinking|chat|vision|image|embeddings)",
                r"input is not supported",
                r"only text content parts",
            ],
        ),
        (
            ModelNotFound,
            [
                r"model_not_found",
                r"invalid model identifier",
                r"\bmodel reference\b.{0,200}?could not be resolved",
                r"\bmodel\b.{0,200}?\b(not found|does not exist)",
            ],
        ),
        (Overloaded, [r"loading model", r"server busy", r"\boverloaded"]),
    )
)

#: Where refusals name the window and what was too much for it, beside llama.cpp's own fields: vLLM and OpenAI,
#: LM Studio, Anthropic and Google.
_COUNTS = {
    "n_ctx": r"(?:maximum context length (?:is|of)|n_ctx:|tokens >|maximum number of tokens allowed) ?\(?(\d{3,9})",
    "n_prompt_tokens": r"(?:you requested|resulted in|n_keep:|too long:|token count) ?\(?(\d{3,9})",
}

#: Statuses whose meaning no text overrides.
_FIRM = frozenset({401, 403, 429})
#: A page in front of the server (a proxy, a portal) speaks for itself with these.
_PROXY_PAGES = frozenset({401, 403, 502, 503, 504})

_LOADING_HINT = gettext_noop("The AI server may still be loading the model. Try again in a moment.")


def error_from_response(
    status: int, headers: Mapping[str, str], body: bytes, endpoint: Endpoint
) -> BackendError:
    """The error that a response stands for. ``headers`` has lower-case names; the body may be cut.

    Use it for every status but 2xx, and for a 2xx whose body is an error.
    """
    if is_html(headers.get("content-type", ""), body):
        return _from_page(status)
    if 300 <= status < 400:
        return _from_redirect(status, headers)
    payload = _payload(body)
    text = message_of(payload) or _plain(body)
    error = error_from_payload(payload, endpoint, status=status, fallback=text or f"HTTP {status}")
    error.retry_after = retry_after(headers.get("retry-after", ""))
    if challenge := headers.get("www-authenticate"):
        error.data["www_authenticate"] = redact(challenge[:MAX_MESSAGE], endpoint)
        if not text:
            error.message = f"HTTP {status} ({challenge.split()[0][:20]})"
    if status == 502:
        error.hint = _LOADING_HINT
    return error


def error_from_payload(
    payload: Any, endpoint: Endpoint, *, status: int | None = None, fallback: str = ""
) -> BackendError:
    """The error in a JSON value: the body of a response, or a frame of a stream (no status)."""
    message = (message_of(payload) or fallback).strip()[:MAX_MESSAGE]
    code, signals = _signals(payload)
    cls = _class_for(f"{message} {signals}", status or _status_in(payload))
    error = cls(
        redact(message, endpoint),
        status=status,
        code=redact(code, endpoint) or None,
        data={key: redact(value, endpoint) for key, value in _data(payload)},
    )
    if cls is ContextOverflow:
        error.data = _counts(message) | error.data
    error.args = (error.message,)
    return error


def _counts(message: str) -> dict[str, str]:
    """Tokens that the server has named in words."""
    found = {name: re.search(pattern, message, re.IGNORECASE) for name, pattern in _COUNTS.items()}
    return {name: match[1] for name, match in found.items() if match}


def is_html(content_type: str, body: bytes) -> bool:
    """Whether this is a page for a browser; no protocol here begins with ``<``."""
    return "text/html" in content_type.lower() or body.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<"


def retry_after(value: str) -> float | None:
    """Seconds to wait, from a number or an HTTP date (RFC 9110, 10.2.3)."""
    value = value.strip()
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,6})?", value, re.ASCII):
        return float(value)
    try:
        when = parsedate_to_datetime(value)
        when = when if when.tzinfo else when.replace(tzinfo=UTC)
        return max(0.0, (when - datetime.now(UTC)).total_seconds())
    except (ValueError, OverflowError, TypeError, IndexError):
        return None


def message_of(payload: Any) -> str:
    """What the server said, in whichever of the usual places it said it."""
    body = as_dict(payload)
    error = body.get("error")
    return (
        as_str(as_dict(error).get("message"))
        or as_str(error)
        or as_str(body.get("message"))
        or as_str(as_dict(body.get("data")).get("message"))
        or _detail(body.get("detail"))
        or as_str(body.get("error_message"))
    )


def _detail(detail: Any) -> str:
    """FastAPI: a string, or a list of complaints each about one field."""
    if isinstance(detail, list):
        return "; ".join(filter(None, (_complaint(as_dict(item)) for item in detail)))
    return as_str(detail)


def _complaint(item: dict[str, Any]) -> str:
    where = ".".join(str(step) for step in as_list(item.get("loc")) if step != "body")
    message = as_str(item.get("msg"))
    return f"{where}: {message}" if where else message


def _payload(body: bytes) -> Any:
    try:
        return parse_json(body)
    except ValueError:
        return None


def _plain(body: bytes) -> str:
    text = body[: MAX_MESSAGE * 4].decode("utf-8", "replace").strip()
    return "" if text.startswith(("{", "[")) else text


def _signals(payload: Any) -> tuple[str, str]:
    """The server's own code, and every word that may tell the kind."""
    body = as_dict(payload)
    error = as_dict(body.get("error"))
    words = [as_str(part.get(key)) for part in (error, body) for key in ("code", "type", "name")]
    code = next(filter(None, words), "")
    return code[:MAX_MESSAGE], " ".join(filter(None, words))[:MAX_MESSAGE]


def _status_in(payload: Any) -> int | None:
    """The status that some error frames carry as ``code``."""
    body = as_dict(payload)
    return as_int(as_dict(body.get("error")).get("code")) or as_int(body.get("code"))


def _class_for(words: str, status: int | None) -> type[BackendError]:
    if status in _FIRM:
        return BY_STATUS[status]
    for pattern, cls in BY_TEXT:
        if pattern.search(words):
            return cls
    if status is None:
        return ServerError
    return BY_STATUS.get(status) or (BadRequest if 400 <= status < 500 else ServerError)


def _data(payload: Any) -> Iterator[tuple[str, str]]:
    body = as_dict(payload)
    error = as_dict(body.get("error"))
    if url := as_str(body.get("signin_url")):
        yield "signin_url", url[:2000]
    for key in ("n_ctx", "n_prompt_tokens"):
        if (number := as_int(error.get(key))) is not None:
            yield key, str(number)
    if fields := _rejected(body.get("detail")):
        yield "fields", ",".join(fields)
    if param := as_str(error.get("param")):
        yield "param", param[:MAX_MESSAGE]


def _rejected(detail: Any) -> list[str]:
    """The fields of the request's body that FastAPI did not want at all."""
    places = [
        as_list(item.get("loc"))
        for item in map(as_dict, as_list(detail))
        if item.get("type") == "extra_forbidden"
    ]
    return [str(place[1]) for place in places if len(place) > 1 and place[0] == "body"]


def _from_page(status: int) -> BackendError:
    if status in _PROXY_PAGES:
        cls = BY_STATUS.get(status, ServerError)
        return cls(f"HTTP {status} from a proxy", status=status)
    return WrongService(f"HTTP {status} with a web page", status=status)


def _from_redirect(status: int, headers: Mapping[str, str]) -> BackendError:
    try:
        host = urlsplit(headers.get("location", "")).hostname or ""
    except ValueError:
        host = ""
    return WrongService(f"HTTP {status} redirects to {host}" if host else f"HTTP {status}", status=status)
