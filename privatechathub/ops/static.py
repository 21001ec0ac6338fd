"""Static files are collected and compressed when they changed, not at every start."""

from __future__ import annotations

import hashlib
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command

STAMP = "collected"


def static_is_current() -> bool:
    """Whether the folder that is served holds what the hub ships."""
    stamp = stamp_path()
    return settings.DEBUG or (stamp.exists() and stamp.read_text() == fingerprint())


def collect_static() -> None:
    """Bring the folder that is served up to date."""
    if static_is_current():
        return
    call_command("collectstatic", interactive=False, verbosity=0, clear=True)
    stamp_path().write_text(fingerprint())


def stamp_path() -> Path:
    """Where it is written what was collected last."""
    return Path(settings.STATIC_ROOT) / STAMP


def fingerprint() -> str:
    """Changes when any of our files, the hub or Django does."""
    digest = hashlib.sha256(f"{settings.VERSION} {django.get_version()}".encode())
    for folder in settings.STATICFILES_DIRS:
        for path in sorted(Path(folder).rglob("*")):
            if path.is_file():
                facts = path.stat()
                digest.update(f"{path.relative_to(folder)} {facts.st_size} {facts.st_mtime_ns}\n".encode())
    return digest.hexdigest()
