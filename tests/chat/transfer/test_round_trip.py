"""What is exported can be imported, and is the same when it is exported again."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from backends.models import Backend
from chat.models import Activity, Ask, AskState, Consent, Conversation, Generation, Message, Status, Step
from chat.services import order
from chat.services.sending import Sent
from chat.transfer import loading, saving, values
from chat.transfer.formats import hub
from chat.transfer.portable import HUB, Run, Talk, Turn
from chat.transfer.writing import as_json
from privatechathub.accounts.models import User
from tests.chat.attachments.pictures import attach_picture

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\r"), max_size=30)
MOMENT = st.none() | st.datetimes(datetime(1971, 1, 1), datetime(2199, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@st.composite
def talks(draw: st.DrawFn) -> Talk:
    """Any conversation: a tree of any form."""
    turns: list[Turn] = []
    for place in range(draw(st.integers(1, 6))):
        parent = draw(st.sampled_from([None, *(turn.id for turn in turns)]))
        turns.append(
            Turn(
                id=str(place + 1),
                parent=parent,
                role=draw(st.sampled_from(["user", "assistant", "tool"])),
                text=draw(TEXT),
                reasoning=draw(TEXT),
                reasoning_seconds=draw(st.none() | st.integers(0, 1000)),
                created_at=draw(MOMENT),
            )
        )
    return Talk(
        source=HUB,
        source_id=str(draw(st.uuids())),
        title=" ".join(draw(TEXT).split()),
        turns=tuple(turns),
        head=draw(st.sampled_from(turns)).id,
        system_prompt=draw(TEXT),
        tags=values.tags(draw(st.lists(TEXT, max_size=4))),
        pinned_at=draw(MOMENT),
        archived_at=draw(MOMENT),
        created_at=draw(MOMENT),
        updated_at=draw(MOMENT),
    )


@given(talks())
def test_any_conversation_comes_back_from_json(talk: Talk) -> None:
    assert hub.read(json.loads(as_json(talk))) == talk


@given(talks(), talks())
def test_the_digest_tells_conversations_apart(one: Talk, other: Talk) -> None:
    def content(talk: Talk) -> list[Any]:
        places = {turn.id: place for place, turn in enumerate(talk.turns)}
        told = [(places.get(turn.parent or ""), turn.role, turn.text, turn.reasoning) for turn in talk.turns]
        return [talk.system_prompt, *told]

    assert (one.digest() == other.digest()) == (content(one) == content(other))


def anything(owner: User, backend: Backend, seed: int) -> Conversation:
    """A conversation with branches, runs of every status, tool calls, rounds and requests."""
    chance = random.Random(seed)
    now = timezone.now()
    conversation = Conversation.objects.create(
        owner=owner,
        title=f"Chat {seed}",
        system_prompt="Be “kind”.\n",
        options={"temperature": 0.5, "stop": ["END"], "reasoning": "low"},
        backend=backend,
        model_id="play",
        updated_at=now - timedelta(days=seed),
    )
    made: list[Message] = []
    for place in range(chance.randint(1, 12)):
        parent = chance.choice([None, *made]) if made else None
        role = "user" if parent is None or parent.role == "assistant" else "assistant"
        row = Message.objects.create(
            conversation=conversation,
            parent=parent,
            role=role,
            text=f"*{place}* é 🥐",
            reasoning="hm" * place,
        )
        Message.objects.filter(pk=row.pk).update(created_at=now - timedelta(hours=place))
        made.append(row)
        for _ in range(chance.randint(0, 2) if role == "assistant" else 0):
            add_run(row, chance.choice(["completed", "failed", "stopped", "interrupted"]), now)
    Conversation.objects.filter(pk=conversation.pk).update(
        head=chance.choice(made), created_at=now - timedelta(days=400)
    )
    order.set_tags(owner, conversation, "sea, work")
    order.pin(owner, [conversation.pk], on=chance.random() < 0.5)
    order.archive(owner, [conversation.pk], on=chance.random() < 0.3)
    conversation.refresh_from_db()
    return conversation


def add_run(message: Message, status: str, now: datetime) -> Generation:
    run = Generation.objects.create(
        message=message,
        backend_name="Demo",
        model_id="play",
        model_name="Play",
        options={"seed": 7},
        status=status,
        finish_reason="stop",
        error_kind="connect" if status == "failed" else "",
        error_message="Away.",
        input_tokens=3,
        output_tokens=4,
        tokens_per_second=12.5,
        ttft_ms=80,
        answered_by="play-8b",
        details={"headers": {"x-olla-endpoint": "nas"}},
        state={"session_id": "secret"},
        started_at=now,
        finished_at=now,
    )
    Activity.objects.create(
        generation=run,
        position=0,
        call_id="c",
        name="ls",
        state="done",
        output="etc",
        output_size=3,
        sources=[{"url": "https://example.org", "title": "E", "site": "e", "number": 7}],
        started_at=now,
    )
    Step.objects.create(
        generation=run,
        position=0,
        text="I look.",
        end=1,
        calls=[
            {
                "id": "c",
                "name": "ls",
                "arguments": {"a": 1},
                "content": "etc",
                "is_error": False,
                "images": [{"media_type": "image/png", "data": "AAAA"}],
            }
        ],
        finished_at=now,
    )
    Ask.objects.create(
        generation=run, kind="permission", payload={"title": "ls"}, state="once", asked_at=now, expires_at=now
    )
    Message.objects.filter(pk=message.pk).update(has_steps=True)
    return run


def exported(conversation: Conversation) -> Any:
    """As a file, without its own id."""
    document = json.loads(as_json(loading.load(conversation)))
    del document["conversation"]["id"]
    return document


@pytest.mark.parametrize("seed", range(12))
def test_rows_are_the_same_after_a_journey(seed: int, alice: User, bob: User, demo: Backend) -> None:
    original = anything(alice, demo, seed)

    copied = saving.save(bob, hub.read(json.loads(as_json(loading.load(original)))))
    copied.refresh_from_db()

    assert copied.owner == bob
    assert copied.pk != original.pk
    assert exported(copied) == exported(original)
    assert copied.messages.count() == original.messages.count()
    assert list(copied.messages.order_by("pk").values_list("has_steps")) == list(
        original.messages.order_by("pk").values_list("has_steps")
    )


def test_files_are_told_of(ask: Callable[..., Sent]) -> None:
    sent = ask("Look")
    attached = attach_picture(sent.question)

    document = json.loads(as_json(loading.load(sent.conversation)))

    told = {"name": attached.name, "media_type": attached.media_type, "size": attached.size}
    assert document["conversation"]["messages"][0]["files"] == [{**told, "sha256": attached.digest}]
    assert hub.read(document).turns[0].files == ({**told, "digest": attached.digest},)


def test_what_names_a_session_on_a_server_stays_here(alice: User, demo: Backend) -> None:
    sent = anything(alice, demo, 1)
    add_run(sent.messages.create(role="assistant"), "completed", timezone.now())

    assert "secret" not in as_json(loading.load(sent))


def test_an_answer_that_was_being_written_is_over_in_the_copy(ask: Callable[..., Sent], alice: User) -> None:
    sent = ask("Hello")
    now = timezone.now()
    Generation.objects.update(status=Status.RUNNING)
    Ask.objects.create(generation=sent.generation, kind="permission", asked_at=now, expires_at=now)
    Activity.objects.create(generation=sent.generation, position=0, name="x", state="running", started_at=now)

    copied = saving.save(alice, hub.read(json.loads(as_json(loading.load(sent.conversation)))))

    run = Generation.objects.get(message__conversation=copied)
    assert run.status == Status.INTERRUPTED
    assert run.asks.get().state == AskState.CLOSED
    assert run.activities.get().state == "stopped"


def test_a_server_is_chosen_again_only_by_whoever_may_use_it(alice: User, bob: User, demo: Backend) -> None:
    original = anything(alice, demo, 3)
    demo.access = "admins"
    demo.save()

    assert saving.save(bob, loading.load(original)).backend is None
    demo.access = "everyone"
    demo.save()
    assert saving.save(bob, loading.load(original)).backend == demo


def test_values_that_the_hub_would_never_write_do_not_get_in() -> None:
    page = {"url": "https://a.example"}
    sources = [{"url": "javascript:alert(1)"}, *(page | {"number": number} for number in ("1", -1, 10**9))]
    document = {
        "format": HUB,
        "version": 1,
        "conversation": {
            "id": "x",
            "options": {"temperature": "hot", "seed": 10**40, "evil": 1, "reasoning": "very", "stop": "x"},
            "messages": [
                {
                    "id": "1",
                    "role": "system",
                    "text": ["no"],
                    "reasoning_seconds": -1,
                    "created_at": "soon",
                    "generations": [
                        {
                            "status": "queued",
                            "finish_reason": "boredom",
                            "options": {"keep_alive": "for ever", "temperature": True},
                            "details": {"headers": 7},
                            "tokens_per_second": 1e400,
                            "input_tokens": 2**40,
                            "state": {"session_id": "theirs"},
                            "worker": "w",
                            "steps": [
                                {
                                    "end": 99,
                                    "calls": [
                                        7,
                                        {
                                            "arguments": "x",
                                            "images": [{"media_type": "image/png", "data": "é"}],
                                        },
                                    ],
                                }
                            ],
                            "activities": [{"state": "running", "sources": sources}],
                        }
                    ],
                }
            ],
        },
    }

    talk = hub.read(json.loads(json.dumps(document)))

    (turn,) = talk.turns
    assert isinstance(turn.runs[0], Run)
    run = turn.runs[0].values
    assert talk.options == {}
    assert (turn.role, turn.text, turn.reasoning_seconds, turn.created_at) == ("user", "", None, None)
    assert (run["status"], run["finish_reason"], run["options"], run["details"]) == (
        "interrupted",
        "",
        {},
        {},
    )
    assert (run["tokens_per_second"], run["input_tokens"]) == (None, None)
    assert not {"state", "worker"} & run.keys()
    assert (
        turn.runs[0].activities[0]["sources"] == [{"url": "https://a.example", "title": "", "site": ""}] * 3
    )
    assert turn.runs[0].steps[0]["calls"] == [
        {"id": "", "name": "", "arguments": {}, "content": "", "is_error": False}
    ]


def test_lines_and_what_was_decided_come_along(alice: User, bob: User, demo: Backend) -> None:
    original = anything(alice, demo, 3)
    Conversation.objects.filter(pk=original.pk).update(overflow="summarise", has_cuts=True)
    original.refresh_from_db()
    first, *_rest, last = original.messages.order_by("pk")
    original.cuts.create(after=None, kind="summarised", summary="Before.", left_out=9)
    original.cuts.create(after=first, kind="summarised", summary="Tea é.", left_out=1, unread=2, edited=True)
    original.cuts.create(after=last, kind="proposed")

    copied = saving.save(bob, hub.read(json.loads(as_json(loading.load(original)))))

    copied.refresh_from_db()
    assert exported(copied) == exported(original)
    assert (copied.overflow, copied.has_cuts) == ("summarise", True)
    beginning, line = copied.cuts.order_by("-left_out")
    assert (beginning.after, beginning.summary) == (None, "Before.")
    assert (line.after, line.covers) == (copied.messages.order_by("pk")[0], copied.messages.order_by("pk")[0])
    assert (line.summary, line.left_out, line.unread, line.edited) == ("Tea é.", 1, 2, True)


def test_lines_that_no_hub_would_write_do_not_get_in(alice: User, demo: Backend) -> None:
    document = json.loads(as_json(loading.load(anything(alice, demo, 3))))
    line = {"after": "1", "kind": "burnt", "left_out": -4, "summary": 7, "edited": "yes"}
    document["conversation"] |= {"overflow": "explode", "lines": [line, line, {"after": "nowhere"}, 8]}

    talk = hub.read(document)

    assert talk.overflow == "ask"
    [found] = talk.lines
    assert found.after == "1"
    expected = {"kind": "dropped", "left_out": 0, "unread": 0, "summary": "", "edited": False}
    assert {name: found.values[name] for name in expected} == expected


def test_the_list_of_calls_says_which_ones_only_a_file_tells_of(
    ask: Callable[..., Sent], bob: User, as_alice: Client, as_bob: Client
) -> None:
    sent = ask()
    Activity.objects.create(
        generation=sent.generation, position=0, call_id="c", name="read_url", state="done",
        consent=Consent.ONCE, started_at=timezone.now(),
    )  # fmt: skip
    saving.save(bob, hub.read(json.loads(as_json(loading.load(sent.conversation)))))

    own, copied = (client.get("/settings/tool-calls/").content.decode() for client in (as_alice, as_bob))
    assert "allowed once" in own
    assert "imported from a file" not in own
    assert "allowed once" not in copied
    assert "imported from a file" in copied
