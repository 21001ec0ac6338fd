"""What can go wrong with a backend: one tree, each leaf with a sentence for the person.

``message`` is what the server said, trimmed and free of markup and of credentials; ``hint`` is
what to do next. Hints are English here and are translated where they are shown.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar


def gettext_noop(message: str) -> str:
    """Mark a text for translation without translating it (adapters don't know Django)."""
    return message


class ErrorKind(StrEnum):
    """The names that are stored with a failed generation."""

    CONNECT = "connect"
    TIMEOUT = "timeout"
    STALL = "stall"
    AUTH = "auth"
    FORBIDDEN = "forbidden"
    MODEL_NOT_FOUND = "model_not_found"
    NOT_FOUND = "not_found"
    BAD_REQUEST = "bad_request"
    UNSUPPORTED = "unsupported"
    CONTEXT_OVERFLOW = "context_overflow"
    RATE_LIMITED = "rate_limited"
    OVERLOADED = "overloaded"
    SERVER = "server"
    PROTOCOL = "protocol"
    TRUNCATED = "truncated"
    WRONG_SERVICE = "wrong_service"
    STATE_LOST = "state_lost"


class BackendError(Exception):
    """A backend could not do what was asked.

    ``partial``: some text had been delivered before. ``status``: the HTTP status, if there was one.
    ``retry_after``: seconds the server asked us to wait. ``code``: the server's own error code.
    ``data``: facts worth keeping (``signin_url``, ``n_ctx`` …), never a secret.
    """

    kind: ClassVar[ErrorKind] = ErrorKind.SERVER
    retryable: ClassVar[bool] = False
    default_hint: ClassVar[str] = gettext_noop("Look at the log of the AI server, then try again.")

    def __init__(
        self,
        message: str = "",
        *,
        status: int | None = None,
        code: str | None = None,
        retry_after: float | None = None,
        partial: bool = False,
        hint: str | None = None,
        data: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.code = code
        self.retry_after = retry_after
        self.partial = partial
        self.hint = hint or self.default_hint
        self.data = data or {}

    def __str__(self) -> str:
        return self.message or self.kind.value


class CannotConnect(BackendError):
    """Nothing listens there, or its name is unknown."""

    kind = ErrorKind.CONNECT
    retryable = True
    default_hint = gettext_noop(
        "Check that the AI server is running and that its address and port are right."
    )


class TimedOut(BackendError):
    """No first byte in time."""

    kind = ErrorKind.TIMEOUT
    retryable = True
    default_hint = gettext_noop(
        "The AI server did not answer in time. It may be busy or loading a model; try again."
    )


class Stalled(BackendError):
    """The stream fell silent."""

    kind = ErrorKind.STALL
    retryable = True
    default_hint = gettext_noop("The AI server stopped sending in the middle of the answer. Try again.")


class AuthFailed(BackendError):
    """401: no credentials, or wrong ones."""

    kind = ErrorKind.AUTH
    default_hint = gettext_noop("The key or password was rejected. Ask an administrator to enter it again.")


class Forbidden(BackendError):
    """403."""

    kind = ErrorKind.FORBIDDEN
    default_hint = gettext_noop("The AI server refused this. Check what it allows this address or key to do.")


class ModelNotFound(BackendError):
    """The server does not have that model."""

    kind = ErrorKind.MODEL_NOT_FOUND
    default_hint = gettext_noop("Pick another model, or install this one on the AI server.")


class NotFound(BackendError):
    """404 that is not about a model: mostly a wrong base URL."""

    kind = ErrorKind.NOT_FOUND
    default_hint = gettext_noop("Check the address: this path does not exist on the AI server.")


class BadRequest(BackendError):
    """The server did not accept the request."""

    kind = ErrorKind.BAD_REQUEST
    default_hint = gettext_noop(
        "The AI server did not accept the request. Check this conversation's options."
    )


class Unsupported(BackendError):
    """The model or the server cannot do this."""

    kind = ErrorKind.UNSUPPORTED
    default_hint = gettext_noop("This model cannot do that. Pick another model or switch the feature off.")


class ContextOverflow(BackendError):
    """The conversation does not fit the model's window."""

    kind = ErrorKind.CONTEXT_OVERFLOW
    default_hint = gettext_noop(
        "The conversation is longer than the model can read. "
        "Start a new chat or pick a model with more context."
    )


class RateLimited(BackendError):
    """429."""

    kind = ErrorKind.RATE_LIMITED
    retryable = True
    default_hint = gettext_noop("Too many requests for this AI server. Wait a moment, then try again.")


class Overloaded(BackendError):
    """Busy, or loading the model."""

    kind = ErrorKind.OVERLOADED
    retryable = True
    default_hint = gettext_noop("The AI server is busy or still loading. Try again in a moment.")


class ServerError(BackendError):
    """The server failed."""

    kind = ErrorKind.SERVER
    retryable = True


class ProtocolError(BackendError):
    """The server said something that its protocol does not allow."""

    kind = ErrorKind.PROTOCOL
    default_hint = gettext_noop(
        "The AI server's answer could not be understood. Check the backend's kind and version."
    )


class Truncated(BackendError):
    """The connection broke before the end of the answer."""

    kind = ErrorKind.TRUNCATED
    retryable = True
    default_hint = gettext_noop("The connection to the AI server broke off. What arrived is kept; try again.")


class WrongService(BackendError):
    """Something else answers at that address."""

    kind = ErrorKind.WRONG_SERVICE
    default_hint = gettext_noop(
        "Another program answers at this address. Check the port and the kind of the backend."
    )


class StateLost(BackendError):
    """The server forgot the session or the response that we referred to."""

    kind = ErrorKind.STATE_LOST
    retryable = True
    default_hint = gettext_noop(
        "The AI server forgot this conversation. Try again: its history is sent anew."
    )


ERRORS: dict[ErrorKind, type[BackendError]] = {
    cls.kind: cls
    for cls in (
        CannotConnect,
        TimedOut,
        Stalled,
        AuthFailed,
        Forbidden,
        ModelNotFound,
        NotFound,
        BadRequest,
        Unsupported,
        ContextOverflow,
        RateLimited,
        Overloaded,
        ServerError,
        ProtocolError,
        Truncated,
        WrongService,
        StateLost,
    )
}
