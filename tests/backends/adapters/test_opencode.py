"""OpenCode's session API against recordings of OpenCode 1.18.34, and what is sent to it."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest

from backends.adapters import opencode, opencode_reply
from backends.adapters.base import Capability, Endpoint, ModelInfo, Secret
from backends.adapters.errors import (
    AuthFailed,
    BackendError,
    BadRequest,
    ErrorKind,
    ModelNotFound,
    NotFound,
    Unsupported,
    WrongService,
)
from backends.adapters.events import (
    Ask,
    AskClosed,
    Event,
    Finish,
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
from backends.adapters.messages import (
    ChatMessage,
    ChatRequest,
    ImagePart,
    Reasoning,
    Role,
    SamplingOptions,
    TextPart,
)
from backends.adapters.ollama import OllamaAdapter
from backends.adapters.opencode import OpenCodeAdapter
from tests.backends.adapters.contract import AdapterContract, Case, Used
from tests.backends.adapters.opencode_server import (
    ASK,
    CONNECTED,
    EMPTY,
    LOST,
    PAGE,
    begun,
    body_of,
    delta,
    info,
    part,
    sent,
    server,
    session_in,
    status,
    tape,
    told,
)
from tests.backends.adapters.server import Connection, serving
from tests.backends.adapters.test_opencode_vectors import STOP, done
from tests.backends.adapters.wire import (
    FAST,
    Memory,
    Played,
    Responder,
    Script,
    answer,
    asked,
    memory_http,
    play,
    response,
    routes,
    sse,
)

DENY = [{"permission": "*", "pattern": "*", "action": "deny"}]
HELLO_SHELL = {"command": "echo hello"}


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opencode_reply, "GRACE", 0.05)
    monkeypatch.setattr(opencode_reply, "PAUSE", 0.0)
    monkeypatch.setattr(opencode, "STEADY_LIMIT", 0.05)


def permission(number: str) -> Ask:
    return Ask(
        "permission",
        number,
        {
            "session_id": "ses_e026df3c1ffe5Af3eERNevLBX7",
            "permission": "bash",
            "patterns": ["echo hello"],
            "always": ["echo *"],
            "title": "",
            "metadata": HELLO_SHELL,
        },
    )


def bash(call: str, state: ToolState, output: str | None = None, title: str | None = None) -> ToolActivity:
    return ToolActivity(
        call, "bash", state, None if state is ToolState.PENDING else HELLO_SHELL, output, title
    )


FIRST, SECOND = "FxccsbipaaA3aXGlLNaFPDASl2I0EQEE", "rWPIStT5EbaJ6IS8g6RNTwKOOEKIo0Z8"
DOWN = Status(
    Phase.RETRYING,
    detail="Cannot connect to API: Unable to connect. Is the computer able to access the url?",
)


class TestContract(AdapterContract):
    adapter = OpenCodeAdapter
    question = ASK
    cases = (
        Case(
            "a reply",
            tape("event-titled"),
            (
                TextDelta("Three primary colours are red, blue, and green."),
                Used(input_tokens=140, output_tokens=12, cached_tokens=0, total_s=3.019),
                STOP,
            ),
            request=ASK,
        ),
        Case(
            "wrapped in payloads",
            tape("global-event"),
            (TextDelta("Spain's capital is Madrid."), Used(output_tokens=7), STOP),
            request=ASK,
        ),
        Case(
            "aborted",
            tape("event-abort"),
            (TextDelta("1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n"), Finish(FinishReason.CANCELLED)),
            request=ASK,
        ),
        Case(
            "the provider is down, then an abort",
            tape("event-backend-down"),
            (DOWN, DOWN, DOWN, DOWN, Finish(FinishReason.CANCELLED)),
            request=ASK,
        ),
        Case(
            "tools that ask",
            tape("event-permission"),
            (
                bash(FIRST, ToolState.PENDING),
                bash(FIRST, ToolState.RUNNING),
                permission("per_1fd924bd1001Lu3hVa66MUI94A"),
                AskClosed("per_1fd924bd1001Lu3hVa66MUI94A"),
                bash(FIRST, ToolState.RUNNING, "hello\n"),
                bash(FIRST, ToolState.DONE, "hello\n", "echo hello"),
                bash(SECOND, ToolState.PENDING),
                permission("per_1fd929c25001Gl23TimPEAL3zi"),
                bash(SECOND, ToolState.RUNNING),
                AskClosed("per_1fd929c25001Gl23TimPEAL3zi"),
                bash(
                    SECOND,
                    ToolState.ERROR,
                    "The user rejected permission to use this specific tool call.",
                ),
                Used(input_tokens=3076, output_tokens=42, cached_tokens=1538),
                STOP,
            ),
            request=ASK,
        ),
        Case(
            "characters of several bytes",
            sse(CONNECTED, begun(), delta("Grüße, "), part("Grüße, 世界\u2028😀\x85"), done()),
            (TextDelta("Grüße, 世界\u2028😀\x85"), STOP),
            request=ASK,
        ),
    )

    def respond(self, script: Script) -> Responder:
        return server(script)


def test_start_names_the_session() -> None:
    run = told(begun(), part("Hi"), done())
    assert [event for event in run.raw if isinstance(event, Started)] == [Started("local/m", session_id="s")]


# What is sent


def test_a_session_has_a_title_and_no_tools() -> None:
    run = told(begun(), done())
    assert body_of(run, "/session") == {"title": "A title", "permission": DENY}
    assert body_of(run, "/session/s/prompt_async") == {
        "model": {"providerID": "local", "modelID": "m"},
        "tools": {"*": False},
        "parts": [{"type": "text", "text": "Q"}],
    }


def test_a_session_without_a_title_gets_one() -> None:
    assert body_of(told(begun(), done(), request=replace(ASK, title=" ")), "/session")["title"] == "Chat"


@pytest.mark.parametrize(
    ("mode", "rules"), [("ask", [{**DENY[0], "action": "ask"}]), ("server", None), ("nonsense", DENY)]
)
def test_tools_are_given_only_by_an_option(mode: str, rules: object) -> None:
    run = told(begun(), done(), options={"tools": mode})
    assert body_of(run, "/session").get("permission") == rules
    assert ("tools" in body_of(run, "/session/s/prompt_async")) is (rules == DENY)


def test_everything_a_prompt_can_carry() -> None:
    question = ChatMessage(Role.USER, (TextPart("What is this?"), ImagePart(b"\x89PNG", "image/png")))
    request = replace(
        ASK,
        model="openrouter/some/model",
        system="Be brief.",
        messages=(question,),
        sampling=SamplingOptions(reasoning=Reasoning.HIGH, temperature=0.5),
    )
    run = told(begun(), done(), request=request, options={"agent": "chat", "variant": "low"})
    assert body_of(run, "/session/s/prompt_async") == {
        "model": {"providerID": "openrouter", "modelID": "some/model"},
        "system": "Be brief.",
        "agent": "chat",
        "variant": "high",
        "tools": {"*": False},
        "parts": [
            {"type": "text", "text": "What is this?"},
            {
                "type": "file",
                "mime": "image/png",
                "filename": "image.png",
                "url": "data:image/png;base64,iVBORw==",
            },
        ],
    }


def test_the_variant_may_be_an_option() -> None:
    run = told(begun(), done(), options={"variant": "low"})
    assert body_of(run, "/session/s/prompt_async")["variant"] == "low"


def test_one_directory_everywhere() -> None:
    def respond(request: Any) -> Script:
        return server(sse(CONNECTED, begun(), done()), {}, "s")(request)

    run = play(OpenCodeAdapter, respond=respond, request=ASK, options={"directory": "/srv/a b"})
    assert run.server
    assert run.events == [STOP]
    assert {one.path.partition("?")[2] for one in run.server.requests} == {"directory=%2Fsrv%2Fa+b"}


def test_a_name_without_a_provider_is_refused_at_once() -> None:
    run = told(request=replace(ASK, model="m"))
    assert type(run.error) is ModelNotFound
    assert sent(run) == []


def test_a_schema_is_refused_at_once() -> None:
    run = told(request=replace(ASK, response_schema={"type": "object"}))
    assert type(run.error) is Unsupported
    assert sent(run) == []


REFUSED = response('{"name":"BadRequest","data":{"message":"Unrecognized key: system"}}', status=400)


def test_old_servers_get_the_system_prompt_in_the_text() -> None:
    table = {"POST /session/s/prompt_async": [REFUSED, EMPTY]}
    run = told(begun(), part("Hi"), done(), table=table, request=replace(ASK, system="Be brief."))
    assert run.events == [TextDelta("Hi"), STOP]
    body = body_of(run, "/session/s/prompt_async")
    assert "system" not in body
    assert [entry["text"] for entry in body["parts"]] == ["[System: Be brief.]", "Q"]


def test_old_servers_get_a_session_without_rules() -> None:
    table = {"POST /session": [response('{"name":"BadRequest"}', status=400), answer({"id": "s"})]}
    run = told(begun(), done(), table=table)
    assert body_of(run, "/session") == {"title": "A title"}
    assert body_of(run, "/session/s/prompt_async")["tools"] == {"*": False}


def test_without_rules_nobody_could_be_asked() -> None:
    run = told(
        table={"POST /session": response('{"name":"BadRequest"}', status=400)}, options={"tools": "ask"}
    )
    assert type(run.error) is BadRequest
    assert sent(run) == ["POST /session"]


# Sessions that go on


def stored(*turns: tuple[str, str], seed: str = "") -> Script:
    """A session's messages: questions with their answers."""
    entries: list[dict[str, Any]] = []
    for number, (question, reply) in enumerate(turns):
        parts = [{"type": "text", "text": question}]
        if seed and not number:
            parts.insert(0, {"type": "text", "text": seed})
        entries.append({"info": {"id": f"u{number}", "role": "user"}, "parts": parts})
        if reply:
            answered = info(f"a{number}", f"u{number}", finish="stop")
            entries.append({"info": answered, "parts": [{"type": "text", "text": reply}]})
    return answer(entries)


