"""A conversation with LM Studio, from the form's verb to the socket: it chains, and survives forgetting."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import Any

import pytest

from backends.database import in_database
from backends.models import Backend, CatalogueModel
from chat.generation import runtime
from chat.models import Conversation, Generation
from chat.services.sending import Sent, send_message, start_conversation
from privatechathub.accounts.models import User
from tests.backends.adapters.server import Connection, serving

pytestmark = pytest.mark.django_db(transaction=True)


class Studio:
    """Answers like LM Studio; ``responses`` is what it remembers."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.responses: set[str] = set()

    async def __call__(self, connection: Connection) -> None:
        if "/api/v1/chat " not in connection.head:
            await self.reply(connection, 200, {"models": []})
            return
        body = json.loads(connection.body)
        self.bodies.append(body)
        previous = body.get("previous_response_id")
        if previous and previous not in self.responses:
            message = f"Could not find stored response for previous_response_id '{previous}'."
            error = {"message": message, "type": "invalid_request", "param": "previous_response_id"}
            await self.reply(connection, 400, {"error": error})
            return
        number = len(self.bodies)
        self.responses.add(f"resp_{number}")
        await connection.head_of_stream("text/event-stream")
        await self.event(connection, "chat.start", model_instance_id="m")
        await self.event(connection, "message.delta", content=f"Answer {number}")
        result = {"output": [], "stats": {"total_output_tokens": 2}, "response_id": f"resp_{number}"}
        await self.event(connection, "chat.end", result=result)
        await connection.end()

    async def event(self, connection: Connection, name: str, **fields: Any) -> None:
        data = json.dumps({"type": name, **fields})
        await connection.chunk(f"event: {name}\ndata: {data}\n\n".encode())

    async def reply(self, connection: Connection, status: int, payload: Any) -> None:
        body = json.dumps(payload).encode()
        head = f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        await connection.send(head.encode() + body)


def studio_backend(url: str) -> None:
    backend = Backend.objects.create(name="Studio", kind="lmstudio", base_url=url)
    CatalogueModel.objects.create(backend=backend, model_id="m", name="M")


def say(user: User, conversation: Conversation | None, text: str) -> Sent:
    key = uuid.uuid4().hex
    if conversation is None:
        return start_conversation(user, text, "studio/m", key)
    return send_message(user, conversation, text, "studio/m", key)


async def turn(user: User, conversation: Conversation | None, text: str) -> tuple[Conversation, Generation]:
    sent = await in_database(say, user, conversation, text)
    async with asyncio.timeout(5):
        while True:
            row = await in_database(Generation.objects.select_related("message").get, pk=sent.generation.pk)
            if not row.is_active:
                return sent.conversation, row
            await asyncio.sleep(0.01)


async def test_turns_chain_and_a_forgotten_one_is_told_everything(hub: runtime.Runtime, alice: User) -> None:
    studio = Studio()
    async with serving(studio) as server:
        await in_database(studio_backend, server.url)
        talk, first = await turn(alice, None, "One")
        _, second = await turn(alice, talk, "Two")
        studio.responses.clear()
        _, third = await turn(alice, talk, "Three")
        _, fourth = await turn(alice, talk, "Four")

    chat = {"model": "m", "stream": True}
    everything = "User: One\n\nAssistant: Answer 1\n\nUser: Two\n\nAssistant: Answer 2\n\nUser: Three"
    assert studio.bodies == [
        {**chat, "input": "One"},
        {**chat, "input": "Two", "previous_response_id": "resp_1"},
        {**chat, "input": "Three", "previous_response_id": "resp_2"},
        {**chat, "input": everything},
        {**chat, "input": "Four", "previous_response_id": "resp_4"},
    ]
    rows = [first, second, third, fourth]
    assert [row.error_message for row in rows] == ["", "", "", ""]
    assert [row.message.text for row in rows] == ["Answer 1", "Answer 2", "Answer 4", "Answer 5"]
    assert (first.answered_by, first.output_tokens) == ("m", 2)
