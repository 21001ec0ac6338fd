"""``manage.py add_backend``: what the page "Backends" does, from a shell."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from backends.adapters.registry import KINDS
from backends.models import Access, Backend
from backends.options import clean_options, read_lines
from backends.presenting import look_result
from backends.service import refresh_now
from chat.forms import TIMEOUTS, BackendForm
from chat.option_fields import PREFIX


class Command(BaseCommand):
    """Add an AI server, or change the one of that name."""

    help = "Add an AI server, or change the one of that name, and list its models."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Secrets come from files, so that they show in no process list and no shell history."""
        parser.add_argument("name")
        parser.add_argument("--kind", required=True, choices=sorted(KINDS))
        parser.add_argument("--url", required=True)
        parser.add_argument("--api-key-file", type=Path)
        parser.add_argument("--username")
        parser.add_argument("--password-file", type=Path)
        parser.add_argument("--slots", type=int, help="answers at once; default: what the server says")
        parser.add_argument(
            "--option",
            action="append",
            default=[],
            metavar="NAME=VALUE",
            help="what this kind of server understands; may be repeated; NAME= takes it back",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Check as the page does, store, look."""
        stored = Backend.objects.filter(name=options["name"]).first()
        typed = {
            "name": options["name"],
            "kind": options["kind"],
            "base_url": options["url"],
            "username": options["username"],
            "slots": options["slots"],
        }
        values = kept(stored) | {name: value for name, value in typed.items() if value is not None}
        values |= {PREFIX + name: value for name, value in chosen(stored, options).items()}
        values["api_key"] = content(options["api_key_file"])
        values["password"] = content(options["password_file"])
        form = BackendForm(values, instance=stored, all_kinds=True)
        if not form.is_valid():
            raise CommandError(
                "; ".join(f"{name}: {' '.join(map(str, errors))}" for name, errors in form.errors.items())
            )
        backend = form.save()
        result = look_result(refresh_now(backend))
        self.stdout.write(
            f"{backend.name} is stored as {backend.slug}. {result.message} {result.hint}".strip()
        )


def kept(stored: Backend | None) -> dict[str, Any]:
    """What stays as it is unless it is typed: values of the form."""
    if stored is None:
        return {"access": Access.EVERYONE, "enabled": "on"}
    names = ("username", "access", "slots", *TIMEOUTS)
    groups = list(stored.groups.values_list("pk", flat=True))
    return {name: getattr(stored, name) for name in names} | {"groups": groups, "enabled": "on"}


def chosen(stored: Backend | None, options: dict[str, Any]) -> dict[str, str]:
    """The options of the server: what is typed, beside what stays where the kind does. Raises CommandError."""
    same = stored is not None and stored.kind == options["kind"]
    before = stored.options if stored and same else {}
    try:
        typed = read_lines(options["option"])
        clean_options(options["kind"], typed)
    except ValidationError as error:
        raise CommandError(f"--option {error.messages[0]}") from None
    return before | typed


def content(path: Path | None) -> str:
    """The secret in the file. Raises CommandError where it cannot be read."""
    if path is None:
        return ""
    try:
        return path.read_text().strip()
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError:
        raise CommandError(f"{path}: not text") from None
