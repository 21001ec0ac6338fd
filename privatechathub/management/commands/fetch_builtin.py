"""``manage.py fetch_builtin``: get the built-in model where no AI server answers on this machine."""

from __future__ import annotations

import asyncio
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import DatabaseError

from backends.builtin.fetch import installed, try_ensure
from backends.discovery import find_servers
from backends.models import Backend


class Command(BaseCommand):
    """Fetch the built-in model if it is wanted. Never fails the start of the hub."""

    help = "Fetch the built-in model unless HUB_BUILTIN=off, it is there, or another AI server is."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Force it."""
        parser.add_argument("--always", action="store_true", help="also where another AI server answers")

    def handle(self, *args: Any, **options: Any) -> None:
        """Look first, fetch then."""
        folder, model = Path(settings.DATA_DIR), settings.HUB_BUILTIN_MODEL or None
        if not settings.HUB_BUILTIN or installed(folder, model):
            return
        if options["always"] or model or not (has_backends() or models_are_served()):
            try_ensure(folder, model)


def models_are_served() -> bool:
    """Whether a server on this machine offers a model; one that wants a key first may."""
    return any(server.model_count != 0 for server in asyncio.run(find_servers()))


def has_backends() -> bool:
    """Whether an AI server was set up before; a database that isn't there yet has none."""
    try:
        return Backend.objects.filter(managed=False).exists()
    except DatabaseError:
        return False
