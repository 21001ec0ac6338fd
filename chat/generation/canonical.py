"""One way to write down what a model is asked, byte for byte, so that a digest can stand for it.

JSON with sorted names, no spaces and no escapes beyond what JSON needs, as UTF-8: ``sha256sum`` of a file with
these bytes is the digest. Images stand in it by digests of their own. How a request travels (the server's memory
of earlier turns, the conversation's title) is no part of it.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from hashlib import sha256
from typing import Any

from backends.adapters.messages import (
    ChatMessage,
    ChatRequest,
    ImagePart,
    Part,
    SamplingOptions,
    TextPart,
    ToolCallPart,
    ToolSpec,
)


def digest(request: ChatRequest) -> str:
    """The sha256 of the request, as 64 hexadecimal digits."""
    return sha256(as_bytes(values(request))).hexdigest()


def as_bytes(value: Any) -> bytes:
    """A JSON value in the one way."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)
    return text.encode("utf-8", "replace")


def values(request: ChatRequest) -> dict[str, Any]:
    """The request as a JSON object. What is empty is left out."""
    found = {
        "model": request.model,
        "system": request.system,
        "messages": [_message(message) for message in request.messages],
        "options": options(request.sampling),
        "tools": tools(request.tools),
        "response_schema": request.response_schema,
    }
    return {name: value for name, value in found.items() if value or name in ("model", "messages")}


def options(sampling: SamplingOptions) -> dict[str, Any]:
    """The options that are set."""
    found = asdict(sampling) | {"stop": list(sampling.stop) or None}
    return {name: value for name, value in found.items() if value is not None}


def tools(specs: tuple[ToolSpec, ...]) -> list[dict[str, Any]]:
    """Tools on offer."""
    return [
        {"name": spec.name, "description": spec.description, "parameters": spec.parameters} for spec in specs
    ]


def _message(message: ChatMessage) -> dict[str, Any]:
    found: dict[str, Any] = {"role": message.role.value, "parts": [_part(part) for part in message.parts]}
    if message.reasoning:
        found["reasoning"] = message.reasoning
    if message.opaque:
        found["opaque"] = message.opaque
    return found


def _part(part: Part) -> dict[str, Any]:
    match part:
        case TextPart():
            return {"type": "text", "text": part.text}
        case ImagePart():
            return {
                "type": "image",
                "media_type": part.media_type,
                "sha256": sha256(part.data).hexdigest(),
                "bytes": len(part.data),
            }
        case ToolCallPart():
            return {"type": "tool_call", "id": part.id, "name": part.name, "arguments": part.arguments}
        case _:
            result = {"type": "tool_result", "id": part.call_id, "name": part.name, "content": part.content}
            return result | ({"is_error": True} if part.is_error else {})