def asking(*texts: str) -> ChatRequest:
    """A conversation, question and answer in turn, in session ``s``."""
    roles = (Role.USER, Role.ASSISTANT)
    messages = tuple(ChatMessage.of(roles[at % 2], text) for at, text in enumerate(texts))
    return replace(ASK, messages=messages, state={"session_id": "s"})


FRESH = begun("a9").replace('"u"', '"u9"'), part("Hi", "p9", "a9"), done("a9", parent="u9")


def goes_on(request: ChatRequest, messages: Script, **table: Script) -> Played:
    fork = {
        "POST /session": answer({"id": "new"}),
        "POST /session/s/fork": answer({"id": "fork"}),
        "PATCH /session/fork": answer({}),
        "GET /session/fork/message": answer([]),
        "POST /session/fork/prompt_async": EMPTY,
        "POST /session/new/prompt_async": EMPTY,
    }
    routes = {**fork, "GET /session/s/message": messages, **table}
    frames = [frame.replace('"s"', f'"{name}"') for name in ("s", "fork", "new") for frame in FRESH]
    return told(*frames, table=routes, request=request)


def told_texts(run: Played, session: str) -> list[str]:
    parts = body_of(run, f"/session/{session}/prompt_async")["parts"]
    return [entry.get("text", entry["type"]) for entry in parts]


