"""The system text of a request: everything that is not a turn, by its parts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from chat.models import Conversation

#: The conversation's own instructions.
PROMPT = "prompt"


@dataclass(frozen=True, slots=True)
class SystemPart:
    """One source of the system text. ``name`` tells what it is, so that its size can be shown by itself."""

    name: str
    text: str


def system_parts(conversation: Conversation) -> tuple[SystemPart, ...]:
    """What the model is told before the first turn, in the order in which it is sent; empty parts left out."""
    found = (SystemPart(PROMPT, conversation.system_prompt.strip()),)
    return tuple(part for part in found if part.text)


def joined(parts: Iterable[SystemPart]) -> str:
    """The parts as one text, a blank line between two."""
    return "\n\n".join(part.text for part in parts)
