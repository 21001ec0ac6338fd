"""What a backend remembers of a conversation, and whether that is still the conversation.

A backend gives two kinds of name. A response stands for everything said up to it, so it may only be
named while all of that is unchanged. A session goes on growing: the adapter compares what is in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256

from backends.adapters.messages import ChatMessage, ImagePart, Part, Role
from chat.models import Generation

RESPONSE, SESSION = "response_id", "session_id"
#: The fingerprint of what a response stands for.
COVERS = "covers"


def fingerprint(system: str, messages: Iterable[ChatMessage]) -> str:
    """Tells two conversations apart, by their system prompt and everything that was said."""
    digest = _digest("system", system.encode())
    for message in messages:
        digest = extended(digest, message)
    return digest


def extended(digest: str, message: ChatMessage) -> str:
    """The fingerprint of a conversation with one more message."""
    parts = [_digest(type(part).__name__, _content(part)) for part in message.parts]
    return _digest(f"{digest} {message.role}", " ".join(parts).encode())


def left_behind(before: str, answer: str, response_id: str | None, session_id: str | None) -> dict[str, str]:
    """What is kept with a generation. ``before`` is the fingerprint of what the model was sent."""
    state = {SESSION: session_id} if session_id else {}
    if response_id and answer:
        covers = extended(before, ChatMessage.of(Role.ASSISTANT, answer))
        state |= {RESPONSE: response_id, COVERS: covers}
    return state


def remembered(
    generation: Generation, path: Sequence[int], system: str, messages: Sequence[ChatMessage]
) -> dict[str, str]:
    """What the same backend knows of the messages with these ids, as far as it can be used for this request."""
    if generation.backend_id is None or not _answers(messages):
        return {}
    earlier = (
        Generation.objects.filter(message_id__in=path, backend_id=generation.backend_id)
        .exclude(state={})
        .order_by("-message_id", "-created_at")
        .first()
    )
    if earlier is None:
        return {}
    state = {str(key): str(value) for key, value in earlier.state.items()}
    usable = {SESSION: state[SESSION]} if SESSION in state else {}
    if RESPONSE in state and earlier.model_id == generation.model_id:
        answered = messages[: _answers(messages)]
        if state.get(COVERS) == fingerprint(system, answered):
            usable[RESPONSE] = state[RESPONSE]
    return usable


def _answers(messages: Sequence[ChatMessage]) -> int:
    """How many messages there are up to the last answer."""
    return max((at + 1 for at, message in enumerate(messages) if message.role is Role.ASSISTANT), default=0)


def _content(part: Part) -> bytes:
    return part.data if isinstance(part, ImagePart) else repr(part).encode("utf-8", "replace")


def _digest(name: str, content: bytes) -> str:
    return sha256(name.encode() + b"\0" + content).hexdigest()
