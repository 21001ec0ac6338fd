"""A prompt of the library reaches the model of every kind: on every turn, changed, and after a change of model."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from backends.database import in_database
from chat.generation import runtime
from chat.models import Conversation, Status, SystemPrompt
from chat.services.beginning import Beginning
from chat.services.sending import Sent, send_message, start_conversation
from privatechathub.accounts.models import User
from tests.fakes.exchange import Exchange, ExchangeServer
from tests.fakes.lmstudio import FakeLMStudio
from tests.fakes.opencode import FakeOpenCode
from tests.fakes.server import FakeServer
from tests.kinds.asking import add, answered
from tests.kinds.test_images import FakeResponses

REMEMBERED = "(what it was told before)"

pytestmark = pytest.mark.django_db(transaction=True)


class FakeChat(ExchangeServer):
    """As much of OpenAI's chat as one answer takes, below whatever prefix."""

    async def answer(self, exchange: Exchange) -> None:
        exchange.stream()
        exchange.event({"id": "1", "choices": [{"index": 0, "delta": {"content": "Yes."}}]})
        exchange.event({"id": "1", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        exchange.end()


def first_message(body: dict[str, Any]) -> str:
    """Ollama's and OpenAI's shape: the one system message stands first."""
    roles = [message["role"] for message in body["messages"]]
    assert roles.count("system") == 1
    assert roles[0] == "system"
    return str(body["messages"][0]["content"])


def named(name: str) -> Callable[[dict[str, Any]], str]:
    """A field of its own."""
    return lambda body: str(body[name])


def in_its_memory(body: dict[str, Any]) -> str:
    """LM Studio's own; a turn that goes on from one that it remembers must not bring the prompt again."""
    assert ("system_prompt" in body) != ("previous_response_id" in body)
    return str(body.get("system_prompt", REMEMBERED))


KINDS = [
    ("ollama", FakeServer, "", "/api/chat", "fast", first_message),
    ("openai", FakeServer, "/v1", "/chat/completions", "fast", first_message),
    ("olla", FakeChat, "", "/chat/completions", "m", first_message),
    ("lmstudio", FakeLMStudio, "", "/api/v1/chat", "m", in_its_memory),
    ("opencode", FakeOpenCode, "", "prompt_async", "local/m", named("system")),
    ("openai-responses", FakeResponses, "/v1", "/responses", "m", named("instructions")),
    ("ollm", FakeChat, "", "/chat/completions", "m", first_message),
]


@pytest.mark.parametrize(("kind", "server", "base", "path", "model", "told"), KINDS)
async def test_the_prompt_arrives_on_every_turn_and_follows_the_library(
    hub: runtime.Runtime,
    alice: User,
    kind: str,
    server: type[Any],
    base: str,
    path: str,
    model: str,
    told: Callable[[dict[str, Any]], str],
) -> None:
    prompt = await in_database(
        SystemPrompt.objects.create, owner=alice, name="P", text="Talk of {{topic:text}} to {{name}}."
    )
    async with server() as fake, FakeServer() as elsewhere:
        await in_database(add, "Server", kind, fake.url + base, model)
        await in_database(add, "Other", "openai", f"{elsewhere.url}/v1", "fast")

        talk = await turn(alice, None, f"server/{model}", prompt)
        await turn(alice, talk, f"server/{model}")
        await turn(alice, talk, "other/fast")
        await in_database(SystemPrompt.objects.update, text="Now {{topic:text}}.")
        await turn(alice, talk, f"server/{model}")

        asked = [told(request.json) for request in fake.requests if request.path.endswith(path)]
        (there,) = [
            first_message(request.json)
            for request in elsewhere.requests
            if request.path.endswith("completions")
        ]

    again = REMEMBERED if kind == "lmstudio" else "Talk of ships to alice."
    assert asked == ["Talk of ships to alice.", again, "Now ships."]
    assert there == "Talk of ships to alice."


async def turn(
    user: User, talk: Conversation | None, ref: str, prompt: SystemPrompt | None = None
) -> Conversation:
    """One question and its whole answer."""
    sent = await in_database(say, user, talk, ref, prompt)
    row = await answered(sent)
    assert (row.status, row.error_message) == (Status.COMPLETED, "")
    return sent.conversation


def say(user: User, talk: Conversation | None, ref: str, prompt: SystemPrompt | None) -> Sent:
    key = uuid.uuid4().hex
    if talk is None:
        return start_conversation(user, "Hello", ref, key, (), Beginning(prompt, {"topic": "ships"}))
    return send_message(user, talk, "And?", ref, key)
