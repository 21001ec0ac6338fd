"""What we send to LM Studio's native API (``/api/v1/chat``, LM Studio 0.4 and later).

Its body is checked strictly: one unknown key and the whole request is refused. Source: LM Studio's
documents and recorded refusals, where they differ.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from backends.adapters.amending import Body, refused, without
from backends.adapters.data_urls import data_url
from backends.adapters.errors import BadRequest
from backends.adapters.history import PREVIOUS, flattened, fresh
from backends.adapters.messages import ChatRequest, ImagePart, Part, Reasoning, SamplingOptions, TextPart

#: Our name of an option -> LM Studio's.
SAMPLING = {
    "temperature": "temperature",
    "top_p": "top_p",
    "top_k": "top_k",
    "min_p": "min_p",
    "repeat_penalty": "repeat_penalty",
    "max_tokens": "max_output_tokens",
    "context_length": "context_length",
}
#: Options that only its ``/v1`` takes.
COMPATIBLE_ONLY = frozenset({"seed", "stop"})
#: Fields that an answer does not depend on.
DROPPABLE = frozenset(SAMPLING.values()) | {"reasoning"}
#: LM Studio refuses more.
HOTTEST = 1.0

_EXPECTED = re.compile(r"Expected '(text|message)'")


def needs_compatible(request: ChatRequest) -> bool:
    """Whether only ``/v1`` can carry it: our own tools, a schema, a seed, words to stop at."""
    sampling = request.sampling
    has_options = sampling.seed is not None or bool(sampling.stop)
    return bool(request.tools) or request.response_schema is not None or has_options


def chat_body(request: ChatRequest, settings: Mapping[str, str], previous: str, reasoning: str) -> Body:
    """The body of ``POST /api/v1/chat``.

    With ``previous``, the id of the turn before, only what came after it is sent: the server would
    add a second system prompt, which strict templates refuse. Without, the whole conversation becomes
    one text, since there are no assistant messages on this wire. ``reasoning`` is one of the model's
    own settings, or empty. Options of the endpoint: ``store: off`` keeps LM Studio from remembering,
    ``integrations`` names its tools (``mcp/NAME``), with commas between them.
    """
    messages = fresh(request.messages) if previous else request.messages
    body: Body = {
        "model": request.model,
        "input": _input(flattened(messages)),
        "stream": True,
        **_sampling(request.sampling),
    }
    if previous:
        body[PREVIOUS] = previous
    elif request.system:
        body["system_prompt"] = request.system
    if reasoning:
        body["reasoning"] = reasoning
    if settings.get("store") == "off":
        body["store"] = False
    if names := [name.strip() for name in settings.get("integrations", "").split(",") if name.strip()]:
        body["integrations"] = names
    return body


def amended(body: Body, error: BadRequest) -> Body:
    """The request as this version wants it. Raises the error where nothing can be changed.

    Versions differ in how they call an item of text; each says which name it expects.
    """
    if (expected := _EXPECTED.search(error.message)) and isinstance(body["input"], list):
        items = [_renamed(item, expected[1]) for item in body["input"]]
        if items != body["input"]:
            return {**body, "input": items}
    named = refused(error) & DROPPABLE & body.keys()
    if not named:
        raise error
    return without(body, named)


def reasoning_setting(wanted: Reasoning, allowed: Sequence[str] | None) -> str:
    """The model's own setting that comes closest; empty where it has none.

    ``allowed`` is None where the server did not tell: then it has to judge by itself.
    """
    if allowed is None:
        return wanted.value
    closest = [wanted.value] if wanted is Reasoning.OFF else [wanted.value, "on", "medium", "high", "low"]
    return next((value for value in closest if value in allowed), "")


def _sampling(sampling: SamplingOptions) -> dict[str, Any]:
    options = {theirs: getattr(sampling, ours) for ours, theirs in SAMPLING.items()}
    if sampling.temperature is not None:
        options["temperature"] = min(sampling.temperature, HOTTEST)
    return {name: value for name, value in options.items() if value is not None}


def _input(parts: Iterable[Part]) -> str | list[dict[str, str]]:
    """A plain string wherever it is enough: every version takes it."""
    parts = list(parts)
    if not any(isinstance(part, ImagePart) for part in parts):
        return "".join(part.text for part in parts if isinstance(part, TextPart))
    return [item for part in parts if (item := _item(part))]


def _item(part: Part) -> dict[str, str] | None:
    match part:
        case ImagePart():
            return {"type": "image", "data_url": data_url(part)}
        case TextPart(text) if text:
            return {"type": "text", "content": text}
        case _:
            return None


def _renamed(item: dict[str, str], kind: str) -> dict[str, str]:
    return {**item, "type": kind} if "content" in item else item
