"""``manage.py prepare``: migrate and collect static files, as far as it is needed."""

from __future__ import annotations

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from privatechathub.ops.static import collect_static


class Command(BaseCommand):
    """Bring database and static files up to date."""

    help = "Bring the database and the static files up to date."

    def handle(self, *args: Any, **options: Any) -> None:
        """Both; nothing is done twice."""
        try:
            call_command("migrate", interactive=False, verbosity=0)
        except DatabaseError as error:
            raise CommandError(f"The database cannot be used: {error}") from error
        collect_static()
