"""Addresses of AI servers as people type them."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _


def clean_address(typed: str) -> str:
    """The http(s) address in its one form. Raises ValidationError, also where it holds credentials."""
    url = typed.strip()
    if "://" not in url:
        url = f"http://{url}"
    if not is_address(url):
        raise ValidationError(
            _(
                "Enter an address like http://192.168.1.20:11434. User name and password have their own fields."
            )
        )
    return url.rstrip("/")


def is_address(url: str) -> bool:
    """Whether this names a server by http(s), without credentials."""
    try:
        parts = urlsplit(url)
        return bool(
            parts.scheme in {"http", "https"}
            and parts.hostname
            and parts.port != 0
            and "@" not in parts.netloc
        )
    except ValueError:
        return False


def origin(url: str) -> str:
    """Scheme, host and port of an address."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()
