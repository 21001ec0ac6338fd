"""A request as a command for a terminal. Credentials never stand in it: it names variables instead."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from backends.adapters.base import Endpoint, WireRequest
from backends.adapters.errors import BackendError
from backends.adapters.http import Http
from backends.adapters.messages import ChatRequest
from backends.adapters.registry import KINDS, make_adapter
from backends.models import Backend

#: Characters of a body that stands in the command itself; a longer one comes from a file.
LONGEST_BODY = 40_000
BODY_FILE = "request-body.json"


def wire_request(backend: Backend | None, request: ChatRequest) -> WireRequest | None:
    """What the server is sent; None where it is gone or not asked by one request."""
    if backend is None or backend.kind not in KINDS:
        return None
    endpoint = Endpoint(
        without_user(backend.base_url), options={name: str(value) for name, value in backend.options.items()}
    )
    try:
        return make_adapter(backend.kind, endpoint, Http()).on_the_wire(request)
    except BackendError:
        return None


def command(backend: Backend, wire: WireRequest, *, shows_address: bool) -> str:
    """The curl command. Without the address it names a variable for that, too."""
    url = wire.url if shows_address else "$SERVER" + urlsplit(wire.url).path
    quoted = f"'{url}'" if shows_address else f'"{url}"'
    lines = [f"curl --no-buffer {quoted}", "-H 'Content-Type: application/json'", *credentials(backend)]
    body = as_text(wire.body)
    if len(body) > LONGEST_BODY:
        return " \\\n  ".join([*lines, f"--data-binary @{BODY_FILE}"])
    # In a here-document with a quoted mark the shell changes nothing; no line of JSON is that mark.
    return " \\\n  ".join([*lines, "--data-binary @- <<'REQUEST'"]) + f"\n{body}\nREQUEST"


def credentials(backend: Backend) -> list[str]:
    """How the server wants to be let in."""
    if backend.has_api_key:
        return ['-H "Authorization: Bearer $API_KEY"']
    return ['-u "$USERNAME:$PASSWORD"'] if backend.username or backend.has_password else []


def as_text(body: Any) -> str:
    """A body to read and to send."""
    return json.dumps(body, ensure_ascii=False, indent=2)


def without_user(url: str) -> str:
    """The address without a name and password in it, and with nothing that a shell would take for itself."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", "")).replace("'", "%27")
