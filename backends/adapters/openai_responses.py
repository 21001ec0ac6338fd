"""The Responses API of OpenAI, LM Studio, llama.cpp, vLLM, Ollama and oLLM (``/v1/responses``)."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager, aclosing
from functools import partial
from typing import ClassVar
from urllib.parse import quote

from backends.adapters import frames
from backends.adapters.amending import Body, opened
from backends.adapters.base import WireRequest
from backends.adapters.calls import CallIds
from backends.adapters.classify import error_from_payload
from backends.adapters.errors import ErrorKind, ProtocolError, gettext_noop
from backends.adapters.events import Event, Phase, Status
from backends.adapters.history import chained, previous_response
from backends.adapters.http import Stream, join
from backends.adapters.messages import ChatRequest
from backends.adapters.openai_answer import SSEOrJSONDecoder
from backends.adapters.openai_chat import OpenAIChatAdapter
from backends.adapters.options import choice
from backends.adapters.responses_answer import ResponsesAnswer
from backends.adapters.responses_items import Items
from backends.adapters.responses_wire import SAMPLING, amended, responses_body
from backends.adapters.sse import ServerEvent
from backends.adapters.think import THINK_TAGS
from backends.adapters.values import as_dict


class OpenAIResponsesAdapter(OpenAIChatAdapter):
    """Speaks ``/v1/responses``; models and health are those of every OpenAI-compatible server.

    Only a server that says ``"store": true`` is believed to remember: several accept the id of the
    turn before, and lose the history without a word. Option of the endpoint: ``store: off``.
    """

    kind = "openai-responses"
    hints: ClassVar[Mapping[ErrorKind, str]] = {
        **OpenAIChatAdapter.hints,
        ErrorKind.NOT_FOUND: gettext_noop(
            "This server may have no Responses API. Choose the kind “OpenAI-compatible” for it."
        ),
    }
    sampling_fields = frozenset(SAMPLING) | {"reasoning"}
    options = (
        THINK_TAGS,
        choice(
            "store",
            gettext_noop("What the server remembers"),
            {"off": gettext_noop("Nothing: every turn brings the whole history")},
            unset=gettext_noop("Its answers, where it can"),
        ),
    )

    async def batches(self, request: ChatRequest) -> AsyncGenerator[list[Event], None]:
        """One response. With a ``response_id`` in the request's state only the new messages are sent."""
        async with aclosing(chained(partial(self._turn, request), self._previous(request))) as batches:
            async for batch in batches:
                yield batch

    def on_the_wire(self, request: ChatRequest) -> WireRequest:
        """The body of ``/responses``."""
        body = responses_body(request, self.endpoint.options, self._previous(request))
        return WireRequest(join(self._api.base_url, "/responses"), body)

    def _previous(self, request: ChatRequest) -> str:
        """The response to build on; empty where the server shall remember none."""
        return previous_response(request) if self.endpoint.options.get("store") != "off" else ""

    async def retrieve(self, response_id: str) -> list[Event]:
        """A response that the server keeps, as the events it would have streamed. Raises NotFound.

        Without a Finish where the server is still at work on it.
        """
        reply = await self.http.request(self._api, "GET", _path(response_id))
        reply.json()
        answer = self._answer(ChatRequest(model="", messages=()), {}, "", None)
        events = list(answer.feed(ServerEvent("", reply.body.decode("utf-8", "replace"))))
        if not events:
            raise ProtocolError("this is not a response", status=reply.status)
        return events

    async def delete(self, response_id: str) -> None:
        """Have the server forget a response. Raises NotFound."""
        answer = as_dict(await self.http.request_json(self._api, "DELETE", _path(response_id)))
        if answer.get("error"):
            raise error_from_payload(answer, self.endpoint)

    async def _turn(self, request: ChatRequest, previous: str) -> AsyncGenerator[list[Event], None]:
        body = responses_body(request, self.endpoint.options, previous)
        async with opened(self._respond, body, amended) as (stream, sent):
            if left_out := sorted(body.keys() - sent.keys()):
                yield [Status(Phase.RETRYING, detail=", ".join(left_out))]
            answer = self._answer(request, stream.routing, previous, sent.get("max_output_tokens"))
            async with aclosing(frames.batches(stream, SSEOrJSONDecoder(), answer)) as batches:
                async for batch in batches:
                    yield batch

    def _respond(self, body: Body) -> AbstractAsyncContextManager[Stream]:
        return self.http.open_stream(self._api, "POST", "/responses", body=body)

    def _answer(
        self, request: ChatRequest, headers: Mapping[str, str], previous: str, limit: int | None
    ) -> ResponsesAnswer:
        items = Items(CallIds(request))
        return ResponsesAnswer(self.endpoint, items, headers, previous=previous, limit=limit)


def _path(response_id: str) -> str:
    return f"/responses/{quote(response_id, safe='')}"
