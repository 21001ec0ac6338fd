"""Files for people: Markdown, text and a page that is complete in itself and runs nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.transfer.names import Names, file_stem
from chat.transfer.portable import HUB, Run, Talk, Turn
from chat.transfer.writing import KINDS, as_html, as_markdown, as_text
from tests.chat.page import read

WHEN = datetime(2026, 3, 1, 10, tzinfo=UTC)
ANSWER = Run({"model_name": "Play", "model_id": "play"})
EVIL = "<script>alert(1)</script><img src=x onerror=alert(1)> [x](javascript:alert(1)) ![p](https://example.org/p.png)"


def talk(text: str = "Paris, **of course**.", title: str = "Capitals") -> Talk:
    turns = (
        Turn("1", None, "user", "Capital of France?\nSay it.", created_at=WHEN),
        Turn("2", "1", "assistant", "Lyon", runs=(ANSWER,)),
        Turn("3", "1", "assistant", text, reasoning="Think\n\nagain", created_at=WHEN, runs=(ANSWER,)),
    )
    return Talk(HUB, "x", title, turns, head="3", system_prompt="Be brief.")


def test_markdown_holds_the_path_that_is_shown() -> None:
    written = as_markdown(talk())

    assert written.startswith(
        "# Capitals\n\n## System prompt\n\nBe brief.\n\n## You\n\n*March 1, 2026, 10 a.m.*\n\n"
    )
    assert (
        "## Play\n\n*March 1, 2026, 10 a.m.*\n\n> **Thinking**\n>\n> Think\n>\n> again\n\nParis, **of course**.\n"
        in written
    )
    assert "Lyon" not in written


def test_text_holds_no_thinking() -> None:
    written = as_text(talk())

    assert written.startswith(
        "Capitals\n========\n\n[System prompt]\nBe brief.\n\n[You] · March 1, 2026, 10 a.m.\n"
    )
    assert "Paris, **of course**." in written
    assert "Think" not in written


def test_the_page_is_ours_and_complete() -> None:
    page = read(as_html(talk("Look:\n\n```python\nprint(1)\n```\n\n| a |\n|---|\n| b |\n\n$x^2$")))

    assert page.faults == []
    assert page.one("h1").text == "Capitals"
    assert [tag.attributes["data-role"] for tag in page.all("article")] == ["user", "assistant"]
    assert page.one("figure", class_="code")
    assert page.one("table")
    assert page.one("math")
    assert not page.all("script") + page.all("link") + page.all("img")


def test_files_are_named_where_they_were_sent() -> None:
    sent = Turn(
        "1", None, "user", "Look", files=({"name": "a <b>.png", "media_type": "image/png", "size": 3},)
    )
    found = Talk(HUB, "x", "T", (sent,), head="1")

    assert "Look\n\n- File: a <b>.png\n" in as_markdown(found)
    assert "Look\n[File: a <b>.png]\n" in as_text(found)
    (named,) = read(as_html(found)).all("span", dir="auto")[-1:]
    assert named.text == "a <b>.png"


def looked_up(text: str, **more: Any) -> Talk:
    """An answer for which two tools were called."""
    pages = [
        {
            "url": "https://bees.example/1",
            "title": "How bees \u202edance",
            "site": "bees.example",
            "number": 1,
        },
        {"url": "https://wax.example/", "title": "*Wax* [x](y)", "site": "wax.example", "number": 2},
        {"url": "javascript:alert(1)", "title": "Bad", "site": "", "number": 3},
    ]
    search = {
        "name": "web_search", "title": "Search the web", "state": "done", "input": '{"query": "bees"}',
        "output": "[1] How bees dance\n```\n<script>alert(1)</script>", "sources": pages,
    }  # fmt: skip
    failed = {"name": "add`", "title": "", "state": "error", "input": "", "output": "No.", "sources": []}
    run = Run({"model_name": "Play"} | more, activities=(search | {"output": "x" * 9000}, search, failed))
    turns = (Turn("1", None, "user", "Bees?"), Turn("2", "1", "assistant", text, runs=(run,)))
    return Talk(HUB, "x", "T", turns, head="2")


def test_markdown_tells_what_was_called_and_what_the_answer_rests_on() -> None:
    written = as_markdown(looked_up("They dance [1]."))

    assert '**Tool** `web_search` Search the web · done\n\n```json\n{"query": "bees"}\n```\n' in written
    assert "````text\n[1] How bees dance\n```\n<script>alert(1)</script>\n````\n" in written
    assert f"```text\n{'x' * 4000}…\n```" in written
    assert "**Tool** `add'` · failed\n\n```text\nNo.\n```\n\nThey dance [1].\n" in written
    assert written.endswith(
        "Sources:\n\n- \\[1\\] How bees dance <https://bees.example/1>\n"
        "- \\[2\\] \\*Wax\\* \\[x\\](y) <https://wax.example/>\n"
    )


def test_text_names_what_was_called_and_what_the_answer_rests_on() -> None:
    written = as_text(looked_up("They dance [1]."))

    assert (
        "[Tool: web_search · done]\n[Tool: add` · failed]\nThey dance [1].\n"
        "[1] How bees dance https://bees.example/1\n[2] *Wax* [x](y) https://wax.example/\n"
    ) in written


def test_marks_lead_to_sources_in_the_page_and_calls_are_folded() -> None:
    page = read(as_html(looked_up("They dance [1][2], far [3].")))

    assert page.faults == []
    assert [mark.attributes["href"] for mark in page.all("a")] == [
        "https://bees.example/1", "https://wax.example/", "https://bees.example/1", "https://wax.example/",
    ]  # fmt: skip
    assert [mark.text for mark in page.all("a")] == ["[1]", "[2]", "How bees dance", "*Wax* [x](y)"]
    assert len(page.all("details", class_="call")) == 3
    assert not page.all("script")


def test_passages_of_documents_are_sources_without_an_address() -> None:
    told = {
        "files": {"d" * 64: "bees.pdf"},
        "passages": [{"file": "d" * 64, "place": "page:12", "start": 0, "end": 9}],
    }
    talk = looked_up("They dance [1].", passages=told)

    assert "- \\[1\\] bees.pdf p. 12\n" in as_markdown(talk)
    page = read(as_html(talk))
    assert [link.text for link in page.all("a")] == ["How bees dance", "*Wax* [x](y)"]
    assert "bees.pdf p. 12" in page.texts()


@pytest.mark.parametrize("place", ["text", "title", "system"])
def test_the_page_runs_nothing_and_loads_nothing(place: str) -> None:
    found = talk(EVIL) if place == "text" else talk(title=EVIL)
    if place == "system":
        found = Talk(HUB, "x", "T", found.turns, head="3", system_prompt=EVIL)
    page = read(as_html(found))

    assert page.faults == []
    assert not page.all("script") + page.all("img") + page.all("iframe")
    for tag in page.tags:
        assert not [name for name in tag.attributes if name.startswith("on")]
        assert not tag.attributes.get("href", "").lower().startswith("javascript:")
    assert (
        "default-src 'none'" in page.one("meta", http_equiv="Content-Security-Policy").attributes["content"]
    )


@given(st.text(max_size=40))
def test_no_text_breaks_any_kind(text: str) -> None:
    for kind in KINDS.values():
        kind.write(talk(text, text)).encode("utf-8", "replace")


@pytest.mark.parametrize(
    ("title", "stem"),
    [
        ("Bread & butter", "Bread & butter"),
        ("../../etc/passwd", "etc passwd"),
        ("C:\\x\r\ny", "C x y"),
        ("CON", "chat"),
        ("..", "chat"),
        ("", "chat"),
        ("a\u202egnp.exe\x00", "agnp.exe"),
        ("Über 日本", "Über 日本"),
        ("x" * 500, "x" * 80),
    ],
)
def test_a_title_as_a_file_name(title: str, stem: str) -> None:
    assert file_stem(title, "chat") == stem


@given(st.lists(st.sampled_from(["a", "A", "a (2)", "b", "/", ""]), max_size=12))
def test_names_in_a_zip_are_unique_whatever_their_case(titles: list[str]) -> None:
    names = Names()

    given_names = [names.unused(title, "chat").casefold() for title in titles]

    assert len(set(given_names)) == len(given_names)
    assert all(name and "/" not in name for name in given_names)
