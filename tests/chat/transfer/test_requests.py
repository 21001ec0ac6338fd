"""The exact requests of answers travel: at another hub a receipt shows them again, and proves them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from backends.adapters import scripted
from backends.adapters.events import Finish, FinishReason, TextDelta
from backends.database import in_database
from chat.generation import canonical, runtime
from chat.generation.receipt import stretches
from chat.models import Conversation, Cut, Generation, Message, StoredText
from chat.services import answers, branches, deleting
from chat.services.repeating import repeat
from chat.services.sending import Sent
from chat.transfer import fields, limits, loading, saving
from chat.transfer.formats import hub as hub_format
from chat.transfer.formats import sent as sent_format
from chat.transfer.hiding import hidden
from chat.transfer.portable import HUB, LeftOut, Run, SentRequest, Talk, Turn
from chat.transfer.writing import as_json
from privatechathub.accounts.models import User
from tests.chat.attachments.pictures import attach_picture, plain
from tests.chat.test_receipts import DONE, answered, cut_after, rebuilt, tools
from tests.chat.tooling import Adder, Rounds, call
from tests.chat.transfer.test_files import bring, everything
from tests.chat.watching import ended

__all__ = ["tools"]

Ask = Callable[..., Sent]
live = pytest.mark.django_db(transaction=True)
DIGEST = "0" * 64


@pytest.fixture(autouse=True)
def _original_script() -> Iterator[None]:
    with scripted.registered("play", DONE):
        yield


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> None:
    """A data folder of the test's own."""
    settings.MEDIA_ROOT = tmp_path / "files"


def document_of(conversation: Conversation) -> Any:
    """What a file of it holds."""
    return json.loads(as_json(loading.load(Conversation.objects.get(pk=conversation.pk))))


def arrived(conversation: Conversation, owner: User) -> list[Generation]:
    """The runs of a copy that another person imports, in order."""
    copied = saving.save(owner, hub_format.read(document_of(conversation)))
    found = Generation.objects.filter(message__conversation=copied).order_by("created_at")
    return list(found.select_related("message"))


def assert_same_there(generation: Generation, found: Generation) -> None:
    """Both tell the same requests, to the letter."""
    here, there = rebuilt(generation), rebuilt(found)
    assert here.same
    assert there.same
    assert [canonical.values(each.request) for each in there.rounds] == [
        canonical.values(each.request) for each in here.rounds
    ]
    assert {row.pk for row in here.rows}.isdisjoint(row.pk for row in there.rows)


@live
async def test_system_text_options_and_rounds_of_tools_are_the_same_there(
    hub: runtime.Runtime, ask: Ask, bob: User, as_bob: Client, tools: Callable[..., None]
) -> None:
    _script, first = await answered(ask, None)
    conversation = first.message.conversation
    letter = {"temperature": 1, "seed": 7, "stop": ["END\r\n"], "reasoning": "low"}
    await in_database(
        Conversation.objects.filter(pk=conversation.pk).update, system_prompt="Be\r\nbrief.", options=letter
    )
    tools(Adder())
    said = [TextDelta("So\r\n"), call("add", "c" * 300, a=1, b=2)]
    _script, generation = await answered(ask, conversation, said, [call("add", "c2", a=3, b=7)], DONE)
    _script, last = await answered(ask, conversation)

    found = await in_database(arrived, conversation, bob)
    for one, other in zip((first, generation, last), found, strict=True):
        await in_database(assert_same_there, one, other)
    page = await in_database(as_bob.get, reverse("chat:receipt", args=[found[-1].pk]))

    assert "This is exactly what was sent" in page.content.decode()
    assert page.context["receipt"].system.text.startswith("Be\r\nbrief.")


