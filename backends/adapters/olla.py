"""Olla, a proxy with many servers behind it. It has no protocol of its own: the path chooses whose.

Source: https://github.com/thushan/olla and recorded traffic.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import fields, replace
from typing import Any, ClassVar

from backends.adapters.base import Adapter, Endpoint, Health, ModelInfo, WireRequest
from backends.adapters.errors import BackendError, ErrorKind, WrongService, gettext_noop
from backends.adapters.events import Event
from backends.adapters.http import Http
from backends.adapters.management import Embeds
from backends.adapters.messages import ChatRequest
from backends.adapters.ollama import OllamaAdapter
from backends.adapters.openai_chat import OpenAIChatAdapter
from backends.adapters.openai_models import models_in
from backends.adapters.options import together
from backends.adapters.values import as_dict, as_list, as_str

#: ``ROOT``, ``ROOT/olla``, ``ROOT/olla/PROVIDER``, the last two perhaps with the version or ``/api``.
_ADDRESS = re.compile(r"(?P<root>.*?)(/olla(/(?P<provider>(?!v1$|api$)[^/]+))?)?(?P<end>/v1|/api)?/*")


class OllaAdapter(Adapter, Embeds):
    """Speaks Ollama's protocol below ``/olla/ollama``, OpenAI's below every other prefix.

    The address alone means all servers behind it (``/olla/proxy``). What Olla's own catalogue adds to
    a model is merged into the list.
    """

    kind = "olla"
    hints: ClassVar[Mapping[ErrorKind, str]] = {
        ErrorKind.CONNECT: gettext_noop("Is Olla running? Its own port is 40114."),
        ErrorKind.WRONG_SERVICE: gettext_noop("This is not Olla. Check the port: Olla's own is 40114."),
        ErrorKind.NOT_FOUND: gettext_noop("No server of this type is behind Olla. Check the address's path."),
        ErrorKind.OVERLOADED: gettext_noop(
            "No server behind Olla is ready. Look at Olla's list of endpoints."
        ),
        ErrorKind.UNSUPPORTED: gettext_noop("Olla does not pass this on. Do it on the server behind it."),
    }
    takes_tools = True
    sampling_fields = OpenAIChatAdapter.sampling_fields
    options = together(OpenAIChatAdapter.options, OllamaAdapter.options)

    def __init__(self, endpoint: Endpoint, http: Http) -> None:
        super().__init__(endpoint, http)
        self._root, url, self._speaks = _behind(endpoint.base_url)
        self._inner = replace(endpoint, base_url=url)

    @classmethod
    def takes(cls, base_url: str, options: Mapping[str, str]) -> frozenset[str]:
        """What the protocol below that address carries."""
        return _behind(base_url)[2].sampling_fields

    async def health(self) -> Health:
        """Olla's own word proves the kind, and says nothing about the servers behind it: list them too."""
        if as_str((await self._own("/internal/health")).get("status")) != "healthy":
            raise WrongService("there is no Olla")
        models = await self._speaker().list_models()
        version: dict[str, Any] = {}
        with suppress(BackendError):
            version = await self._own("/version")
        return Health(version=as_str(version.get("version")), detail=f"{len(models)} models")

    async def list_models(self) -> list[ModelInfo]:
        """The models below this prefix, completed from the merged catalogue of all of them."""
        models = await self._speaker().list_models()
        known: dict[str, ModelInfo] = {}
        with suppress(BackendError):
            known = _catalogue(await self._own("/olla/models"))
        return [_filled(model, known[model.id]) if model.id in known else model for model in models]

    async def batches(self, request: ChatRequest) -> AsyncGenerator[list[Event], None]:
        """One answer. The conversation's id asks for the same machine again, which remembers the prompt."""
        headers = {"x-olla-session-id": request.conversation_id} if request.conversation_id else {}
        async with aclosing(self._speaker(headers).batches(request)) as batches:
            async for batch in batches:
                yield batch

    def on_the_wire(self, request: ChatRequest) -> WireRequest:
        """What goes through the proxy to the servers behind it."""
        return self._speaker().on_the_wire(request)

    async def embed(self, model: str, texts: Sequence[str]) -> list[list[float]]:
        """By whichever server has the model."""
        return await self._speaker().embed(model, texts)

    def _speaker(self, headers: Mapping[str, str] | None = None) -> OllamaAdapter | OpenAIChatAdapter:
        return self._speaks(replace(self._inner, headers=headers or {}), self.http)

    async def _own(self, path: str) -> dict[str, Any]:
        root = replace(self.endpoint, base_url=self._root)
        return as_dict(await self.http.request_json(root, "GET", path))


def _behind(base_url: str) -> tuple[str, str, type[OllamaAdapter | OpenAIChatAdapter]]:
    """Olla's root, the address to speak to, and how."""
    match = _ADDRESS.fullmatch(base_url)
    root, provider, end = match.group("root", "provider", "end") if match else (base_url, None, None)
    native = provider == "ollama" and end != "/v1"
    return root, f"{root}/olla/{provider or 'proxy'}", OllamaAdapter if native else OpenAIChatAdapter


def _catalogue(answer: Mapping[str, Any]) -> dict[str, ModelInfo]:
    """Olla's merged catalogue by every name of a model."""
    known: dict[str, ModelInfo] = {}
    for entry in as_list(answer.get("data")) or as_list(answer.get("models")):
        aliases = as_list(as_dict(as_dict(entry).get("olla")).get("aliases"))
        for info in models_in([entry]) or []:
            known.update({as_str(name): info for name in aliases})
            known[info.id] = info
    return known


def _filled(model: ModelInfo, known: ModelInfo) -> ModelInfo:
    """The model, with what it lacks taken from the other description."""
    empty = [field.name for field in fields(model) if getattr(model, field.name) in (None, "")]
    lacking = {name: getattr(known, name) for name in empty}
    return replace(model, **{**lacking, "details": {**known.details, **model.details}})
