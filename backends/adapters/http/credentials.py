"""What lets the hub in."""

from __future__ import annotations

from base64 import b64encode

from backends.adapters.base import Endpoint
from backends.adapters.errors import AuthFailed
from backends.adapters.http.failures import KEY_HINT


def auth_headers(endpoint: Endpoint) -> dict[str, str]:
    """The header that lets us in: a Bearer key, or else a user's name and password.

    Raises AuthFailed for a credential that no header can carry.
    """
    if endpoint.api_key:
        return {"authorization": f"Bearer {_sendable(endpoint.api_key.reveal())}"}
    if endpoint.username or endpoint.password:
        pair = f"{endpoint.username}:{endpoint.password.reveal()}"
        return {"authorization": f"Basic {b64encode(pair.encode()).decode()}"}
    return {}


def _sendable(key: str) -> str:
    if not key.isascii() or not key.isprintable():
        raise AuthFailed("the key cannot be sent", hint=KEY_HINT)
    return key