@live
async def test_an_imported_request_is_sent_again_to_the_model_that_the_conversation_goes_on_with(
    hub: runtime.Runtime, ask: Ask, bob: User, as_bob: Client
) -> None:
    first_script, generation = await answered(ask, None)
    (found,) = await in_database(arrived, generation.message.conversation, bob)
    address = reverse("chat:receipt", args=[found.pk])
    script = Rounds([TextDelta("Again.")])
    scripted.register("play", script)

    page = await in_database(as_bob.get, address)
    assert "Run again" in page.content.decode()
    await in_database(as_bob.post, reverse("chat:generation-repeat", args=[found.pk]))
    row = await in_database(Generation.objects.select_related("message__conversation").latest, "created_at")
    await ended(Sent(row.message.conversation, row.message, row.message, row))

    assert row.repeats == found.pk
    assert canonical.values(script.requests[0]) == canonical.values(first_script.requests[0])
    await in_database(Conversation.objects.update, model_id="other")
    page = await in_database(as_bob.get, address)
    assert "Run again" not in page.content.decode()
    assert "Run on this model" in page.content.decode()


@live
async def test_a_fork_brings_what_lies_in_the_conversation_that_it_came_from(
    hub: runtime.Runtime, ask: Ask, bob: User
) -> None:
    _script, first = await answered(ask, None)
    origin = first.message.conversation
    _script, second = await answered(ask, origin)
    answer = await in_database(Message.objects.select_related("conversation").get, pk=second.message_id)
    fork = await in_database(branches.fork, answer.conversation, answer)
    _script, elsewhere = await answered(ask, fork)
    await in_database(deleting.delete_message, answer.conversation, answer)

    found = await in_database(arrived, fork, bob)

    for one, other in zip((first, second, elsewhere), found, strict=True):
        await in_database(assert_same_there, one, other)


@pytest.mark.parametrize("summary", ["", "They said\r\nhello."])
@live
async def test_a_cut_and_its_summary_are_the_same_there(
    summary: str, hub: runtime.Runtime, ask: Ask, bob: User
) -> None:
    _script, first = await answered(ask, None)
    conversation = first.message.conversation

    await in_database(cut_after, first.message, summary)
    _script, generation = await answered(ask, conversation)
    _script, last = await answered(ask, conversation)
    await in_database(Cut.objects.update, summary="Written anew since.")
    document = await in_database(document_of, conversation)

    found = await in_database(arrived, conversation, bob)

    assert summary in document["conversation"]["texts"].values() or not summary
    await in_database(assert_same_there, generation, found[1])
    await in_database(assert_same_there, last, found[2])


@live
async def test_an_answer_that_was_gone_on_with_and_one_that_was_asked_again(
    hub: runtime.Runtime, ask: Ask, alice: User, bob: User, as_bob: Client
) -> None:
    _script, first = await answered(ask, None, [TextDelta("One, "), Finish(FinishReason.LENGTH)])
    scripted.register("play", Rounds([TextDelta("two.")], [TextDelta("Again.")]))
    answer = await in_database(Message.objects.select_related("conversation").get, pk=first.message_id)
    more = await in_database(answers.continue_answer, alice, answer)
    await ended(Sent(answer.conversation, answer, answer, more))
    row = await in_database(Generation.objects.select_related("message__parent", "backend").get, pk=first.pk)
    again = await in_database(repeat, alice, row, "")
    await ended(Sent(again.message.conversation, again.message, again.message, again))

    found = await in_database(arrived, answer.conversation, bob)

    for one, other in zip((first, more, again), found, strict=True):
        await in_database(lambda one=one, other=other: assert_same_there(fresh(one), fresh(other)))
    assert [each.repeats for each in found] == [None, None, found[0].pk]
    page = await in_database(as_bob.get, reverse("chat:receipt", args=[found[2].pk]))
    assert "It is the same request to the letter." in page.content.decode()


def fresh(generation: Generation) -> Generation:
    return Generation.objects.get(pk=generation.pk)


