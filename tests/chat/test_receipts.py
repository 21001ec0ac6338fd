"""What a generation keeps of its request: rebuilt from rows it is what was sent, to the letter."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from typing import Any
from unittest.mock import AsyncMock

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from backends.adapters import scripted
from backends.adapters.base import Health, ModelInfo
from backends.adapters.errors import Unsupported
from backends.adapters.events import Finish, FinishReason, Phase, TextDelta
from backends.adapters.events import Status as Says
from backends.adapters.messages import ChatMessage, ChatRequest, ImagePart, Role, SamplingOptions
from backends.database import in_database
from backends.models import Backend, row_values
from chat.generation import canonical, receipt, recorder, runtime
from chat.generation.rebuild import Rebuilt, rebuild
from chat.generation.tidying import forget_unused_texts
from chat.models import Conversation, Cut, CutKind, Generation, Message, StoredText
from chat.services import answers
from chat.services.sending import Sent
from chat.tools.base import Tool
from privatechathub.accounts.models import User
from tests.chat.attachments.pictures import attach_picture
from tests.chat.test_recorder import run_of
from tests.chat.tooling import Adder, Rounds, call
from tests.chat.watching import ended

Ask = Callable[..., Sent]
live = pytest.mark.django_db(transaction=True)
DONE = [TextDelta("Done.")]


@pytest.fixture(autouse=True)
def _original_script() -> Iterator[None]:
    with scripted.registered("play", DONE):
        yield


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch, alice: User) -> Callable[..., None]:
    """Tools are on; these are put in place of the hub's own."""
    alice.tools = {"*": True}
    alice.save()

    def put(*tools: Tool) -> None:
        async def tools_for(caller: Any) -> list[Tool]:
            return list(tools)

        monkeypatch.setattr("chat.generation.tools_offered.tools_for", tools_for)

    return put


async def answered(ask: Ask, conversation: Conversation | None, *rounds: Any) -> tuple[Rounds, Generation]:
    """What the model was asked, and how it ended."""
    script = Rounds(*(rounds or [DONE]))
    scripted.register("play", script)
    generation = await ended(await in_database(ask, "Question", conversation))
    rows = Generation.objects.select_related("message__conversation", "message__parent")
    return script, await in_database(rows.get, pk=generation.pk)


def cut_after(message: Message, summary: str = "") -> None:
    """What is above and that message are left out, or summarised, from now on."""
    kind = CutKind.SUMMARISED if summary else CutKind.DROPPED
    Cut.objects.create(conversation=message.conversation, after=message, kind=kind, summary=summary)
    Conversation.objects.update(has_cuts=True)


def rebuilt(generation: Generation) -> Rebuilt:
    """From its row, as a page reads it."""
    rows = Generation.objects.select_related("message__conversation", "system_text", "tools_text")
    return rebuild(rows.get(pk=generation.pk))


def sent_values(script: Rounds) -> list[dict[str, Any]]:
    """What the model was asked in each round, as it is written down."""
    return [canonical.values(request) for request in script.requests]


async def assert_same(script: Rounds, generation: Generation) -> Rebuilt:
    """The rows tell exactly what the script was asked."""
    found = await in_database(rebuilt, generation)
    assert [canonical.values(entry.request) for entry in found.rounds] == sent_values(script)
    assert [entry.sha256 for entry in found.rounds] == list(map(canonical.digest, script.requests))
    assert found.same
    assert not found.gone
    return found


# --- the one way to write a request --------------------------------------------------------------------


def test_the_digest_is_that_of_the_written_bytes() -> None:
    request = ChatRequest("m", (ChatMessage.of(Role.USER, "Grüß Gott"),), system="Be kind.")

    written = canonical.as_bytes(canonical.values(request))

    assert (
        written
        == (
            '{"messages":[{"parts":[{"text":"Grüß Gott","type":"text"}],"role":"user"}],'
            '"model":"m","system":"Be kind."}'
        ).encode()
    )
    assert canonical.digest(request) == sha256(written).hexdigest()


