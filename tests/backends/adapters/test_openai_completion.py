"""Models that only complete, and embeddings, of servers that imitate OpenAI."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backends.adapters.base import Capability
from backends.adapters.errors import BackendError, BadRequest, NotFound, ProtocolError, Unsupported
from backends.adapters.events import Finish, FinishReason, Phase, Status, TextDelta
from backends.adapters.messages import (
    ChatMessage,
    ChatRequest,
    ImagePart,
    Reasoning,
    Role,
    SamplingOptions,
    ToolSpec,
)
from backends.adapters.openai_chat import OpenAIChatAdapter
from backends.adapters.openai_completion import completion_body
from tests.backends.adapters.contract import AdapterContract, Case, Used
from tests.backends.adapters.wire import (
    HELLO,
    Played,
    Script,
    Sent,
    answer,
    asked,
    play,
    recorded,
    response,
    sse,
)

STOP, LENGTH = Finish(FinishReason.STOP), Finish(FinishReason.LENGTH)
PLAIN = replace(HELLO, capabilities=frozenset({Capability.COMPLETION}))


def tape(name: str) -> Script:
    return Script((recorded(name),))


def piece(text: str, finish: str | None = None) -> str:
    return "data: " + json.dumps({"choices": [{"text": text, "index": 0, "finish_reason": finish}]}) + "\n\n"


class TestContract(AdapterContract):
    adapter = OpenAIChatAdapter
    cases = (
        Case(
            "llama.cpp",
            tape("llamacpp/completions-stream"),
            (
                TextDelta(" Rome. The capital of France"),
                Used(input_tokens=5, output_tokens=6, tokens_per_second=25.814045938676152),
                LENGTH,
            ),
            request=PLAIN,
        ),
        Case(
            "characters of several bytes",
            sse(piece("Grüße, 世界 😀", "stop"), "data: [DONE]\n\n"),
            (TextDelta("Grüße, 世界 😀"), STOP),
            request=PLAIN,
        ),
        Case(
            "at once",
            answer(
                {
                    "object": "text_completion",
                    "choices": [{"text": "Rome", "index": 0, "finish_reason": "stop"}],
                    "usage": {"prompt_tokens": 5, "completion_tokens": 1},
                }
            ),
            (TextDelta("Rome"), Used(input_tokens=5, output_tokens=1), STOP),
            request=PLAIN,
        ),
    )


def sent_by(*scripts: Script, request: ChatRequest = PLAIN) -> tuple[Played, list[Sent]]:
    played = play(OpenAIChatAdapter, *scripts, request=request)
    assert played.server is not None
    return played, played.server.requests


DONE = sse(piece("Rome", "stop"))


def test_the_catalogue_says_that_a_model_only_completes() -> None:
    _, [sent] = sent_by(DONE)
    assert sent.path == "/v1/completions"
    assert sent.body["prompt"] == "Hello"
    assert "messages" not in sent.body


@pytest.mark.parametrize(
    "known",
    [
        None,
        frozenset(),
        frozenset({Capability.CHAT}),
        frozenset({Capability.CHAT, Capability.COMPLETION}),
        frozenset({Capability.VISION}),
    ],
)
def test_all_others_are_asked_to_chat(known: frozenset[str] | None) -> None:
    _, [sent] = sent_by(
        sse('data: {"choices":[{"delta":{"content":"A"},"finish_reason":"stop"}]}\n\n'),
        request=replace(HELLO, capabilities=known),
    )
    assert sent.path == "/v1/chat/completions"


NO_TEMPLATE = (
    "As of transformers v4.44, default chat template is no longer allowed, so you must provide a chat "
    "template if the tokenizer does not define one."
)


@pytest.mark.parametrize(
    ("message", "status"),
    [
        (NO_TEMPLATE, 400),
        (
            ("tokenizer.chat_template is not set and no template argument was passed!"),
            500,
        ),
        ("Template error: template not found", 422),
        ('"base" does not support chat', 400),
        (
            (
                "This is not a chat model and thus not supported in the v1/chat/completions endpoint. "
                "Did you mean to use v1/completions?"
            ),
            404,
        ),
    ],
)
def test_a_server_may_say_so_itself(message: str, status: int) -> None:
    played, requests = sent_by(answer({"error": {"message": message}}, status), DONE, request=HELLO)
    assert played.events == [TextDelta("Rome"), STOP]
    assert [sent.path for sent in requests] == ["/v1/chat/completions", "/v1/completions"]


@pytest.mark.parametrize(
    ("message", "status"),
    [
        ("Error rendering chat template: System role not supported", 400),
        ("template is broken", 500),
        ("model not found", 404),
    ],
)
def test_other_refusals_of_a_chat_are_final(message: str, status: int) -> None:
    played, requests = sent_by(answer({"error": {"message": message}}, status), DONE, request=HELLO)
    assert played.error is not None
    assert len(requests) == 1


def test_such_words_in_the_middle_of_an_answer_are_final() -> None:
    frames = sse(
        'data: {"choices":[{"delta":{"content":"A"}}]}\n\n', 'data: {"error":"template not found"}\n\n'
    )
    played, requests = sent_by(frames, DONE, request=HELLO)
    assert played.error is not None
    assert played.error.partial
    assert len(requests) == 1


def test_a_completion_is_not_asked_for_twice() -> None:
    played, requests = sent_by(answer({"error": NO_TEMPLATE}, 400))
    assert isinstance(played.error, BadRequest)
    assert len(requests) == 1


def test_an_option_that_is_refused_is_left_out_here_too() -> None:
    refused = answer({"error": {"message": "Unrecognized field: min_p"}}, 400)
    request = replace(PLAIN, sampling=SamplingOptions(min_p=0.1))
    played, requests = sent_by(refused, DONE, request=request)
    assert played.events[0] == Status(Phase.RETRYING, detail="min_p")
    assert ["min_p" in sent.body for sent in requests] == [True, False]


TALK = replace(
    PLAIN,
    system="Be brief.",
    messages=(
        ChatMessage.of(Role.USER, "Capital of Spain?"),
        ChatMessage.of(Role.ASSISTANT, "Madrid."),
        ChatMessage.of(Role.USER, "And of Italy?"),
    ),
    sampling=SamplingOptions(max_tokens=9, stop=("END",), reasoning=Reasoning.HIGH),
)


def test_a_conversation_becomes_a_transcript_that_stops_before_the_next_question() -> None:
    assert completion_body(TALK) == {
        "model": "m",
        "prompt": "Be brief.\n\nUser: Capital of Spain?\n\nAssistant: Madrid.\n\nUser: And of Italy?\n\nAssistant:",
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": 9,
        "stop": ["END", "\n\nUser:"],
    }


def test_a_lone_message_is_a_text_to_go_on_with() -> None:
    body = completion_body(PLAIN)
    assert body["prompt"] == "Hello"
    assert "stop" not in body


def test_a_lone_message_below_a_system_prompt_is_a_conversation() -> None:
    body = completion_body(replace(PLAIN, system="Be brief."))
    assert body["prompt"] == "Be brief.\n\nUser: Hello\n\nAssistant:"
    assert body["stop"] == ["\n\nUser:"]


@pytest.mark.parametrize(
    "more",
    [
        {"messages": (ChatMessage(Role.USER, (ImagePart(b"x", "image/png"),)),)},
        {"tools": (ToolSpec("f", "", {}),)},
        {"response_schema": {}},
    ],
)
def test_what_a_text_cannot_carry_is_refused_before_it_is_sent(more: dict[str, Any]) -> None:
    played, requests = sent_by(DONE, request=replace(PLAIN, **more))
    assert isinstance(played.error, Unsupported)
    assert "plain text" in played.error.hint
    assert requests == []


def test_an_endless_line_is_refused_and_does_not_fill_the_memory() -> None:
    played, _ = sent_by(sse('data: {"choices":[{"text":"', *(["x" * 65536] * 200)))
    assert isinstance(played.error, ProtocolError)
    assert played.server is not None
    assert played.server.transports[0].delivered < 10 * 1024 * 1024


# Embeddings


async def embedded(script: Script, *texts: str) -> tuple[list[list[float]], list[Sent]]:
    found, server = await asked(OpenAIChatAdapter, lambda sent: script, lambda a: a.embed("m", texts))
    return found, server.requests


async def test_llamacpp_embeds() -> None:
    [found], [sent] = await embedded(tape("llamacpp/auth-embeddings"), "hello")
    assert (sent.path, sent.body) == (
        "/v1/embeddings",
        {"model": "m", "input": ["hello"], "encoding_format": "float"},
    )
    assert len(found) == 896
    assert found[0] == 0.016508253291249275


async def test_vectors_come_in_the_order_of_the_texts() -> None:
    data = [{"index": 1, "embedding": [2]}, {"index": 0, "embedding": [1]}]
    found, _ = await embedded(answer({"data": data}), "a", "b")
    assert found == [[1.0], [2.0]]


async def test_embedding_nothing_asks_nothing() -> None:
    assert await embedded(answer({})) == ([], [])


@pytest.mark.parametrize(
    ("script", "error"),
    [
        (tape("llamacpp/embeddings"), Unsupported),
        (response('{"detail":"Not Found"}', status=404), NotFound),
        (answer({"error": "No models loaded."}), BackendError),
        (answer({"data": []}), ProtocolError),
        (answer({"data": [{"index": 0, "embedding": "AAAA"}]}), ProtocolError),
        (answer({"data": [{"index": 0, "embedding": [1, None]}]}), ProtocolError),
        (answer([1]), ProtocolError),
    ],
)
async def test_what_is_no_embedding_is_an_error(script: Script, error: type[BackendError]) -> None:
    with pytest.raises(error):
        await embedded(script, "a")


VALUE = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=6,
)


@settings(max_examples=100, deadline=None, database=None)
@given(
    VALUE
    | st.fixed_dictionaries(
        {"data": st.lists(st.fixed_dictionaries({"embedding": VALUE, "index": VALUE}), max_size=2)}
    )
)
def test_any_answer_is_vectors_or_a_typed_error(payload: Any) -> None:
    try:
        [found], _ = asyncio.run(embedded(answer(payload), "a"))
    except BackendError:
        return
    assert found
    assert all(isinstance(number, float) for number in found)


# Lists that tell who can chat


async def test_together_and_mistral_tell_who_can_chat() -> None:
    entries = [
        {"id": "base", "type": "language"},
        {"id": "talks", "type": "chat"},
        {"id": "embeds", "type": "embedding"},
        {
            "id": "mistral",
            "capabilities": {"completion_chat": True, "function_calling": True, "vision": False},
        },
        {"id": "codestral", "capabilities": {"completion_chat": False, "completion_fim": True}},
    ]
    models, _ = await asked(
        OpenAIChatAdapter, lambda sent: answer({"data": entries}), lambda a: a.list_models()
    )
    assert [model.capabilities for model in models] == [
        {Capability.COMPLETION},
        {Capability.CHAT},
        {Capability.EMBEDDING},
        {Capability.CHAT, Capability.TOOLS},
        {Capability.COMPLETION},
    ]
