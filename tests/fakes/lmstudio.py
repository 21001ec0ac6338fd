"""A fake LM Studio: ``/api/v1/models`` and the native chat, with a memory of what it answered.

``seen`` is what the model would read at each question, the chain of turns before included. A question
with ``!wait`` in it begins an answer and never ends it; ``hung_up`` counts the clients that left one.
"""

from __future__ import annotations

import asyncio
from typing import Any

from tests.fakes.exchange import Exchange, ExchangeServer


class FakeLMStudio(ExchangeServer):
    """``api_key``: the only token it takes. ``model`` is the key of its only model."""

    def __init__(self, *, model: str = "m", api_key: str = "", **where: Any) -> None:
        super().__init__(**where)
        self.model, self.api_key = model, api_key
        self.chats: list[dict[str, Any]] = []
        self.seen: list[str] = []
        self.hung_up = 0
        self._remembered: dict[str, str] = {}

    async def answer(self, exchange: Exchange) -> None:
        request = exchange.request
        if self.api_key and request.headers.get("authorization") != f"Bearer {self.api_key}":
            error = {"type": "invalid_request", "code": "invalid_api_key", "message": "Malformed API token"}
            exchange.reply(401, {"error": error})
        elif (request.method, request.path) == ("GET", "/api/v1/models"):
            exchange.reply(200, {"models": [self._entry()]})
        elif (request.method, request.path) == ("POST", "/api/v1/chat"):
            await self._chat(exchange, request.json)
        else:
            exchange.reply(
                200, {"error": f"Unexpected endpoint or method. ({request.method} {request.path})"}
            )

    def _entry(self) -> dict[str, Any]:
        return {
            "type": "llm", "key": self.model, "display_name": "Studio model", "loaded_instances": [],
            "max_context_length": 4096, "capabilities": {"vision": False, "trained_for_tool_use": False},
        }  # fmt: skip

    async def _chat(self, exchange: Exchange, body: dict[str, Any]) -> None:
        self.chats.append(body)
        before = self._remembered.get(body.get("previous_response_id", ""))
        if "previous_response_id" in body and before is None:
            error = {"message": "Could not find stored response", "param": "previous_response_id"}
            exchange.reply(400, {"error": {"type": "invalid_request", **error}})
            return
        read = "\n".join(filter(None, (before, body.get("system_prompt"), text_of(body["input"]))))
        self.seen.append(read)
        number = len(self.seen)
        said = f"Studio answer {number}."
        exchange.stream()
        exchange.event({"type": "chat.start", "model_instance_id": self.model}, "chat.start")
        exchange.event({"type": "message.delta", "content": said}, "message.delta")
        if "!wait" in text_of(body["input"]).rpartition("User:")[2]:
            await exchange.gone.wait()
            self.hung_up += 1
            return
        await asyncio.sleep(0)
        self._remembered[f"resp_{number}"] = f"{read}\n{said}"
        result = {"output": [{"type": "message", "content": said}], "response_id": f"resp_{number}"}
        exchange.event({"type": "chat.end", "result": result}, "chat.end")
        exchange.end()


def text_of(given: Any) -> str:
    """The text of ``input``, which may be a list of items."""
    return given if isinstance(given, str) else "\n".join(item.get("content", "") for item in given)