def seed(*turns: str) -> str:
    blocks = "".join(f"{('User', 'Assistant')[at % 2]}: {text}\n\n" for at, text in enumerate(turns))
    return f"[The conversation so far]\n\n{blocks}[End of the conversation so far; the next message continues it]"


def test_the_same_history_goes_on_in_the_same_session() -> None:
    run = goes_on(asking("Q0", "A0", "Q"), stored(("Q0", "A0 ")))
    assert run.events == [TextDelta("Hi"), STOP]
    assert "POST /session" not in sent(run)
    assert told_texts(run, "s") == ["Q"]


def test_a_branch_forks_before_what_it_leaves_out() -> None:
    run = goes_on(asking("Q0", "A0", "Q"), stored(("Q0", "A0"), ("Q1", "A1"), ("Q2", "A2")))
    assert run.events == [TextDelta("Hi"), STOP]
    assert body_of(run, "/session/s/fork") == {"messageID": "u1"}
    assert body_of(run, "/session/fork") == {"permission": DENY}
    assert told_texts(run, "fork") == ["Q"]


def test_an_edited_answer_forks_and_is_told() -> None:
    run = goes_on(asking("Q0", "A0", "Q1", "better", "Q"), stored(("Q0", "A0"), ("Q1", "A1")))
    assert body_of(run, "/session/s/fork") == {"messageID": "u1"}
    assert told_texts(run, "fork") == [seed("Q1", "better"), "Q"]


def test_another_first_question_is_another_session() -> None:
    run = goes_on(asking("Q0", "A0", "Q"), stored(("X", "Y")))
    assert run.events == [TextDelta("Hi"), STOP]
    assert told_texts(run, "new") == [seed("Q0", "A0"), "Q"]


