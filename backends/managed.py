"""The built-in model as an ordinary backend: its row, its one catalogue entry, its server."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from backends.builtin.fetch import installed
from backends.builtin.process import BuiltinServer
from backends.models import Backend, State
from backends.service import replace_models

NAME = "Built-in"

_server: BuiltinServer | None = None


def builtin_server() -> BuiltinServer:
    """The one built-in server of this process; made when it is first asked for, started when it is first used."""
    global _server
    if _server is None:
        _server = BuiltinServer(Path(settings.DATA_DIR), model=settings.HUB_BUILTIN_MODEL or None)
    return _server


async def stop_builtin_server() -> None:
    """End its process, if this one started it."""
    if _server is not None:
        await _server.stop()


def ensure_builtin_backend() -> Backend | None:
    """Make its row where it is installed and wanted, switch it off where it is not."""
    found = (
        installed(Path(settings.DATA_DIR), settings.HUB_BUILTIN_MODEL or None)
        if settings.HUB_BUILTIN
        else None
    )
    backend = Backend.objects.filter(managed=True).first()
    if found is None:
        if backend is not None and backend.enabled:
            backend.enabled = False
            backend.save(update_fields=["enabled"])
        return None
    if backend is None:
        backend = Backend(name=NAME, kind="openai", managed=True, base_url="builtin:")
    backend.enabled, backend.state, backend.slots = True, State.ONLINE, 2
    backend.save()
    replace_models(backend, (found.model,))
    return backend
