"""The first administrator: by a one-time link that only the terminal shows, or unattended by the environment."""

from __future__ import annotations

import hmac
import secrets
from pathlib import Path

from django.conf import settings

from backends.database import write_transaction
from privatechathub.accounts.models import User
from privatechathub.env import key_file


def needed() -> bool:
    """Whether the hub has no administrator yet."""
    return not User.objects.filter(is_staff=True, is_active=True).exists()


def token_path() -> Path:
    """The token is in the data folder, so that all processes of the hub know the same one."""
    return Path(settings.DATA_DIR) / "setup.token"


def token() -> str:
    """The token of the set-up link; made once, gone with the first administrator."""
    return key_file(token_path(), lambda: secrets.token_urlsafe(24))


def token_is_right(given: str) -> bool:
    """Whether this is the link that the terminal showed, and set-up is still to be done."""
    return needed() and hmac.compare_digest(given.encode(), token().encode())


def use_link(username: str, password: str) -> User | None:
    """The first administrator, by the link; None where somebody else used it up a moment before."""
    try:
        token_path().unlink()  # of several at the same time one wins, whatever the database
    except FileNotFoundError:
        return None
    return create_administrator(username, password)


def create_administrator(username: str, password: str) -> User | None:
    """The first administrator; None where somebody else was quicker."""
    with write_transaction():
        if not needed():
            return None
        user = User(username=username, is_staff=True, is_superuser=True)
        user.set_password(password)
        user.save()
    token_path().unlink(missing_ok=True)
    return user


def create_from_environment() -> User | None:
    """HUB_ADMIN_USERNAME and HUB_ADMIN_PASSWORD make the administrator at the first start."""
    username, password = settings.HUB_ADMIN_USERNAME, settings.HUB_ADMIN_PASSWORD
    if not (username and password) or User.objects.filter(username=username).exists():
        return None
    return create_administrator(username, password)