def test_how_a_request_travels_is_no_part_of_it_and_everything_else_is() -> None:
    request = ChatRequest("m", (ChatMessage.of(Role.USER, "Hi"),))
    travels = ChatRequest(
        "m",
        request.messages,
        conversation_id="c",
        title="T",
        state={"response_id": "r"},
        capabilities=frozenset(),
    )
    others = [
        ChatRequest("n", request.messages),
        ChatRequest("m", (ChatMessage.of(Role.USER, "Hi."),)),
        ChatRequest("m", (ChatMessage(Role.USER, (ImagePart(b"1", "image/png"),)),)),
        ChatRequest("m", (ChatMessage(Role.USER, (ImagePart(b"2", "image/png"),)),)),
        ChatRequest("m", request.messages, system="S"),
        ChatRequest("m", request.messages, sampling=SamplingOptions(seed=1)),
        ChatRequest("m", request.messages, sampling=SamplingOptions(stop=("END",))),
        ChatRequest("m", request.messages, tools=(Adder().spec,)),
        ChatRequest("m", request.messages, response_schema={"type": "object"}),
    ]

    assert canonical.digest(travels) == canonical.digest(request)
    assert len({canonical.digest(other) for other in [request, *others]}) == len(others) + 1


@given(st.lists(st.integers(1, 60), unique=True))
def test_stretches_name_the_same_ids_in_the_same_order(ids: list[int]) -> None:
    kept = {"turns": list(receipt.stretches(ids))}

    assert receipt.ids_in(json.loads(json.dumps(kept))) == ids


def test_a_conversation_without_gaps_is_one_stretch() -> None:
    assert list(receipt.stretches(range(7, 5000))) == [[7, 4999]]


# --- runs ----------------------------------------------------------------------------------------------


@live
async def test_a_chat_with_history_system_text_and_options_is_rebuilt_to_the_letter(
    hub: runtime.Runtime, ask: Ask
) -> None:
    _script, first = await answered(ask, None)
    conversation = first.message.conversation
    options = {"temperature": 0.5, "seed": 7, "stop": ["END"], "reasoning": "low"}
    await in_database(
        Conversation.objects.filter(pk=conversation.pk).update, system_prompt="Be brief.", options=options
    )
    await answered(ask, conversation)
    script, generation = await answered(ask, conversation)

    found = await assert_same(script, generation)

    assert script.requests[0].system == "Be brief."
    assert len(found.rows) == 5
    assert len(generation.receipt["turns"]) == 1
    assert generation.receipt["options"] == options
    assert await in_database(StoredText.objects.count) == 1  # the same for both answers


@live
async def test_every_round_of_a_tool_loop_is_rebuilt(
    hub: runtime.Runtime, ask: Ask, tools: Callable[..., None]
) -> None:
    tools(Adder())
    rounds = [call("add", "c1", a=1, b=2)], [TextDelta("So: "), call("add", "c2", a=3, b=7)], DONE
    script, generation = await answered(ask, None, *rounds)

    found = await assert_same(script, generation)
    assert [len(entry.request.messages) for entry in found.rounds] == [1, 3, 5]
    assert [tool.name for tool in found.rounds[0].request.tools] == ["add"]

    script, generation = await answered(ask, generation.message.conversation, *rounds)
    await assert_same(script, generation)
    assert await in_database(StoredText.objects.count) == 2  # the note about tools, the tools


@live
async def test_a_server_that_refuses_tools_was_asked_without_them(
    hub: runtime.Runtime, ask: Ask, tools: Callable[..., None]
) -> None:
    tools(Adder())
    refusal = Unsupported("this model does not support tools", status=400)
    script, generation = await answered(ask, None, [refusal], DONE)

    found = await assert_same(script, generation)

    assert [entry.tools for entry in found.rounds] == [True, False]


@live
async def test_an_answer_that_was_gone_on_with_is_cut_where_it_was(
    hub: runtime.Runtime, ask: Ask, alice: User
) -> None:
    _script, first = await answered(ask, None, [TextDelta("One, "), Finish(FinishReason.LENGTH)])
    script = Rounds([TextDelta("two, "), Finish(FinishReason.LENGTH)], [TextDelta("three.")])
    scripted.register("play", script)
    answer = await in_database(Message.objects.select_related("conversation").get, pk=first.message_id)
    generations = []
    for _again in range(2):
        generation = await in_database(answers.continue_answer, alice, answer)
        generations.append(await ended(Sent(answer.conversation, answer, answer, generation)))
        await in_database(answer.refresh_from_db, fields=["text"])
    assert answer.text == "One, two, three."

    for number, generation in enumerate(generations):
        found = await in_database(rebuilt, generation)
        (entry,) = found.rounds
        assert canonical.values(entry.request) == canonical.values(script.requests[number])
        assert found.same