@live
async def test_files_and_passages_of_two_of_one_content_are_the_same_there(
    hub: runtime.Runtime,
    ask: Ask,
    alice: User,
    bob: User,
    as_bob: Client,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("chat.generation.reading.UNKNOWN_ROOM", 40_000)
    text = b"The tide is high at noon. " * 1_000
    _script, first = await answered(ask, None)
    conversation = first.message.conversation
    for data, name in ((text, "tides.txt"), (plain((60, 40)), "sea.png")):
        await in_database(attach_picture, first.message.parent, name, data)
    _script, second = await answered(ask, conversation)
    await in_database(attach_picture, second.message.parent, "again.txt", text)
    _script, third = await answered(ask, conversation)

    assert third.passages["passages"]
    await in_database(bring, as_bob, await in_database(everything, alice))

    mine = Generation.objects.filter(message__conversation__owner=bob).order_by("created_at")
    found = await in_database(list, mine)
    await in_database(assert_same_there, third, found[2])


@live
async def test_what_is_gone_is_said_there_too(
    hub: runtime.Runtime, ask: Ask, bob: User, as_bob: Client
) -> None:
    _script, first = await answered(ask, None)
    conversation = first.message.conversation
    _script, second = await answered(ask, conversation)
    await answered(ask, conversation)

    def without_one() -> Conversation:
        conversation.refresh_from_db()
        deleting.delete_message(conversation, second.message)
        return conversation

    found = (await in_database(arrived, await in_database(without_one), bob))[-1]
    there = await in_database(rebuilt, found)
    page = await in_database(as_bob.get, reverse("chat:receipt", args=[found.pk]))
    once_more = await in_database(arrived, await in_database(lambda: fresh(found).message.conversation), bob)

    assert (there.same, len(there.gone)) == (False, 1)
    assert "1 message that was sent has been deleted since." in page.content.decode()
    assert len((await in_database(rebuilt, once_more[-1])).gone) == 1


@live
async def test_long_texts_are_in_the_file_once_and_kept_once(
    hub: runtime.Runtime, ask: Ask, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    conversation = await in_database(lambda: ask().conversation)
    await in_database(Generation.objects.all().delete)
    await in_database(Conversation.objects.filter(pk=conversation.pk).update, system_prompt="Long. " * 2_000)
    for _turn in range(4):
        await answered(ask, conversation)

    talk = await in_database(lambda: loading.load(Conversation.objects.get(pk=conversation.pk)))
    told = as_json(talk)
    assert told.count("Long. Long.") == 2_000  # of the conversation and of its receipts, 2 in each 4 words
    await in_database(arrived, conversation, bob)
    assert await in_database(StoredText.objects.filter(owner=bob).count) == 1
    monkeypatch.setattr(limits, "LARGEST_ITEM", len(told) - 1)
    assert hub_format.read(json.loads(as_json(talk))) == talk.without_requests()


# --- any file ------------------------------------------------------------------------------------------


@st.composite
def asked_talks(draw: st.DrawFn) -> Talk:
    """A tree of any form; each turn's run was asked some of what is above it."""
    turns: list[Turn] = []
    above: list[list[int]] = []
    for place in range(draw(st.integers(1, 9))):
        parent = draw(st.sampled_from([None, *range(place)]))
        way = [] if parent is None else [*above[parent], parent]
        named = sorted(draw(st.sets(st.sampled_from(way)))) if way else []
        sent = SentRequest(
            rounds=({"sha256": DIGEST, "steps": 1, "tools": True, "refused": True},),
            turns=tuple((first, last) for first, last in stretches(named)),
            gone=draw(st.integers(0, 3)),
            system=draw(st.sampled_from(["", "Be\r\nkind.", "Be brief."])),
            tools=draw(st.sampled_from(["", '[{"description":"","name":"add","parameters":{}}]'])),
            summary=draw(st.sampled_from(["", "Be brief.", "Tea."])),
            begun=draw(st.none() | st.integers(0, 9)),
            plain=draw(st.booleans()),
            reminded=draw(st.booleans()),
            capabilities=draw(st.none() | st.just(()) | st.just(("chat", "vision"))),
            repeats=draw(st.none() | st.tuples(st.integers(0, place), st.integers(0, 2))),
        )
        above.append(way)
        run = Run(fields.read(fields.RUN, {}), sent=sent)
        turns.append(
            Turn(str(place + 1), None if parent is None else str(parent + 1), "assistant", "", runs=(run,))
        )
    return Talk(source=HUB, source_id="x", title="", turns=tuple(turns), head="1")


@given(asked_talks())
def test_any_request_comes_back_from_json(talk: Talk) -> None:
    assert hub_format.read(json.loads(as_json(talk))) == talk


def file_with(receipt: Any, texts: Any = None, **more: Any) -> dict[str, Any]:
    """A file that somebody made: three messages, and what is told of the last one's request."""
    messages = [
        {"id": str(place), "parent": str(place - 1), "role": "user", "text": f"Text {place}"}
        for place in (1, 2, 3)
    ]
    messages[-1] |= {
        "role": "assistant",
        "generations": [{"model_id": "m", "status": "completed", "receipt": receipt}],
    }
    talk = {"id": "x", "messages": messages, "texts": texts, **more}
    return {"format": HUB, "version": 1, "conversation": talk}


GOOD = {"rounds": [{"sha256": DIGEST, "steps": 0, "tools": False}], "first": "1", "last": "2"}
DEEP = json.dumps([{"name": "x", "description": "", "parameters": {}}]).replace(
    "{}", '{"a":' * 5_000 + "1" + "}" * 5_000
)


@pytest.mark.parametrize(
    "receipt",
    [
        "x",
        7,
        ["x"],
        True,
        GOOD | {"rounds": []},
        GOOD | {"rounds": {}},
        GOOD | {"rounds": [7]},
        GOOD | {"rounds": [*GOOD["rounds"], None]},
        GOOD | {"rounds": [{"sha256": "../../etc"}]},
        GOOD | {"rounds": GOOD["rounds"] * 31},
        GOOD | {"system": "nowhere"},
        GOOD | {"system": ["s"]},
        GOOD | {"system": {}},
        GOOD | {"system": "number"},
        GOOD | {"summary": 5},
        GOOD | {"tools": "s"},
        GOOD | {"tools": "deep"},
        GOOD | {"tools": "digits"},
        GOOD | {"tools": "none"},
        GOOD | {"tools": "mixed"},
    ],
)
def test_what_is_no_receipt_is_reported_and_left_out(receipt: Any, as_alice: Client) -> None:
    texts = {
        "s": "Be kind.",
        "number": 7,
        "deep": DEEP,
        "digits": "[" + "9" * 5_000 + "]",
        "none": "[]",
        "mixed": "[{}, 1]",
    }
    row = bring(as_alice, json.dumps(file_with(receipt, texts)).encode())

    run = Generation.objects.get()
    page = as_alice.get(reverse("chat:receipt", args=[run.pk]))

    assert (row.status, row.report["new"], row.report["left_out"]) == ("done", 1, {"receipt": 1})
    assert (
        "receipts of answers that cannot be read"
        in as_alice.get(f"/transfer/import/{row.pk}/").content.decode()
    )
    assert (run.receipt, run.system_text, run.tools_text) == ({}, None, None)
    assert "This answer has no receipt" in page.content.decode()


@pytest.mark.parametrize(
    ("more", "texts", "gone"),
    [
        ({}, None, 0),
        ({"first": "2", "last": "1"}, None, 1),
        ({"first": "3", "last": "3"}, None, 0),
        ({"first": "nobody", "last": "nobody"}, None, 1),
        ({"first": 1, "last": [2]}, None, 1),
        ({"first": "nobody"}, None, 1),
        ({"first": None, "last": None, "gone": 10**30}, None, 0),
        ({"gone": 2**31 - 1}, None, 10_000),
        ({"gone": -4, "without": ["1", 7, None, {}, "nobody"]}, None, 0),
        ({"without": 5, "begun": -1, "plain": "yes", "reminded": 1, "capabilities": 7}, 8, 0),
        ({"begun": 10**30, "capabilities": [[], {}, 1, "x" * 500, "vision"] * 99}, [], 0),
        ({"repeats": {"message": "3", "generation": 0}}, None, 0),
        ({"repeats": {"message": "3", "generation": 99}}, None, 0),
        ({"repeats": {"message": ["3"], "generation": "0"}, "evil": {"turns": [[1, 2]]}}, None, 0),
        ({"turns": [[1, 2**62]], "state": {"session_id": "theirs"}, "format": 9}, None, 0),
        ({"rounds": [{"sha256": DIGEST, "steps": -1, "tools": "x", "refused": [], "evil": 1}]}, None, 0),
        ({"rounds": [{"sha256": DIGEST, "steps": 10**40, "tools": True, "refused": True}]}, None, 0),
        ({"tools": "t"}, {"t": '[{"name": 7, "description": [], "parameters": "x", "evil": 1}, {}]'}, 0),
        ({"system": "s", "summary": "s"}, {"s": "<script>\x00\ud800" + "x" * 200_000}, 0),
    ],
)
def test_hostile_values_of_a_receipt_harm_nothing(
    more: dict[str, Any], texts: Any, gone: int, as_alice: Client, as_bob: Client, bob: User, ask: Ask
) -> None:
    row = bring(as_bob, json.dumps(file_with(GOOD | more, texts)).encode())

    run = Generation.objects.get(message__conversation__owner=bob)
    address = reverse("chat:receipt", args=[run.pk])
    page = as_bob.get(address)
    found = rebuilt(run)

    assert (row.status, row.report["left_out"]) == ("done", {})
    assert (page.status_code, as_alice.get(address).status_code) == (200, 404)
    assert b"<script>\xef" not in page.content
    assert len(found.gone) == gone
    assert {each.conversation_id for each in found.rows} <= {run.message.conversation_id}
    assert run.receipt.keys() <= {
        *("format", "turns", "rounds", "capabilities", "summary", "plain", "reminded", "begun")
    }
    assert run.repeats is None
    for part in ("request", "receipt"):
        assert as_bob.get(reverse("chat:receipt-part", args=[run.pk, part])).status_code == 200
    again = loading.load(Conversation.objects.get(owner=bob))
    assert hub_format.read(json.loads(as_json(again))) == again


def test_a_file_without_receipts_is_read_as_ever(as_alice: Client) -> None:
    document = file_with(None)
    del document["conversation"]["texts"]
    del document["conversation"]["messages"][2]["generations"][0]["receipt"]
    document["conversation"]["messages"][2]["generations"][0]["asked"] = {"model": {"digest": "sha256:abc"}}

    row = bring(as_alice, json.dumps(document).encode())

    assert (row.report["new"], row.report["left_out"]) == (1, {})
    assert Generation.objects.get().receipt == {"model": {"digest": "sha256:abc"}}


def test_work_and_room_have_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    def left_out(**more: Any) -> int:
        document = file_with(GOOD | more, {"s": "x" * 90})
        run = document["conversation"]["messages"][2]["generations"][0]
        document["conversation"]["messages"][2]["generations"] = [run] * 10
        return hub_format.read(document).left_out[LeftOut.RECEIPT]

    assert left_out(summary="s") == 0
    monkeypatch.setattr(sent_format, "LONGEST_SUMMARIES", 200)
    assert left_out(summary="s") == 8
    assert left_out(system="s") == 0
    monkeypatch.setattr(sent_format, "MOST_PIECES", 4)
    assert left_out() == 6


def test_a_receipt_of_a_blind_answer_stays_out_of_what_hides_its_model() -> None:
    sent = SentRequest(rounds=({"sha256": DIGEST, "steps": 0, "tools": False},), system="You are play.")
    run = Run(fields.read(fields.RUN, {"model_id": "play"}), sent=sent)
    talk = Talk(HUB, "x", "", (Turn("1", None, "assistant", "Hi", runs=(run,)),), head="1")

    assert "play" in as_json(talk)
    told = as_json(hidden(talk, "Model A"))
    assert "play" not in told
    assert DIGEST not in told
