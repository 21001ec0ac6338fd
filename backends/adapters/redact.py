"""Keeps credentials out of what a server says: some echo the key they were sent, whole or in part."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator

from backends.adapters.base import Endpoint

MARK = "…"
#: A run of this many characters of a secret gives it away.
TELLING = 6
#: Shorter secrets are words like "x" or "key", given to servers that want none.
SHORTEST = 4


def redact(text: str, endpoint: Endpoint) -> str:
    """The text without the endpoint's key and password, or any run of six or more of their characters."""
    for secret in _secrets(endpoint):
        text = "".join(_without(text, secret))
    return text


def _secrets(endpoint: Endpoint) -> list[str]:
    key, password = endpoint.api_key.reveal(), endpoint.password.reveal()
    secrets = [key, password]
    if password:
        secrets.append(b64encode(f"{endpoint.username}:{password}".encode()).decode())
    return [secret for secret in secrets if len(secret) >= SHORTEST]


def _without(text: str, secret: str) -> Iterator[str]:
    shortest = min(TELLING, len(secret))
    start = 0
    while start < len(text):
        length = _shared(text, start, secret, shortest)
        yield MARK if length else text[start]
        start += length or 1


def _shared(text: str, start: int, secret: str, shortest: int) -> int:
    """How many characters from ``start`` on stand in the secret in this order; 0 if too few."""
    end = start + shortest
    if end > len(text) or text[start:end] not in secret:
        return 0
    while end < len(text) and text[start : end + 1] in secret:
        end += 1
    return end - start