@live
async def test_images_are_named_by_what_they_are_and_a_blind_model_s_note_stays(
    hub: runtime.Runtime, ask: Ask, demo: Backend
) -> None:
    for capabilities in (["chat", "vision"], ["chat"]):
        await in_database(demo.models.update, capabilities=capabilities)
        _script, first = await answered(ask, None)
        await in_database(attach_picture, first.message.parent)
        script, generation = await answered(ask, first.message.conversation)
        await in_database(demo.models.update, capabilities=None)

        found = await assert_same(script, generation)

        pictures = [image for turn in found.rounds[0].request.messages for image in turn.images]
        assert bool(pictures) == ("vision" in capabilities)


@pytest.mark.parametrize(
    ("kind", "summary"), [(CutKind.DROPPED, ""), (CutKind.SUMMARISED, "They said hello.")]
)
@live
async def test_what_was_cut_off_is_not_in_it_and_its_summary_is(
    kind: CutKind, summary: str, hub: runtime.Runtime, ask: Ask
) -> None:
    _script, first = await answered(ask, None)
    conversation = first.message.conversation

    await in_database(cut_after, first.message, summary)
    assert (await in_database(Cut.objects.get)).kind == kind
    script, generation = await answered(ask, conversation)
    await in_database(Cut.objects.update, summary="Written anew since.", kind=CutKind.DROPPED)

    found = await assert_same(script, generation)

    assert [row.pk for row in found.rows] == [generation.message.parent_id]
    (first_turn,) = found.rounds[0].request.messages
    assert summary in first_turn.text
    assert first_turn.text.endswith("Question")


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> ModelInfo:
    """What the server says of its model whenever the hub looks, which may be at any time."""
    details = {"variant": "play@q4", "expires_at": "2026-01-01T00:00:00Z"}
    offered = ModelInfo("play", digest="sha256:abc", quantization="Q4_K_M", details=details)
    monkeypatch.setattr(scripted.ScriptedAdapter, "list_models", AsyncMock(return_value=[offered]))
    monkeypatch.setattr(scripted.ScriptedAdapter, "health", AsyncMock(return_value=Health("0.33.0")))
    return offered


@live
async def test_what_is_known_of_model_and_server_is_kept_as_it_was(
    told: ModelInfo, hub: runtime.Runtime, ask: Ask, demo: Backend
) -> None:
    def known(offered: ModelInfo) -> None:
        demo.models.update(**row_values(offered, 0))
        Backend.objects.update(version="0.33.0", options={"num_ctx": "8192", "keep_alive": "1h"})

    await in_database(known, told)
    _script, generation = await answered(ask, None, [Says(Phase.RETRYING, detail="min_p"), *DONE])
    await in_database(known, replace(told, digest="sha256:def", quantization="Q8_0", details={}))

    assert generation.receipt["model"] == {
        "digest": "sha256:abc", "quantization": "Q4_K_M", "variant": "play@q4"
    }  # fmt: skip
    assert generation.receipt["server"] == {"kind": "scripted", "version": "0.33.0", "num_ctx": "8192"}
    assert generation.receipt["retried"] == "min_p"


@live
async def test_a_turn_that_changed_or_went_shows(hub: runtime.Runtime, ask: Ask) -> None:
    _script, first = await answered(ask, None)
    _script, generation = await answered(ask, first.message.conversation)

    await in_database(Message.objects.filter(pk=first.message_id).update, text="Something else.")
    assert not (await in_database(rebuilt, generation)).same
    await in_database(Message.objects.filter(pk=first.message_id).update, text="Done.")
    assert (await in_database(rebuilt, generation)).same
    await in_database(Message.objects.filter(pk=first.message_id).delete)
    found = await in_database(rebuilt, generation)
    assert (found.same, found.gone) == (False, (first.message_id,))


