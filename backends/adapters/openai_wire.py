"""The request of ``/v1/chat/completions``, and how to say it again to servers that refuse a field."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping
from typing import Any

from backends.adapters.amending import Body, refused, without
from backends.adapters.errors import BackendError, BadRequest, Unsupported
from backends.adapters.messages import (
    ChatMessage,
    ChatRequest,
    ImagePart,
    Reasoning,
    Role,
    SamplingOptions,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from backends.adapters.ollama_wire import tool_body

#: Our name of an option -> the names under which servers look for it.
SAMPLING: dict[str, tuple[str, ...]] = {
    "temperature": ("temperature",),
    "top_p": ("top_p",),
    "top_k": ("top_k",),
    "min_p": ("min_p",),
    "repeat_penalty": ("repeat_penalty", "repetition_penalty"),
    "max_tokens": ("max_tokens",),
    "seed": ("seed",),
}

#: Fields that an answer does not depend on: a server that refuses one gets the request without it.
DROPPABLE = frozenset(
    {name for names in SAMPLING.values() for name in names}
    | {"stop", "stream_options", "reasoning_effort", "chat_template_kwargs", "return_progress"}
)

#: Fields that nobody chose.
_OURS = frozenset({"stream_options", "return_progress"})


def chat_body(request: ChatRequest, settings: Mapping[str, str]) -> dict[str, Any]:
    """The body of ``POST /v1/chat/completions``.

    With the endpoint's option ``progress: on`` llama.cpp tells how far it has read the prompt.
    """
    body: dict[str, Any] = {
        "model": request.model,
        "messages": list(_messages(request)),
        "stream": True,
        "stream_options": {"include_usage": True},
        **sampling_body(request.sampling),
        **_reasoning(request.sampling.reasoning),
    }
    if request.tools:
        body["tools"] = [tool_body(tool) for tool in request.tools]
    if request.response_schema is not None:
        body["response_format"] = _response_format(request.response_schema)
    if settings.get("progress") == "on":
        body["return_progress"] = True
    return body


def amended(body: Body, error: BadRequest) -> Body:
    """The request without what the server refuses by name. Raises where nothing can be changed."""
    if "max_tokens" in body and "max_completion_tokens" in error.message:
        limit = body["max_tokens"]
        return {**without(body, {"max_tokens"}), "max_completion_tokens": limit}
    named = refused(error) & DROPPABLE & body.keys()
    if not named:
        raise refusal(body, error) from error
    return without(body, named)


def refusal(body: Mapping[str, Any], error: BadRequest) -> BackendError:
    """The error itself, unless the server refuses a field that the request cannot do without."""
    if not refused(error) & {"tools", "response_format"} & body.keys():
        return error
    return Unsupported(error.message, status=error.status, code=error.code, data=error.data)


def dropped(wanted: Mapping[str, Any], sent: Mapping[str, Any]) -> list[str]:
    """The options a person set that were not sent after all."""
    renamed = {"max_tokens"} if "max_completion_tokens" in sent else set()
    return sorted(wanted.keys() - sent.keys() - _OURS - renamed)


def sampling_body(sampling: SamplingOptions) -> dict[str, Any]:
    """The options that chat and completion share, each under all its names."""
    options: dict[str, Any] = {
        theirs: value
        for ours, names in SAMPLING.items()
        if (value := getattr(sampling, ours)) is not None
        for theirs in names
    }
    if sampling.stop:
        options["stop"] = list(sampling.stop)
    return options


def _reasoning(reasoning: Reasoning | None) -> dict[str, Any]:
    """Two switches exist: a level of effort, and a variable of the chat template (llama.cpp, vLLM)."""
    match reasoning:
        case None:
            return {}
        case Reasoning.OFF:
            return {"reasoning_effort": "none", "chat_template_kwargs": {"enable_thinking": False}}
        case Reasoning.ON:
            return {"chat_template_kwargs": {"enable_thinking": True}}
        case _:
            return {"reasoning_effort": reasoning.value}


def _response_format(schema: Mapping[str, Any]) -> dict[str, Any]:
    if not schema:
        return {"type": "json_object"}
    return {
        "type": "json_schema",
        "json_schema": {"name": "answer", "schema": dict(schema), "strict": True},
    }


def _messages(request: ChatRequest) -> Iterator[dict[str, Any]]:
    if request.system:
        yield {"role": "system", "content": request.system}
    for message in request.messages:
        results = [part for part in message.parts if isinstance(part, ToolResultPart)]
        yield from map(_result, results)
        if message.role is not Role.TOOL:
            yield _message(message)


def _message(message: ChatMessage) -> dict[str, Any]:
    result: dict[str, Any] = {"role": message.role.value, "content": _content(message)}
    if calls := [part for part in message.parts if isinstance(part, ToolCallPart)]:
        result["content"] = result["content"] or None
        result["tool_calls"] = [_call(call) for call in calls]
    return result


def _content(message: ChatMessage) -> str | list[dict[str, Any]]:
    """Plain text wherever it is enough: simple servers know nothing else."""
    if not message.images:
        return message.text
    return [_part(part) for part in message.parts if isinstance(part, TextPart | ImagePart)]


def _part(part: TextPart | ImagePart) -> dict[str, Any]:
    if isinstance(part, TextPart):
        return {"type": "text", "text": part.text}
    url = f"data:{part.media_type};base64,{b64encode(part.data).decode()}"
    return {"type": "image_url", "image_url": {"url": url}}


def _call(call: ToolCallPart) -> dict[str, Any]:
    arguments = json.dumps(dict(call.arguments), ensure_ascii=False)
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}}


def _result(result: ToolResultPart) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": result.call_id, "content": result.content}
