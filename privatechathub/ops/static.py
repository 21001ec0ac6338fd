"""Static files are collected and compressed when they changed, not at every start."""

from __future__ import annotations

import hashlib
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command

STAMP = "collected"


def collect_static() -> None:
    """Bring the folder that is served up to date."""
    if settings.DEBUG:
        return
    root = Path(settings.STATIC_ROOT)
    wanted = fingerprint()
    stamp = root / STAMP
    if stamp.exists() and stamp.read_text() == wanted:
        return
    call_command("collectstatic", interactive=False, verbosity=0, clear=True)
    stamp.write_text(wanted)


def fingerprint() -> str:
    """Changes when any of our files, the hub or Django does."""
    digest = hashlib.sha256(f"{settings.VERSION} {django.get_version()}".encode())
    for folder in settings.STATICFILES_DIRS:
        for path in sorted(Path(folder).rglob("*")):
            if path.is_file():
                facts = path.stat()
                digest.update(f"{path.relative_to(folder)} {facts.st_size} {facts.st_mtime_ns}\n".encode())
    return digest.hexdigest()
