"""A window that can be outgrown: a token is four bytes here, and each message has four around it."""

from __future__ import annotations

from typing import Any

from tests.fakes import llamacpp_wire
from tests.fakes.ollama_wire import OllamaWire
from tests.fakes.wire import Wire


def counted(messages: list[dict[str, Any]]) -> int:
    """Tokens of a prompt."""
    return sum(-(-len(str(message.get("content", "")).encode()) // 4) + 4 for message in messages)


def window(body: dict[str, Any], wire: Wire, allocated: int) -> int:
    """How many fit: Ollama allocates what a request names."""
    options = body.get("options") if isinstance(wire, OllamaWire) else None
    asked = options.get("num_ctx") if isinstance(options, dict) else None
    return asked if isinstance(asked, int) else allocated


def too_long(body: dict[str, Any], wire: Wire, tokens: int, limit: int) -> bytes | None:
    """The refusal; None where Ollama was not told to refuse and cuts in silence."""
    if isinstance(wire, OllamaWire):
        if body.get("truncate") is not False:
            return None
        return wire.error(400, "the input length exceeds the context length")
    error = {
        "code": 400,
        "message": f"request ({tokens} tokens) exceeds the available context size ({limit} tokens), try increasing it",
        "type": "exceed_context_size_error",
        "n_prompt_tokens": tokens,
        "n_ctx": limit,
    }
    return llamacpp_wire.reply(wire.request, 400, {"error": error})
