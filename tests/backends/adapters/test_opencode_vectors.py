"""The wire formats' test vectors 98 to 117, by number, and what lies between them."""

# ruff: noqa: E501 - one frame after the other, in the order of the vectors

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from backends.adapters import opencode, opencode_reply
from backends.adapters.base import Secret
from backends.adapters.errors import (
    AuthFailed,
    BackendError,
    BadRequest,
    ContextOverflow,
    ModelNotFound,
    ProtocolError,
    RateLimited,
    ServerError,
    Stalled,
    StateLost,
    Truncated,
    WrongService,
)
from backends.adapters.events import (
    Ask,
    AskClosed,
    Finish,
    FinishReason,
    Phase,
    ReasoningDelta,
    Restart,
    Status,
    TextDelta,
    ToolActivity,
    ToolState,
)
from backends.adapters.http import Http
from backends.adapters.messages import ChatMessage, Role
from backends.adapters.opencode import OpenCodeAdapter
from tests.backends.adapters.contract import Used, check_rules
from tests.backends.adapters.opencode_server import (
    ASK,
    CONNECTED,
    LOST,
    PAGE,
    assistant,
    begun,
    body_of,
    delta,
    ev,
    failed,
    idle,
    info,
    part,
    sent,
    server,
    status,
    told,
    tool,
    user,
)
from tests.backends.adapters.server import Connection, serving
from tests.backends.adapters.wire import FAST, Played, Script, answer, play, played, response, sse

