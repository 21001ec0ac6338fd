"""Stopping an answer stops the work on the server, whatever its kind and however far it is."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from backends.adapters import opencode
from backends.adapters.registry import KINDS
from backends.database import in_database
from chat.generation import runtime
from chat.models import Status
from chat.services.answers import stop_answers
from chat.services.sending import Sent
from privatechathub.accounts.models import User
from tests.fakes.exchange import Exchange, ExchangeServer, until
from tests.fakes.lmstudio import FakeLMStudio
from tests.fakes.opencode import FakeOpenCode
from tests.kinds.asking import add, answered, ask

pytestmark = pytest.mark.django_db(transaction=True)

OLLAMA = b'{"model":"m","message":{"role":"assistant","content":"Once"},"done":false}\n'
CHAT = b'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":"Once"}}]}\n\n'
RESPONSES = (
    b'event: response.created\ndata: {"type":"response.created","response":{"id":"resp_1","model":"m"}}\n\n'
    b"event: response.output_text.delta\n"
    b'data: {"type":"response.output_text.delta","item_id":"i","delta":"Once"}\n\n'
)
STUDIO = (
    b'event: chat.start\ndata: {"type":"chat.start","model_instance_id":"m"}\n\n'
    b'event: message.delta\ndata: {"type":"message.delta","content":"Once"}\n\n'
)
#: Kind -> options, where the answer is asked for, its type, and its beginning.
WIRES: dict[str, tuple[dict[str, str], str, str, bytes]] = {
    "ollama": ({}, "/api/chat", "application/x-ndjson", OLLAMA),
    "openai": ({}, "/v1/chat/completions", "text/event-stream", CHAT),
    "openai-responses": ({}, "/v1/responses", "text/event-stream", RESPONSES),
    "lmstudio": ({}, "/api/v1/chat", "text/event-stream", STUDIO),
    "olla": ({}, "/olla/proxy/v1/chat/completions", "text/event-stream", CHAT),
    "ollm": ({"api": "chat"}, "/v1/chat/completions", "text/event-stream", CHAT),
}


class Endless(ExchangeServer):
    """Begins an answer, or does not even begin, and goes on for ever. ``left_at``: when the client left."""

    def __init__(self, kind: str, stage: str) -> None:
        super().__init__()
        self.options, self.path, self.type, self.beginning = WIRES[kind]
        self.stage = stage
        self.asked = 0
        self.left_at: list[float] = []

    async def answer(self, exchange: Exchange) -> None:
        if (exchange.request.method, exchange.request.path) != ("POST", self.path):
            exchange.reply(404, {"error": {"message": "not here"}})
            return
        self.asked += 1
        if self.stage != "before its headers":
            exchange.stream(self.type)
        if self.stage == "in the middle":
            exchange.send(self.beginning)
        await exchange.gone.wait()
        self.left_at.append(time.monotonic())


async def shown(sent: Sent, hub: runtime.Runtime) -> None:
    """Wait until the first word is there."""
    await until(lambda: str(hub.supervisor.runs[sent.generation.pk].text))


def test_every_kind_is_tried_here() -> None:
    assert {*WIRES, "opencode"} == {kind for kind, facts in KINDS.items() if facts.public}


@pytest.mark.parametrize("stage", ["before its headers", "before its first word", "in the middle"])
@pytest.mark.parametrize("kind", WIRES)
async def test_the_connection_is_closed_within_a_second(
    hub: runtime.Runtime, alice: User, kind: str, stage: str
) -> None:
    async with Endless(kind, stage) as server:
        await in_database(add, "Box", kind, server.url, "m", options=server.options)
        sent = await ask(alice, None, "Tell me", "box/m")
        await until(lambda: server.asked)
        if stage == "in the middle":
            await shown(sent, hub)

        stopped = time.monotonic()
        await in_database(stop_answers, sent.conversation)
        await until(lambda: server.left_at)
        row = await answered(sent)

    assert server.left_at[0] - stopped < 1
    assert server.asked == len(server.left_at) == 1
    assert row.status == Status.STOPPED
    assert row.message.text == ("Once" if stage == "in the middle" else "")


async def test_opencode_is_told_to_abort(hub: runtime.Runtime, alice: User) -> None:
    async with FakeOpenCode() as code:
        await in_database(add, "Box", "opencode", code.url, "local/m")
        sent = await ask(alice, None, "Tell me !wait", "box/local/m")
        await until(lambda: code.working)
        await shown(sent, hub)
        (session,) = code.working

        stopped = time.monotonic()
        await in_database(stop_answers, sent.conversation)
        await until(lambda: not code.working)
        assert time.monotonic() - stopped < 1
        row = await answered(sent)
        assert session in code.aborted
        assert (row.status, row.message.text) == (Status.STOPPED, "Code answer 1.")

        again = await answered(await ask(alice, sent.conversation, "Again", "box/local/m"))
        assert (again.status, again.message.text) == (Status.COMPLETED, "Code answer 2.")


async def test_opencode_is_told_to_abort_before_its_first_word_too(hub: runtime.Runtime, alice: User) -> None:
    async with FakeOpenCode() as code:
        await in_database(add, "Box", "opencode", code.url, "local/m")
        sent = await ask(alice, None, "Tell me !silent", "box/local/m")
        await until(lambda: code.working)

        await in_database(stop_answers, sent.conversation)
        # The adapter waits for a moment in which an abort does not leave the server unusable.
        await until(lambda: not code.working)
        assert (await answered(sent)).status == Status.STOPPED


async def test_opencode_that_is_slow_to_begin_is_told_later(
    hub: runtime.Runtime, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opencode, "STEADY_LIMIT", 0.05)
    async with FakeOpenCode() as code:
        code.slow = 1.0
        await in_database(add, "Box", "opencode", code.url, "local/m")
        sent = await ask(alice, None, "Tell me !silent", "box/local/m")
        await until(lambda: code.working)

        await in_database(stop_answers, sent.conversation)

        assert (await answered(sent)).status == Status.STOPPED
        assert not code.aborted
        await until(lambda: code.aborted)
        assert not code.working


async def test_stopping_one_answer_leaves_the_others_at_work(hub: runtime.Runtime, alice: User) -> None:
    async with FakeLMStudio() as studio, FakeOpenCode() as code:
        await in_database(add, "Studio", "lmstudio", studio.url, "m")
        await in_database(add, "Code", "opencode", code.url, "local/m")
        first = await ask(alice, None, "One !wait", "code/local/m")
        second = await ask(alice, None, "Two !wait", "code/local/m")
        third = await ask(alice, None, "Three !wait", "studio/m")
        for sent in (first, second, third):
            await until(lambda sent=sent: sent.generation.pk in hub.supervisor.runs)
            await shown(sent, hub)

        await in_database(stop_answers, first.conversation)
        assert (await answered(first)).status == Status.STOPPED
        assert len(code.working) == 1
        assert studio.hung_up == 0

        for sent in (second, third):
            await in_database(stop_answers, sent.conversation)
            await answered(sent)
        await until(lambda: not code.working and studio.hung_up)


async def test_the_end_of_the_hub_stops_the_work_too(hub: runtime.Runtime, alice: User) -> None:
    async with FakeOpenCode() as code, Endless("ollama", "in the middle") as ollama:
        await in_database(add, "Code", "opencode", code.url, "local/m")
        await in_database(add, "Ollama", "ollama", ollama.url, "m")
        for ref in ("code/local/m", "ollama/m"):
            await shown(await started(alice, ref, hub), hub)

        async with asyncio.timeout(10):
            await runtime.stop()
            await until(lambda: not code.working and ollama.left_at)


async def started(alice: User, ref: str, hub: runtime.Runtime) -> Any:
    """An answer that runs."""
    sent = await ask(alice, None, "Tell me !wait", ref)
    await until(lambda: sent.generation.pk in hub.supervisor.runs)
    return sent
