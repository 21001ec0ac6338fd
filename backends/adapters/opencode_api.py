"""OpenCode's routes: every request carries the project's directory where one is set."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from backends.adapters.base import Endpoint
from backends.adapters.http import Http, Stream

#: OpenCode's own default, where only a password is set.
DEFAULT_USER = "opencode"
#: Seconds without a byte on ``/event`` after which it counts as broken; its heartbeat takes 10.
HEARTBEATS = 30.0


class OpenCodeApi:
    """JSON in, JSON out; a page for a browser (an unknown route's 200) is a WrongService.

    The option ``directory`` of the endpoint selects a project; sessions of another one are invisible.
    """

    def __init__(self, endpoint: Endpoint, http: Http) -> None:
        user = endpoint.username or (DEFAULT_USER if endpoint.password else "")
        self.endpoint = replace(endpoint, username=user)
        self.http = http
        directory = endpoint.options.get("directory")
        self._params: Mapping[str, str] | None = {"directory": directory} if directory else None

    async def get(self, path: str) -> Any:
        """The JSON of one answer. Raises BackendError."""
        return await self.http.request_json(self.endpoint, "GET", path, params=self._params)

    async def post(self, path: str, body: Any = None, *, timeout: float | None = None) -> Any:  # noqa: ASYNC109
        """The same, None where the answer is empty."""
        return await self._send("POST", path, body, timeout)

    async def patch(self, path: str, body: Any) -> Any:
        """The same."""
        return await self._send("PATCH", path, body, None)

    async def _send(self, method: str, path: str, body: Any, limit: float | None) -> Any:
        return await self.http.request_json(
            self.endpoint, method, path, body={} if body is None else body, params=self._params, timeout=limit
        )

    def events(self) -> AbstractAsyncContextManager[Stream]:
        """The stream of everything that happens from now on."""
        limits = self.endpoint.timeouts
        limits = replace(limits, first_byte=HEARTBEATS, stall=min(HEARTBEATS, limits.stall))
        endpoint = replace(self.endpoint, timeouts=limits)
        return self.http.open_stream(
            endpoint, "GET", "/event", params=self._params, headers={"accept": "text/event-stream"}
        )


def session_path(session_id: str, *steps: str) -> str:
    """``/session/ID/…``; ids are the server's words and may hold anything."""
    return "/".join(("/session", quote(session_id, safe=""), *steps))
