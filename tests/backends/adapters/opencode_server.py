"""An OpenCode server in memory: its events are a script, its other routes a table."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from backends.adapters.messages import ChatMessage, ChatRequest, Role
from backends.adapters.opencode import OpenCodeAdapter
from tests.backends.adapters.wire import (
    Played,
    Responder,
    Script,
    Sent,
    answer,
    play,
    recorded,
    response,
    sse,
)

ASK = ChatRequest(model="local/m", messages=(ChatMessage.of(Role.USER, "Q"),), title="A title")
EMPTY = response("", status=204, kind="")
PAGE = response("<!doctype html><title>OpenCode</title>", kind="text/html")
LOST = answer({"name": "NotFoundError", "data": {"message": "Session not found: s"}}, 404)
CONNECTED = 'data: {"type":"server.connected","properties":{}}\n\n'

Table = Mapping[str, Script | list[Script]]


def tape(name: str) -> Script:
    return Script((recorded(f"opencode/{name}"),))


def session_in(script: Script) -> str:
    """The session of a recording: the first one named."""
    found = re.search(rb"ses_\w+", b"".join(script.pieces))
    return found[0].decode() if found else "s"


def server(events: Script | list[Script], table: Table | None = None, session: str = "") -> Responder:
    """Answer ``/event`` and the routes of one reply; the table goes first. Lists are taken in turn."""
    streams = events if isinstance(events, list) else [events]
    session = session or session_in(streams[0])
    turns: dict[str, list[Script]] = {}
    known: dict[str, Script | list[Script]] = {
        "GET /event": streams,
        "POST /session": answer({"id": session}),
        f"POST /session/{session}/prompt_async": EMPTY,
        f"POST /session/{session}/abort": answer(True),
        "GET /session/status": answer({}),
        f"GET /session/{session}/message": answer([]),
        "GET /permission": answer([]),
        "GET /question": answer([]),
        **(table or {}),
    }

    def respond(sent: Sent) -> Script:
        key = f"{sent.method} {sent.path.partition('?')[0]}"
        found = known.get(key, PAGE)
        if isinstance(found, Script):
            return found
        left = turns.setdefault(key, list(found))
        return left.pop(0) if len(left) > 1 else left[0]

    return respond


def told(
    *frames: str,
    table: Table | None = None,
    request: ChatRequest = ASK,
    end: str = "silence",
    **endpoint: Any,
) -> Played:
    """One reply from these frames, in the session ``s``."""
    script = sse(CONNECTED, *frames, end=end)
    return play(OpenCodeAdapter, respond=server(script, table, "s"), request=request, **endpoint)


def sent(run: Played) -> list[str]:
    """The requests, by method and path."""
    assert run.server
    return [f"{request.method} {request.path}" for request in run.server.requests]


def body_of(run: Played, path: str) -> Any:
    """The body of the last request to a path."""
    assert run.server
    return [request.body for request in run.server.requests if request.path == path][-1]


def ev(kind: str, session: str = "s", **properties: Any) -> str:
    """One frame."""
    body = {"id": "evt_1", "type": kind, "properties": {"sessionID": session, **properties}}
    return f"data: {json.dumps(body, ensure_ascii=False)}\n\n"


def user(message: str = "u", session: str = "s") -> str:
    return ev("message.updated", session, info={"id": message, "role": "user", "sessionID": session})


def assistant(message: str = "a", parent: str = "u", session: str = "s", **more: Any) -> str:
    """A message of the model; ``finish=…`` completes it."""
    return ev("message.updated", session, info=info(message, parent, session, **more))


def info(message: str = "a", parent: str = "u", session: str = "s", **more: Any) -> dict[str, Any]:
    time = {"created": 1000, **({"completed": 3000} if {"finish", "error"} & more.keys() else {})}
    return {
        "id": message, "role": "assistant", "sessionID": session, "parentID": parent, "time": time, **more
    }  # fmt: skip


def part(text: str, part_id: str = "p", message: str = "a", session: str = "s", **more: Any) -> str:
    """A snapshot of a part, of type text unless said otherwise; ``end=True`` ends it."""
    time = {"start": 1, **({"end": 2} if more.pop("end", False) else {})}
    body = {"id": part_id, "messageID": message, "sessionID": session, "type": "text", "text": text,
            "time": time, **more}  # fmt: skip
    return ev("message.part.updated", session, part=body)


def delta(text: str, part_id: str = "p", message: str = "a", session: str = "s") -> str:
    return ev("message.part.delta", session, messageID=message, partID=part_id, field="text", delta=text)


def tool(state: Mapping[str, Any], message: str = "a", call: str = "c", session: str = "s") -> str:
    body = {"id": f"prt_{call}", "messageID": message, "sessionID": session, "type": "tool", "tool": "bash",
            "callID": call, "state": state}  # fmt: skip
    return ev("message.part.updated", session, part=body)


def status(kind: str, session: str = "s", **more: Any) -> str:
    return ev("session.status", session, status={"type": kind, **more})


def failed(name: str, message: str = "no", session: str = "s", **data: Any) -> str:
    return ev("session.error", session, error={"name": name, "data": {"message": message, **data}})


def idle(session: str = "s") -> str:
    """The pair that ends a run."""
    return status("idle", session) + ev("session.idle", session)


def begun(message: str = "a") -> str:
    """What comes before the first word."""
    return user() + part("Q", "pq", "u") + status("busy") + assistant(message)
