"""The real OpenCode server, answering through the real llama.cpp server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest

from backends.adapters.base import Capability, Endpoint, Secret
from backends.adapters.errors import AuthFailed, BadRequest, ContextOverflow, ModelNotFound
from backends.adapters.events import (
    Ask,
    AskClosed,
    Event,
    FinishReason,
    Phase,
    Started,
    Status,
    TextDelta,
    ToolActivity,
    ToolState,
    Verdict,
)
from backends.adapters.http import Http
from backends.adapters.messages import ChatMessage, ImagePart, Role, TextPart
from backends.adapters.opencode import OpenCodeAdapter
from backends.builtin.facts import SMOLLM2
from tests.conformance.asking import Answer, ask, left_after, question
from tests.conformance.opencode import VERSION, OpenCode
from tests.conformance.provider import COMMAND, ShellModel

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("conformance")]

MODEL = f"local/{SMOLLM2.id}"
FRANCE = "What is the capital of France?"
DENY = [{"permission": "*", "pattern": "*", "action": "deny"}]


@pytest.fixture
def adapter(place: Endpoint, http: Http) -> OpenCodeAdapter:
    return OpenCodeAdapter(place, http)


@pytest.fixture
def look(adapter: OpenCodeAdapter, http: Http) -> Callable[[str], Awaitable[Any]]:
    """What the server keeps."""

    async def get(path: str) -> Any:
        return await http.request_json(replace(adapter.endpoint, username="opencode"), "GET", path)

    return get


async def test_health_and_models(adapter: OpenCodeAdapter, llamacpp: Endpoint) -> None:
    assert (await adapter.health()).version == VERSION
    models = {model.id: model for model in await adapter.list_models()}
    assert set(models) == {MODEL, "shell/shell", "down/nobody"}
    assert models[MODEL].capabilities == {Capability.CHAT}
    assert (models[MODEL].context_length, models[MODEL].remote) == (4096, False)
    assert llamacpp.api_key.reveal() not in repr(models)


async def test_a_wrong_password_is_refused(place: Endpoint, http: Http) -> None:
    stranger = OpenCodeAdapter(replace(place, password=Secret("guessed")), http)
    with pytest.raises(AuthFailed):
        await stranger.health()
    with pytest.raises(AuthFailed):
        await stranger.list_models()
    assert type((await ask(stranger, question(MODEL, FRANCE))).error) is AuthFailed


async def test_an_answer(adapter: OpenCodeAdapter, look: Any) -> None:
    answer = await ask(adapter, question(MODEL, FRANCE, system="Be brief."))
    assert answer.finish.reason is FinishReason.STOP
    assert "Paris" in answer.text
    assert answer.usage.input_tokens
    assert answer.usage.output_tokens
    session = await look(f"/session/{answer.state['session_id']}")
    assert session["title"] == "Conformance"
    assert session["permission"] == DENY


async def test_turns_share_a_session_and_branches_fork_it(adapter: OpenCodeAdapter, look: Any) -> None:
    first = await ask(adapter, question(MODEL, FRANCE))
    turns = (FRANCE, first.text, "And of Italy?")
    second = await ask(adapter, question(MODEL, *turns, state=first.state))
    assert second.state == first.state
    again = await ask(adapter, question(MODEL, *turns, state=second.state))
    fork = again.state["session_id"]
    assert fork != first.state["session_id"]
    assert again.finish
    assert (await look(f"/session/{fork}"))["permission"] == DENY
    assert len(await look(f"/session/{fork}/message")) == len(
        await look(f"/session/{first.state['session_id']}/message")
    )
    on = (*turns, again.text, "Thanks.")
    assert (await ask(adapter, question(MODEL, *on, state=again.state))).state == again.state


async def test_a_lost_session_is_replaced(adapter: OpenCodeAdapter, http: Http, look: Any) -> None:
    first = await ask(adapter, question(MODEL, FRANCE))
    path = f"/session/{first.state['session_id']}"
    await http.request_json(replace(adapter.endpoint, username="opencode"), "DELETE", path)
    request = question(MODEL, FRANCE, first.text, "And of Italy?", state=first.state)
    second = await ask(adapter, request)
    assert second.finish
    assert [status.phase for status in second.all(Status)] == [Phase.RETRYING]
    messages = await look(f"/session/{second.state['session_id']}/message")
    told = [part["text"] for part in messages[0]["parts"]]
    assert f"User: {FRANCE}" in told[0]
    assert first.text in told[0]
    assert told[1] == "And of Italy?"
    third = question(MODEL, *(m.text for m in request.messages), second.text, "Thanks.", state=second.state)
    assert (await ask(adapter, third)).state == second.state


async def at_rest(look: Any, session_id: str) -> bool:
    """Whether the session comes to rest soon."""
    for _ in range(50):
        if session_id not in await look("/session/status"):
            return True
        await asyncio.sleep(0.1)
    return False


async def test_leaving_an_answer_stops_it(adapter: OpenCodeAdapter, look: Any) -> None:
    """Which also tells that it streams: its first words are here before its last are written."""
    request = question(MODEL, "Tell me a very long story about a king.")
    async with left_after(adapter, request, lambda event: isinstance(event, TextDelta)) as answer:
        session_id = answer.state["session_id"]
        assert await at_rest(look, session_id)
        stopped = (await look(f"/session/{session_id}/message"))[-1]["info"]
        assert stopped["error"]["name"] == "MessageAbortedError"
    on = replace(question(MODEL, request.messages[0].text, answer.text, "Go on."), state=answer.state)
    assert (await ask(adapter, on)).state == answer.state


@pytest.mark.parametrize("wait", [0.0, 0.05, 0.3])
async def test_stopping_at_once_leaves_the_server_well(
    fresh_server: OpenCode, place: Endpoint, http: Http, wait: float
) -> None:
    adapter = OpenCodeAdapter(replace(place, base_url=fresh_server.url), http)
    begun = asyncio.Event()

    async def begin() -> None:
        async with aclosing(adapter.batches(question(MODEL, FRANCE))) as batches:
            async for _ in batches:
                begun.set()

    task = asyncio.create_task(begin())
    await begun.wait()
    await asyncio.sleep(wait)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    answer = await ask(adapter, question(MODEL, FRANCE))
    assert answer.finish.reason is FinishReason.STOP
    assert "Paris" in answer.text


async def test_abort_from_elsewhere_ends_the_answer(adapter: OpenCodeAdapter) -> None:
    request = question(MODEL, "Tell me a very long story about a queen.")
    answer = Answer()
    async for event in adapter.stream(request):
        if isinstance(event, TextDelta) and not answer.text:
            await adapter.abort(replace(request, state=answer.state))
        answer.events.append(event)
    assert answer.finish.reason is FinishReason.CANCELLED


async def test_a_provider_that_is_down_is_tried_again_until_left(adapter: OpenCodeAdapter, look: Any) -> None:
    async with left_after(
        adapter, question("down/nobody", "Hello"), lambda event: isinstance(event, Status)
    ) as answer:
        assert "connect" in answer.all(Status)[0].detail.lower()
        assert await at_rest(look, answer.state["session_id"])


async def test_what_cannot_be_answered(adapter: OpenCodeAdapter, place: Endpoint, http: Http) -> None:
    assert type((await ask(adapter, question("local/nope", "Hello"))).error) is ModelNotFound
    assert type((await ask(adapter, question(MODEL, "word " * 9000))).error) is ContextOverflow
    nobody = OpenCodeAdapter(replace(place, options={"agent": "nobody"}), http)
    found = (await ask(nobody, question(MODEL, "Hello"))).error
    assert type(found) is BadRequest
    assert "Agent not found" in found.message


async def test_an_image_is_a_file_part(adapter: OpenCodeAdapter, look: Any) -> None:
    picture = ImagePart(_PIXEL, "image/png")
    request = replace(
        question(MODEL), messages=(ChatMessage(Role.USER, (TextPart("What is this?"), picture)),)
    )
    answer = await ask(adapter, request)
    assert answer.finish
    [asked, *_] = await look(f"/session/{answer.state['session_id']}/message")
    assert [part["mime"] for part in asked["parts"] if part["type"] == "file"] == ["image/png"]


_PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d494844520000000100000001080200000090"
    "7753de0000000c49444154789c63f8cfc0000003010100c9fe92ef0000000049454e44ae426082"
)


# Tools


async def test_a_plain_chat_has_no_tools(place: Endpoint, http: Http, shell: ShellModel) -> None:
    worker = OpenCodeAdapter(replace(place, options={"agent": "worker"}), http)
    first = await ask(worker, question("shell/shell", "Run it."))
    assert first.text == "I have no tools."
    fork = await ask(worker, question("shell/shell", "Run it now.", state=first.state))
    assert fork.text == "I have no tools."
    assert not any(request.get("tools") for request in shell.requests[-2:])


async def asked_for_a_command(adapter: OpenCodeAdapter, verdict: Verdict, *message: str) -> Answer:
    answer = Answer()
    async with aclosing(adapter.stream(question("shell/shell", "Run it."))) as events:
        async for event in events:
            answer.events.append(event)
            if isinstance(event, Ask):
                assert event.payload["permission"] == "bash"
                assert event.payload["patterns"] == [COMMAND]
                await adapter.reply(event, verdict, *message)
    return answer


@pytest.fixture
def worker(place: Endpoint, http: Http) -> OpenCodeAdapter:
    """Tools, each after a question."""
    return OpenCodeAdapter(replace(place, options={"agent": "worker", "tools": "ask"}), http)


async def test_a_tool_runs_once_allowed(worker: OpenCodeAdapter) -> None:
    answer = await asked_for_a_command(worker, Verdict.ONCE)
    assert answer.finish.reason is FinishReason.STOP
    assert "The tool said: from-the-shell" in answer.text
    assert [closed.id for closed in answer.all(AskClosed)] == [ask.id for ask in answer.all(Ask)]
    states = [activity.state for activity in answer.all(ToolActivity)]
    assert states[0] is ToolState.PENDING
    assert states[-1] is ToolState.DONE


async def test_a_denied_tool_does_not_run_and_the_model_hears_why(worker: OpenCodeAdapter) -> None:
    answer = await asked_for_a_command(worker, Verdict.DENY, "Not on a Sunday.")
    assert answer.finish
    assert answer.all(ToolActivity)[-1].state is ToolState.ERROR
    assert "Not on a Sunday." in answer.text


async def test_a_denial_without_a_word_ends_the_run(worker: OpenCodeAdapter) -> None:
    answer = await asked_for_a_command(worker, Verdict.DENY, "")
    assert answer.finish.reason is FinishReason.STOP
    assert answer.text == ""


async def test_requests_can_be_denied_by_themselves(place: Endpoint, http: Http) -> None:
    options = {"agent": "worker", "tools": "ask", "asks": "deny"}
    answer = await ask(
        OpenCodeAdapter(replace(place, options=options), http), question("shell/shell", "Run it.")
    )
    assert answer.finish
    assert answer.all(Ask) == []
    assert "Not available in this app." in answer.text


async def test_two_conversations_do_not_mix(adapter: OpenCodeAdapter) -> None:
    requests = [question(MODEL, FRANCE), question("shell/shell", "Hello")]
    paris, shell = await asyncio.gather(*(ask(adapter, request) for request in requests))
    assert "Paris" in paris.text
    assert shell.text == "I have no tools."
    sessions: list[Event] = [*paris.all(Started), *shell.all(Started)]
    assert len(set(map(repr, sessions))) == 2
