"""Conversations with servers that remember them, and with servers that take one text at a time."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing

from backends.adapters.errors import BackendError, BadRequest, NotFound, StateLost, gettext_noop
from backends.adapters.events import Event, Phase, Status
from backends.adapters.messages import (
    ChatMessage,
    ChatRequest,
    ImagePart,
    Part,
    Role,
    TextPart,
    ToolCallPart,
)

#: The field of LM Studio's chat and of the Responses API that names the turn before.
PREVIOUS = "previous_response_id"
#: What is said when the whole history has to be sent after all.
STATE_LOST = gettext_noop("It forgot this conversation; its history is sent anew.")

_NAMES = {Role.USER: "User", Role.ASSISTANT: "Assistant", Role.TOOL: "Tool", Role.SYSTEM: "System"}


def previous_response(request: ChatRequest) -> str:
    """The server's id of the turn before; empty where there is none, or nothing new to say after it."""
    return request.state.get("response_id", "") if fresh(request.messages) else ""


def fresh(messages: Sequence[ChatMessage]) -> Sequence[ChatMessage]:
    """The messages after the last answer: all that a server which remembers it has not seen."""
    answers = [at for at, message in enumerate(messages) if message.role is Role.ASSISTANT]
    return messages[answers[-1] + 1 :] if answers else messages


async def chained(
    answer: Callable[[str], AsyncGenerator[list[Event], None]], previous: str
) -> AsyncGenerator[list[Event], None]:
    """An answer that builds on the turn before; a server that forgot it is asked once more, without.

    ``answer`` runs one request and is given the id of that turn, or nothing: then it sends the whole
    history. Raises StateLost where the server complains about the turn before even then.
    """
    if previous:
        try:
            async with aclosing(answer(previous)) as batches:
                async for batch in batches:
                    yield batch
            return
        except BackendError as error:
            if error.partial or not is_about_state(error, previous):
                raise
        yield [Status(Phase.RETRYING, detail=STATE_LOST)]
    try:
        async with aclosing(answer("")) as batches:
            async for batch in batches:
                yield batch
    except BackendError as error:
        if error.partial or not is_about_state(error, previous):
            raise
        raise StateLost(error.message, status=error.status, code=error.code, data=error.data) from error


def is_about_state(error: BackendError, previous: str) -> bool:
    """Whether a server refuses what we said of the turn before: it forgot it, or never keeps any."""
    if isinstance(error, StateLost):
        return True
    if not isinstance(error, BadRequest | NotFound):
        return False
    named = (error.data.get("param"), error.code)
    words = [PREVIOUS, previous] if previous else [PREVIOUS]
    return (
        PREVIOUS in named
        or "previous_response_not_found" in named
        or any(word in error.message for word in words)
    )


def flattened(messages: Sequence[ChatMessage]) -> tuple[Part, ...]:
    """The whole conversation as one text, followed by its images; a single question stays as it is."""
    if len(messages) == 1 and messages[0].role is Role.USER:
        return messages[0].parts
    images: list[ImagePart] = []
    turns = [f"{_NAMES[message.role]}: {_words(message, images)}" for message in messages]
    return (TextPart("\n\n".join(turns)), *images)


def _words(message: ChatMessage, images: list[ImagePart]) -> str:
    """One turn. Its pictures go to the list and leave their numbers in the text."""
    words: list[str] = []
    for part in message.parts:
        if isinstance(part, TextPart):
            words.append(part.text)
        elif isinstance(part, ImagePart):
            images.append(part)
            words.append(f"[image {len(images)}]")
        elif isinstance(part, ToolCallPart):
            words.append(f"[{part.name} {json.dumps(dict(part.arguments), ensure_ascii=False)}]")
        else:
            words.append(f"[{part.name}] {part.content}")
    return "\n".join(words)