def test_turns_of_another_backend_are_told() -> None:
    run = goes_on(asking("Q0", "A0", "Q1", "A1", "Q"), stored(("Q0", "A0")))
    assert told_texts(run, "s") == [seed("Q1", "A1"), "Q"]


def test_what_was_told_once_is_not_told_again() -> None:
    messages = stored(("Q2", "A2"), seed=seed("Q0", "A0", "Q1", "A1"))
    run = goes_on(asking("Q0", "A0", "Q1", "A1", "Q2", "A2", "Q"), messages)
    assert told_texts(run, "s") == ["Q"]


def test_a_fork_that_fails_becomes_a_new_session() -> None:
    broken = {"POST /session/s/fork": PAGE}
    run = goes_on(asking("Q0", "A0", "Q"), stored(("Q0", "A0"), ("Q1", "A1")), **broken)
    assert run.events == [TextDelta("Hi"), STOP]
    assert told_texts(run, "new") == [seed("Q0", "A0"), "Q"]


def test_a_lost_session_is_replaced_and_told_everything() -> None:
    run = goes_on(asking("Q0", "A0", "Q"), LOST)
    assert isinstance(run.events[0], Status)
    assert run.events[1:] == [TextDelta("Hi"), STOP]
    assert told_texts(run, "new") == [seed("Q0", "A0"), "Q"]


@pytest.mark.parametrize("missing", [PAGE, response("404", status=404, kind="text/plain")])
def test_a_server_without_a_list_of_messages_is_trusted(missing: Script) -> None:
    assert told_texts(goes_on(asking("Q0", "A0", "Q"), missing), "s") == ["Q"]


def test_images_of_earlier_turns_are_told_too() -> None:
    first = ChatMessage(Role.USER, (TextPart("Q0"), ImagePart(b"x", "image/png")))
    request = replace(ASK, messages=(first, ChatMessage.of(Role.ASSISTANT, "A0"), *ASK.messages))
    run = told(begun(), done(), request=request)
    parts = body_of(run, "/session/s/prompt_async")["parts"]
    assert [entry["type"] for entry in parts] == ["text", "file", "text"]
    assert "User: [image] Q0" in parts[0]["text"]


# Stopping


async def left_early(how: str) -> list[str]:
    """Begin a reply, leave it, and say what was asked of the server after the prompt."""
    memory = Memory(server(sse(CONNECTED, begun(), part("Hel"), end="silence"), {}, "s"))
    http = memory_http(memory)
    adapter = OpenCodeAdapter(Endpoint("http://server.test", timeouts=FAST), http)
    shown = asyncio.Event()

    async def consume() -> None:
        async with aclosing(adapter.batches(ASK)) as batches:
            async for batch in batches:
                if any(isinstance(event, TextDelta) for event in batch):
                    shown.set()
                    if how == "closed":
                        return

    task = asyncio.create_task(consume())
    await shown.wait()
    if how == "cancelled":
        await asyncio.sleep(0)
        task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert memory.open == 0
    await http.aclose()
    return [f"{one.method} {one.path}" for one in memory.requests[3:]]


@pytest.mark.parametrize("how", ["closed", "cancelled"])
async def test_leaving_a_reply_aborts_the_work(how: str) -> None:
    assert await left_early(how) == ["POST /session/s/abort"]


async def test_an_abort_waits_until_it_does_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    """It must not come between the message and the second "busy"."""
    monkeypatch.setattr(opencode, "STEADY_LIMIT", 5)
    steps: list[str] = []
    go_on = asyncio.Event()

    async def handle(connection: Connection) -> None:
        route = connection.head.partition(" HTTP")[0]
        if route == "GET /event":
            await connection.head_of_stream("text/event-stream")
            await connection.chunk((CONNECTED + begun()).encode())
            await go_on.wait()
            await asyncio.sleep(0.2)
            steps.append("busy")
            await connection.chunk(status("busy").encode())
            await connection.until_closed()
            return
        if route.endswith("/abort"):
            steps.append("abort")
        await connection.send(b'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n{"id":"s"}')

    async with serving(handle) as place:
        http = Http()
        speaker = OpenCodeAdapter(Endpoint(place.url, timeouts=FAST), http)
        async with aclosing(speaker.batches(ASK)) as batches:
            assert isinstance((await anext(batches))[0], Started)
            go_on.set()
        await http.aclose()
    assert steps == ["busy", "abort"]


