"""All kinds of backend: one literal table. A new kind is one adapter file and one entry here."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, cast

from backends.adapters.base import Adapter, Endpoint

if TYPE_CHECKING:
    from backends.adapters.http import Http


@dataclass(frozen=True, slots=True)
class Kind:
    """A wire protocol: its label, where its adapter is, what its servers usually look like.

    ``auth`` is ``none``, ``key`` (Bearer) or ``basic``. ``keeps``: the server itself stores every conversation.
    """

    label: str
    adapter: str
    default_url: str
    auth: str = "key"
    public: bool = True
    keeps: bool = False


KINDS: dict[str, Kind] = {
    "ollama": Kind("Ollama", "backends.adapters.ollama:OllamaAdapter", "http://127.0.0.1:11434"),
    "openai": Kind(
        "OpenAI-compatible", "backends.adapters.openai_chat:OpenAIChatAdapter", "http://127.0.0.1:8080/v1"
    ),
    "olla": Kind("Olla", "backends.adapters.olla:OllaAdapter", "http://127.0.0.1:40114"),
    "ollm": Kind("oLLM", "backends.adapters.ollm:OLLMAdapter", "http://127.0.0.1:8000", "none"),
    "openai-responses": Kind(
        "OpenAI Responses",
        "backends.adapters.openai_responses:OpenAIResponsesAdapter",
        "http://127.0.0.1:8080/v1",
    ),
    "lmstudio": Kind("LM Studio", "backends.adapters.lmstudio:LMStudioAdapter", "http://127.0.0.1:1234"),
    "opencode": Kind(
        "OpenCode", "backends.adapters.opencode:OpenCodeAdapter", "http://127.0.0.1:4096", "basic", keeps=True
    ),
    "scripted": Kind(
        "Scripted (demo)", "backends.adapters.scripted:ScriptedAdapter", "scripted:demo", "none", False
    ),
}


def adapter_class(kind: str) -> type[Adapter]:
    """The adapter of a kind. Raises KeyError for a kind that is not in the table."""
    module, name = KINDS[kind].adapter.split(":")
    return cast(type[Adapter], getattr(import_module(module), name))


def make_adapter(kind: str, endpoint: Endpoint, http: Http) -> Adapter:
    """An adapter of that kind for that server."""
    return adapter_class(kind)(endpoint, http)
