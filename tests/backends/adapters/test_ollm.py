"""oLLM's own routes against recordings (as released, and patched so that they stream); vectors 121 to 125."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backends.adapters.base import Capability, Endpoint
from backends.adapters.errors import (
    BackendError,
    BadRequest,
    ModelNotFound,
    NotFound,
    ProtocolError,
    ServerError,
    StateLost,
    Truncated,
    Unsupported,
    WrongService,
)
from backends.adapters.events import Event, Finish, FinishReason, Phase, Started, Status, TextDelta
from backends.adapters.history import STATE_LOST
from backends.adapters.http import Http
from backends.adapters.management import Embeds, ManagesModels
from backends.adapters.messages import (
    ChatMessage,
    ChatRequest,
    ImagePart,
    Reasoning,
    Role,
    SamplingOptions,
    TextPart,
    ToolSpec,
)
from backends.adapters.ollm import OLLMAdapter
from backends.adapters.ollm_wire import goes_on, prompt_body, session_body, session_name
from tests.backends.adapters.contract import AdapterContract, Case
from tests.backends.adapters.wire import (
    FAST,
    HELLO,
    Memory,
    Responder,
    Script,
    Sent,
    answer,
    asked,
    memory_http,
    play,
    recorded,
    response,
    routes,
    sse,
)

STOP = Finish(FinishReason.STOP)
MODEL = "qwen2.5-coder-0.5b"
RUNNING = Status(Phase.GENERATING, detail=f"Running {MODEL} on cpu via transformers-generic")
RESPONSE = "resp_d3d91dd4ef8a49399f252be2f7539e2f"
BERLIN = TextDelta("The capital of Germany is Berlin.")
QUESTION = "What is the capital of Germany?"


def tape(name: str) -> Script:
    return Script((recorded(name),))


def event(name: str, **data: Any) -> str:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n"


class Prompting(OLLMAdapter):
    """The native route for a single prompt."""

    def __init__(self, endpoint: Endpoint, http: Http) -> None:
        super().__init__(replace(endpoint, options={"api": "prompt"}), http)


class Remembering(OLLMAdapter):
    """The native route with sessions."""

    def __init__(self, endpoint: Endpoint, http: Http) -> None:
        super().__init__(replace(endpoint, options={"api": "session"}), http)


class TestChat(AdapterContract):
    adapter = OLLMAdapter
    cases = (
        Case("streamed", tape("ollm/chat-stream"), (TextDelta("Italy's capital is Rome."), STOP)),
        Case("at once", tape("ollm/chat"), (TextDelta("The capital of France is Paris."), STOP)),
        Case("unknown model", tape("ollm/err-unknown-model"), (), ModelNotFound, "resolved", status=400),
        Case("tools", tape("ollm/err-tools"), (), BadRequest, "tools: Extra inputs", status=422),
        Case(
            "the Responses route",
            tape("ollm/responses-stream"),
            (TextDelta("Spain's capital is Madrid."), Finish(FinishReason.STOP, RESPONSE)),
            endpoint={"options": {"api": "responses"}},
        ),
    )


class TestPrompt(AdapterContract):
    adapter = Prompting
    cases = (
        Case("as recorded", tape("ollm/prompt-stream-patched"), (RUNNING, BERLIN, STOP)),
        Case(
            "121",
            sse(
                event("status", message="Running"),
                event("text", delta="He"),
                event("text", delta="llo"),
                event("complete", text="Hello"),
            ),
            (Status(Phase.GENERATING, detail="Running"), TextDelta("Hello"), STOP),
        ),
        Case(
            "122",
            sse(event("status", message="Running"), event("complete", text="Hello")),
            (Status(Phase.GENERATING, detail="Running"), TextDelta("Hello"), STOP),
        ),
        Case("124", sse(event("error", detail="out of memory")), (), ServerError, "out of memory"),
        Case(
            "an error after text",
            sse(event("text", delta="He"), event("error", detail="out of memory")),
            (TextDelta("He"),),
            ServerError,
            "out of memory",
            partial=True,
        ),
        Case("text and no end", sse(event("text", delta="He")), (TextDelta("He"),), Truncated, partial=True),
        Case(
            "cut off",
            sse(event("text", delta="He"), end="reset"),
            (TextDelta("He"),),
            Truncated,
            partial=True,
        ),
        Case("nonsense", sse("data: nonsense\n\n"), (), ProtocolError, "not JSON"),
        Case(
            "unknown events",
            sse(event("later", x=1), "data: 5\n\n", event("complete", text="A")),
            (TextDelta("A"), STOP),
        ),
        Case(
            "characters of several bytes",
            sse('event: complete\ndata: {"text":"世界 😀"}\n\n'),
            (TextDelta("世界 😀"), STOP),
        ),
        Case(
            "refused",
            response('{"detail":"bad device"}', status=400),
            (),
            BadRequest,
            "bad device",
            status=400,
        ),
    )


async def run(
    adapter: type[OLLMAdapter], responder: Responder, request: ChatRequest = HELLO
) -> tuple[list[Event], BackendError | None, list[Sent]]:
    """All events of one answer, how it failed, and what was asked."""
    events: list[Event] = []
    failure = None
    server = Memory(responder)
    http = memory_http(server)
    try:
        async for one in adapter(Endpoint("http://server.test/v1", timeouts=FAST), http).stream(request):
            events.append(one)  # noqa: PERF401 - what came before an error counts
    except BackendError as error:
        failure = error
    await http.aclose()
    assert server.open == 0
    return events, failure, server.requests


# Versions that keep the answer to themselves


async def test_123_a_stream_without_text_is_asked_for_again_at_once() -> None:
    table = {
        "POST /v1/prompt/stream": tape("ollm/prompt-stream-unpatched"),
        "POST /v1/prompt": answer({"text": "Berlin.", "metadata": {}}),
    }
    events, failure, requests = await run(Prompting, routes(table))
    assert events == [Started(model="m"), RUNNING, TextDelta("Berlin."), STOP]
    assert failure is None
    assert requests[0].body == requests[1].body


async def test_the_start_is_told_even_where_the_stream_is_empty() -> None:
    table = {"POST /v1/prompt/stream": sse(), "POST /v1/prompt": answer({"text": "Berlin."})}
    events, _, _ = await run(Prompting, routes(table))
    assert events == [Started(model="m"), TextDelta("Berlin."), STOP]


@pytest.mark.parametrize("second", [answer({"detail": "no"}, 500), answer({"text": ""}), response("")])
async def test_123_if_that_fails_too_it_is_a_broken_protocol(second: Script) -> None:
    table = {"POST /v1/prompt/stream": tape("ollm/prompt-stream-unpatched"), "POST /v1/prompt": second}
    events, failure, _ = await run(Prompting, routes(table))
    assert events == [Started(model="m"), RUNNING]
    assert isinstance(failure, ProtocolError)


async def test_a_session_that_streams_nothing_is_read() -> None:
    session = "3f8cbfbc-847a-443a-8430-13d2bb509d6b"
    table = {
        "POST /v1/sessions": answer({"session_id": session}),
        f"POST /v1/sessions/{session}/prompt/stream": tape("ollm/prompt-stream-unpatched"),
        f"GET /v1/sessions/{session}": tape("ollm/session-get"),
    }
    request = replace(HELLO, messages=(ChatMessage.of(Role.USER, QUESTION),))
    events, _, _ = await run(Remembering, routes(table), request)
    assert events == [Started(model="m", session_id=session), RUNNING, BERLIN, STOP]
    _, failure, _ = await run(Remembering, routes(table), HELLO)
    assert isinstance(failure, ProtocolError)  # the last answer there is not to our question


def test_an_endless_line_is_refused_and_does_not_fill_the_memory() -> None:
    played = play(Prompting, sse('event: text\ndata: {"delta":"', *(["x" * 65536] * 200)))
    assert isinstance(played.error, ProtocolError)
    assert "too large" in played.error.message
    assert played.server is not None
    assert played.server.transports[0].delivered < 10 * 1024 * 1024


# Sessions


class Sessions:
    """oLLM's sessions, as a responder: they answer ``A1``, ``A2`` … and can be forgotten."""

    def __init__(self) -> None:
        self.kept: dict[str, dict[str, Any]] = {}
        self.answers = 0

    def __call__(self, sent: Sent) -> Script:
        if sent.path == "/v1/sessions":
            return self.create(sent.body)
        name = sent.path.split("/")[3]
        if name not in self.kept:
            return answer({"detail": f"Session '{name}' does not exist"}, 400)
        return answer(self.kept[name]) if sent.method == "GET" else self.prompt(name, sent.body["prompt"])

    def create(self, body: dict[str, Any]) -> Script:
        name = f"s{len(self.kept) + 1}"
        self.kept[name] = {
            "session_id": name,
            "session_name": body["session_name"],
            "model_reference": body["runtime"]["model_reference"],
            "system_prompt": body.get("system_prompt", "You are a helpful assistant."),
            "messages": [],
        }
        return answer(self.kept[name])

    def prompt(self, name: str, text: str) -> Script:
        self.answers += 1
        said = f"A{self.answers}"
        for role, value in (("user", text), ("assistant", said)):
            part = {"type": "text", "value": value}
            self.kept[name]["messages"].append({"role": role, "content": [part]})
        return sse(event("text", delta=said), event("complete", text=said))


