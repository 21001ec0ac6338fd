"""What the real servers refuse before they stream."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from tests.fakes import catalogue
from tests.fakes.ollama_wire import OllamaWire
from tests.fakes.records import Request
from tests.fakes.wire import Wire

_PACED_NAME = re.compile(r"(steady|slow)-\d+(\.\d+)?")


def knows(models: Collection[str], model: str) -> bool:
    """Whether a model is in the list, with or without ``:latest``, or names a pace."""
    name = catalogue.short(model)
    return name in models or _PACED_NAME.fullmatch(name) is not None


def refusal_of(request: Request, model: str, wire: Wire, *, known: Collection[str]) -> bytes | None:
    """A whole error response, or None if the request can be answered."""
    body = request.json
    if not isinstance(body, dict):
        return wire.error(400, "unexpected EOF" if isinstance(wire, OllamaWire) else "parse error")
    if isinstance(wire, OllamaWire):
        return _ollama_refusal(body, model, wire, known)
    if not isinstance(body.get("messages"), list):
        return wire.error(400, "'messages' is required")
    return None if knows(known, model) else wire.error(400, f"model '{model}' not found")


def _ollama_refusal(
    body: dict[str, Any], model: str, wire: OllamaWire, known: Collection[str]
) -> bytes | None:
    if not model:
        return wire.error(400, "model is required")
    if not knows(known, model):
        return wire.error(404)
    gifts = catalogue.capabilities(model)
    for field, gift in (("think", "thinking"), ("tools", "tools")):
        if body.get(field) and gift not in gifts:
            name = model if ":" in model else f"{model}:latest"
            return wire.error(400, f"registry.ollama.ai/library/{name} does not support {gift}")
    messages = body.get("messages") or []
    if not messages:
        return wire.loaded("unload" if body.get("keep_alive") == 0 else "load")
    if any(isinstance(message.get("content"), list) for message in messages):
        return wire.error(400, "json: cannot unmarshal array into Go struct field of type string")
    return None
