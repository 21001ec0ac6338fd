"""What happened in a session while nobody listened: its stored messages, told as events."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from backends.adapters.errors import BackendError, NotFound, StateLost, WrongService
from backends.adapters.opencode_api import OpenCodeApi, session_path
from backends.adapters.opencode_wire import Frame
from backends.adapters.values import as_dict, as_list, as_str


async def missed_by(api: OpenCodeApi, session_id: str, questions: Iterable[str]) -> tuple[list[Frame], bool]:
    """The messages as they are now, open requests, and whether the session still works.

    Raises StateLost where the session is gone, or another BackendError.
    """
    busy = await _status(api, session_id) in ("busy", "retry")
    try:
        messages = as_list(await api.get(session_path(session_id, "message")))
    except NotFound as error:
        raise StateLost(error.message, status=error.status, code=error.code) from error
    asks = await _open_asks(api) if busy else []
    return [*frames_of(messages, questions), *asks], busy


def frames_of(messages: list[Any], questions: Iterable[str]) -> list[Frame]:
    """A list of stored messages as the events that would have told them: from our question on."""
    entries = [as_dict(entry) for entry in messages]
    infos = [as_dict(entry.get("info")) for entry in entries]
    asked = set(questions)
    users = [at for at, info in enumerate(infos) if info.get("role") == "user"]
    ours = [at for at in users if infos[at].get("id") in asked] or users[-1:]
    result: list[Frame] = []
    for entry, info in zip(entries[ours[0] if ours else 0 :], infos[ours[0] if ours else 0 :], strict=True):
        session = {"sessionID": info.get("sessionID")}
        result.append(Frame("message.updated", {**session, "info": info}))
        for part in map(as_dict, as_list(entry.get("parts"))):
            owner = {"messageID": info.get("id"), **session}
            result.append(Frame("message.part.updated", {**session, "part": {**owner, **part}}))
    return result


async def _status(api: OpenCodeApi, session_id: str) -> str:
    """``busy`` or ``retry``; sessions that rest are not in the list."""
    with suppress(NotFound, WrongService):
        return as_str(as_dict(as_dict(await api.get("/session/status")).get(session_id)).get("type"))
    return ""


async def _open_asks(api: OpenCodeApi) -> list[Frame]:
    result: list[Frame] = []
    with suppress(BackendError):
        for kind in ("permission", "question"):
            entries = as_list(await api.get(f"/{kind}"))
            result += [Frame(f"{kind}.asked", as_dict(entry)) for entry in entries]
    return result