class Talk:
    """A conversation with sessions: it grows, keeps the state, and notes the prompts that were sent."""

    def __init__(self, **request: Any) -> None:
        self.server = Sessions()
        self.request = replace(HELLO, messages=(), **request)
        self.notes: list[Status] = []
        self.prompts: list[tuple[str, str]] = []

    async def say(self, text: str) -> None:
        question = ChatMessage.of(Role.USER, text)
        self.request = replace(self.request, messages=(*self.request.messages, question))
        events, failure, requests = await run(Remembering, self.server, self.request)
        assert failure is None
        self.prompts += [
            (s.path.split("/")[3], s.body["prompt"]) for s in requests if s.path.endswith("stream")
        ]
        self.notes += [one for one in events if isinstance(one, Status)]
        said = "".join(one.text for one in events if isinstance(one, TextDelta))
        [started] = [one for one in events if isinstance(one, Started)]
        self.request = replace(
            self.request,
            messages=(*self.request.messages, ChatMessage.of(Role.ASSISTANT, said)),
            state={"session_id": started.session_id or ""},
        )


LOST = Status(Phase.RETRYING, detail=STATE_LOST)
SEEDED = "User: one\n\nAssistant: A1\n\nUser: two"


async def test_a_conversation_stays_in_its_session_and_sends_only_what_is_new() -> None:
    talk = Talk(system="Be brief.")
    for text in ("one", "two", "three"):
        await talk.say(text)
    assert talk.prompts == [("s1", "one"), ("s1", "two"), ("s1", "three")]
    assert talk.notes == []