def test_a_receipt_that_names_somebody_else_s_message_does_not_show_it(ask: Ask, bob: User) -> None:
    sent = ask("Mine")
    theirs = Message.objects.create(
        conversation=Conversation.objects.create(owner=bob, updated_at=timezone.now()),
        role="user",
        text="Bob's",
    )
    kept = {"turns": [[sent.question.pk] * 2, [theirs.pk] * 2], "rounds": []}
    Generation.objects.update(receipt=kept)

    found = rebuilt(sent.generation)

    assert [row.text for row in found.rows] == ["Mine"]
    assert found.gone == (theirs.pk,)


# --- saving and tidying --------------------------------------------------------------------------------


def with_receipt(sent: Sent, system: str = "") -> Any:
    """A run that has just asked."""
    run = run_of(sent, "text")
    run.receipt = receipt.Receipt(sent.conversation.owner_id, {"turns": [[1, 1]]})
    run.take_receipt(ChatRequest("m", (ChatMessage.of(Role.USER, "Hi"),), system=system))
    return run


def updates(queries: CaptureQueriesContext) -> int:
    return len(
        [entry for entry in queries if entry["sql"].startswith(("UPDATE", "INSERT", "DELETE", "SELECT"))]
    )


def test_the_end_is_saved_with_no_more_queries_and_one_for_all_texts(ask: Ask) -> None:
    sent = [ask(f"question {number}") for number in range(6)]
    plain, with_system = (
        [run_of(one, "text") for one in sent[:2]],
        [with_receipt(one, "S") for one in sent[2:4]],
    )
    without = [with_receipt(one) for one in sent[4:]]
    counts = []
    for runs in (plain, without, with_system):
        for run in runs:
            run.end(run.status.COMPLETED)
        with CaptureQueriesContext(connection) as queries:
            recorder.save_ends(runs)
        counts.append(updates(queries))

    assert counts[1] == counts[0]
    assert counts[2] == counts[0] + 1
    kept = Generation.objects.filter(pk__in=[run.generation_id for run in with_system])
    assert {row.system_text.text for row in kept if row.system_text} == {"S"}
    assert StoredText.objects.count() == 1


def test_a_crash_does_not_cost_the_receipt(ask: Ask) -> None:
    run = with_receipt(ask(), "S")

    recorder.save_progress([run])
    with CaptureQueriesContext(connection) as queries:
        recorder.save_progress([run])

    row = Generation.objects.select_related("system_text").get()
    assert [entry["steps"] for entry in row.receipt["rounds"]] == [0]
    assert row.system_text
    assert not [entry for entry in queries if "receipt" in entry["sql"] or "storedtext" in entry["sql"]]


def test_texts_are_shared_by_one_person_s_receipts_and_never_by_two(alice: User, bob: User) -> None:
    StoredText.keep(StoredText.of(owner.pk, "The same") for owner in (alice, alice, bob))

    assert sorted(StoredText.objects.values_list("owner_id", flat=True)) == [alice.pk, bob.pk]
    alice.delete()
    assert list(StoredText.objects.values_list("owner_id", flat=True)) == [bob.pk]


def test_what_no_receipt_names_goes_after_a_while_and_nothing_else(ask: Ask, alice: User) -> None:
    sent = ask()
    old = timezone.now() - timedelta(days=1)
    rows = {text: StoredText.of(alice.pk, text) for text in ("system", "tools", "forgotten", "fresh")}
    StoredText.keep(rows.values())
    StoredText.objects.exclude(text="fresh").update(used_at=old)
    Generation.objects.update(system_text=rows["system"], tools_text=rows["tools"])

    forget_unused_texts()
    assert set(StoredText.objects.values_list("text", flat=True)) == {"system", "tools", "fresh"}
    sent.conversation.delete()
    forget_unused_texts()
    assert set(StoredText.objects.values_list("text", flat=True)) == {"fresh"}


def test_a_text_that_is_named_again_is_spared(alice: User) -> None:
    row = StoredText.of(alice.pk, "text")
    StoredText.keep([row])
    StoredText.objects.update(used_at=timezone.now() - timedelta(days=1))

    StoredText.keep([StoredText.of(alice.pk, "text")])
    forget_unused_texts()

    assert StoredText.objects.get().pk == row.pk
