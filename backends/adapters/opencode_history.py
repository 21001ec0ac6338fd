"""What an OpenCode session already knows of a conversation, and how it is told the rest.

Assistant turns cannot be put into a session. What it missed (turns that another backend answered, or
all of them after the session was lost) goes in front of the next question as one text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from backends.adapters.messages import ChatMessage, Role
from backends.adapters.values import as_dict, as_list, as_str

_HEAD = "[The conversation so far]\n\n"
_TAIL = "[End of the conversation so far; the next message continues it]"
_SYSTEM = "[System: "
_NAMES = {Role.USER: "User", Role.ASSISTANT: "Assistant"}


@dataclass(slots=True)
class Turn:
    """A question in a session, with the text told before it and the answer.

    ``whole``: the answer ended well. What was stopped may hold more here than we were shown.
    """

    id: str
    seed: str = ""
    question: str = ""
    images: int = 0
    answer: str = ""
    whole: bool = True


def flattened(messages: Iterable[ChatMessage]) -> str:
    """Turns as one text."""
    return _HEAD + "".join(map(_block, messages)) + _TAIL


def framed_system(text: str) -> str:
    """A system prompt for servers that have no field for it."""
    return f"{_SYSTEM}{text}]"


def told(messages: Sequence[ChatMessage]) -> tuple[ChatMessage, ...]:
    """The turns before the last message, without those of tools and those that say nothing."""
    return tuple(
        message for message in messages[:-1] if message.role in _NAMES and (message.text or message.images)
    )


def turns_in(messages: Any) -> list[Turn]:
    """The turns in a list of a session's messages, oldest first.

    A tool loop answers one question with several messages. Questions that OpenCode asks itself (to go
    on after it summarised) are part of the turn before.
    """
    turns: list[Turn] = []
    for entry in map(as_dict, as_list(messages)):
        info = as_dict(entry.get("info"))
        parts = [as_dict(part) for part in as_list(entry.get("parts"))]
        if info.get("role") == "user":
            turns.extend(_asked(info, parts))
        elif info.get("role") == "assistant" and turns and info.get("summary") is not True:
            _answered(turns[-1], info, parts)
    return turns


def overlap(turns: Sequence[Turn], history: Sequence[ChatMessage]) -> tuple[int, int]:
    """How many turns of the session begin this history, and how many of its messages they cover."""
    covered = 0
    for count, turn in enumerate(turns):
        after = _after(turn, history, covered)
        if after is None:
            return count, covered
        covered = after
    return len(turns), covered


def visible(part: Mapping[str, Any]) -> bool:
    """Whether a part is text that somebody said."""
    return (
        part.get("type") == "text" and part.get("synthetic") is not True and part.get("ignored") is not True
    )


def joined(parts: Iterable[Mapping[str, Any]]) -> str:
    """The text of an answer: its text parts, a blank line between them."""
    texts = (as_str(part.get("text")) for part in parts if visible(part))
    return "\n\n".join(text for text in texts if text)


def _block(message: ChatMessage) -> str:
    images = "".join(" [image]" for _ in message.images)
    return f"{_NAMES[message.role]}:{images} {message.text}\n\n"


def _asked(info: Mapping[str, Any], parts: list[dict[str, Any]]) -> Iterator[Turn]:
    turn = Turn(as_str(info.get("id")))
    said: list[str] = []
    for part in parts:
        text = as_str(part.get("text")) if part.get("type") == "text" else ""
        if text.startswith(_HEAD):
            turn.seed = text
        elif part.get("type") == "file":
            turn.images += 1
        elif visible(part) and not text.startswith(_SYSTEM):
            said.append(text)
    turn.question = "".join(said)
    if said or turn.images:
        yield turn


def _answered(turn: Turn, info: Mapping[str, Any], parts: list[dict[str, Any]]) -> None:
    text = joined(parts)
    turn.answer = "\n\n".join(filter(None, (turn.answer, text)))
    turn.whole = not info.get("error") and bool(as_dict(info.get("time")).get("completed"))


def _after(turn: Turn, history: Sequence[ChatMessage], at: int) -> int | None:
    """Where the history goes on after this turn; None where the two differ."""
    images = 0
    if turn.seed:
        start, found = at, _after_seed(turn.seed, history, at)
        if found is None:
            return None
        at = found
        images = sum(len(message.images) for message in history[start:at])
    if at >= len(history) or not _same_question(turn, history[at], images):
        return None
    at += 1
    if at < len(history) and history[at].role is Role.ASSISTANT:
        return at + 1 if _same_answer(turn, history[at].text) else None
    return None if turn.answer else at


def _after_seed(seed: str, history: Sequence[ChatMessage], at: int) -> int | None:
    position = len(_HEAD)
    while at < len(history) and seed.startswith(block := _block(history[at]), position):
        position += len(block)
        at += 1
    return at if seed[position:] == _TAIL else None


def _same_question(turn: Turn, message: ChatMessage, seeded_images: int) -> bool:
    return (
        message.role is Role.USER
        and _words(message.text) == _words(turn.question)
        and len(message.images) == turn.images - seeded_images
    )


def _same_answer(turn: Turn, text: str) -> bool:
    ours, theirs = _words(text), _words(turn.answer)
    if turn.whole or not ours or not theirs:
        return ours == theirs
    return theirs.startswith(ours) or ours.startswith(theirs)


def _words(text: str) -> str:
    """Space does not matter: both sides trim."""
    return " ".join(text.split())
