"""Options that a person set reach the server of every kind under its own names, and no others do."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

import pytest

from backends.database import in_database
from chat.generation import runtime
from chat.models import SamplingPreset, Status
from chat.services.beginning import Beginning
from chat.services.presets import PresetChoice
from chat.services.sending import Sent, start_conversation
from privatechathub.accounts.models import User
from tests.fakes.lmstudio import FakeLMStudio
from tests.fakes.opencode import FakeOpenCode
from tests.fakes.server import FakeServer
from tests.kinds.asking import add, answered
from tests.kinds.test_images import FakeResponses
from tests.kinds.test_system_prompts import FakeChat

pytestmark = pytest.mark.django_db(transaction=True)

COMMON = {"temperature": 0.5, "top_p": 0.8, "top_k": 7, "min_p": 0.1, "repeat_penalty": 1.2}
REST = {"max_tokens": 50, "context_length": 2048, "keep_alive": 60.0, "reasoning": "low"}
#: LM Studio takes these on another route only, which is chosen where they are set.
PICKY = {"seed": 3, "stop": ["END"]}
OPENAI = {
    **COMMON,
    **PICKY,
    "repetition_penalty": 1.2,
    "max_tokens": 50,
    "reasoning_effort": "low",
}
#: Every name of an option on any wire.
NAMES = {
    *COMMON, *REST, *PICKY, *OPENAI, "options", "think", "num_predict", "num_ctx", "max_output_tokens", "variant",
    "chat_template_kwargs",
}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "server", "base", "path", "model", "options", "expected"),
    [
        (
            "ollama", FakeServer, "", "/api/chat", "fast", COMMON | REST | PICKY,
            {
                "options": {**COMMON, **PICKY, "num_predict": 50, "num_ctx": 2048},
                "keep_alive": 60.0,
                "think": "low",
            },
        ),
        ("openai", FakeServer, "/v1", "/chat/completions", "fast", COMMON | REST | PICKY, OPENAI),
        ("olla", FakeChat, "", "/chat/completions", "m", COMMON | REST | PICKY, OPENAI),
        (
            "lmstudio", FakeLMStudio, "", "/api/v1/chat", "m", COMMON | REST,
            {**COMMON, "max_output_tokens": 50, "context_length": 2048},
        ),
        ("opencode", FakeOpenCode, "", "prompt_async", "local/m", COMMON | REST | PICKY, {"variant": "low"}),
        (
            "openai-responses", FakeResponses, "/v1", "/responses", "m", COMMON | REST | PICKY,
            {
                "temperature": 0.5,
                "top_p": 0.8,
                "max_output_tokens": 50,
                "reasoning": {"effort": "low", "summary": "auto"},
            },
        ),
        (
            "ollm", FakeChat, "", "/chat/completions", "m", COMMON | REST | PICKY,
            {"temperature": 0.5, "top_p": 0.8, "max_tokens": 50, "seed": 3},
        ),
    ],
)  # fmt: skip
async def test_what_was_set_is_sent(
    hub: runtime.Runtime,
    alice: User,
    kind: str,
    server: type[Any],
    base: str,
    path: str,
    model: str,
    options: Mapping[str, Any],
    expected: Mapping[str, Any],
) -> None:
    preset = await in_database(SamplingPreset.objects.create, owner=alice, name="All", options=options)
    async with server() as fake:
        await in_database(add, "Server", kind, fake.url + base, model)
        sent = await in_database(say, alice, f"server/{model}", preset)
        row = await answered(sent)
        assert (row.status, row.error_message) == (Status.COMPLETED, "")
        asked = next(request.json for request in fake.requests if request.path.endswith(path))

    assert {name: asked[name] for name in NAMES & asked.keys() - {"reasoning"}} == {
        name: value for name, value in expected.items() if name != "reasoning"
    }
    if "reasoning" in expected:
        assert asked["reasoning"] == expected["reasoning"]
    assert row.options.keys() <= options.keys()


def say(user: User, ref: str, preset: SamplingPreset) -> Sent:
    beginning = Beginning(preset=PresetChoice(own=preset))
    return start_conversation(user, "Hello", ref, uuid.uuid4().hex, (), beginning)
