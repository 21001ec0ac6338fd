"""OpenCode's decoders against anything: events, or one typed error; histories that always add up."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from backends.adapters.base import Endpoint
from backends.adapters.errors import BackendError
from backends.adapters.events import Finish, ReasoningDelta, Restart, TextDelta
from backends.adapters.frames import gathered
from backends.adapters.messages import ChatMessage, Role
from backends.adapters.opencode_answer import OpenCodeAnswer
from backends.adapters.opencode_history import flattened, overlap, told, turns_in
from backends.adapters.opencode_models import models_in
from backends.adapters.sse import ServerEvent

PLACE = Endpoint("http://server.test")
NAMES = st.sampled_from(["s", "u", "a", "a2", "p", "p2", "x", ""])
WORDS = st.sampled_from(
    ["message.updated", "message.part.updated", "message.part.delta", "session.status", "session.idle",
     "session.error", "permission.asked", "question.asked", "permission.replied", "session.created",
     "message.part.removed", "message.removed", "message.complete", "session.compacted", "text", "reasoning",
     "tool", "user", "assistant", "busy", "idle", "retry", "running", "completed", "stop", "tool-calls"]
)  # fmt: skip
KEYS = st.sampled_from(
    ["type", "properties", "sessionID", "messageID", "partID", "part", "info", "id", "role", "parentID", "text",
     "delta", "field", "time", "end", "completed", "status", "state", "finish", "error", "name", "data", "message",
     "tokens", "cache", "read", "questions", "options", "patterns", "payload", "callID", "statusCode", "summary"]
)  # fmt: skip
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | NAMES | WORDS
ANYTHING = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=12,
)


@st.composite
def frames(draw: st.DrawFn) -> str:
    """An event that is nearly right."""
    common = {
        "sessionID": "s",
        "messageID": draw(NAMES),
        "partID": draw(NAMES),
        "delta": draw(st.text(max_size=4)),
    }
    part = {"id": draw(NAMES), "messageID": draw(NAMES), "type": draw(WORDS), "text": draw(st.text(max_size=4)),
            "time": draw(st.sampled_from([{}, {"end": 1}])), "state": draw(ANYTHING)}  # fmt: skip
    info = {"id": draw(NAMES), "role": draw(WORDS), "parentID": draw(NAMES), "finish": draw(WORDS),
            "time": draw(st.sampled_from([{}, {"completed": 1}])), "tokens": draw(ANYTHING)}  # fmt: skip
    properties = {
        **common,
        "part": part,
        "info": info,
        "status": {"type": draw(WORDS)},
        "error": draw(ANYTHING),
    }
    changed = draw(st.dictionaries(KEYS, ANYTHING, max_size=2))
    return json.dumps({"type": draw(WORDS), "properties": {**properties, **changed}})


@settings(max_examples=300, deadline=None, database=None)
@given(st.lists(frames() | st.builds(json.dumps, ANYTHING), max_size=12), NAMES | WORDS)
def test_any_frames_end_in_events_or_a_typed_error(sent: list[str], name: str) -> None:
    answer = OpenCodeAnswer(PLACE, "s")
    shown: dict[type, str] = {TextDelta: "", ReasoningDelta: ""}
    failure: BackendError | None = None
    for data in sent:
        events, failure = gathered(answer.feed(ServerEvent(name, data)))
        if failure is not None or answer.over:
            break
        assert not any(isinstance(event, Finish) for event in events)
        for event in events:
            if isinstance(event, Restart):
                shown = dict.fromkeys(shown, "")
            elif isinstance(event, TextDelta | ReasoningDelta):
                assert event.text
                shown[type(event)] += event.text
        repr(events).encode()
    if failure is None and not answer.over:
        events, failure = gathered(answer.settle())
        assert failure or isinstance(events[-1], Finish)
    assert answer.over or failure


@settings(max_examples=200, deadline=None, database=None)
@given(ANYTHING, ANYTHING)
def test_any_lists_are_read(messages: Any, providers: Any) -> None:
    for turn in turns_in(messages):
        assert isinstance(turn.question, str)
    entry = {
        "info": {"role": "user", "id": messages},
        "parts": [messages, {"type": "text", "text": messages}],
    }
    turns_in([entry, messages])
    for model in models_in({"providers": [{"id": "p", "models": providers, "options": messages}]}) or []:
        assert model.id.startswith("p/")


TEXTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12).filter(str.strip)


@settings(max_examples=200, deadline=None, database=None)
@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=6), st.integers(0, 6), st.integers(0, 6), st.booleans())
def test_a_session_is_recognised_however_it_began(
    turns: list[tuple[str, str]], seeded: int, left: int, stopped: bool
) -> None:
    """Its first turns may have come as one text, and the history may have left it early."""
    history = [
        ChatMessage.of(role, text)
        for pair in turns
        for role, text in zip((Role.USER, Role.ASSISTANT), pair, strict=True)
    ]
    seeded = min(seeded, len(turns))
    left = max(seeded, min(left, len(turns)))
    messages: list[dict[str, Any]] = []
    for number, (question, reply) in enumerate(turns[seeded:]):
        parts = [{"type": "text", "text": question}]
        if seeded and not number:
            parts.insert(0, {"type": "text", "text": flattened(history[: 2 * seeded]), "synthetic": True})
        messages.append({"info": {"id": f"u{number}", "role": "user"}, "parts": parts})
        time = {} if stopped else {"completed": 1}
        messages.append(
            {"info": {"role": "assistant", "time": time}, "parts": [{"type": "text", "text": reply}]}
        )
    before = told((*history[: 2 * left], ChatMessage.of(Role.USER, "next")))
    shared, covered = overlap(turns_in(messages), before)
    assert shared == left - seeded
    assert covered == (2 * left if shared else 0)
