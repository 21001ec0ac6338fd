"""The contract that every tool keeps, whether it is one of ours or comes from an MCP server."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

from backends.adapters.messages import ImagePart, ToolSpec
from chat.tools.numbering import Numbering


class Reach(StrEnum):
    """What a tool can do beyond answering. ``OUTSIDE``: it contacts other hosts. ``CHANGES``: it has effects
    that stay. ``UNKNOWN``: an MCP server's tool, which may do anything.
    """

    OUTSIDE = "outside"
    CHANGES = "changes"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Caller:
    """For whom and where a tool runs. ``project_id``: what the conversation belongs to, if to anything.

    ``numbering`` gives the sources of the answer their numbers.
    """

    user_id: int
    conversation_id: UUID
    generation_id: UUID
    project_id: UUID | None = None
    numbering: Numbering = field(default_factory=Numbering, compare=False)


@dataclass(frozen=True, slots=True)
class Source:
    """A page that a result rests on; shown as a chip under the answer.

    ``number``: by which the result's text calls it, see :class:`~chat.tools.numbering.Numbering`; 0 for none.
    """

    url: str
    title: str = ""
    site: str = ""
    number: int = 0


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a tool gives back. ``text`` goes to the model as data; ``is_error`` tells it that the call failed."""

    text: str
    is_error: bool = False
    sources: tuple[Source, ...] = ()
    images: tuple[ImagePart, ...] = ()


class ToolError(Exception):
    """A call failed in an expected way; the text is for the model and for the person."""


class Tool(ABC):
    """Something that a model can call.

    ``parameters`` is a JSON Schema object; arguments are validated against it before :meth:`run`.
    ``timeout`` is in seconds. ``on_by_default`` tells whether it is offered before anybody chose.
    """

    name: ClassVar[str]
    #: What people read; marked with gettext_lazy.
    label: ClassVar[Any]
    #: What the model reads.
    description: ClassVar[str]
    parameters: ClassVar[Mapping[str, Any]] = {"type": "object", "properties": {}}
    reach: ClassVar[frozenset[Reach]] = frozenset()
    timeout: ClassVar[float] = 30.0
    on_by_default: ClassVar[bool] = True

    @property
    def spec(self) -> ToolSpec:
        """The tool as a request carries it."""
        return ToolSpec(name=self.name, description=self.description, parameters=self.parameters)

    async def available(self, caller: Caller) -> bool:
        """Whether it makes sense here at all (a project's tools outside of a project do not)."""
        return True

    @abstractmethod
    async def run(self, arguments: Mapping[str, Any], caller: Caller) -> ToolResult:
        """Do it. Raises ToolError; anything else is a mistake of ours and is reported as such."""
