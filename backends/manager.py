"""What an administrator does with the models of a server: load, unload, delete, see what is in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from django.utils.translation import gettext as _

from backends.adapters.base import Endpoint
from backends.adapters.errors import AuthFailed, BackendError, TimedOut
from backends.adapters.http import Http
from backends.adapters.management import LoadedModel, ManagesModels, Operation
from backends.adapters.registry import adapter_class, make_adapter
from backends.crypto import CannotDecrypt
from backends.models import Backend

T = TypeVar("T")

#: Seconds that a page waits to hear what is in memory.
GLANCE = 5.0


@dataclass(frozen=True, slots=True)
class Memory:
    """What is loaded now, or why that is not known."""

    models: tuple[LoadedModel, ...] = ()
    error: BackendError | None = None


def operations(backend: Backend) -> frozenset[str]:
    """What the server lets us do with its models, by its kind."""
    adapter = adapter_class(backend.kind)
    if backend.managed or not issubclass(adapter, ManagesModels):
        return frozenset()
    return adapter.operations


def change(backend: Backend, operation: Operation, model: str) -> Coroutine[Any, Any, None]:
    """The work to await: Operation.LOAD, UNLOAD or DELETE.

    Reads the row now, raises BackendError when awaited. It may take minutes.
    """
    return _with(_endpoint(backend), backend.kind, lambda adapter: _verb(adapter, operation)(model))


def glance(backend: Backend) -> Memory:
    """What is in memory now. Waits for the server, but not for long; never raises for what it does."""
    try:
        endpoint = _endpoint(backend)
        hasty = replace(endpoint.timeouts, connect=min(GLANCE, endpoint.timeouts.connect), request=GLANCE)
        asked = _with(replace(endpoint, timeouts=hasty), backend.kind, lambda adapter: adapter.loaded())
        return Memory(tuple(asyncio.run(_within(GLANCE, asked))))
    except BackendError as error:
        return Memory(error=error)


def _verb(adapter: ManagesModels, operation: Operation) -> Callable[[str], Coroutine[Any, Any, None]]:
    return {
        Operation.LOAD: adapter.load,
        Operation.UNLOAD: adapter.unload,
        Operation.DELETE: adapter.delete,
    }[operation]


def _endpoint(backend: Backend) -> Endpoint:
    try:
        return backend.endpoint()
    except CannotDecrypt:
        raise AuthFailed(_("The stored key or password cannot be read; enter it again.")) from None


async def _within(seconds: float, work: Coroutine[Any, Any, T]) -> T:
    try:
        async with asyncio.timeout(seconds):
            return await work
    except TimeoutError:
        raise TimedOut(f"no answer within {seconds:g} s") from None


async def _with(endpoint: Endpoint, kind: str, work: Callable[[ManagesModels], Coroutine[Any, Any, T]]) -> T:
    """With connections of its own, on whichever event loop awaits it."""
    http = Http()
    try:
        adapter = make_adapter(kind, endpoint, http)
        return await work(adapter if isinstance(adapter, ManagesModels) else ManagesNothing())
    finally:
        await http.aclose()


class ManagesNothing(ManagesModels):
    """Stands for adapters without these verbs: each raises Unsupported."""
