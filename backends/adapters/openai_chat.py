"""The OpenAI-compatible chat API that llama.cpp, vLLM, LM Studio, Ollama, oLLM and many more offer."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    aclosing,
    asynccontextmanager,
    suppress,
)
from dataclasses import replace
from typing import Any, ClassVar

from backends.adapters import frames
from backends.adapters.amending import Body, opened, without
from backends.adapters.base import Adapter, Endpoint, Health, ModelInfo, WireRequest
from backends.adapters.calls import CallIds
from backends.adapters.classify import error_from_payload
from backends.adapters.errors import (
    BackendError,
    CannotConnect,
    ErrorKind,
    Overloaded,
    TimedOut,
    WrongService,
    gettext_noop,
)
from backends.adapters.events import Event, Phase, Status
from backends.adapters.http import Http, Stream, join
from backends.adapters.management import Embeds
from backends.adapters.messages import ChatRequest
from backends.adapters.openai_answer import OpenAIAnswer, SSEOrJSONDecoder
from backends.adapters.openai_completion import completion_body, lacks_chat, only_completes
from backends.adapters.openai_embeddings import embeddings
from backends.adapters.openai_models import (
    completed,
    is_llamacpp,
    is_lmstudio,
    is_router,
    models_in,
    with_props,
)
from backends.adapters.openai_wire import SAMPLING, amended, chat_body, dropped
from backends.adapters.options import Option, choice
from backends.adapters.think import THINK_TAGS
from backends.adapters.values import as_dict, as_int, as_str

_VERSION = re.compile(r"v\d+\w*")


class OpenAIChatAdapter(Adapter, Embeds):
    """Speaks ``/v1/chat/completions``, and ``/v1/completions`` for models that cannot chat.

    The base URL may end in ``/v1`` or not; one with another version in its path (``/v1beta/openai``,
    ``/api/v3``) is taken as it is. Options of the endpoint: ``think_tags: off`` leaves
    ``<think>`` in the text, ``progress: on`` asks llama.cpp how far it has read the prompt.
    """

    kind = "openai"
    hints: ClassVar[Mapping[ErrorKind, str]] = {
        ErrorKind.CONNECT: gettext_noop(
            "Is the AI server running, and does it listen on the network and not only on its own machine?"
        ),
        ErrorKind.WRONG_SERVICE: gettext_noop(
            "There is no OpenAI-compatible API. Check the port and the path; it mostly ends in /v1."
        ),
        ErrorKind.NOT_FOUND: gettext_noop("The API was not found. Check the address; it mostly ends in /v1."),
        ErrorKind.OVERLOADED: gettext_noop(
            "The AI server is busy or still loading its model. Try again soon."
        ),
    }
    takes_tools = True
    sampling_fields = frozenset(SAMPLING) | {"stop", "reasoning"}
    options: ClassVar[tuple[Option, ...]] = (
        THINK_TAGS,
        choice(
            "progress",
            gettext_noop("Progress of reading a long prompt"),
            {"on": gettext_noop("Ask for it")},
            unset=gettext_noop("Do not ask"),
            help=gettext_noop("Only llama.cpp tells it."),
        ),
    )
    #: Fields of a request that this server is known to refuse: they need not be tried.
    unknown_fields: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, endpoint: Endpoint, http: Http) -> None:
        super().__init__(endpoint, http)
        self._api = replace(endpoint, base_url=api_base(endpoint.base_url))
        self._root = replace(endpoint, base_url=root_base(endpoint.base_url))

    async def health(self) -> Health:
        """A list of models proves the kind; ``/health`` tells whether llama.cpp or vLLM is ready."""
        await self._ready()
        answer = await self._ask(self._api, "/models")
        props = await self._props(answer)
        return Health(
            version=as_str(props.get("build_info")),
            detail=f"{len(_list(answer))} models",
            slots=as_int(props.get("total_slots")),
        )

    async def list_models(self) -> list[ModelInfo]:
        """The models on offer, with what llama.cpp and LM Studio tell elsewhere."""
        answer = await self._ask(self._api, "/models")
        models = _list(answer)
        if is_llamacpp(answer):
            props = await self._props(answer)
            return [with_props(model, props) for model in models] if props else models
        if any(model.context_length or model.max_context_length for model in models):
            return models
        return completed(models, await self._lmstudio())

    async def batches(self, request: ChatRequest) -> AsyncGenerator[list[Event], None]:
        """One answer.

        A server that refuses an option gets the request again without it, before anything was
        delivered; a Status says which option it was.
        """
        async with self._open(request) as (stream, left_out):
            if left_out:
                yield [Status(Phase.RETRYING, detail=", ".join(left_out))]
            think = self.endpoint.options.get("think_tags") != "off"
            answer = OpenAIAnswer(self.endpoint, CallIds(request), stream.routing, think_tags=think)
            async with aclosing(frames.batches(stream, SSEOrJSONDecoder(), answer)) as batches:
                async for batch in batches:
                    yield batch

    def on_the_wire(self, request: ChatRequest) -> WireRequest:
        """The body of ``/chat/completions``, or of ``/completions`` for a model that only completes."""
        if only_completes(request):
            return WireRequest(join(self._api.base_url, "/completions"), completion_body(request))
        body = without(chat_body(request, self.endpoint.options), self.unknown_fields)
        return WireRequest(join(self._api.base_url, "/chat/completions"), body)

    async def embed(self, model: str, texts: Sequence[str]) -> list[list[float]]:
        """``/v1/embeddings``. Raises Unsupported where the server was not started for this."""
        return await embeddings(self.http, self._api, model, texts)

    @asynccontextmanager
    async def _open(self, request: ChatRequest) -> AsyncIterator[tuple[Stream, list[str]]]:
        """The stream, and the options that the server did not want."""
        async with AsyncExitStack() as stack:
            yield await self._begin(stack, request)

    async def _begin(self, stack: AsyncExitStack, request: ChatRequest) -> tuple[Stream, list[str]]:
        """A chat; a completion where the server says that this is all the model can do."""
        if not only_completes(request):
            try:
                body = chat_body(request, self.endpoint.options)
                return await self._enter(stack, "/chat/completions", body)
            except BackendError as error:
                if not lacks_chat(error):
                    raise
        return await self._enter(stack, "/completions", completion_body(request))

    async def _enter(self, stack: AsyncExitStack, path: str, body: Body) -> tuple[Stream, list[str]]:
        def send(body: Body) -> AbstractAsyncContextManager[Stream]:
            return self.http.open_stream(self._api, "POST", path, body=body)

        known = without(body, self.unknown_fields)
        stream, sent = await stack.enter_async_context(opened(send, known, amended))
        return stream, dropped(body, sent)

    async def _ready(self) -> None:
        """Raises Overloaded while llama.cpp loads. Most other servers have no ``/health``."""
        try:
            await self.http.request(self._root, "GET", "/health")
        except (CannotConnect, TimedOut, Overloaded):
            raise
        except BackendError:
            return

    async def _props(self, models: Any) -> dict[str, Any]:
        """What llama.cpp says of its one model; empty where it does not (other servers, old builds)."""
        if not is_llamacpp(models) or is_router(models):
            return {}
        with suppress(BackendError):
            return await self._ask(self._root, "/props")
        return {}

    async def _lmstudio(self) -> list[ModelInfo]:
        """LM Studio's own list, which tells more; empty where another server answers."""
        with suppress(BackendError):
            answer = await self._ask(self._root, "/api/v0/models")
            return _list(answer) if is_lmstudio(answer) else []
        return []

    async def _ask(self, endpoint: Endpoint, path: str) -> dict[str, Any]:
        """One object. LM Studio puts the error about an unknown path into a 200."""
        answer = await self.http.request_json(endpoint, "GET", path)
        body = {"data": answer} if isinstance(answer, list) else as_dict(answer)
        if body.get("error"):
            raise error_from_payload(body, endpoint)
        return body


def api_base(base_url: str) -> str:
    """The base URL with its version: ``/v1`` unless the path has one already."""
    base = base_url.rstrip("/")
    if any(_VERSION.fullmatch(step) for step in base.split("/")[3:]):
        return base
    return f"{base}/v1"


def root_base(base_url: str) -> str:
    """The base URL without a ``/v1`` at its end: where servers keep what is their own."""
    return api_base(base_url).removesuffix("/v1")


def _list(answer: Mapping[str, Any]) -> list[ModelInfo]:
    models = models_in(answer)
    if models is None:
        raise WrongService("there is no list of models")
    return models
