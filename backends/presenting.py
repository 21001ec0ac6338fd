"""Backends as pages show them."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backends.adapters.errors import BackendError, ErrorKind
from backends.models import Backend, State
from backends.service import Look


@dataclass(frozen=True, slots=True)
class BackendRow:
    """One line of the list. ``status``: ok, error, off, unknown."""

    slug: str
    name: str
    kind_label: str
    url: str
    enabled: bool
    status: str
    status_text: str
    model_count: int | None
    status_hint: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """What a test showed."""

    ok: bool
    message: str
    hint: str = ""


def backend_rows() -> list[BackendRow]:
    """All backends. One query."""
    listed = Count("models", filter=Q(models__listed=True))
    return [row(backend) for backend in Backend.objects.annotate(model_count=listed)]


def row(backend: Backend) -> BackendRow:
    """One backend."""
    return BackendRow(
        slug=backend.slug,
        name=backend.name,
        kind_label=backend.kind_label,
        url=_("on this machine, run by the hub") if backend.managed else backend.base_url,
        enabled=backend.enabled,
        status=status(backend),
        status_text=status_text(backend),
        model_count=getattr(backend, "model_count", None),
        status_hint=status_hint(backend),
    )


def status(backend: Backend) -> str:
    """The colour of the dot."""
    if not backend.enabled:
        return "off"
    return {State.ONLINE: "ok", State.OFFLINE: "error"}.get(State(backend.state), "unknown")


def status_text(backend: Backend) -> str:
    """The sentence beside the dot."""
    if not backend.enabled:
        return _("Switched off")
    if backend.managed:
        return _("Starts when it is needed")
    if backend.state == State.ONLINE:
        return (
            _("Answers, version %(version)s") % {"version": backend.version}
            if backend.version
            else _("Answers")
        )
    if backend.state == State.OFFLINE:
        return with_detail(problem(backend.state_error, backend.state_message), backend)
    return _("Not looked at yet")


def known_problem(backend: Backend) -> Result | None:
    """What the last look found wrong, and what to do; None where all is well or nothing is known."""
    if status(backend) != "error":
        return None
    return Result(False, f"{status_text(backend)}.", status_hint(backend))


def status_hint(backend: Backend) -> str:
    """What to do about a server that did not answer as it should; empty where nothing is to be done."""
    wrong = backend.enabled and not backend.managed and backend.state == State.OFFLINE
    return _(backend.state_hint) if wrong and backend.state_hint else ""


def with_detail(general: str, backend: Backend) -> str:
    """The sentence with the server's own words, where it says less than they do."""
    own = backend.state_message
    vague = backend.state_error not in PLAIN and own not in ("", general, backend.state_error)
    return f"{general}: {own}" if vague else general


#: Kinds of errors that need no words of the server beside ours.
PLAIN = frozenset(
    {
        ErrorKind.CONNECT,
        ErrorKind.TIMEOUT,
        ErrorKind.AUTH,
        ErrorKind.FORBIDDEN,
        ErrorKind.WRONG_SERVICE,
        ErrorKind.NOT_FOUND,
        ErrorKind.OVERLOADED,
    }
)


def problem(kind: str, message: str) -> str:
    """What is wrong with a server, in a few words."""
    known = {
        ErrorKind.CONNECT: _("Nothing answers at this address"),
        ErrorKind.TIMEOUT: _("Does not answer in time"),
        ErrorKind.STALL: _("Falls silent in the middle of an answer"),
        ErrorKind.AUTH: _("The key or password was rejected"),
        ErrorKind.FORBIDDEN: _("Refuses this hub"),
        ErrorKind.MODEL_NOT_FOUND: _("Does not have the model"),
        ErrorKind.NOT_FOUND: _("The address has a wrong path"),
        ErrorKind.BAD_REQUEST: _("Does not accept the request"),
        ErrorKind.UNSUPPORTED: _("Cannot do this"),
        ErrorKind.CONTEXT_OVERFLOW: _("The conversation does not fit the model"),
        ErrorKind.RATE_LIMITED: _("Gets too many requests"),
        ErrorKind.OVERLOADED: _("Busy or still loading"),
        ErrorKind.SERVER: _("Reports a failure of its own"),
        ErrorKind.PROTOCOL: _("Answers in a way that cannot be understood"),
        ErrorKind.TRUNCATED: _("Breaks the connection off"),
        ErrorKind.WRONG_SERVICE: _("Another program answers at this address"),
        ErrorKind.STATE_LOST: _("Forgot the conversation"),
    }
    return known[ErrorKind(kind)] if kind in set(ErrorKind) else message


def look_result(look: Look, *, message: str = "", ok: bool | None = None) -> Result:
    """The answer to a press on Test."""
    if look.error is not None:
        return Result(False, error_sentence(look.error), look.hint)
    if look.health is None:
        return Result(bool(ok), message)
    count = len(look.models)
    models = ngettext("%(count)d model", "%(count)d models", count) % {"count": count}
    parts = [_("It answers in %(ms)d ms") % {"ms": round(look.latency_ms)}, models]
    if look.health.version:
        parts.insert(1, _("version %(version)s") % {"version": look.health.version})
    return Result(True, ", ".join(parts) + ".")


def error_sentence(error: BackendError) -> str:
    """What happened, with the server's own words where it had any."""
    general = problem(error.kind.value, str(error))
    status_code = f"{error.status}: " if error.status else ""
    detail = str(error)
    same = not detail or detail == general or detail == error.kind.value
    return f"{status_code}{general}." if same else f"{status_code}{general} ({detail})."