STOP, CANCELLED = Finish(FinishReason.STOP), Finish(FinishReason.CANCELLED)
TOKENS = {"input": 3, "output": 2, "reasoning": 1, "cache": {"read": 4, "write": 0}}
USED = Used(input_tokens=7, output_tokens=2, reasoning_tokens=1, cached_tokens=4, total_s=2.0)
BEAT = 'data: {"type":"server.heartbeat","properties":{}}\n\n'
REJECT = {"reply": "reject", "message": "Not available in this app."}


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits are as short as they can be."""
    monkeypatch.setattr(opencode_reply, "GRACE", 0.05)
    monkeypatch.setattr(opencode_reply, "PAUSE", 0.0)
    monkeypatch.setattr(opencode, "STEADY_LIMIT", 0.05)


def T(text: str) -> TextDelta:  # noqa: N802
    return TextDelta(text)


def done(message: str = "a", finish: str = "stop", **more: Any) -> str:
    """The end of a reply that went well."""
    return assistant(message, finish=finish, **more) + idle()


def fine(run: Played, *events: object) -> Played:
    """It ended well, with these events."""
    assert run.events == list(events), run.error
    assert run.error is None
    check_rules(run)
    return run


def bad(run: Played, error: type[BackendError], *events: object, says: str = "") -> BackendError:
    """It ended with that error, after these events."""
    assert run.events == list(events)
    assert type(run.error) is error, repr(run.error)
    assert says in run.error.message
    check_rules(run)
    return run.error


def test_98_a_reply() -> None:
    frames = [begun(), part(""), delta("Hel"), delta("lo"), part("Hello", end=True),
              part("", "f", type="step-finish"), done(tokens=TOKENS)]  # fmt: skip
    run = fine(told(*frames), T("Hello"), USED, STOP)
    assert sent(run) == ["POST /session", "GET /event", "POST /session/s/prompt_async"]


def test_99_other_sessions_share_the_stream() -> None:
    frames = [begun(), user("u2", "x"), part("", "p"), assistant("a2", "u2", "x"), part("No", "p2", "a2", "x"),
              delta("He"), delta("No", "p2", "a2", "x"), failed("APIError", session="x"), idle("x"), delta("y"),
              done()]  # fmt: skip
    fine(told(*frames), T("Hey"), STOP)


def test_100_old_servers_send_snapshots_only() -> None:
    fine(told(begun(), part("He"), part("Hello"), done()), T("Hello"), STOP)


@pytest.mark.parametrize("first", ["", "He", "Hel", "Hello"])
def test_101_a_delta_may_come_before_its_part(first: str) -> None:
    rest = {"": "lo", "He": "lo", "Hel": "lo", "Hello": ""}[first]
    frames = [begun(), delta("Hel"), part(first), *([delta(rest)] if rest else []), done()]
    fine(told(*frames), T("Hello"), STOP)


def test_101_parts_may_come_before_their_message() -> None:
    fine(told(user(), status("busy"), part("He"), delta("y"), assistant(), done()), T("Hey"), STOP)


def test_102_a_tool_loop_is_one_reply() -> None:
    call = {"input": {"command": "ls"}}
    frames = [
        begun(), tool({"status": "pending", "input": {}, "raw": ""}), tool({"status": "running", **call}),
        tool({"status": "running", **call}),
        tool({"status": "completed", **call, "output": "a.txt\n", "title": "ls"}),
        assistant(finish="tool-calls", tokens=TOKENS), status("busy"),
        assistant("a2"), part("One file.", "p2", "a2", end=True), done("a2", tokens=TOKENS),
    ]  # fmt: skip
    fine(
        told(*frames),
        ToolActivity("c", "bash", ToolState.PENDING),
        ToolActivity("c", "bash", ToolState.RUNNING, {"command": "ls"}),
        ToolActivity("c", "bash", ToolState.DONE, {"command": "ls"}, "a.txt\n", "ls"),
        T("One file."),
        Used(input_tokens=14, output_tokens=4),
        STOP,
    )


def test_103_a_retry_begins_again() -> None:
    frames = [begun(), part(""), delta("par"), status("retry", attempt=1, message="overloaded\n  at x"),
              status("busy"), part("", "p2"), delta("full", "p2"), part("", "p", end=True), done()]  # fmt: skip
    fine(told(*frames), T("par"), Status(Phase.RETRYING, detail="overloaded"), Restart(), T("full"), STOP)


def test_103_a_retry_keeps_the_steps_before() -> None:
    frames = [begun(), part("One."), assistant(finish="tool-calls"), assistant("a2"), part("Tw", "p2", "a2"),
              status("retry", message="x"), part("Two.", "p3", "a2"), done("a2")]  # fmt: skip
    fine(
        told(*frames), T("One.\n\nTw"), Status(Phase.RETRYING, detail="x"), Restart(), T("One.\n\nTwo."), STOP
    )


def test_103_a_retry_before_the_first_word_restarts_nothing() -> None:
    frames = [begun(), status("retry", message="down"), status("busy"), part("Hi"), done()]
    fine(told(*frames), Status(Phase.RETRYING, detail="down"), T("Hi"), STOP)


def test_104_a_provider_that_refuses() -> None:
    error = {"name": "APIError", "data": {"message": "bad key", "statusCode": 401, "isRetryable": False}}
    frames = [begun(), ev("session.error", error=error), idle(), assistant(error=error), idle()]
    found = bad(told(*frames), AuthFailed, says="bad key")
    assert (found.status, found.partial) == (401, False)
    assert "opencode auth login" in found.hint


def test_104_the_error_may_only_be_in_the_message() -> None:
    error = {"name": "APIError", "data": {"message": "slow down", "statusCode": 429}}
    assert bad(told(begun(), part("x"), idle(), assistant(error=error)), RateLimited, T("x")).partial


def test_105_an_unknown_agent_brings_no_idle() -> None:
    frames = [
        failed("UnknownError", 'Agent not found: "nope".'),
        failed("UnknownError", "UnknownError\n at x"),
    ]
    bad(told(*frames), BadRequest, says="Agent not found")


def test_105_an_unknown_model() -> None:
    frames = [user(), status("busy"), failed("UnknownError", "Model not found: p/m."), idle(),
              failed("UnknownError", "ProviderModelNotFoundError: Model not found\n    at f (x.js:1)")]  # fmt: skip
    assert bad(told(*frames), ModelNotFound).message == "Model not found: p/m."


def test_106_aborted_elsewhere() -> None:
    fine(told(begun(), part("1 2"), failed("MessageAbortedError", "Aborted"), idle()), T("1 2"), CANCELLED)


ASKED = {
    "id": "per_1",
    "permission": "bash",
    "patterns": ["ls"],
    "metadata": {"command": "ls"},
    "always": ["ls *"],
}
QUESTION = {"question": "Which?", "header": "Colour", "options": [{"label": "Red", "description": "warm"}]}


def test_107_permissions_reach_a_person() -> None:
    frames = [begun(), ev("permission.asked", **ASKED), ev("permission.asked", **ASKED),
              ev("permission.replied", requestID="per_1", reply="once"), part("Hi"), done()]  # fmt: skip
    payload = {"session_id": "s", "permission": "bash", "patterns": ["ls"], "always": ["ls *"], "title": "",
               "metadata": {"command": "ls"}}  # fmt: skip
    fine(told(*frames), Ask("permission", "per_1", payload), AskClosed("per_1"), T("Hi"), STOP)


def test_107_older_servers_name_them_differently() -> None:
    frame = ev("permission.updated", id="per_1", type="bash", pattern="ls", title="List files")
    run = told(begun(), frame, part("Hi"), done())
    [ask] = [event for event in run.events if isinstance(event, Ask)]
    assert (ask.payload["permission"], ask.payload["patterns"], ask.payload["title"]) == (
        "bash", ["ls"], "List files"
    )  # fmt: skip


CHILD = {"GET /session/kid": answer({"id": "kid", "parentID": "mid"}),
         "GET /session/mid": answer({"id": "mid", "parentID": "s"}),
         "GET /session/alien": answer({"id": "alien"})}  # fmt: skip
REPLIES = {f"POST /{kind}/{ask}/{end}": answer(True) for kind, ask, end in
           (("permission", "per_1", "reply"), ("permission", "per_2", "reply"), ("question", "que_1", "reject"))}  # fmt: skip


def test_107_an_option_denies_them_ours_and_those_of_children() -> None:
    frames = [begun(), ev("permission.asked", **ASKED), ev("permission.asked", "kid", **{**ASKED, "id": "per_2"}),
              part("Hi"), done()]  # fmt: skip
    run = fine(told(*frames, table={**CHILD, **REPLIES}, options={"asks": "deny"}), T("Hi"), STOP)
    assert body_of(run, "/permission/per_1/reply") == body_of(run, "/permission/per_2/reply") == REJECT


def test_107_a_child_may_have_been_seen_when_it_began() -> None:
    created = ev("session.created", "kid", info={"id": "kid", "parentID": "s"})
    run = told(begun(), created, ev("permission.asked", "kid", **ASKED), part("Hi"), done())
    assert [event.payload["session_id"] for event in run.events if isinstance(event, Ask)] == ["kid"]
    assert "GET /session/kid" not in sent(run)


def test_107_requests_of_others_are_not_ours() -> None:
    run = told(begun(), ev("permission.asked", "alien", **ASKED), part("Hi"), done(), table=CHILD)
    fine(run, T("Hi"), STOP)


def test_108_questions() -> None:
    frames = [begun(), ev("question.asked", id="que_1", questions=[QUESTION]), part("Hm"),
              assistant(finish="tool-calls"), idle()]  # fmt: skip
    shown = {**QUESTION, "multiple": False, "custom": True}
    fine(told(*frames), Ask("question", "que_1", {"session_id": "s", "questions": [shown]}), T("Hm"), STOP)
    run = fine(told(*frames, table=REPLIES, options={"asks": "deny"}), T("Hm"), STOP)
    assert body_of(run, "/question/que_1/reject") == {}


def test_109_heartbeats_are_not_events() -> None:
    fine(told(begun(), BEAT, BEAT, BEAT, part("Hi"), done()), T("Hi"), STOP)


STORED = [{"info": {"id": "u", "role": "user", "sessionID": "s"}, "parts": []},
          {"info": info(finish="stop"), "parts": [{"id": "p", "type": "text", "text": "Hello"}]}]  # fmt: skip
HALF = [STORED[0], {"info": info(), "parts": [{"id": "p", "type": "text", "text": "Hel"}]}]


@pytest.mark.parametrize("end", ["silence", "eof", "reset"])
def test_110_what_was_missed_is_fetched(end: str) -> None:
    table = {"GET /session/s/message": answer(STORED)}
    limits = replace(FAST, stall=0.05)
    fine(told(begun(), part("Hel"), table=table, end=end, timeouts=limits), T("Hello"), STOP)


def test_110_a_session_that_works_is_listened_to_again() -> None:
    streams = [sse(CONNECTED, begun(), part("Hel")), sse(CONNECTED, delta("lo"), done(), end="silence")]
    table = {"GET /session/s/message": answer(HALF), "GET /session/status": answer({"s": {"type": "busy"}})}
    run = play(OpenCodeAdapter, respond=server(streams, table, "s"), request=ASK)
    fine(run, T("Hello"), STOP)


def test_110_requests_that_were_missed_are_asked_for() -> None:
    streams = [sse(CONNECTED, begun()), sse(CONNECTED, part("Hi"), done(), end="silence")]
    table = {"GET /session/s/message": answer(HALF[:1]), "GET /session/status": answer({"s": {"type": "busy"}}),
             "GET /permission": answer([{**ASKED, "sessionID": "s"}])}  # fmt: skip
    run = play(OpenCodeAdapter, respond=server(streams, table, "s"), request=ASK)
    assert [event.id for event in run.events if isinstance(event, Ask)] == ["per_1"]


def test_110_a_stream_that_breaks_again_and_again() -> None:
    table = {"GET /session/s/message": answer(HALF), "GET /session/status": answer({"s": {"type": "busy"}})}
    run = told(begun(), part("Hel"), table=table, end="eof")
    assert bad(run, Truncated, T("Hel")).partial
    assert sent(run).count("GET /event") == 1 + opencode_reply.MAX_BREAKS
    assert sent(run)[-1] == "POST /session/s/abort"


def test_111_disposed() -> None:
    disposed = ev("server.instance.disposed", directory="/x")
    fine(
        told(begun(), disposed, table={"GET /session/s/message": answer(STORED)}, end="eof"), T("Hello"), STOP
    )
    half = told(begun(), disposed, table={"GET /session/s/message": answer(HALF)}, end="eof")
    bad(half, Truncated, T("Hel"), says="interrupted")
    bad(told(begun(), disposed, table={"GET /session/s/message": LOST}, end="eof"), StateLost)


def test_112_another_program() -> None:
    bad(told(table={"POST /session/s/prompt_async": PAGE}), WrongService)


SEEDED = ("[The conversation so far]\n\nUser: Q0\n\nAssistant: A0\n\n"
          "[End of the conversation so far; the next message continues it]")  # fmt: skip


def test_113_a_lost_session_is_replaced_once() -> None:
    request = replace(ASK, state={"session_id": "old"}, messages=(
        ChatMessage.of(Role.USER, "Q0"), ChatMessage.of(Role.ASSISTANT, "A0"), *ASK.messages))  # fmt: skip
    table = {"GET /session/old/message": answer([]), "POST /session/old/prompt_async": LOST}
    run = told(begun(), part("Hi"), done(), table=table, request=request)
    [notice] = [event for event in run.events if isinstance(event, Status)]
    assert "sent anew" in notice.detail
    fine(run, notice, T("Hi"), STOP)
    texts = [entry["text"] for entry in body_of(run, "/session/s/prompt_async")["parts"]]
    assert texts == [SEEDED, "Q"]
    table["POST /session/s/prompt_async"] = LOST
    bad(told(table=table, request=request), StateLost)


def seed_style(name: str, body: str) -> str:
    return f"event: {name}\ndata: {body}\n\n"


def test_114_frames_of_the_first_documents() -> None:
    frames = [seed_style("message.part", json.dumps({"sessionID": "s", "part": {"type": "text", "text": text}}))
              for text in "AB"]  # fmt: skip
    run = play(
        OpenCodeAdapter,
        respond=server(
            sse(*frames, seed_style("message.complete", '{"sessionID":"s"}'), end="silence"), {}, "s"
        ),
        request=ASK,
    )
    fine(run, T("AB"), STOP)


NO_ASYNC = {"POST /session/s/prompt_async": response("Not found", status=404, kind="text/plain")}


def test_115_servers_that_answer_at_once() -> None:
    reply = {"info": {"id": "a", "role": "assistant", "finish": "stop", "time": {"completed": 1}, "tokens": TOKENS},
             "parts": [{"type": "reasoning", "text": "hm", "id": "r"}, {"type": "text", "text": "Hi", "id": "p"}]}  # fmt: skip
    run = told(table={**NO_ASYNC, "POST /session/s/message": answer(reply)})
    fine(run, ReasoningDelta("hm"), T("Hi"), Used(input_tokens=7), STOP)


def test_115_failures_are_200_there() -> None:
    error = {"name": "APIError", "data": {"statusCode": 429, "message": "slow down"}}
    reply = {"info": {"id": "a", "role": "assistant", "error": error}, "parts": []}
    bad(told(table={**NO_ASYNC, "POST /session/s/message": answer(reply)}), RateLimited)


def test_116_parts_that_nobody_reads() -> None:
    frames = [begun(), part("secret", "p1", synthetic=True), part("no", "p2", ignored=True), delta("no", "p3"),
              part("", "p3", type="patch"), part("", "p4", type="snapshot"), part("", "p5", type="hologram"),
              ev("todo.updated", todos=[]), ev("hologram.updated"), part("Hi"), done()]  # fmt: skip
    fine(told(*frames), T("Hi"), STOP)


# Between the vectors


@pytest.mark.parametrize(
    ("finish", "reason"),
    [
        ("length", FinishReason.LENGTH),
        ("content-filter", FinishReason.CONTENT_FILTER),
        ("tool-calls", FinishReason.STOP),
        ("other", FinishReason.UNKNOWN),
    ],
)
def test_how_it_ended(finish: str, reason: FinishReason) -> None:
    fine(told(begun(), part("x"), done(finish=finish)), T("x"), Finish(reason))


@pytest.mark.parametrize(
    ("name", "reason"),
    [("MessageOutputLengthError", FinishReason.LENGTH), ("ContentFilterError", FinishReason.CONTENT_FILTER)],
)
def test_errors_that_are_ways_to_end(name: str, reason: FinishReason) -> None:
    fine(told(begun(), part("x"), failed(name), idle()), T("x"), Finish(reason))


@pytest.mark.parametrize(
    ("name", "message", "error"),
    [
        ("ProviderAuthError", "no key", AuthFailed),
        ("ContextOverflowError", "too long", ContextOverflow),
        ("StructuredOutputError", "no", ProtocolError),
        ("UnknownError", "boom", ServerError),
        ("UnknownError", "maximum context length is 4096", ContextOverflow),
    ],
)
def test_named_errors(name: str, message: str, error: type[BackendError]) -> None:
    bad(told(begun(), failed(name, message), idle()), error, says=message)


def test_nothing_new_after_an_idle_was_cancelled() -> None:
    fine(told(user(), idle()), CANCELLED)


def test_an_idle_before_our_question_is_somebody_elses() -> None:
    fine(told(idle(), failed("MessageAbortedError"), begun(), part("Hi"), done()), T("Hi"), STOP)


def test_a_finished_message_need_not_say_how() -> None:
    fine(told(begun(), part("Hi"), idle()), T("Hi"), Finish(FinishReason.UNKNOWN))


def test_busy_again_after_an_idle_goes_on() -> None:
    fine(told(begun(), idle(), status("busy"), part("Hi"), done()), T("Hi"), STOP)


def test_reasoning_stands_apart_and_parts_stand_apart() -> None:
    frames = [
        begun(),
        part("", "r", type="reasoning"),
        delta("Let me", "r"),
        part("A"),
        part("B", "p2"),
        done(),
    ]
    fine(told(*frames), ReasoningDelta("Let me"), T("A\n\nB"), STOP)


def test_an_end_that_corrects_is_shown_anew() -> None:
    fine(told(begun(), part("Helo"), part("Hello", end=True), done()), T("Helo"), Restart(), T("Hello"), STOP)


def test_an_end_without_the_last_space_corrects_nothing() -> None:
    fine(told(begun(), delta("Hi \n"), part(""), part("Hi", end=True), done()), T("Hi \n"), STOP)


def test_a_removed_part_disappears() -> None:
    gone = ev("message.part.removed", messageID="a", partID="p")
    fine(told(begun(), part("x"), part("y", "p2"), gone, done()), T("x\n\ny"), Restart(), T("y"), STOP)


def test_a_removed_message_disappears() -> None:
    gone = ev("message.removed", messageID="a")
    frames = [begun(), part("x"), gone, assistant("a2"), part("y", "p2", "a2"), done("a2")]
    fine(told(*frames), T("x"), Restart(), T("y"), STOP)


def test_a_removed_message_does_not_end_the_reply() -> None:
    gone = ev("message.removed", messageID="a")
    frames = [
        begun(),
        assistant(finish="stop"),
        gone,
        idle(),
        status("busy"),
        assistant("a2"),
        part("y", "p", "a2"),
    ]
    fine(told(*frames, done("a2")), T("y"), STOP)


def test_summaries_are_not_answers() -> None:
    frames = [begun(), user("u2"), assistant("sum", "u2", summary=True), part("summary", "p9", "sum"),
              ev("session.compacted"), user("u3"), assistant("a2", "u3"), part("Hi", "p2", "a2"), done("a2", parent="u3")]  # fmt: skip
    fine(told(*frames), Status(Phase.PROMPT), T("Hi"), STOP)


def test_a_simple_server_need_not_introduce_messages() -> None:
    run = told(part("Hi"), ev("session.idle"))
    fine(run, T("Hi"), Finish(FinishReason.UNKNOWN))


async def test_silence_of_our_session_ends_although_the_heart_beats() -> None:
    aborted = asyncio.Event()

    async def handle(connection: Connection) -> None:
        route = connection.head.partition(" HTTP")[0]
        if route == "GET /event":
            await connection.head_of_stream("text/event-stream")
            await connection.chunk((CONNECTED + begun()).encode())
            while True:
                await connection.chunk(BEAT.encode())
                await asyncio.sleep(0.02)
        if route.endswith("/abort"):
            aborted.set()
        body = b'{"id":"s"}'
        await connection.send(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))

    async with serving(handle) as place:
        limits = replace(FAST, first_byte=0.2)
        run = await played(OpenCodeAdapter, base=place.url, request=ASK, http=Http(), timeouts=limits)
    assert type(run.error) is Stalled
    assert aborted.is_set()


def test_credentials_that_a_server_repeats_are_not_shown() -> None:
    secret = Secret("hunter2-hunter2")
    frames = [
        begun(),
        status("retry", message="key hunter2-hunter2 refused"),
        failed("APIError", "hunter2-hunter2"),
        idle(),
    ]
    run = told(*frames, password=secret)
    assert "hunter2" not in repr(run.events) + repr(run.error)


def test_an_endless_line_ends() -> None:
    bad(told("data: " + "x" * 9_000_000), ProtocolError, says="frame too large")


def test_what_is_held_is_bounded() -> None:
    frames = "".join(part("x" * 1_000_000, f"p{number}", f"m{number}") for number in range(70))
    bad(told(frames), ProtocolError, says="answer too large")


def test_a_frame_that_is_not_json() -> None:
    assert bad(told(begun(), part("x"), "data: {oops\n\n"), ProtocolError, T("x")).partial


def test_unknown_routes_of_old_servers() -> None:
    script = Script((b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nconnection: close\r\n\r\n<html>",))
    bad(told(table={"GET /event": script}), WrongService)
