"""Ollama's native API (``/api/*``). It knows more than its OpenAI imitation, and hides no errors."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    aclosing,
    asynccontextmanager,
    suppress,
)
from dataclasses import fields, replace
from typing import Any, ClassVar

from backends.adapters import frames
from backends.adapters.base import Health, ModelInfo, WireRequest
from backends.adapters.calls import CallIds
from backends.adapters.errors import (
    BackendError,
    BadRequest,
    ErrorKind,
    NotFound,
    Unsupported,
    WrongService,
    gettext_noop,
)
from backends.adapters.events import Event, Phase, Status
from backends.adapters.http import Stream, join
from backends.adapters.messages import ChatRequest, SamplingOptions
from backends.adapters.ndjson import NDJSONDecoder
from backends.adapters.ollama_answer import OllamaAnswer
from backends.adapters.ollama_management import OllamaManagement
from backends.adapters.ollama_wire import chat_body, model_info
from backends.adapters.options import Option, OptionType
from backends.adapters.think import THINK_TAGS
from backends.adapters.values import as_list, as_str

#: Questions about single models that may be under way at once.
SHOWS_AT_ONCE = 4


class OllamaAdapter(OllamaManagement):
    """Speaks to Ollama, or to anything that passes ``/api`` on to one."""

    kind = "ollama"
    hints: ClassVar[Mapping[ErrorKind, str]] = {
        ErrorKind.CONNECT: gettext_noop(
            "Is Ollama running, and listening on the network? Set OLLAMA_HOST=0.0.0.0 on that machine."
        ),
        ErrorKind.WRONG_SERVICE: gettext_noop("This is not Ollama. Check the port: Ollama's own is 11434."),
        ErrorKind.NOT_FOUND: gettext_noop("Ollama's API was not found. Check the address and its path."),
        ErrorKind.FORBIDDEN: gettext_noop(
            "Ollama refused this name for its machine. Use its IP number, or set OLLAMA_HOST=0.0.0.0 there."
        ),
        ErrorKind.MODEL_NOT_FOUND: gettext_noop("Pick another model, or run “ollama pull” on that machine."),
        ErrorKind.OVERLOADED: gettext_noop("Ollama has too many requests waiting. Try again in a moment."),
    }
    takes_tools = True
    #: Twice of what Ollama takes by itself on small machines; fits beside an 8B model in 8 GB.
    usual_window = 8192
    sampling_fields = frozenset(field.name for field in fields(SamplingOptions))
    names_thinkers = True
    options = (
        Option(
            "keep_alive",
            gettext_noop("Keep the model in memory"),
            gettext_noop("For example 30m or 2h; seconds without a unit; -1 for ever, 0 not at all."),
            pattern=r"-?[0-9]{1,9}|-?([0-9]{1,9}(\.[0-9]{1,9})?(h|m|s|ms))+",
        ),
        Option(
            "num_ctx",
            gettext_noop("Context window"),
            gettext_noop(
                "Tokens, for every conversation with a model that has no own. More takes more memory."
            ),
            OptionType.NUMBER,
            minimum=256,
        ),
        THINK_TAGS,
    )

    async def health(self) -> Health:
        """The version, if told, and a list of models, which only Ollama has in this shape."""
        try:
            version = await self.version()
        except (BadRequest, NotFound, Unsupported):
            version = ""
        return Health(version=version, detail=f"{len(await self._list('/api/tags'))} models")

    async def version(self) -> str:
        """Ollama's version, for example ``0.33.0``; empty where the answer has none."""
        return as_str((await self._ask("GET", "/api/version")).get("version"))

    async def list_models(self) -> list[ModelInfo]:
        """The installed models. What the list leaves out is asked for each model; that may fail."""
        models = await self._list("/api/tags")
        loaded = await self._loaded()
        return await self._completed([_with_state(model, loaded) for model in models])

    async def ps(self) -> list[ModelInfo]:
        """The models in memory now; ``context_length`` is what was allocated for each."""
        return [replace(model, loaded=True) for model in await self._list("/api/ps")]

    async def show(self, model: str) -> ModelInfo:
        """What Ollama knows of one model. Raises ModelNotFound."""
        answer = await self._ask("POST", "/api/show", {"model": model})
        info = model_info({**answer, "model": model, "name": model})
        return info or ModelInfo(id=model, name=model)

    async def batches(self, request: ChatRequest) -> AsyncGenerator[list[Event], None]:
        """One answer of ``/api/chat``."""
        body = chat_body(request, self.endpoint.options)
        async with self._open(body) as (stream, sent):
            if left_out := sorted(body.keys() - sent.keys()):
                yield [Status(Phase.RETRYING, detail=", ".join(left_out))]
            answer = OllamaAnswer(self.endpoint, CallIds(request), stream.routing)
            async with aclosing(frames.batches(stream, NDJSONDecoder(), answer)) as batches:
                async for batch in batches:
                    yield batch

    def on_the_wire(self, request: ChatRequest) -> WireRequest:
        """The body of ``/api/chat``."""
        url = join(self.endpoint.base_url, "/api/chat")
        return WireRequest(url, chat_body(request, self.endpoint.options))

    @asynccontextmanager
    async def _open(self, body: dict[str, Any]) -> AsyncIterator[tuple[Stream, dict[str, Any]]]:
        """The stream, and the body that it took: as versions and models want ``think``."""
        async with AsyncExitStack() as stack:
            try:
                stream = await stack.enter_async_context(self._chat(body))
            except (BadRequest, Unsupported) as error:
                body = _thinking_otherwise(error, body)
                stream = await stack.enter_async_context(self._chat(body))
            yield stream, body

    def _chat(self, body: dict[str, Any]) -> AbstractAsyncContextManager[Stream]:
        return self.http.open_stream(self.endpoint, "POST", "/api/chat", body=body)

    async def _list(self, path: str) -> list[ModelInfo]:
        answer = await self._ask("GET", path)
        if "models" not in answer:
            raise WrongService("there is no list of models")
        return [info for entry in as_list(answer["models"]) if (info := model_info(entry))]

    async def _loaded(self) -> dict[str, ModelInfo] | None:
        """The models in memory by their names; None where the server does not say."""
        try:
            return {model.id: model for model in await self.ps()}
        except BackendError:
            return None

    async def _completed(self, models: list[ModelInfo]) -> list[ModelInfo]:
        """The same models, with what ``/api/show`` adds. Proxies refuse it: then one question is enough."""
        vague = [model for model in models if _is_vague(model)]
        if not vague:
            return models
        shown: dict[str, ModelInfo] = {}
        with suppress(TimeoutError, BackendError):
            async with asyncio.timeout(self.endpoint.timeouts.request):
                await self._show_into(shown, vague[0])
                await self._show_all_into(shown, vague[1:])
        return [_merged(model, shown.get(model.id)) for model in models]

    async def _show_all_into(self, shown: dict[str, ModelInfo], models: list[ModelInfo]) -> None:
        gate = asyncio.Semaphore(SHOWS_AT_ONCE)

        async def one(model: ModelInfo) -> None:
            async with gate:
                with suppress(BackendError):
                    await self._show_into(shown, model)

        await asyncio.gather(*map(one, models))

    async def _show_into(self, shown: dict[str, ModelInfo], model: ModelInfo) -> None:
        shown[model.id] = await self.show(model.id)


def _thinking_otherwise(error: BadRequest | Unsupported, body: dict[str, Any]) -> dict[str, Any]:
    """The body for versions from before there were levels, in the words of Go's JSON decoder for a string where a
    bool belongs, and for models that do not think. Raises the error where it is about anything else.
    """
    if isinstance(body.get("think"), str) and "cannot unmarshal string" in error.message:
        return {**body, "think": True}
    if "think" in body and "does not support thinking" in error.message:
        return {name: value for name, value in body.items() if name != "think"}
    raise error


def _is_vague(model: ModelInfo) -> bool:
    return model.capabilities is None or model.max_context_length is None


def _with_state(model: ModelInfo, loaded: Mapping[str, ModelInfo] | None) -> ModelInfo:
    if loaded is None:
        return model
    running = loaded.get(model.id)
    window = running.context_length if running else None
    return replace(model, loaded=running is not None, context_length=window or model.context_length)


def _merged(model: ModelInfo, shown: ModelInfo | None) -> ModelInfo:
    if shown is None:
        return model
    return replace(
        model,
        capabilities=model.capabilities or shown.capabilities,
        context_length=model.context_length or shown.context_length,
        max_context_length=model.max_context_length or shown.max_context_length,
        remote=model.remote or shown.remote,
    )
