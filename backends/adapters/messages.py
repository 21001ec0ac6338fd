"""What a request carries: messages made of typed parts, sampling options, tools."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Role(StrEnum):
    """Who speaks in a message."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


class Reasoning(StrEnum):
    """How much the model should think. Adapters map it to their server's switch, or leave it out."""

    OFF = "off"
    ON = "on"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class TextPart:
    """Plain text."""

    text: str


@dataclass(frozen=True, slots=True)
class ImagePart:
    """An image as bytes; ``media_type`` is for example ``image/png``."""

    data: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class ToolCallPart:
    """A call that the assistant made, as it goes back to the server."""

    id: str
    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ToolResultPart:
    """What a tool answered."""

    call_id: str
    name: str
    content: str
    is_error: bool = False


Part = TextPart | ImagePart | ToolCallPart | ToolResultPart


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One turn.

    ``reasoning`` is sent back only where a wire needs it (inside a tool loop); ``opaque`` is data
    of the server that must come back to it unchanged.
    """

    role: Role
    parts: tuple[Part, ...]
    reasoning: str = ""
    opaque: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, role: Role, text: str) -> ChatMessage:
        """A message of one text part."""
        return cls(role=role, parts=(TextPart(text),))

    @property
    def text(self) -> str:
        """All text parts, in order, joined without a separator."""
        return "".join(part.text for part in self.parts if isinstance(part, TextPart))

    @property
    def images(self) -> tuple[ImagePart, ...]:
        """All image parts, in order."""
        return tuple(part for part in self.parts if isinstance(part, ImagePart))


@dataclass(frozen=True, slots=True)
class SamplingOptions:
    """How to pick tokens. ``None`` means: leave it to the server, and do not send the field.

    ``keep_alive`` is seconds (negative: for ever, 0: unload at once). ``context_length`` is tokens.
    """

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    repeat_penalty: float | None = None
    max_tokens: int | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    context_length: int | None = None
    keep_alive: float | None = None
    reasoning: Reasoning | None = None


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool offered to the model; ``parameters`` is a JSON Schema object."""

    name: str
    description: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """Everything an adapter needs for one answer.

    ``messages`` never holds a system message: the system prompt is ``system``. ``conversation_id``
    names the conversation to servers that keep something for it. ``state`` is what an earlier
    stream of the same conversation on the same backend left behind, empty where there is none:
    ``response_id`` stands for all messages up to the last answer, exactly as they are here;
    ``session_id`` names a session that may hold other things, too. ``capabilities`` is what the
    catalogue knows of the model (values of ``base.Capability``), ``None`` where its server does not tell.
    """

    model: str
    messages: tuple[ChatMessage, ...]
    system: str = ""
    sampling: SamplingOptions = field(default_factory=SamplingOptions)
    tools: tuple[ToolSpec, ...] = ()
    response_schema: Mapping[str, Any] | None = None
    conversation_id: str = ""
    title: str = ""
    state: Mapping[str, str] = field(default_factory=dict)
    capabilities: frozenset[str] | None = None
