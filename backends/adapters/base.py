"""The contract that every adapter keeps, and the plain values it is given and gives back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar

from backends.adapters.errors import BackendError, ErrorKind, Unsupported
from backends.adapters.events import Ask, AskAnswer, Event, Phase
from backends.adapters.messages import ChatRequest
from backends.adapters.options import Option

if TYPE_CHECKING:
    from backends.adapters.http import Http


class Capability(StrEnum):
    """What a model can do, by its server's own word."""

    CHAT = "chat"
    COMPLETION = "completion"
    TOOLS = "tools"
    VISION = "vision"
    REASONING = "reasoning"
    EMBEDDING = "embedding"
    AUDIO = "audio"


class Secret:
    """A credential that cannot be printed by accident; ``reveal()`` is the only way out."""

    __slots__ = ("_value",)

    def __init__(self, value: str = "") -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself; only for the header that carries it."""
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(("Secret", self._value))

    def __repr__(self) -> str:
        return "Secret(…)" if self._value else "Secret()"

    __str__ = __repr__


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds. The first byte must cover a cold model load: Ollama sends no headers before it."""

    connect: float = 5.0
    first_byte: float = 330.0
    stall: float = 120.0
    request: float = 15.0


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a server is and how to be let in. ``base_url`` has no trailing slash.

    ``options`` are values of what :attr:`Adapter.options` lists, by their names. ``headers`` go with
    every request; credentials have fields of their own.
    """

    base_url: str
    api_key: Secret = field(default_factory=Secret)
    username: str = ""
    password: Secret = field(default_factory=Secret)
    timeouts: Timeouts = field(default_factory=Timeouts)
    options: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """One model that a server offers.

    ``capabilities`` is ``None`` where the server does not tell. ``context_length`` is the window in
    tokens that a request really gets, ``max_context_length`` what the model could take.
    ``size_bytes`` is on disk. ``remote``: it runs elsewhere (a cloud model), not on that server.
    """

    id: str
    name: str = ""
    family: str = ""
    parameter_size: str = ""
    quantization: str = ""
    size_bytes: int | None = None
    context_length: int | None = None
    max_context_length: int | None = None
    capabilities: frozenset[Capability] | None = None
    loaded: bool | None = None
    remote: bool = False
    digest: str = ""
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Health:
    """What a server says of itself. ``slots``: how many answers it can write at once, if it tells."""

    version: str = ""
    detail: str = ""
    slots: int | None = None


@dataclass(frozen=True, slots=True)
class WireRequest:
    """The HTTP POST that asks for an answer. ``body`` is JSON; credentials are not part of it."""

    url: str
    body: Mapping[str, Any]


class Adapter(ABC):
    """Speaks one wire protocol. Keeps nothing between calls; safe to use from many tasks at once.

    All methods raise :class:`~backends.adapters.errors.BackendError` and nothing else that a server
    could cause.
    """

    kind: ClassVar[str]
    #: Sentences that fit this kind of server better than the error's own hint.
    hints: ClassVar[Mapping[ErrorKind, str]] = {}
    #: Names of :class:`SamplingOptions` fields that this wire can carry.
    sampling_fields: ClassVar[frozenset[str]] = frozenset()
    #: Tokens of the window that such a server is asked for where nobody has chosen one; None where a request
    #: cannot set it, or where the server is better left to itself.
    usual_window: ClassVar[int | None] = None
    #: The highest temperature that such servers take.
    hottest: ClassVar[float] = 2.0
    #: Whether such servers name all models that think: one that is not named does not.
    names_thinkers: ClassVar[bool] = False
    #: Whether a request may offer tools, whose calls come back for us to run.
    takes_tools: ClassVar[bool] = False
    #: What can be set for such a server: the names that it looks for in :attr:`Endpoint.options`.
    options: ClassVar[tuple[Option, ...]] = ()

    def __init__(self, endpoint: Endpoint, http: Http) -> None:
        self.endpoint = endpoint
        self.http = http

    @classmethod
    def takes(cls, base_url: str, options: Mapping[str, str]) -> frozenset[str]:
        """Those of ``sampling_fields`` that the server at that address, with those options, is sent."""
        return cls.sampling_fields

    @abstractmethod
    async def health(self) -> Health:
        """Ask the server for a sign of life that proves its kind."""

    @abstractmethod
    async def list_models(self) -> list[ModelInfo]:
        """All models the server offers, in its own order."""

    @abstractmethod
    def batches(self, request: ChatRequest) -> AsyncGenerator[list[Event], None]:
        """Run one answer: one list, never empty, of all events that one network read brought.

        Ends with a list whose last event is the only :class:`~backends.adapters.events.Finish`, or
        raises a BackendError, with ``partial`` set where text or reasoning had been delivered.
        Between two lists nothing is read, so a consumer sets the pace: the longer it waits, the
        longer the next list, and the less a token costs. Closing the generator closes the upstream
        connection. Use it inside :func:`contextlib.aclosing`: leaving the loop does not close it.
        """

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Event, None]:
        """Run one answer, event by event: :meth:`batches` without the lists."""
        async with aclosing(self.batches(request)) as batches:
            async for batch in batches:
                for event in batch:
                    yield event

    def on_the_wire(self, request: ChatRequest) -> WireRequest | None:
        """What :meth:`batches` sends first, for people to read; nothing is sent here.

        None for servers that are asked by several requests, or by none. Raises Unsupported as it does.
        """
        return None

    def hint_for(self, error: BackendError) -> str:
        """What to do about an error, in words that fit this kind of server."""
        if error.hint != error.default_hint:
            return error.hint
        return self.hints.get(error.kind, error.hint)

    async def abort(self, request: ChatRequest) -> None:  # noqa: B027
        """Stop the work on servers that go on when the connection is closed. Others: nothing."""

    async def reply(self, ask: Ask, answer: AskAnswer, message: str = "") -> None:
        """Answer what the server asked. ``message`` tells the model why something was denied.

        Raises NotFound where nobody waits for that answer any more, Unsupported where servers of this
        kind never ask.
        """
        raise Unsupported("this server asks nothing")

    async def waiting_phase(self, model: str) -> Phase | None:
        """What the server is busy with while an answer has not begun; None where it does not tell."""
        return None
