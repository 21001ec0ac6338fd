"""Credentials at rest: Fernet (AES-128-CBC with HMAC) by the key in the data folder."""

from __future__ import annotations

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings

from backends.adapters.base import Secret


class CannotDecrypt(Exception):
    """The stored credential was written with another key."""


def encrypt(value: str) -> str:
    """The value as it may be stored; an empty one stays empty."""
    return Fernet(settings.CREDENTIALS_KEY).encrypt(value.encode()).decode() if value else ""


def decrypt(stored: str) -> Secret:
    """The credential. Raises CannotDecrypt where the key was changed."""
    if not stored:
        return Secret()
    try:
        return Secret(Fernet(settings.CREDENTIALS_KEY).decrypt(stored.encode()).decode())
    except InvalidToken:
        raise CannotDecrypt from None
