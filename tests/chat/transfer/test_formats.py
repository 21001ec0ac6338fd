"""Each program's export, recognised by its content and read as a tree."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest

from chat.transfer.formats.registry import FORMATS, format_of
from chat.transfer.portable import LeftOut, Talk, Unreadable
from chat.transfer.reading import Loss
from tests.chat.transfer import samples
from tests.chat.transfer.conftest import Read


def talk_of(item: dict[str, Any]) -> Talk:
    known = format_of(item)
    assert known is not None
    return known.read(item)


def tree(talk: Talk) -> list[tuple[str, str | None, str, str]]:
    return [(turn.id, turn.parent, turn.role, turn.text) for turn in talk.turns]


@pytest.mark.parametrize("name", samples.FOREIGN)
def test_exactly_one_format_recognises_an_export(name: str) -> None:
    assert len([entry for entry in FORMATS if entry.recognises(samples.FOREIGN[name])]) == 1


@pytest.mark.parametrize("item", [{}, {"user": "x"}, {"mapping": 1}, {"chat": "x"}, {"messages": []}])
def test_anything_else_is_no_conversation(item: dict[str, Any]) -> None:
    assert format_of(item) is None


def test_the_app() -> None:
    talk = talk_of(samples.MOBILE)

    assert tree(talk) == [
        ("m1", None, "user", "How long does dough rise?"),
        ("m2", "m1", "assistant", "An hour."),
    ]
    assert (talk.source_id, talk.title, talk.system_prompt) == ("1711111111111", "Bread", "Be brief.")
    assert talk.options == {"temperature": 0.2, "top_k": 10, "top_p": 0.5, "max_tokens": 4096}
    assert talk.created_at == datetime(2026, 3, 1, 10, tzinfo=UTC)
    assert talk.updated_at == datetime(2026, 3, 1, 10, 5, tzinfo=UTC)
    assert talk.left_out == {LeftOut.FILE: 1}
    (run,) = talk.turns[1].runs
    assert (run.values["backend_name"], run.values["model_id"]) == ("LM Studio", "qwen3-8b")
    assert (run.activities[0]["name"], run.activities[0]["state"]) == ("web_search", "done")
    assert '"query": "dough"' in run.activities[0]["input"]


def test_a_comparison_of_the_app_becomes_two_branches() -> None:
    talk = talk_of(samples.COMPARISON)

    assert [(turn.id, turn.parent) for turn in talk.turns] == [("q", None), ("one", "q"), ("two", "q")]
    assert talk.head == "one"
    assert [turn.runs[0].values["model_id"] for turn in talk.turns[1:]] == ["llama3:8b", "qwen3:8b"]


def test_chatgpt_until_2025() -> None:
    talk = talk_of(samples.CHATGPT_OLD)

    assert tree(talk) == [
        ("u1", None, "user", "Capital of France?"),
        ("a1", "u1", "assistant", "Lyon"),
        ("a2", "u1", "assistant", "Paris"),
    ]
    assert talk.head == "a2"
    assert [turn.runs[0].values["model_id"] for turn in talk.turns[1:]] == ["gpt-3.5", "gpt-4"]
    assert talk.created_at == datetime.fromtimestamp(1700000000.5, UTC)


def test_chatgpt_since_2026() -> None:
    talk = talk_of(samples.CHATGPT_NEW)

    assert tree(talk) == [
        ("u", None, "user", "How do I roll back?"),
        ("a", "u", "assistant", "helm rollback"),
    ]
    assert talk.turns[1].reasoning == "Helm\n\nRollback exists."
    assert talk.turns[1].runs[0].values["model_id"] == "gpt-5-thinking"
    assert talk.left_out == {LeftOut.HIDDEN: 1, LeftOut.FILE: 1}


def test_chatgpt_with_links_from_above_only() -> None:
    nodes = {key: dict(node) for key, node in samples.CHATGPT_OLD["mapping"].items()}
    for node in nodes.values():
        node.pop("parent")

    assert tree(talk_of(samples.CHATGPT_OLD | {"mapping": nodes})) == tree(talk_of(samples.CHATGPT_OLD))


def test_claude() -> None:
    talk = talk_of(samples.CLAUDE)

    assert [(turn.id, turn.parent) for turn in talk.turns] == [("h1", None), ("a1", "h1"), ("a2", "h1")]
    assert talk.turns[0].text == "Why tides?\n\nnotes.txt\n\n````\nthe moon\n````"
    assert (talk.turns[1].text, talk.turns[1].reasoning) == ("The moon pulls.", "Moon.")
    assert talk.turns[1].runs[0].activities[0]["output"] == "gravity"
    assert talk.turns[2].text == "Gravity."
    assert talk.left_out == {LeftOut.FILE: 1}
    assert talk.created_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_open_webui() -> None:
    talk = talk_of(samples.OPEN_WEBUI)

    assert tree(talk) == [
        ("a", None, "user", "15*17?"),
        ("b", "a", "assistant", "255"),
        ("c", "a", "assistant", "256"),
    ]
    assert talk.head == "b"
    assert (talk.turns[1].reasoning, talk.turns[1].reasoning_seconds) == ("15*17 = 255", 3)
    assert talk.turns[2].runs[0].activities[0]["output"] == "255"
    assert talk.system_prompt == "Count."
    assert talk.options == {"temperature": 0.1, "context_length": 8192}


def test_librechat() -> None:
    talk = talk_of(samples.LIBRECHAT)

    assert tree(talk) == [
        ("u", None, "user", "How?"),
        ("a", "u", "assistant", "Create it first."),
        ("u2", "a", "user", "thanks"),
        ("u3", "a", "user", "lol"),
    ]
    assert talk.turns[1].reasoning == "Hm."
    assert talk.turns[1].runs[0].activities[0]["name"] == "ls"
    assert (talk.system_prompt, talk.options) == ("You are an expert.", {"temperature": 0.8})


def test_librechat_as_a_list_without_a_tree() -> None:
    rows = [{"messageId": str(place), "sender": "User", "text": f"{place}"} for place in range(3)]
    item = {"conversationId": "x", "title": "List", "messages": rows}

    assert [(turn.id, turn.parent) for turn in talk_of(item).turns] == [("0", None), ("1", "0"), ("2", "1")]


@pytest.mark.parametrize("name", samples.FOREIGN)
@pytest.mark.parametrize("junk", [None, 7, "x", [], {}, [7], {"a": 7}])
def test_junk_in_any_place_raises_nothing_unforeseen(name: str, junk: Any) -> None:
    item = samples.FOREIGN[name]
    for key in item:
        broken = item | {key: junk}
        if (known := format_of(broken)) is not None:
            with suppress(Unreadable):
                known.read(broken)


def test_a_parent_that_follows_itself_ends_in_a_report() -> None:
    item = {"conversationId": "x", "messages": [{"messageId": "r", "text": "root"}]}
    item["messages"] += [
        {"messageId": "a", "parentMessageId": "b", "text": "1"},
        {"messageId": "b", "parentMessageId": "a", "text": "2"},
        {"messageId": "r", "text": "again"},
    ]

    talk = talk_of(item)

    assert [turn.id for turn in talk.turns] == ["r"]
    assert talk.left_out == {LeftOut.BROKEN: 3}


@pytest.mark.parametrize("name", samples.FOREIGN)
def test_a_list_a_wrapped_list_and_a_single_object(name: str, read: Read) -> None:
    item = samples.FOREIGN[name]
    for value in (item, [item], {"conversations": [item]}):
        (found,) = read(samples.as_json(value))
        assert isinstance(found, Talk)
        assert found.turns


def test_a_zip_of_chatgpt_with_everything_else_that_is_in_it(read: Read) -> None:
    data = samples.zipped(
        {
            "conversations-000.json": samples.as_json([samples.CHATGPT_OLD]),
            "conversations-001.json": samples.as_json(
                [samples.CHATGPT_NEW, {"default_model_slug": "x", "conversation_id": "y"}]
            ),
            "user.json": samples.as_json({"id": "user-x", "email": "alice@example.org"}),
            "chat.html": b"<html>",
            "__MACOSX/._conversations-000.json": b"\x00\x05",
            "file-1.png": b"\x89PNG",
        }
    )

    found = read(data, "chatgpt.zip")

    assert [talk.source_id for talk in found if isinstance(talk, Talk)] == ["old-1", "new-1"]
    assert [loss for loss in found if isinstance(loss, Loss)] == [
        Loss("conversations-001.json", LeftOut.UNREADABLE),
        Loss("user.json", LeftOut.UNKNOWN),
    ]


def test_what_was_archived_pinned_or_tagged_elsewhere_is_so_here() -> None:
    chatgpt = talk_of(samples.CHATGPT_NEW | {"is_archived": True})
    assert chatgpt.archived_at == chatgpt.updated_at
    marks = {"archived": True, "pinned": True, "meta": {"tags": ["bread", "Bread", 1, "a, b"]}}
    webui = talk_of(samples.OPEN_WEBUI | marks)
    assert webui.archived_at == webui.pinned_at == webui.updated_at
    assert webui.tags == ("bread", "a b")
    for item in (samples.CHATGPT_NEW, samples.OPEN_WEBUI):
        plain = talk_of(item)
        assert (plain.archived_at, plain.pinned_at, plain.tags) == (None, None, ())
