"""What some adapters can do beside answering: keep models on their server, and turn texts into vectors."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from backends.adapters.errors import Unsupported, gettext_noop

_HINT = gettext_noop("This AI server cannot do that from here. Do it with the server's own program.")


class Operation(StrEnum):
    """A verb of the model manager."""

    PULL = "pull"
    DELETE = "delete"
    COPY = "copy"
    LOAD = "load"
    UNLOAD = "unload"
    LOADED = "loaded"


@dataclass(frozen=True, slots=True)
class PullProgress:
    """What a server says while it downloads a model.

    ``status`` is the server's own words. ``layer`` names the file it speaks of, empty where it speaks
    of the whole download. ``completed`` and ``total`` are bytes.
    """

    status: str
    layer: str = ""
    completed: int | None = None
    total: int | None = None


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model in the memory of its server.

    ``instance`` names the copy where one model can be loaded several times. ``memory_bytes`` is all it
    takes, ``vram_bytes`` the part on a graphics card. ``until`` is when the server drops it, None where
    it stays or the server does not tell. ``context_length`` is the window that was allocated, in tokens.
    """

    id: str
    instance: str = ""
    memory_bytes: int | None = None
    vram_bytes: int | None = None
    until: datetime | None = None
    context_length: int | None = None


class ManagesModels(ABC):  # noqa: B024 - which verbs a server has differs; ``operations`` names them
    """An adapter whose server lets us install, remove, load and unload models.

    A verb outside ``operations`` raises Unsupported; all raise a BackendError for what a server does.
    """

    operations: ClassVar[frozenset[str]] = frozenset()

    def pull(self, name: str) -> AsyncGenerator[PullProgress, None]:
        """Download a model. The proper end of the generator means that it is installed.

        Use it inside :func:`contextlib.aclosing`: closing the generator cancels the download where
        the server allows that, and a later pull goes on where it ended.
        """
        raise _unsupported(Operation.PULL)

    async def delete(self, model: str) -> None:
        """Remove a model from the server's disk."""
        raise _unsupported(Operation.DELETE)

    async def copy(self, model: str, name: str) -> None:
        """Give a model a second name."""
        raise _unsupported(Operation.COPY)

    async def load(self, model: str) -> None:
        """Bring a model into memory; returns when it is there."""
        raise _unsupported(Operation.LOAD)

    async def unload(self, model: str) -> None:
        """Drop a model (or one instance of it) from memory."""
        raise _unsupported(Operation.UNLOAD)

    async def loaded(self) -> list[LoadedModel]:
        """What is in memory now."""
        raise _unsupported(Operation.LOADED)


class Embeds(ABC):
    """An adapter whose server turns texts into vectors."""

    @abstractmethod
    async def embed(self, model: str, texts: Sequence[str]) -> list[list[float]]:
        """One vector for each text, in the order of the texts."""


def _unsupported(operation: Operation) -> Unsupported:
    return Unsupported(f"this server has no “{operation}”", hint=_HINT)
