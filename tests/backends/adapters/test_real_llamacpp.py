"""Completion and embeddings of the real llama.cpp server, as the built-in model runs it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest

from backends.adapters.base import Capability, Endpoint
from backends.adapters.errors import Unsupported
from backends.adapters.events import Finish, FinishReason, TextDelta, Usage
from backends.adapters.http import Http
from backends.adapters.messages import ChatMessage, ChatRequest, Role, SamplingOptions
from backends.adapters.openai_chat import OpenAIChatAdapter
from backends.builtin.process import BuiltinServer
from tests.fakes.builtin import give_builtin

pytestmark = pytest.mark.real


@pytest.fixture
async def adapter(tmp_path: Path) -> AsyncIterator[OpenAIChatAdapter]:
    give_builtin(tmp_path)
    server, http = BuiltinServer(tmp_path), Http()
    async with server.use() as (url, key):
        yield OpenAIChatAdapter(Endpoint(url, api_key=key), http)
    await http.aclose()
    await server.stop()


async def test_it_goes_on_with_a_text(adapter: OpenAIChatAdapter) -> None:
    [model] = await adapter.list_models()
    request = ChatRequest(
        model=model.id,
        messages=(ChatMessage.of(Role.USER, "The capital of France is"),),
        sampling=SamplingOptions(max_tokens=6, temperature=0),
        capabilities=frozenset({Capability.COMPLETION}),
    )
    async with aclosing(adapter.stream(request)) as stream:
        events = [event async for event in stream]
    assert "Paris" in "".join(event.text for event in events if isinstance(event, TextDelta))
    [usage] = [event for event in events if isinstance(event, Usage)]
    assert usage.output_tokens == 6
    assert events[-1] == Finish(FinishReason.LENGTH)


async def test_a_server_that_was_not_started_for_embeddings_says_so(adapter: OpenAIChatAdapter) -> None:
    with pytest.raises(Unsupported):
        await adapter.embed("m", ["hello"])