async def abort(messages: Script) -> list[str]:
    table = {"GET /session/s/message": messages}
    request = replace(ASK, state={"session_id": "s"})
    _, memory = await asked(
        OpenCodeAdapter, server(EMPTY, table, "s"), lambda adapter: adapter.abort(request)
    )
    return [f"{one.method} {one.path}" for one in memory.requests]


async def test_abort_stops_the_session_that_works_on_the_question() -> None:
    assert (await abort(stored(("Q", ""))))[-1] == "POST /session/s/abort"


async def test_abort_leaves_a_session_alone_that_answers_another_question() -> None:
    assert await abort(stored(("Q", "A"), ("something else", ""))) == ["GET /session/s/message"]


async def test_abort_does_not_need_the_list_of_messages() -> None:
    assert (await abort(PAGE))[-1] == "POST /session/s/abort"


async def test_abort_without_a_session_does_nothing() -> None:
    _, memory = await asked(OpenCodeAdapter, server(EMPTY), lambda adapter: adapter.abort(ASK))
    assert memory.requests == []


# Answers to what it asks


PERMISSION = Ask("permission", "per_1", {"session_id": "s"})
QUESTION = Ask("question", "que_1", {"session_id": "s"})
TRUE = answer("true")


async def replied(ask: Ask, reply: Any, table: dict[str, Script], *message: str) -> list[tuple[str, Any]]:
    _, memory = await asked(
        OpenCodeAdapter, routes(table), lambda adapter: adapter.reply(ask, reply, *message)
    )
    return [(one.path, one.body) for one in memory.requests]


@pytest.mark.parametrize(
    ("verdict", "message", "body"),
    [
        (Verdict.ONCE, (), {"reply": "once"}),
        (Verdict.ALWAYS, (), {"reply": "always"}),
        (Verdict.DENY, (), {"reply": "reject", "message": "Not available in this app."}),
        (Verdict.DENY, ("Not today.",), {"reply": "reject", "message": "Not today."}),
        (Verdict.DENY, ("",), {"reply": "reject"}),
    ],
)
async def test_a_permission_is_answered(verdict: Verdict, message: tuple[str, ...], body: object) -> None:
    path = "/permission/per_1/reply"
    assert await replied(PERMISSION, verdict, {f"POST {path}": TRUE}, *message) == [(path, body)]


async def test_older_servers_are_answered_in_the_session() -> None:
    old = "/session/s/permissions/per_1"
    assert (await replied(PERMISSION, Verdict.DENY, {f"POST {old}": TRUE}))[1:] == [
        (old, {"response": "reject"})
    ]


async def test_a_question_is_answered_or_rejected() -> None:
    table = {"POST /question/que_1/reply": TRUE, "POST /question/que_1/reject": TRUE}
    chosen = (("Red", "Blue"), ("Yes",))
    assert await replied(QUESTION, chosen, table) == [
        ("/question/que_1/reply", {"answers": [["Red", "Blue"], ["Yes"]]})
    ]
    assert await replied(QUESTION, Verdict.DENY, table) == [("/question/que_1/reject", {})]


async def test_nobody_waits_any_more() -> None:
    gone = answer(
        {"_tag": "PermissionNotFoundError", "message": "Permission request not found: per_1"}, status=404
    )
    with pytest.raises(NotFound):
        await replied(PERMISSION, Verdict.ONCE, {"POST /permission/per_1/reply": gone})


async def test_servers_that_never_ask_are_never_answered() -> None:
    with pytest.raises(Unsupported):
        await asked(OllamaAdapter, routes({}), lambda adapter: adapter.reply(PERMISSION, Verdict.ONCE))


# Models


async def models(table: dict[str, Script]) -> list[ModelInfo]:
    listed: list[ModelInfo]
    listed, _ = await asked(OpenCodeAdapter, routes(table), lambda adapter: adapter.list_models())
    return listed


@pytest.mark.parametrize("path", ["config/providers", "provider"])
async def test_list_has_the_pairs_of_connected_providers(path: str) -> None:
    [model] = await models({f"GET /{path}": tape(path.replace("/", "-"))})
    assert model == ModelInfo(
        id="local/qwen2.5-coder-0.5b",
        name="Qwen2.5 Coder 0.5B",
        context_length=32768,
        max_context_length=32768,
        capabilities=frozenset({Capability.CHAT}),
        details={"provider": "llama.cpp on this machine", "max_output": "1024"},
    )


