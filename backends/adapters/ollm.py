"""oLLM's server (``ollm serve``): its own prompts and sessions, beside its OpenAI and Responses routes."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing, suppress
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar
from urllib.parse import quote

from backends.adapters import frames
from backends.adapters.base import Adapter, Endpoint, Health, ModelInfo, WireRequest
from backends.adapters.errors import (
    BackendError,
    ErrorKind,
    NotFound,
    ProtocolError,
    StateLost,
    WrongService,
    gettext_noop,
)
from backends.adapters.events import Event, Finish, FinishReason, Started, TextDelta
from backends.adapters.history import chained
from backends.adapters.http import Http, join
from backends.adapters.messages import ChatRequest
from backends.adapters.ollm_answer import OLLMAnswer, Silent
from backends.adapters.ollm_wire import (
    GENERATION,
    goes_on,
    model_info,
    plan_body,
    plan_facts,
    prompt_body,
    session_body,
    turns,
    whole,
)
from backends.adapters.openai_chat import OpenAIChatAdapter, root_base
from backends.adapters.openai_responses import OpenAIResponsesAdapter
from backends.adapters.openai_wire import DROPPABLE, SAMPLING
from backends.adapters.options import choice, together
from backends.adapters.sse import SSEDecoder
from backends.adapters.think import THINK_TAGS
from backends.adapters.values import as_dict, as_list, as_str


class OLLMChat(OpenAIChatAdapter):
    """The OpenAI route, without the fields that oLLM is known to refuse."""

    unknown_fields = DROPPABLE - {"max_tokens", "temperature", "top_p", "seed"}


class OLLMAdapter(Adapter):
    """The endpoint's option ``api`` chooses the route: ``chat``, ``responses``, ``prompt``, ``session``.

    Without it, pictures go to ``responses``, since no other route takes them, and all else to
    ``chat``, which streams in every version. Closing a connection does not stop oLLM's work, and it
    does one thing at a time.
    """

    kind = "ollm"
    hints: ClassVar[Mapping[ErrorKind, str]] = {
        ErrorKind.CONNECT: gettext_noop("Is “ollm serve” running? Its own port is 8000."),
        ErrorKind.WRONG_SERVICE: gettext_noop("This is not oLLM. Check the port: oLLM's own is 8000."),
        ErrorKind.TIMEOUT: gettext_noop(
            "oLLM finishes what it began, even if nobody waits. Try again later."
        ),
    }
    sampling_fields = frozenset(GENERATION)
    options = together(
        (
            choice(
                "api",
                gettext_noop("Route"),
                {
                    "chat": gettext_noop("OpenAI chat"),
                    "responses": gettext_noop("OpenAI Responses"),
                    "prompt": gettext_noop("oLLM's own prompts"),
                    "session": gettext_noop("oLLM's own sessions"),
                },
                unset=gettext_noop("OpenAI chat; Responses where there are pictures"),
            ),
        ),
        OpenAIResponsesAdapter.options,
        (THINK_TAGS,),
    )

    def __init__(self, endpoint: Endpoint, http: Http) -> None:
        super().__init__(endpoint, http)
        self._root = replace(endpoint, base_url=root_base(endpoint.base_url))

    @classmethod
    def takes(cls, base_url: str, options: Mapping[str, str]) -> frozenset[str]:
        """What the chosen route carries."""
        match options.get("api"):
            case "prompt" | "session":
                return cls.sampling_fields
            case "responses":
                return OpenAIResponsesAdapter.sampling_fields - {"reasoning"}
            case _:
                return frozenset(SAMPLING) - OLLMChat.unknown_fields

    async def health(self) -> Health:
        """``/v1/health`` names the service: llama.cpp answers at the same path."""
        answer = await self._ask("GET", "/v1/health")
        if answer.get("service") != "ollm":
            raise WrongService("there is no oLLM")
        return Health(as_str(answer.get("version")), as_str(answer.get("server_mode")), slots=1)

    async def list_models(self) -> list[ModelInfo]:
        """The downloaded models: asking for another one would begin to download it."""
        try:
            answer = await self._ask("GET", "/v1/ollm/models", params={"installed": "true"})
        except NotFound:
            return await OLLMChat(self.endpoint, self.http).list_models()
        if "models" not in answer:
            raise WrongService("there is no list of models")
        return [info for entry in as_list(answer["models"]) if (info := model_info(entry))]

    async def show(self, model: str) -> ModelInfo:
        """One model, with the plan of how the server would run it."""
        entry = await self._ask("GET", f"/v1/ollm/models/{quote(model, safe='/')}")
        info = model_info(entry) or ModelInfo(id=model, name=model)
        return replace(info, details={**info.details, **await self.plan(model)})

    async def plan(self, model: str) -> dict[str, str]:
        """How the server would run a model; nothing is loaded for it."""
        return plan_facts(await self._ask("POST", "/v1/plan", plan_body(model)))

    def batches(self, request: ChatRequest) -> AsyncGenerator[list[Event], None]:
        """One answer, by the route that the endpoint wants."""
        match self._route(request):
            case "prompt":
                return self._prompt(request)
            case "session":
                return chained(partial(self._session, request), request.state.get("session_id", ""))
            case "responses":
                return OpenAIResponsesAdapter(self.endpoint, self.http).batches(request)
            case _:
                return OLLMChat(self.endpoint, self.http).batches(request)

    def on_the_wire(self, request: ChatRequest) -> WireRequest | None:
        """The body of the route that the endpoint wants; a session takes several requests."""
        match self._route(request):
            case "prompt":
                return WireRequest(join(self._root.base_url, "/v1/prompt/stream"), prompt_body(request))
            case "session":
                return None
            case "responses":
                return OpenAIResponsesAdapter(self.endpoint, self.http).on_the_wire(request)
            case _:
                return OLLMChat(self.endpoint, self.http).on_the_wire(request)

    def _route(self, request: ChatRequest) -> str:
        pictures = any(message.images for message in request.messages)
        return self.endpoint.options.get("api") or ("responses" if pictures else "chat")

    async def _prompt(self, request: ChatRequest) -> AsyncGenerator[list[Event], None]:
        body = prompt_body(request)
        started = Started(model=request.model)
        stream = self._stream("/v1/prompt/stream", body, started, partial(self._whole, body))
        async with aclosing(stream) as batches:
            async for batch in batches:
                yield batch

    async def _session(self, request: ChatRequest, previous: str) -> AsyncGenerator[list[Event], None]:
        """A prompt in the session of the turn before, or in a new one that begins with the history."""
        if previous:
            if not goes_on(await self._ask("GET", _path(previous)), request):
                raise StateLost("the session remembers another conversation")
            session, text = previous, request.messages[-1].text
        else:
            text = whole(request)
            session = as_str(
                (await self._ask("POST", "/v1/sessions", session_body(request))).get("session_id")
            )
        started = Started(model=request.model, session_id=session)
        path, instead = f"{_path(session)}/prompt/stream", partial(self._remembered, session, text)
        async with aclosing(self._stream(path, {"prompt": text}, started, instead)) as batches:
            async for batch in batches:
                yield batch

    async def _stream(
        self, path: str, body: dict[str, Any], started: Started, instead: Callable[[], Awaitable[str]]
    ) -> AsyncGenerator[list[Event], None]:
        """Some versions compute the answer and stream none of it: then it has to be fetched."""
        opening: list[Event] = [started]
        with suppress(Silent):
            async with self.http.open_stream(self._root, "POST", path, body=body) as stream:
                answer = OLLMAnswer(self.endpoint, replace(started, headers=stream.routing))
                async with aclosing(frames.batches(stream, SSEDecoder(), answer)) as batches:
                    async for batch in batches:
                        opening = []
                        yield batch
                return
        try:
            text = await instead()
        except BackendError as error:
            raise ProtocolError(f"the stream ended without text; then: {error}"[:300]) from error
        if not text:
            raise ProtocolError("the stream ended without text")
        yield [*opening, TextDelta(text), Finish(FinishReason.STOP)]

    async def _whole(self, body: dict[str, Any]) -> str:
        """The answer at once; it takes as long as an answer takes."""
        patient = self.endpoint.timeouts.first_byte
        return as_str((await self._ask("POST", "/v1/prompt", body, timeout=patient)).get("text"))

    async def _remembered(self, session: str, text: str) -> str:
        """What the session answered to this text; empty where it did not."""
        match turns(await self._ask("GET", _path(session))):
            case [*_, ("user", question), ("assistant", answer)] if question == text:
                return answer
        return ""

    async def _ask(self, method: str, path: str, body: Any = None, **options: Any) -> dict[str, Any]:
        return as_dict(await self.http.request_json(self._root, method, path, body=body, **options))


def _path(session: str) -> str:
    """Raises ProtocolError for a session without an id."""
    if not session:
        raise ProtocolError("the session has no id")
    return f"/v1/sessions/{quote(session, safe='')}"