async def test_125_a_forgotten_session_is_replaced_by_one_with_the_history() -> None:
    talk = Talk()
    await talk.say("one")
    talk.server.kept.clear()
    await talk.say("two")
    await talk.say("three")
    assert talk.prompts == [("s1", "one"), ("s1", SEEDED), ("s1", "three")]
    assert talk.notes == [LOST]


@pytest.mark.parametrize(
    "change",
    [
        lambda r: replace(r, messages=(r.messages[0], ChatMessage.of(Role.ASSISTANT, "other"))),
        lambda r: replace(r, system="Be long."),
        lambda r: replace(r, model="n"),
        lambda r: replace(r, sampling=SamplingOptions(temperature=0.1)),
    ],
    ids=["a branch", "another system prompt", "another model", "other options"],
)
async def test_a_session_that_remembers_something_else_is_left(
    change: Callable[[ChatRequest], ChatRequest],
) -> None:
    talk = Talk()
    await talk.say("one")
    talk.request = change(talk.request)
    await talk.say("two")
    assert [name for name, _ in talk.prompts] == ["s1", "s2"]
    assert talk.notes == [LOST]


async def test_a_session_that_knows_too_much_is_left() -> None:
    talk = Talk()
    await talk.say("one")
    await talk.say("two")
    talk.request = replace(talk.request, messages=talk.request.messages[:2])
    await talk.say("three")
    assert talk.prompts[-1] == ("s2", "User: one\n\nAssistant: A1\n\nUser: three")