FLAT = {"id": "cloudy", "name": "Cloudy", "env": ["CLOUDY_KEY"], "options": {"apiKey": "sk-secret-1234"},
        "models": {"big/one": {"name": "Big", "attachment": True, "reasoning": True, "tool_call": True,
                               "modalities": {"input": ["text", "image"]}, "limit": {"context": 200000},
                               "status": "beta", "variants": {"low": {}, "high": {}}},
                   "odd": None}}  # fmt: skip


async def test_the_flat_shape_of_older_servers() -> None:
    big, odd = await models(
        {"GET /config/providers": answer({"providers": [FLAT, None, {"models": {"x": {}}}]})}
    )
    assert (big.id, big.remote, big.context_length) == ("cloudy/big/one", True, 200000)
    assert big.capabilities == {Capability.CHAT, Capability.REASONING, Capability.VISION}
    assert big.details == {"provider": "Cloudy", "status": "beta", "variants": "low, high"}
    assert odd.id == "cloudy/odd"


async def test_117_keys_of_providers_are_kept_nowhere() -> None:
    listed = await models({"GET /provider": answer({"all": [FLAT], "connected": ["cloudy"]})})
    assert len(listed) == 2
    assert "sk-secret" not in repr(listed)


async def test_only_what_is_connected_is_listed() -> None:
    assert await models({"GET /provider": answer({"all": [FLAT], "connected": ["other"]})}) == []


@pytest.mark.parametrize(
    ("address", "remote"),
    [
        ("http://127.0.0.1:1234/v1", False),
        ("http://192.168.1.20:11434", False),
        ("http://nas.local/v1", False),
        ("http://nas:8080", False),
        ("https://api.example.com/v1", True),
        ("http://[bad", True),
        ("", True),
    ],
)
async def test_models_run_where_their_provider_is(address: str, remote: bool) -> None:
    provider = {"id": "p", "options": {"baseURL": address}, "models": {"m": {}}}
    [model] = await models({"GET /config/providers": answer({"providers": [provider]})})
    assert model.remote is remote


async def test_a_server_without_providers_is_another_one() -> None:
    with pytest.raises(WrongService):
        await models({"GET /config/providers": PAGE, "GET /provider": answer({"hello": "world"})})


# Health and sign-in


async def test_health_has_the_version() -> None:
    health, _ = await asked(
        OpenCodeAdapter, routes({"GET /global/health": tape("health")}), lambda adapter: adapter.health()
    )
    assert health.version == "1.18.34"


@pytest.mark.parametrize(
    ("script", "error"),
    [
        (PAGE, WrongService),
        (answer({"healthy": False}), WrongService),
        (answer([]), WrongService),
        (tape("auth-health-none"), AuthFailed),
    ],
)
async def test_health_knows_what_is_wrong(script: Script, error: type[BackendError]) -> None:
    with pytest.raises(error):
        await asked(OpenCodeAdapter, lambda sent: script, lambda adapter: adapter.health())


@pytest.mark.parametrize(
    ("username", "header"), [("", "Basic b3BlbmNvZGU6czNjcmV0"), ("bob", "Basic Ym9iOnMzY3JldA==")]
)
async def test_a_password_alone_is_of_the_user_opencode(username: str, header: str) -> None:
    memory = Memory(lambda sent: tape("health"))
    http = memory_http(memory)
    endpoint = Endpoint("http://server.test", username=username, password=Secret("s3cret"), timeouts=FAST)
    await OpenCodeAdapter(endpoint, http).health()
    await http.aclose()
    assert memory.requests[0].headers["authorization"] == header


def test_hints_speak_of_opencode() -> None:
    assert set(OpenCodeAdapter.hints) <= set(ErrorKind)
    adapter = OpenCodeAdapter(Endpoint("http://server.test"), None)  # type: ignore[arg-type]
    assert "4096" in adapter.hint_for(WrongService())


def test_the_session_of_a_recording() -> None:
    events: list[Event] = play(OpenCodeAdapter, respond=server(tape("event-titled")), request=ASK).raw
    [started] = [event for event in events if isinstance(event, Started)]
    assert started.session_id == session_in(tape("event-titled"))
