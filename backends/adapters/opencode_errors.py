"""Why an OpenCode reply failed: its named errors as ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backends.adapters.base import Endpoint
from backends.adapters.classify import error_from_payload
from backends.adapters.errors import (
    AuthFailed,
    BackendError,
    BadRequest,
    ContextOverflow,
    ProtocolError,
    ServerError,
    gettext_noop,
)
from backends.adapters.events import FinishReason
from backends.adapters.redact import redact
from backends.adapters.values import as_dict, as_int, as_str

#: Characters of a message that are kept.
MAX_LINE = 300

#: Errors that are ways to end.
ENDINGS = {
    "MessageAbortedError": FinishReason.CANCELLED,
    "MessageOutputLengthError": FinishReason.LENGTH,
    "ContentFilterError": FinishReason.CONTENT_FILTER,
}

_BY_NAME: dict[str, type[BackendError]] = {
    "ProviderAuthError": AuthFailed,
    "ContextOverflowError": ContextOverflow,
    "StructuredOutputError": ProtocolError,
}

_PROVIDER_KEY_HINT = gettext_noop(
    "OpenCode was refused by its own provider. On its machine run “opencode auth login” again."
)
_AGENT_HINT = gettext_noop("OpenCode has no agent of that name. Check the backend's options.")
_STUCK_HINT = gettext_noop("OpenCode is stuck after an answer was aborted early. Start it anew.")


def failure(error: Mapping[str, Any], endpoint: Endpoint) -> BackendError:
    """The error for ``{"name": …, "data": {"message": …}}``. Later lines are stack traces: left out."""
    name, data = as_str(error.get("name")), as_dict(error.get("data"))
    status = as_int(data.get("statusCode"))
    message = first_line(as_str(data.get("message"))) or name or "OpenCode reports an error"
    payload = {"name": name, "message": message}
    result = error_from_payload(payload, endpoint, status=status)
    if cls := _BY_NAME.get(name):
        result = cls(result.message, status=status, code=result.code)
    elif type(result) is ServerError and message.startswith("Agent not found"):
        result = BadRequest(result.message, code=result.code, hint=_AGENT_HINT)
    elif "fibers interrupted" in message:
        result.hint = _STUCK_HINT
    if isinstance(result, AuthFailed):
        result.hint = _PROVIDER_KEY_HINT
    return result


def line_of(text: str, endpoint: Endpoint) -> str:
    """What a server says, fit to be shown: one line, no credential."""
    return redact(first_line(text), endpoint)


def first_line(text: str) -> str:
    """The first line that says something, not too long."""
    return next((line.strip()[:MAX_LINE] for line in text[:4000].splitlines() if line.strip()), "")