async def test_a_server_that_forgets_at_once_has_lost_the_state() -> None:
    def respond(sent: Sent) -> Script:
        if sent.path == "/v1/sessions":
            return tape("ollm/session-create")
        return answer({"detail": "Session '13474bfa' does not exist"}, 400)

    _, failure, requests = await run(Remembering, respond, replace(HELLO, state={"session_id": "13474bfa"}))
    assert isinstance(failure, StateLost)
    assert len(requests) == 3


async def test_a_session_without_an_id_is_a_broken_protocol() -> None:
    _, failure, _ = await run(Remembering, lambda sent: answer({}))
    assert isinstance(failure, ProtocolError)


async def test_an_id_cannot_leave_its_place_in_the_path() -> None:
    _, _, requests = await run(Remembering, Sessions(), replace(HELLO, state={"session_id": "../x?y"}))
    assert requests[0].path == "/v1/sessions/..%2Fx%3Fy"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["session_id", "messages", "role", "content", "value", "text"]), inner, max_size=4
        )
    ),
    max_leaves=9,
)


@settings(max_examples=80, deadline=None, database=None)
@given(
    JSON,
    JSON,
    st.lists(
        st.binary(max_size=30)
        | st.sampled_from(
            [event("text", delta="A").encode(), event("complete").encode(), event("status").encode()]
        ),
        max_size=4,
    ),
)
def test_any_session_ends_in_events_or_a_typed_error(made: Any, kept: Any, pieces: list[bytes]) -> None:
    def respond(sent: Sent) -> Script:
        if sent.path.endswith("/stream"):
            return sse(*pieces)
        return answer(kept if sent.method == "GET" else made)

    events, failure, _ = asyncio.run(run(Remembering, respond, replace(HELLO, state={"session_id": "s"})))
    assert (failure is None) == (events[-1:] == [STOP])


@settings(max_examples=100, deadline=None, database=None)
@given(JSON)
def test_no_session_confuses_the_comparison(session: Any) -> None:
    assert not goes_on(session if isinstance(session, dict) else {}, HELLO)


# Requests


FULL = replace(
    HELLO,
    system="Be brief.",
    sampling=SamplingOptions(
        temperature=0.5, top_p=0.9, top_k=40, min_p=0.1, max_tokens=9, seed=7, stop=("END",), reasoning=Reasoning.ON
    ),
)  # fmt: skip


def test_bodies_have_only_what_ollm_knows() -> None:
    generation = {"temperature": 0.5, "top_p": 0.9, "top_k": 40, "max_new_tokens": 9, "seed": 7}
    runtime = {"model_reference": "m"}
    assert prompt_body(FULL) == {
        "prompt": "Hello",
        "system_prompt": "Be brief.",
        "runtime": runtime,
        "generation": generation,
    }
    assert session_body(FULL) == {
        "session_name": session_name(FULL),
        "system_prompt": "Be brief.",
        "runtime": runtime,
        "generation": generation,
    }
    assert prompt_body(HELLO) == {"prompt": "Hello", "runtime": runtime}


async def test_a_chat_is_sent_once_without_what_is_known_to_be_refused() -> None:
    script = sse('data: {"choices":[{"delta":{"content":"A"},"finish_reason":"stop"}]}\n\n')
    events, _, [sent] = await run(OLLMAdapter, lambda sent: script, FULL)
    assert sent.path == "/v1/chat/completions"
    assert sent.body.keys() == {"model", "messages", "stream", "temperature", "top_p", "max_tokens", "seed"}
    assert events[0] == Status(Phase.RETRYING, detail="chat_template_kwargs, min_p, stop, top_k")


PICTURE = replace(
    HELLO, messages=(ChatMessage(Role.USER, (TextPart("What?"), ImagePart(b"x", "image/png"))),)
)


