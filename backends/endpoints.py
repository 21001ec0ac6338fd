"""The endpoint to talk to while an answer is written; starts the built-in server where it is needed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from backends.adapters.base import Endpoint
from backends.managed import builtin_server
from backends.models import Backend


@asynccontextmanager
async def open_endpoint(backend: Backend, endpoint: Endpoint) -> AsyncIterator[Endpoint]:
    """The backend's endpoint. Raises BackendError where the built-in server does not start."""
    if not backend.managed:
        yield endpoint
        return
    async with builtin_server().use() as (url, key):
        yield replace(endpoint, base_url=url, api_key=key)
