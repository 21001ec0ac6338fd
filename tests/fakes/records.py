"""What the fake AI server remembers: the requests it got and the answers it streamed."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came in. Header names are lower case; ``json`` is None if the body is not JSON."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    json: Any
    at: float = field(default_factory=time.time)

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The chat messages of the body, or an empty list."""
        found = self.json.get("messages") if isinstance(self.json, dict) else None
        return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


@dataclass(slots=True)
class StreamRecord:
    """One answer: times are ``time.time()``, ``None`` until it has happened.

    ``ended`` is when the server ended it by itself; ``hung_up`` is when the client closed the
    connection before that.
    """

    request: Request
    model: str
    started: float = field(default_factory=time.time)
    tokens: int = 0
    first_token: float | None = None
    last_token: float | None = None
    ended: float | None = None
    hung_up: float | None = None

    @property
    def running(self) -> bool:
        """Whether the server still means to send."""
        return self.ended is None and self.hung_up is None

    def summary(self) -> dict[str, Any]:
        """Plain values for ``GET /_fake/state``."""
        return {
            "path": self.request.path,
            "model": self.model,
            "started": self.started,
            "tokens": self.tokens,
            "first_token": self.first_token,
            "last_token": self.last_token,
            "ended": self.ended,
            "hung_up": self.hung_up,
        }
