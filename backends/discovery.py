"""AI servers on this machine: the usual ports of loopback, each recognised by what it answers."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from backends.adapters.base import Endpoint, Timeouts
from backends.adapters.errors import BackendError
from backends.adapters.http import Http
from backends.adapters.registry import KINDS, make_adapter
from backends.models import Backend

HOST = "127.0.0.1"
#: Seconds that one server has to answer.
PATIENCE = 1.5


@dataclass(frozen=True, slots=True)
class Usual:
    """Where a well-known server listens unless told otherwise."""

    name: str
    port: int
    kind: str
    path: str = ""

    @property
    def url(self) -> str:
        """Its address on this machine."""
        return f"http://{HOST}:{self.port}{self.path}"


@dataclass(frozen=True, slots=True)
class Found:
    """A server that answered as its kind."""

    name: str
    kind: str
    kind_label: str
    url: str
    model_count: int
    added: bool = False


USUAL = (
    Usual("Ollama", 11434, "ollama"),
    Usual("LM Studio", 1234, "lmstudio"),
    Usual("llama.cpp", 8080, "openai", "/v1"),
    Usual("llama.cpp", 9931, "openai", "/v1"),
    Usual("vLLM", 8000, "openai", "/v1"),
)


async def find_servers(usual: tuple[Usual, ...] = USUAL, known: frozenset[str] = frozenset()) -> list[Found]:
    """Ask all usual ports at once; takes at most about two seconds. ``known``: addresses already added."""
    http = Http()
    try:
        looks = await asyncio.gather(*(ask(place, http) for place in usual))
    finally:
        await http.aclose()
    return [
        Found(place.name, place.kind, KINDS[place.kind].label, place.url, count, place.url in known)
        for place, count in zip(usual, looks, strict=True)
        if count is not None
    ]


async def ask(place: Usual, http: Http) -> int | None:
    """The number of models it offers, None where nothing of that kind answers."""
    patience = Timeouts(connect=PATIENCE, first_byte=PATIENCE, stall=PATIENCE, request=PATIENCE)
    adapter = make_adapter(place.kind, Endpoint(place.url, timeouts=patience), http)
    try:
        async with asyncio.timeout(PATIENCE + 0.5):
            await adapter.health()
            return len(await adapter.list_models())
    except (BackendError, TimeoutError):
        return None


def known_addresses() -> frozenset[str]:
    """The addresses of backends that exist already."""
    return frozenset(Backend.objects.values_list("base_url", flat=True))
