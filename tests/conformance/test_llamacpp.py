"""The real llama.cpp server with the built-in model, through the adapters that may be pointed at it."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import replace

import pytest

from backends.adapters.base import Capability, Endpoint, Secret
from backends.adapters.errors import AuthFailed, BackendError, ContextOverflow, NotFound, Unsupported
from backends.adapters.events import FinishReason, Started, TextDelta
from backends.adapters.http import Http
from backends.adapters.messages import ChatMessage, ImagePart, Role, SamplingOptions, TextPart
from backends.adapters.ollama import OllamaAdapter
from backends.adapters.openai_chat import OpenAIChatAdapter
from backends.adapters.opencode import OpenCodeAdapter
from backends.builtin.facts import CONTEXT_LENGTH, SLOTS, SMOLLM2
from tests.conformance.asking import ask, left_after, question

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("conformance")]

MODEL = SMOLLM2.id
STORY = "Tell me a very long story about a king."
STILL = SamplingOptions(temperature=0.0, seed=1)
#: Without a penalty for repetition the small model goes on until its context is full, for a minute.
ENDLESS = SamplingOptions(temperature=0.0, repeat_penalty=1.0)


@pytest.fixture
def adapter(llamacpp: Endpoint, http: Http) -> OpenAIChatAdapter:
    return OpenAIChatAdapter(llamacpp, http)


async def test_list(adapter: OpenAIChatAdapter) -> None:
    [model] = await adapter.list_models()
    assert model.id == MODEL
    assert model.loaded is True
    assert model.context_length == CONTEXT_LENGTH
    assert model.capabilities is not None
    assert Capability.CHAT in model.capabilities
    assert not model.capabilities & {Capability.VISION, Capability.EMBEDDING}


async def test_health(adapter: OpenAIChatAdapter) -> None:
    health = await adapter.health()
    assert (health.detail, health.slots) == ("1 models", SLOTS)


@pytest.mark.parametrize("key", [Secret(), Secret("guessed-key-1234")])
async def test_a_wrong_key_is_refused(llamacpp: Endpoint, http: Http, key: Secret) -> None:
    stranger = OpenAIChatAdapter(replace(llamacpp, api_key=key), http)
    with pytest.raises(AuthFailed):
        await stranger.list_models()
    error = (await ask(stranger, question(MODEL, "Hello"))).error
    assert type(error) is AuthFailed
    assert "guessed" not in repr(error) + error.message


async def test_the_address_needs_no_version(llamacpp: Endpoint, http: Http) -> None:
    bare = replace(llamacpp, base_url=llamacpp.base_url.removesuffix("/v1"))
    assert [model.id for model in await OpenAIChatAdapter(bare, http).list_models()] == [MODEL]


async def test_an_answer_is_counted(adapter: OpenAIChatAdapter) -> None:
    answer = await ask(adapter, question(MODEL, "What is the capital of France?", system="Be brief."))
    assert answer.finish.reason is FinishReason.STOP
    assert "Paris" in answer.text
    assert [started.model for started in answer.all(Started)] == [MODEL]
    usage = answer.usage
    assert usage.input_tokens
    assert usage.input_tokens > 10
    assert usage.output_tokens
    assert usage.output_tokens >= len(answer.all(TextDelta))
    assert usage.tokens_per_second
    assert usage.tokens_per_second > 0
    assert usage.ttft_s is not None
    assert usage.total_s is not None
    assert usage.total_s >= usage.ttft_s


async def test_the_history_counts(adapter: OpenAIChatAdapter) -> None:
    turns = ("My name is Zebulon.", "Nice to meet you, Zebulon!", "What is my name?")
    assert "Zebulon" in (await ask(adapter, question(MODEL, *turns, sampling=STILL))).text


async def test_a_limit_is_kept(adapter: OpenAIChatAdapter) -> None:
    answer = await ask(adapter, question(MODEL, STORY, sampling=SamplingOptions(max_tokens=7)))
    assert answer.finish.reason is FinishReason.LENGTH
    assert answer.usage.output_tokens == 7


async def test_a_stop_word_is_kept(adapter: OpenAIChatAdapter) -> None:
    sampling = replace(STILL, stop=("Paris",))
    answer = await ask(adapter, question(MODEL, "What is the capital of France?", sampling=sampling))
    assert answer.finish.reason is FinishReason.STOP
    assert "Paris" not in answer.text


async def test_the_same_seed_says_the_same(adapter: OpenAIChatAdapter) -> None:
    request = question(
        MODEL, "Name a fruit.", sampling=replace(STILL, temperature=1.0, seed=7, max_tokens=20)
    )
    assert (await ask(adapter, request)).text == (await ask(adapter, request)).text


async def test_leaving_answers_frees_their_slots(adapter: OpenAIChatAdapter) -> None:
    """With all slots writing for long, the next question would wait for its whole time.

    That there is something to leave tells that answers stream: these have no end.
    """

    async def leave() -> None:
        request = question(MODEL, STORY, sampling=ENDLESS)
        async with left_after(adapter, request, lambda event: isinstance(event, TextDelta)):
            pass

    await asyncio.gather(*(leave() for _ in range(SLOTS)))
    limited = question(MODEL, "Hello", sampling=SamplingOptions(max_tokens=1))
    began = time.monotonic()
    assert (await ask(adapter, limited)).finish
    assert time.monotonic() - began < 30


async def test_a_conversation_that_does_not_fit(adapter: OpenAIChatAdapter) -> None:
    error = (await ask(adapter, question(MODEL, "word " * 9000))).error
    assert type(error) is ContextOverflow
    assert error.data["n_ctx"] == str(CONTEXT_LENGTH)
    assert int(error.data["n_prompt_tokens"]) > CONTEXT_LENGTH
    assert not error.partial


async def test_another_model_is_answered_by_the_loaded_one_which_is_named(adapter: OpenAIChatAdapter) -> None:
    answer = await ask(adapter, question("nope", "Hello", sampling=SamplingOptions(max_tokens=3)))
    assert answer.finish
    assert [started.model for started in answer.all(Started)] == [MODEL]


async def test_a_schema_is_kept(adapter: OpenAIChatAdapter) -> None:
    schema = {
        "type": "object",
        "properties": {"city": {"type": "string", "maxLength": 20}, "rainy": {"type": "boolean"}},
        "required": ["city", "rainy"],
        "additionalProperties": False,
    }
    request = question(
        MODEL, "Describe Rome.", response_schema=schema, sampling=replace(STILL, max_tokens=200)
    )
    answer = await ask(adapter, request)
    assert answer.finish.reason is FinishReason.STOP
    value = json.loads(answer.text)
    assert set(value) == {"city", "rainy"}
    assert isinstance(value["rainy"], bool)


async def test_an_image_is_refused(adapter: OpenAIChatAdapter) -> None:
    parts = (TextPart("What is this?"), ImagePart(b"\x89PNG\r\n\x1a\n", "image/png"))
    request = replace(question(MODEL), messages=(ChatMessage(Role.USER, parts),))
    assert type((await ask(adapter, request)).error) is Unsupported


async def test_embeddings_are_refused(llamacpp: Endpoint, http: Http) -> None:
    body = {"model": MODEL, "input": "hello"}
    with pytest.raises(Unsupported):
        await http.request_json(llamacpp, "POST", "/embeddings", body=body)


# Taken for something else


@pytest.fixture
def root(llamacpp: Endpoint) -> Endpoint:
    """The server without the path of the OpenAI API."""
    return replace(llamacpp, base_url=llamacpp.base_url.removesuffix("/v1"))


async def test_it_has_no_routes_of_ollama(root: Endpoint, http: Http) -> None:
    ollama = OllamaAdapter(root, http)
    for call in (
        ollama.health(),
        ollama.list_models(),
        ollama.ps(),
        ollama.show(MODEL),
        ollama.delete(MODEL),
    ):
        with pytest.raises(NotFound) as caught:
            await call
        assert "Ollama" in ollama.hint_for(caught.value)
    answer = await ask(ollama, question(MODEL, "Hello"))
    assert (answer.events, type(answer.error)) == ([], NotFound)


async def test_it_is_not_opencode(root: Endpoint, http: Http) -> None:
    opencode = OpenCodeAdapter(root, http)
    for call in (opencode.health(), opencode.list_models()):
        with pytest.raises(BackendError):
            await call
    answer = await ask(opencode, question(f"local/{MODEL}", "Hello"))
    assert (answer.events, type(answer.error)) == ([], NotFound)
