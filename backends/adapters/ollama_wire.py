"""Ollama's native API: what we send, and what it says of its models.

Source: ``api/types.go`` of github.com/ollama/ollama and recorded traffic.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from backends.adapters.base import Capability, ModelInfo
from backends.adapters.management import LoadedModel
from backends.adapters.messages import (
    ChatMessage,
    ChatRequest,
    Reasoning,
    Role,
    SamplingOptions,
    ToolCallPart,
    ToolResultPart,
    ToolSpec,
)
from backends.adapters.values import as_dict, as_int, as_list, as_str

#: Our name of an option -> Ollama's.
OPTIONS = {
    "temperature": "temperature",
    "top_p": "top_p",
    "top_k": "top_k",
    "min_p": "min_p",
    "repeat_penalty": "repeat_penalty",
    "max_tokens": "num_predict",
    "seed": "seed",
    "context_length": "num_ctx",
}

CAPABILITIES: dict[str, frozenset[Capability]] = {
    "completion": frozenset({Capability.COMPLETION, Capability.CHAT}),
    "tools": frozenset({Capability.TOOLS}),
    "vision": frozenset({Capability.VISION}),
    "thinking": frozenset({Capability.REASONING}),
    "embedding": frozenset({Capability.EMBEDDING}),
    "audio": frozenset({Capability.AUDIO}),
}

#: Years.
_FOR_EVER = 100


def chat_body(request: ChatRequest, settings: Mapping[str, str]) -> dict[str, Any]:
    """The body of ``POST /api/chat``.

    ``truncate`` and ``shift`` are off: a chat that no longer fits must say so instead of losing its
    beginning without a word. ``num_ctx`` and ``keep_alive`` of the endpoint hold where the request has
    no window and no time of its own.
    """
    body: dict[str, Any] = {
        "model": request.model,
        "messages": list(_messages(request)),
        "stream": True,
        "truncate": False,
        "shift": False,
    }
    if options := _options(request.sampling, settings):
        body["options"] = options
    if request.tools:
        body["tools"] = [tool_body(tool) for tool in request.tools]
    if request.response_schema is not None:
        body["format"] = dict(request.response_schema) or "json"
    if request.sampling.reasoning is not None:
        body["think"] = _think(request.sampling.reasoning)
    if (keep := _keep_alive(request.sampling, settings)) is not None:
        body["keep_alive"] = keep
    return body


def tool_body(tool: ToolSpec) -> dict[str, Any]:
    """A tool in the shape that OpenAI introduced and everybody took over."""
    return {
        "type": "function",
        "function": {
            "name": tool.name,
            "description": tool.description,
            "parameters": dict(tool.parameters),
        },
    }


def _options(sampling: SamplingOptions, settings: Mapping[str, str]) -> dict[str, Any]:
    options = {theirs: getattr(sampling, ours) for ours, theirs in OPTIONS.items()}
    options["stop"] = list(sampling.stop) or None
    if options["num_ctx"] is None and settings.get("num_ctx", "").isdecimal():
        options["num_ctx"] = int(settings["num_ctx"])
    return {name: value for name, value in options.items() if value is not None}


def _think(reasoning: Reasoning) -> bool | str:
    match reasoning:
        case Reasoning.OFF:
            return False
        case Reasoning.ON:
            return True
        case _:
            return reasoning.value


def _keep_alive(sampling: SamplingOptions, settings: Mapping[str, str]) -> float | str | None:
    return kept_alive(settings) if sampling.keep_alive is None else sampling.keep_alive


def kept_alive(settings: Mapping[str, str]) -> float | str | None:
    """How long a model stays in memory: Ollama takes seconds only as a number, other units only as text."""
    value = settings.get("keep_alive", "")
    return int(value) if value.removeprefix("-").isdecimal() else value or None


def _messages(request: ChatRequest) -> Iterator[dict[str, Any]]:
    if request.system:
        yield {"role": "system", "content": request.system}
    turn = last_question(request)
    for position, message in enumerate(request.messages):
        results = [part for part in message.parts if isinstance(part, ToolResultPart)]
        yield from map(_result, results)
        if message.role is not Role.TOOL:
            yield _message(message, with_thinking=position > turn)


def last_question(request: ChatRequest) -> int:
    """Where the current turn began; reasoning is sent back only after it (inside a tool loop)."""
    questions = [at for at, message in enumerate(request.messages) if message.role is Role.USER]
    return questions[-1] if questions else -1


def _message(message: ChatMessage, *, with_thinking: bool) -> dict[str, Any]:
    result: dict[str, Any] = {"role": message.role.value, "content": message.text}
    if message.images:
        result["images"] = [b64encode(image.data).decode() for image in message.images]
    if message.reasoning and with_thinking:
        result["thinking"] = message.reasoning
    if calls := [part for part in message.parts if isinstance(part, ToolCallPart)]:
        result["tool_calls"] = [_call(call) for call in calls]
    return result


def _call(call: ToolCallPart) -> dict[str, Any]:
    """The arguments as an object: a JSON text is refused."""
    return {"id": call.id, "function": {"name": call.name, "arguments": dict(call.arguments)}}


def _result(result: ToolResultPart) -> dict[str, Any]:
    return {
        "role": "tool",
        "tool_name": result.name,
        "tool_call_id": result.call_id,
        "content": result.content,
    }


def model_info(entry: Any) -> ModelInfo | None:
    """One entry of ``/api/tags`` or ``/api/ps``; None where it has no name."""
    model = as_dict(entry)
    details = as_dict(model.get("details"))
    name = as_str(model.get("model")) or as_str(model.get("name"))
    if not name:
        return None
    return ModelInfo(
        id=name,
        name=as_str(model.get("name")) or name,
        family=as_str(details.get("family")),
        parameter_size=as_str(details.get("parameter_size")),
        quantization=as_str(details.get("quantization_level")),
        size_bytes=as_int(model.get("size")),
        context_length=_window(model),
        max_context_length=max_context(model),
        capabilities=capabilities(model),
        remote=is_remote(model, name),
        digest=as_str(model.get("digest")),
        details=_facts(model),
    )


def loaded_model(entry: Any) -> LoadedModel | None:
    """One entry of ``/api/ps``; None where it has no name."""
    model = as_dict(entry)
    name = as_str(model.get("model")) or as_str(model.get("name"))
    if not name:
        return None
    return LoadedModel(
        id=name,
        memory_bytes=as_int(model.get("size")),
        vram_bytes=as_int(model.get("size_vram")),
        until=_expiry(as_str(model.get("expires_at"))),
        context_length=as_int(model.get("context_length")),
    )


def capabilities(model: Mapping[str, Any]) -> frozenset[Capability] | None:
    """What a list or ``/api/show`` says; None where it does not tell (before mid-2026, lists don't)."""
    names = [as_str(name) for name in as_list(model.get("capabilities"))]
    if not names:
        return None
    return frozenset().union(*(CAPABILITIES.get(name, frozenset()) for name in names))


def max_context(model: Mapping[str, Any]) -> int | None:
    """Tokens the model was made for: in ``details``, or under ``ARCHITECTURE.context_length``."""
    if (length := as_int(as_dict(model.get("details")).get("context_length"))) is not None:
        return length
    facts = as_dict(model.get("model_info"))
    lengths = (as_int(value) for key, value in facts.items() if key.endswith(".context_length"))
    return next((length for length in lengths if length is not None), None)


def is_remote(model: Mapping[str, Any], name: str) -> bool:
    """Whether it runs on ollama.com and not on that machine."""
    return bool(as_str(model.get("remote_host"))) or name.endswith((":cloud", "-cloud"))


def _expiry(text: str) -> datetime | None:
    """When it goes. “For ever” is a date 292 years ahead, “being loaded” is one in the year 1."""
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return None
    year = datetime.now(UTC).year
    return when.replace(tzinfo=when.tzinfo or UTC) if abs(when.year - year) < _FOR_EVER else None


def _window(model: Mapping[str, Any]) -> int | None:
    """Tokens a request gets: allocated (``/api/ps``), or fixed by the model's own parameters."""
    fixed = re.search(r"^num_ctx\s+(\d{1,9})$", as_str(model.get("parameters")), re.MULTILINE)
    return as_int(model.get("context_length")) or (int(fixed[1]) if fixed else None)


def _facts(model: Mapping[str, Any]) -> dict[str, str]:
    texts = {key: as_str(model.get(key)) for key in ("modified_at", "expires_at", "remote_host")}
    texts["size_vram"] = str(as_int(model.get("size_vram")) or "")
    return {key: text for key, text in texts.items() if text}
