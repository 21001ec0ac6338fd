"""LM Studio's native API (``/api/v1/*``): it remembers conversations and tells what it is doing."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar

from backends.adapters import frames
from backends.adapters.amending import Body, opened
from backends.adapters.base import Endpoint, Health, ModelInfo, WireRequest
from backends.adapters.errors import BackendError, ErrorKind, NotFound, WrongService, gettext_noop
from backends.adapters.events import Event, Phase, Status
from backends.adapters.history import chained, previous_response
from backends.adapters.http import Http, Stream, join
from backends.adapters.lmstudio_answer import LMStudioAnswer
from backends.adapters.lmstudio_management import MODELS, LMStudioManagement, is_too_old
from backends.adapters.lmstudio_models import entries_of, is_named, model_info, reasoning_options
from backends.adapters.lmstudio_wire import (
    COMPATIBLE_ONLY,
    HOTTEST,
    SAMPLING,
    amended,
    chat_body,
    needs_compatible,
    reasoning_setting,
)
from backends.adapters.management import Embeds
from backends.adapters.messages import ChatRequest
from backends.adapters.openai_answer import SSEOrJSONDecoder
from backends.adapters.openai_chat import OpenAIChatAdapter
from backends.adapters.options import Option, choice, together
from backends.adapters.think import THINK_TAGS

_VERSIONED = re.compile(r"(/api)?/v[01]$")


class LMStudioAdapter(LMStudioManagement, Embeds):
    """Speaks to LM Studio 0.4 and later; older ones, and what the native chat lacks, by way of ``/v1``.

    What ``/v1`` understands of the options holds where it is asked.
    """

    kind = "lmstudio"
    hints: ClassVar[Mapping[ErrorKind, str]] = {
        ErrorKind.CONNECT: gettext_noop(
            "Is LM Studio's server running? Start it under “Developer”, and let it serve on the local network."
        ),
        ErrorKind.WRONG_SERVICE: gettext_noop(
            "This is not LM Studio. Check the port: LM Studio's own is 1234."
        ),
        ErrorKind.NOT_FOUND: gettext_noop("LM Studio's API was not found. Check the address and its path."),
        ErrorKind.AUTH: gettext_noop(
            "LM Studio wants an API token. Ask an administrator to enter one that it knows."
        ),
        ErrorKind.MODEL_NOT_FOUND: gettext_noop("Pick another model, or download this one in LM Studio."),
    }
    sampling_fields = frozenset(SAMPLING) | COMPATIBLE_ONLY | {"reasoning"}
    names_thinkers = True
    hottest = HOTTEST
    options = together(
        (
            choice(
                "store",
                gettext_noop("What the server remembers"),
                {"off": gettext_noop("Nothing: every turn brings the whole history")},
                unset=gettext_noop("Conversations, for 30 days"),
            ),
            Option(
                "integrations",
                gettext_noop("Tools of the server"),
                gettext_noop("MCP servers of LM Studio as mcp/NAME, with commas between them."),
                pattern=r"mcp/[^\s,]+(\s*,\s*mcp/[^\s,]+)*",
            ),
        ),
        (THINK_TAGS,),
    )

    def __init__(self, endpoint: Endpoint, http: Http) -> None:
        super().__init__(replace(endpoint, base_url=_VERSIONED.sub("", endpoint.base_url.rstrip("/"))), http)
        self._compatible = OpenAIChatAdapter(self.endpoint, http)

    async def health(self) -> Health:
        """A list of models in its own shape proves the kind: it answers 200 on every path."""
        entries = await self._native_entries()
        if entries is None:
            return await self._compatible.health()
        return Health(detail=f"{len(entries)} models")

    async def list_models(self) -> list[ModelInfo]:
        """All models, loaded or not."""
        entries = await self._native_entries()
        if entries is None:
            return await self._compatible.list_models()
        return [model_info(entry) for entry in entries]

    async def batches(self, request: ChatRequest) -> AsyncGenerator[list[Event], None]:
        """One answer of ``/api/v1/chat``, or of ``/v1`` where only that can carry the request.

        With a ``response_id`` in the request's state only the new messages are sent; if LM Studio
        forgot that turn, the whole history is.
        """
        answer = self._compatible.batches if needs_compatible(request) else self._native
        async with aclosing(answer(request)) as batches:
            async for batch in batches:
                yield batch

    def on_the_wire(self, request: ChatRequest) -> WireRequest:
        """The body of ``/api/v1/chat`` or of ``/v1``. A level of thinking stands as the person chose it."""
        if needs_compatible(request):
            return self._compatible.on_the_wire(request)
        thinking = request.sampling.reasoning
        level = thinking.value if thinking else ""
        body = chat_body(request, self.endpoint.options, self._previous(request), level)
        return WireRequest(join(self.endpoint.base_url, "/api/v1/chat"), body)

    def _previous(self, request: ChatRequest) -> str:
        """The response to build on; empty where the server shall remember none."""
        return previous_response(request) if self.endpoint.options.get("store") != "off" else ""

    async def embed(self, model: str, texts: Sequence[str]) -> list[list[float]]:
        """By ``/v1/embeddings``: the native API has none."""
        return await self._compatible.embed(model, texts)

    async def _native(self, request: ChatRequest) -> AsyncGenerator[list[Event], None]:
        """The native chat; servers that do not have it are asked by ``/v1``, with the whole history."""
        try:
            async with aclosing(chained(partial(self._turn, request), self._previous(request))) as batches:
                async for batch in batches:
                    yield batch
            return
        except (WrongService, NotFound) as error:
            if not _lacks_chat(error):
                raise
        async with aclosing(self._compatible.batches(request)) as batches:
            async for batch in batches:
                yield batch

    async def _turn(self, request: ChatRequest, previous: str) -> AsyncGenerator[list[Event], None]:
        body = chat_body(request, self.endpoint.options, previous, await self._reasoning(request))
        async with opened(self._chat, body, amended) as (stream, sent):
            if left_out := sorted(body.keys() - sent.keys()):
                yield [Status(Phase.RETRYING, detail=", ".join(left_out))]
            answer = LMStudioAnswer(self.endpoint, stream.routing, sent.get("max_output_tokens"))
            async with aclosing(frames.batches(stream, SSEOrJSONDecoder(), answer)) as batches:
                async for batch in batches:
                    yield batch

    def _chat(self, body: Body) -> AbstractAsyncContextManager[Stream]:
        return self.http.open_stream(self.endpoint, "POST", "/api/v1/chat", body=body)

    async def _reasoning(self, request: ChatRequest) -> str:
        """The setting to send. Each model has settings of its own, and refuses the others."""
        wanted = request.sampling.reasoning
        if wanted is None:
            return ""
        try:
            entries = await self._native_entries()
        except BackendError:
            entries = None
        found = [entry for entry in entries or () if is_named(entry, request.model)]
        return reasoning_setting(wanted, reasoning_options(found[0]) if found else None)

    async def _native_entries(self) -> list[dict[str, Any]] | None:
        """Its own list of models; None where it is older, or hidden behind a proxy that lists its own way."""
        try:
            answer = await self._ask("GET", MODELS)
        except WrongService as error:
            if not is_too_old(error):
                raise
            return None
        entries = entries_of(answer)
        if entries is None and "data" not in answer:
            raise WrongService("there is no list of models")
        return entries


def _lacks_chat(error: WrongService | NotFound) -> bool:
    return not error.partial and (isinstance(error, NotFound) or is_too_old(error))
