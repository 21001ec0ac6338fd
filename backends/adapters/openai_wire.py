"""The request of ``/v1/chat/completions``, and how to say it again to servers that refuse a field."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from typing import Any

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

_REFUSAL = re.compile(
    r"unrecogni[sz]ed|unsupported|unknown|unexpected|extra|not support|not (supported|permitted|allowed)",
    re.IGNORECASE,
)


def chat_body(request: ChatRequest, settings: Mapping[str, str]) -> dict[str, Any]:
    """The body of ``POST /v1/chat/completions``.

    With the endpoint's option ``progress: on`` llama.cpp tells how far it has read the prompt.
    """
    body: dict[str, Any] = {
        "model": request.model,
        "messages": list(_messages(request)),
        "stream": True,
        "stream_options": {"include_usage": True},
        **_sampling(request.sampling),
    }
    if request.tools:
        body["tools"] = [tool_body(tool) for tool in request.tools]
    if request.response_schema is not None:
        body["response_format"] = _response_format(request.response_schema)
    if settings.get("progress") == "on":
        body["return_progress"] = True
    return body


def amended(body: dict[str, Any], error: BadRequest) -> dict[str, Any] | None:
    """The request without what the server refuses by name; None where nothing can be changed."""
    if "max_tokens" in body and "max_completion_tokens" in error.message:
        limit = body["max_tokens"]
        return {**_without(body, {"max_tokens"}), "max_completion_tokens": limit}
    refused = _refused(error) & DROPPABLE & body.keys()
    return _without(body, refused) if refused else None


def refusal(body: Mapping[str, Any], error: BadRequest) -> BackendError:
    """The error itself, unless the server refuses a field that the request cannot do without."""
    if not _refused(error) & {"tools", "response_format"} & body.keys():
        return error
    return Unsupported(error.message, status=error.status, code=error.code, data=error.data)


def dropped(wanted: Mapping[str, Any], sent: Mapping[str, Any]) -> list[str]:
    """The options a person set that were not sent after all."""
    renamed = {"max_tokens"} if "max_completion_tokens" in sent else set()
    return sorted(wanted.keys() - sent.keys() - _OURS - renamed)


def _without(body: dict[str, Any], names: set[str] | frozenset[str]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in names}


def _refused(error: BadRequest) -> frozenset[str]:
    """The fields that the error names: in its own list, as ``param``, or in its sentence."""
    listed = {*error.data.get("fields", "").split(","), error.data.get("param", "").partition(".")[0]}
    if _REFUSAL.search(error.message):
        listed.update(re.findall(r"\w+", error.message))
    return frozenset(listed)


def _sampling(sampling: SamplingOptions) -> dict[str, Any]:
    options = {
        theirs: value
        for ours, names in SAMPLING.items()
        if (value := getattr(sampling, ours)) is not None
        for theirs in names
    }
    if sampling.stop:
        options["stop"] = list(sampling.stop)
    return {**options, **_reasoning(sampling.reasoning)}


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
