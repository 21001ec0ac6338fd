"""What an adapter says it would send is what it sends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest

from backends.adapters.base import Endpoint, Secret
from backends.adapters.messages import (
    ChatMessage,
    ChatRequest,
    ImagePart,
    Role,
    SamplingOptions,
    TextPart,
    ToolSpec,
)
from backends.adapters.registry import KINDS, adapter_class
from tests.backends.adapters.wire import Memory, memory_http, play, response

REQUEST = ChatRequest(
    model="m",
    messages=(
        ChatMessage.of(Role.USER, "One"),
        ChatMessage.of(Role.ASSISTANT, "Two"),
        ChatMessage(Role.USER, (TextPart("Three"), ImagePart(b"png", "image/png"))),
    ),
    system="Be brief.",
    sampling=SamplingOptions(temperature=0.5, top_p=0.9, max_tokens=99),
)
TEXT = replace(REQUEST, messages=(ChatMessage.of(Role.USER, "One"),))
TOOL = replace(TEXT, tools=(ToolSpec("add", "Adds.", {"type": "object"}),))
REMEMBERED = replace(
    REQUEST,
    messages=(*REQUEST.messages[:2], ChatMessage.of(Role.USER, "Four")),
    state={"response_id": "resp_1"},
)
COMPLETES = replace(TEXT, capabilities=frozenset({"completion"}))

CASES = [
    ("ollama", REQUEST, {}, "http://server.test"),
    ("ollama", TOOL, {"num_ctx": "8192", "keep_alive": "1h"}, "http://server.test/"),
    ("openai", REQUEST, {}, "http://server.test"),
    ("openai", TOOL, {"progress": "on"}, "http://server.test/api/v1"),
    ("openai", COMPLETES, {}, "http://server.test/v1"),
    ("openai-responses", REQUEST, {}, "http://server.test/v1"),
    ("openai-responses", REMEMBERED, {}, "http://server.test/v1"),
    ("openai-responses", REMEMBERED, {"store": "off"}, "http://server.test/v1"),
    ("lmstudio", REQUEST, {}, "http://server.test"),
    ("lmstudio", REMEMBERED, {}, "http://server.test/v1"),
    ("lmstudio", TOOL, {}, "http://server.test"),
    ("olla", TEXT, {}, "http://server.test/olla/ollama"),
    ("olla", TEXT, {}, "http://server.test"),
    ("ollm", REQUEST, {}, "http://server.test"),
    ("ollm", TEXT, {}, "http://server.test/v1"),
    ("ollm", TEXT, {"api": "prompt"}, "http://server.test"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "request_", "options", "base"), CASES)
def test_it_is_what_is_sent_first(
    kind: str, request_: ChatRequest, options: Mapping[str, str], base: str
) -> None:
    adapter = adapter_class(kind)
    failure = response("{}", status=500)

    server = play(adapter, failure, request=request_, base=base, options=options).server
    wire = adapter(Endpoint(base, options=options), memory_http(Memory(lambda sent: failure))).on_the_wire(
        request_
    )

    assert wire
    sent = server.requests[0]
    assert sent.method == "POST"
    assert sent.path == urlsplit(wire.url).path
    assert sent.body == wire.body


@pytest.mark.parametrize("kind", KINDS)
def test_it_never_holds_a_credential(kind: str) -> None:
    endpoint = Endpoint(
        "http://server.test", api_key=Secret("sekret-key"), username="me", password=Secret("sekret-word")
    )

    wire: Any = adapter_class(kind)(endpoint, memory_http(Memory(lambda sent: response("")))).on_the_wire(
        TEXT
    )

    assert "sekret" not in repr(wire)
    assert (wire is None) == (kind in ("opencode", "scripted"))
