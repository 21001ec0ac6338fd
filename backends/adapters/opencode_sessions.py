"""Which session a conversation goes on in: the one it has, a fork of it, or a new one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from backends.adapters.errors import (
    BackendError,
    BadRequest,
    NotFound,
    ProtocolError,
    ServerError,
    Unsupported,
    WrongService,
)
from backends.adapters.messages import ChatMessage, ChatRequest
from backends.adapters.opencode_api import OpenCodeApi, session_path
from backends.adapters.opencode_history import overlap, told, turns_in
from backends.adapters.opencode_wire import permission_rules, session_body, tools_mode
from backends.adapters.values import as_dict, as_list, as_str


@dataclass(frozen=True, slots=True)
class Session:
    """Where to ask, and what has to be told first.

    ``known``: the ids of the messages that are in it. ``lost``: it replaces one that the server forgot.
    """

    id: str
    seed: tuple[ChatMessage, ...] = ()
    known: frozenset[str] = frozenset()
    lost: bool = False


async def session_for(api: OpenCodeApi, request: ChatRequest) -> Session:
    """The session named in the request's state, brought to the same history, or else a new one.

    The comparison is by what was said: a branch, an edit or a turn that another backend answered shows.
    Raises BackendError.
    """
    session_id = request.state.get("session_id", "")
    if not session_id:
        return await new_session(api, request)
    try:
        messages = as_list(await api.get(session_path(session_id, "message")))
    except NotFound as error:
        if is_lost(error):
            return await new_session(api, request, lost=True)
        return Session(session_id)  # no such route: trust the state
    except WrongService:
        return Session(session_id)
    except (BadRequest, ServerError):
        return await new_session(api, request, lost=True)
    return await _continued(api, request, session_id, messages)


async def new_session(api: OpenCodeApi, request: ChatRequest, *, lost: bool = False) -> Session:
    """A session of its own, which is told the whole history. Raises BackendError.

    Where a server knows no rules, each prompt takes the tools away; nothing else could ask a person.
    """
    body = session_body(request, api.endpoint.options)
    try:
        answer = await api.post("/session", body)
    except BadRequest:
        if tools_mode(api.endpoint.options) != "off":
            raise
        answer = await api.post("/session", {"title": body["title"]})
    return Session(_id_in(answer), told(request.messages), lost=lost)


def is_lost(error: BackendError) -> bool:
    """Whether a 404 is about the session, and not about the route."""
    return error.code == "NotFoundError" or "session" in error.message.lower()


def ids_in(messages: list[Any]) -> frozenset[str]:
    """The ids of a list of messages."""
    infos = (as_dict(as_dict(entry).get("info")) for entry in messages)
    return frozenset(filter(None, (as_str(info.get("id")) for info in infos)))


async def _continued(api: OpenCodeApi, request: ChatRequest, session_id: str, messages: list[Any]) -> Session:
    turns, history = turns_in(messages), told(request.messages)
    shared, covered = overlap(turns, history)
    if shared == len(turns):
        return Session(session_id, history[covered:], ids_in(messages))
    if not shared:
        return await new_session(api, request)
    try:
        return await _forked(api, session_id, turns[shared].id, history[covered:])
    except (NotFound, BadRequest, ServerError, WrongService, ProtocolError, Unsupported):
        return await new_session(api, request)


async def _forked(api: OpenCodeApi, session_id: str, before: str, seed: tuple[ChatMessage, ...]) -> Session:
    """A copy of the session up to a message. OpenCode 1.18 forgets the permission rules in a copy."""
    fork = _id_in(await api.post(session_path(session_id, "fork"), {"messageID": before}))
    if rules := permission_rules(api.endpoint.options):
        await api.patch(session_path(fork), {"permission": rules})
    messages = as_list(await api.get(session_path(fork, "message")))
    return Session(fork, seed, ids_in(messages))


def _id_in(answer: Mapping[str, Any] | Any) -> str:
    session_id = as_str(as_dict(answer).get("id"))
    if not session_id:
        raise ProtocolError("the new session has no id")
    return session_id
