"""A picture that a person attached reaches the model of every kind, byte by byte."""

from __future__ import annotations

import uuid
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backends.database import in_database
from backends.models import CatalogueModel
from chat.generation import runtime
from chat.models import Attachment, Status
from chat.services.sending import Sent, start_conversation
from privatechathub.accounts.models import User
from tests.chat.attachments.pictures import plain, upload
from tests.fakes.exchange import Exchange, ExchangeServer
from tests.fakes.lmstudio import FakeLMStudio
from tests.fakes.opencode import FakeOpenCode
from tests.fakes.server import FakeServer
from tests.kinds.asking import add, answered

pytestmark = pytest.mark.django_db(transaction=True)


class FakeResponses(ExchangeServer):
    """As much of ``/v1/responses`` as one answer takes."""

    async def answer(self, exchange: Exchange) -> None:
        response = {"id": "resp_1", "status": "completed", "output": [], "usage": None}
        exchange.stream()
        exchange.event({"type": "response.created", "response": response | {"status": "in_progress"}})
        exchange.event({"type": "response.output_text.delta", "output_index": 0, "delta": "Teal."})
        exchange.event({"type": "response.completed", "response": response})
        exchange.end()


def of_ollama(body: dict[str, Any]) -> list[str]:
    return body["messages"][-1]["images"]


def of_openai(body: dict[str, Any]) -> list[str]:
    return [part["image_url"]["url"] for part in body["messages"][-1]["content"] if "image_url" in part]


def of_lmstudio(body: dict[str, Any]) -> list[str]:
    return [part["data_url"] for part in body["input"] if part["type"] == "image"]


def of_opencode(body: dict[str, Any]) -> list[str]:
    return [part["url"] for part in body["parts"] if part["type"] == "file"]


def of_responses(body: dict[str, Any]) -> list[str]:
    return [part["image_url"] for part in body["input"][-1]["content"] if part["type"] == "input_image"]


@pytest.mark.parametrize(
    ("kind", "server", "path", "model", "found_in"),
    [
        ("ollama", FakeServer, "/api/chat", "fast", of_ollama),
        ("openai", FakeServer, "/v1/chat/completions", "fast", of_openai),
        ("lmstudio", FakeLMStudio, "/api/v1/chat", "m", of_lmstudio),
        ("opencode", FakeOpenCode, "prompt_async", "local/m", of_opencode),
        ("openai-responses", FakeResponses, "/responses", "m", of_responses),
    ],
)
async def test_the_picture_arrives(
    hub: runtime.Runtime,
    alice: User,
    settings: Any,
    tmp_path: Path,
    kind: str,
    server: type[Any],
    path: str,
    model: str,
    found_in: Callable[[dict[str, Any]], list[str]],
) -> None:
    settings.MEDIA_ROOT = tmp_path
    async with server() as fake:
        base = f"{fake.url}/v1" if kind.startswith("openai") else fake.url
        await in_database(add, "Server", kind, base, model)
        sent = await in_database(ask_with_picture, alice, f"server/{model}")
        row = await answered(sent)

        assert (row.status, row.error_message) == (Status.COMPLETED, "")
        (asked,) = [request for request in fake.requests if request.path.endswith(path)]

    (stored,) = [kept async for kept in Attachment.objects.all()]
    expected = b64encode(stored.content()).decode()
    prefix = "" if kind == "ollama" else "data:image/jpeg;base64,"
    assert found_in(asked.json) == [prefix + expected]


def ask_with_picture(user: User, ref: str) -> Sent:
    CatalogueModel.objects.update(capabilities=["chat", "vision"])
    picture = upload("holiday.jpg", plain((2100, 50), kind="JPEG"))
    return start_conversation(user, "What colour?", ref, uuid.uuid4().hex, [picture])
