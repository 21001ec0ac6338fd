"""How many tokens a text will be, without its model's tokenizer.

Size is counted in UTF-8 bytes: over scripts, bytes for each token differ far less than characters do (English and
Chinese are both near four, where characters are four and one and a half). How many bytes a token of a model has is
learned from what its server counted for earlier requests.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from backends.adapters.messages import (
    ChatMessage,
    ChatRequest,
    ImagePart,
    Part,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    ToolSpec,
)

#: Bytes for each token where nothing was learned yet; on the small side, for too early is better than too late.
USUAL = 3.6
#: Outside of these a server counted something else (only what it had not cached, its own prompts too).
SMALLEST, LARGEST = 1.2, 9.0
#: Tokens of a chat template around a turn: marks, the speaker's name, line ends.
AROUND_TURN = 6
#: Tokens of one image; vision models take from about 250 to 1,500.
IMAGE = 900
#: Bytes of a request from which on its count teaches something: in small ones the template weighs more than the text.
ENOUGH = 600
#: How much of a new measurement is taken over.
_WEIGHT = 0.4
#: A change below this share is not worth writing down.
_SAME = 0.02


@dataclass(frozen=True, slots=True)
class Size:
    """What something is made of: bytes of text, turns, images."""

    text: int = 0
    turns: int = 0
    images: int = 0

    def __add__(self, other: Size) -> Size:
        return Size(self.text + other.text, self.turns + other.turns, self.images + other.images)

    def tokens(self, bytes_per_token: float) -> int:
        """About how many tokens, rounded up."""
        return math.ceil(self.text / bytes_per_token) + self.turns * AROUND_TURN + self.images * IMAGE


#: No size at all.
NOTHING = Size()


def of_text(text: str) -> Size:
    """A text that stands in no turn of its own."""
    return Size(len(text.encode("utf-8", "replace")))


def of_system(text: str) -> Size:
    """The system text with the turn that carries it."""
    return of_text(text) + Size(turns=1) if text else Size()


def of_messages(messages: Iterable[ChatMessage]) -> Size:
    """Turns as they are sent."""
    return sum((of_message(message) for message in messages), Size())


def of_message(message: ChatMessage) -> Size:
    """One turn. Reasoning counts: where it is sent at all, it is sent whole."""
    return sum(map(of_part, message.parts), Size(turns=1))


def of_part(part: Part) -> Size:
    """One piece of a turn."""
    match part:
        case TextPart():
            return of_text(part.text)
        case ImagePart():
            return Size(images=1)
        case ToolCallPart():
            return of_text(part.name) + of_text(json.dumps(dict(part.arguments), default=str))
        case ToolResultPart():
            return of_text(part.content) + Size(turns=1)


def of_tools(tools: Sequence[ToolSpec]) -> Size:
    """Tools on offer, each with its schema."""
    texts = (tool.name + tool.description + json.dumps(dict(tool.parameters), default=str) for tool in tools)
    return sum(map(of_text, texts), Size())


def of_request(request: ChatRequest) -> Size:
    """Everything that is sent."""
    return of_system(request.system) + of_messages(request.messages) + of_tools(request.tools)


def learned(known: float | None, size: Size, tokens: int) -> float | None:
    """Bytes for each token after a request of that size was counted; None where that teaches nothing new."""
    rest = tokens - size.turns * AROUND_TURN
    if size.images or size.text < ENOUGH or rest <= 0:
        return None
    seen = size.text / rest
    if not SMALLEST <= seen <= LARGEST:
        return None
    value = seen if known is None else known + _WEIGHT * (seen - known)
    return None if known is not None and abs(value - known) < _SAME * known else round(value, 3)
