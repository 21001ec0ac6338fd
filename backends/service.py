"""What the hub does with a backend row: look at it, refresh its models, explain what is wrong."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from backends.adapters.base import Endpoint, Health, ModelInfo
from backends.adapters.errors import AuthFailed, BackendError
from backends.adapters.http import Http
from backends.adapters.registry import adapter_class, make_adapter
from backends.crypto import CannotDecrypt
from backends.database import write_transaction
from backends.models import Backend, CatalogueModel, State, row_values


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at a server showed. ``latency_ms`` is the health request alone."""

    health: Health | None = None
    models: tuple[ModelInfo, ...] = ()
    latency_ms: float = 0.0
    error: BackendError | None = None
    hint: str = ""

    @property
    def ok(self) -> bool:
        """Whether the server answered as its kind should."""
        return self.error is None


def hint_for(kind: str, error: BackendError) -> str:
    """The next step for the person, translated."""
    return _(untranslated_hint(kind, error))


def untranslated_hint(kind: str, error: BackendError) -> str:
    """The next step in English; the kind's own sentence beats the general one."""
    own = adapter_class(kind).hints.get(error.kind)
    return own if own and error.hint == error.default_hint else error.hint


async def look_at(kind: str, endpoint: Endpoint, http: Http) -> Look:
    """Ask the server for health and models. Never raises for what a server does."""
    adapter = make_adapter(kind, endpoint, http)
    started = time.perf_counter()
    try:
        health = await adapter.health()
        latency = (time.perf_counter() - started) * 1000
        models = tuple(await adapter.list_models())
    except BackendError as error:
        return Look(error=error, hint=hint_for(kind, error))
    return Look(health=health, models=models, latency_ms=latency)


def record_look(backend: Backend, look: Look) -> None:
    """Keep what was seen: state, version, and the models when they could be listed."""
    with write_transaction():
        backend.checked_at = timezone.now()
        state = State.ONLINE if look.ok else State.OFFLINE
        if state != backend.state or backend.state_since is None:
            backend.state_since = backend.checked_at
        backend.state = state
        backend.state_error = look.error.kind.value if look.error else ""
        backend.state_message = str(look.error)[:400] if look.error else ""
        backend.state_hint = untranslated_hint(backend.kind, look.error)[:400] if look.error else ""
        if look.health:
            backend.version = look.health.version[:80]
            backend.reported_slots = look.health.slots
        Backend.objects.filter(pk=backend.pk).update(
            checked_at=backend.checked_at,
            state=backend.state,
            state_since=backend.state_since,
            state_error=backend.state_error,
            state_message=backend.state_message,
            state_hint=backend.state_hint,
            version=backend.version,
            reported_slots=backend.reported_slots,
        )
        if look.ok and Backend.objects.filter(pk=backend.pk).exists():
            replace_models(backend, look.models)


def replace_models(backend: Backend, models: tuple[ModelInfo, ...]) -> None:
    """Make the catalogue rows of this backend equal to the list."""
    unique = {info.id: info for info in models if info.id and len(info.id) <= 250}
    forget_models(backend.models.exclude(model_id__in=list(unique)))
    rows = [
        CatalogueModel(backend=backend, model_id=info.id, **row_values(info, position))
        for position, info in enumerate(unique.values())
    ]
    CatalogueModel.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["backend", "model_id"],
        update_fields=list(row_values(ModelInfo(id=""), 0)),
    )


def forget_models(rows: QuerySet[CatalogueModel]) -> None:
    """Take models out of the catalogue. What was decided about one waits for its return."""
    known = CatalogueModel.objects.filter(pk__in=rows)
    known.undecided().delete()
    known.update(listed=False, loaded=None)


def look_now(backend: Backend) -> Look:
    """Look at a server from a view or a command; waits for the answer. Never raises for what it does."""
    try:
        endpoint = backend.endpoint()
    except CannotDecrypt:
        error = AuthFailed(_("The stored key or password cannot be read; enter it again."))
        return Look(error=error, hint=_(error.hint))
    return asyncio.run(look_alone(backend.kind, endpoint))


async def look_alone(kind: str, endpoint: Endpoint) -> Look:
    """Look with connections of its own."""
    http = Http()
    try:
        return await look_at(kind, endpoint, http)
    finally:
        await http.aclose()


def refresh_now(backend: Backend) -> Look:
    """Look, and keep what was seen."""
    look = look_now(backend)
    record_look(backend, look)
    return look
