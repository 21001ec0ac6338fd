"""What we send to ``/v1/responses``. Source: the types of OpenAI's own client library."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from backends.adapters.amending import Body, refused, without
from backends.adapters.data_urls import data_url
from backends.adapters.errors import BadRequest, StateLost, Unsupported
from backends.adapters.history import PREVIOUS, fresh, is_about_state
from backends.adapters.messages import (
    ChatMessage,
    ChatRequest,
    ImagePart,
    Part,
    Reasoning,
    Role,
    SamplingOptions,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    ToolSpec,
)

#: Our name of an option -> the name on this wire. There is no seed and no word to stop at.
SAMPLING = {"temperature": "temperature", "top_p": "top_p", "max_tokens": "max_output_tokens"}
#: Fields that an answer does not depend on.
DROPPABLE = frozenset(SAMPLING.values()) | {"reasoning"}

_NEEDED = frozenset({"tools", "text"})


def responses_body(request: ChatRequest, settings: Mapping[str, str], previous: str) -> Body:
    """The body of ``POST /v1/responses``.

    With ``previous``, the id of the turn before, only what came after it is sent; instructions are
    not inherited and go along every time. The endpoint's option ``store: off`` asks the server to
    remember nothing.
    """
    messages = fresh(request.messages) if previous else request.messages
    body: Body = {
        "model": request.model,
        "input": [item for message in messages for item in _items(message)],
        "stream": True,
        **_sampling(request.sampling),
    }
    if request.system:
        body["instructions"] = request.system
    if previous:
        body[PREVIOUS] = previous
    if settings.get("store") == "off":
        body["store"] = False
    if request.tools:
        body["tools"] = [_tool(tool) for tool in request.tools]
    if request.response_schema is not None:
        body["text"] = {"format": _format(request.response_schema)}
    return body


def amended(body: Body, error: BadRequest) -> Body:
    """The request without what the server refuses by name. Raises where nothing can be changed."""
    if is_about_state(error, body.get(PREVIOUS, "")):
        raise StateLost(error.message, status=error.status, code=error.code, data=error.data) from error
    if "summary" in error.data.get("param", "") and "summary" in body.get("reasoning", {}):
        return {**body, "reasoning": without(body["reasoning"], {"summary"})}
    names = refused(error) & body.keys()
    if names & _NEEDED:
        raise Unsupported(error.message, status=error.status, code=error.code, data=error.data) from error
    if not names & DROPPABLE:
        raise error
    return without(body, names & DROPPABLE)


def _sampling(sampling: SamplingOptions) -> dict[str, Any]:
    options = {theirs: getattr(sampling, ours) for ours, theirs in SAMPLING.items()}
    options["reasoning"] = _reasoning(sampling.reasoning)
    return {name: value for name, value in options.items() if value is not None}


def _reasoning(reasoning: Reasoning | None) -> dict[str, str] | None:
    """A level of effort; without ``summary`` OpenAI's own models think unseen."""
    match reasoning:
        case None:
            return None
        case Reasoning.OFF:
            return {"effort": "none"}
        case Reasoning.ON:
            return {"summary": "auto"}
        case _:
            return {"effort": reasoning.value, "summary": "auto"}


def _tool(tool: ToolSpec) -> dict[str, Any]:
    """Flat, unlike everywhere else."""
    return {
        "type": "function",
        "name": tool.name,
        "description": tool.description,
        "parameters": dict(tool.parameters),
    }


def _format(schema: Mapping[str, Any]) -> dict[str, Any]:
    if not schema:
        return {"type": "json_object"}
    return {"type": "json_schema", "name": "answer", "schema": dict(schema), "strict": True}


def _items(message: ChatMessage) -> Iterator[dict[str, Any]]:
    """A turn as items: what was said, then calls; a result is an item of its own."""
    said = [piece for part in message.parts if (piece := _piece(message.role, part))]
    if said and message.role is not Role.TOOL:
        yield {"type": "message", "role": message.role.value, "content": said}
    for part in message.parts:
        if isinstance(part, ToolCallPart):
            arguments = json.dumps(dict(part.arguments), ensure_ascii=False)
            yield {"type": "function_call", "call_id": part.id, "name": part.name, "arguments": arguments}
        elif isinstance(part, ToolResultPart):
            yield {"type": "function_call_output", "call_id": part.call_id, "output": part.content}


def _piece(role: Role, part: Part) -> dict[str, Any] | None:
    match part:
        case TextPart(text) if text:
            return {"type": "output_text" if role is Role.ASSISTANT else "input_text", "text": text}
        case ImagePart():
            return {"type": "input_image", "image_url": data_url(part), "detail": "auto"}
        case _:
            return None