async def test_pictures_take_the_only_route_that_carries_them() -> None:
    _, _, requests = await run(OLLMAdapter, lambda sent: tape("ollm/responses-stream"), PICTURE)
    assert requests[0].path == "/v1/responses"


@pytest.mark.parametrize("adapter", [Prompting, Remembering])
@pytest.mark.parametrize(
    "request_", [PICTURE, replace(HELLO, tools=(ToolSpec("f", "", {}),)), replace(HELLO, response_schema={})]
)
async def test_its_own_routes_carry_only_text(adapter: type[OLLMAdapter], request_: ChatRequest) -> None:
    _, failure, requests = await run(adapter, lambda sent: answer({}), request_)
    assert isinstance(failure, Unsupported)
    assert requests == []


# Models and health


async def test_the_downloaded_models_are_listed_with_their_plan() -> None:
    table = {"GET /v1/ollm/models?installed=true": tape("ollm/ollm-models")}
    models, _ = await asked(OLLMAdapter, routes(table), lambda a: a.list_models())
    assert len(models) == 8
    assert models[-1].id == "/srv/serve/ollm-models/qwen2.5-coder-0.5b"
    assert (models[-1].name, models[-1].family) == (MODEL, "qwen2")
    assert models[-1].details == {
        "support": "generic",
        "engine": "transformers-generic",
        "plan": "Selected transformers-generic backend for /srv/serve/ollm-models/qwen2.5-coder-0.5b using causal-lm.",
    }
    assert [model.capabilities for model in models if model.name in ("gemma3-12B", "voxtral-small-24B")] == [
        {Capability.CHAT, Capability.VISION},
        {Capability.CHAT, Capability.AUDIO},
    ]


@pytest.mark.parametrize("native", [True, False])
async def test_builds_without_that_list_have_another(native: bool) -> None:
    listed = answer({"models": [{"name": "llama3-1B-chat"}]}) if native else tape("ollm/models")
    models, _ = await asked(OLLMAdapter, routes({"GET /v1/models": listed}), lambda a: a.list_models())
    assert "llama3-1B-chat" in [model.id for model in models]


async def test_one_model_tells_how_it_would_run() -> None:
    plan = {
        "resolved_model": {"support_level": "optimized"},
        "runtime_plan": {"backend_id": "optimized-native", "reason": "It fits."},
        "runtime_config": {"device": "cpu"},
    }
    table = {
        "GET /v1/ollm/models//srv/a%20b": answer({"model_reference": "/srv/a b", "modalities": ["text"]}),
        "POST /v1/plan": answer(plan),
    }
    model, server = await asked(OLLMAdapter, routes(table), lambda a: a.show("/srv/a b"))
    assert model.details == {
        "support": "optimized",
        "engine": "optimized-native",
        "plan": "It fits.",
        "device": "cpu",
    }
    assert server.requests[1].body == {"runtime": {"model_reference": "/srv/a b"}}


async def test_health_names_the_service_and_one_answer_at_a_time() -> None:
    health, _ = await asked(
        OLLMAdapter, routes({"GET /v1/health": tape("ollm/health")}), lambda a: a.health()
    )
    assert (health.version, health.detail, health.slots) == ("0.0.0", "local-only", 1)


@pytest.mark.parametrize(
    ("script", "error"),
    [
        (tape("llamacpp/health"), WrongService),
        (answer({"status": "ok"}), WrongService),
        (response("", status=404), NotFound),
    ],
)
async def test_health_knows_another_program(script: Script, error: type[BackendError]) -> None:
    with pytest.raises(error):
        await asked(OLLMAdapter, lambda sent: script, lambda a: a.health())


def test_it_neither_embeds_nor_manages() -> None:
    assert not issubclass(OLLMAdapter, Embeds | ManagesModels)


def test_a_recorded_session_streams_like_a_prompt() -> None:
    played = play(Prompting, tape("ollm/session-prompt-stream-patched"))
    assert played.events == [RUNNING, BERLIN, STOP]
    assert played.server is not None
    assert played.server.requests[0].path == "/v1/prompt/stream"
