"""Searching the web by either engine."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.cache import cache

from backends.database import in_database
from chat.models import Internet, SearchEngine
from chat.tools import web_search
from chat.tools.base import Caller, Source, ToolError
from chat.tools.numbering import Numbering
from chat.tools.search_engines import read_hits
from chat.tools.web_search import WebSearch
from tests.chat.outbound.world import PUBLIC, Names, answering, reply, serving
from tests.chat.tools.conftest import Outside

RESULTS = [
    {"title": "Bees <b>", "url": "https://www.bees.example/a", "content": "All  about\nbees."},
    {"title": "", "url": "https://wax.example/", "content": None},
    {"title": "Again", "url": "https://www.bees.example/a"},
    {"title": "Bad", "url": "javascript:alert(1)"},
    {"title": "Worse", "url": "https://user:pw@wax.example/"},
    "nonsense",
    *({"title": f"More {number}", "url": f"https://more.example/{number}"} for number in range(20)),
]
NAMES = {"searx_home": ["192.168.1.9"], "s_jina_ai": [PUBLIC]}


def found(key: str = "results", rows: Any = RESULTS) -> bytes:
    return reply(body=json.dumps({key: rows}).encode(), content_type="application/json")


@pytest.fixture(autouse=True)
def _empty_cache() -> None:
    cache.clear()


@pytest.fixture
def searxng(internet: Internet) -> Internet:
    internet.search_engine, internet.searxng_url = SearchEngine.SEARXNG, "http://searx.home:8888/"
    internet.save()
    return internet


async def test_results_are_numbered_and_are_sources(
    caller: Caller, searxng: Internet, outside: Outside
) -> None:
    async with serving(answering(found())) as world:
        outside(world, Names(**NAMES))
        result = await WebSearch().run({"query": " what  do bees do "}, caller)
    assert world.cable.connected == [("192.168.1.9", 8888)]
    assert parse_qs(urlsplit(world.requests[0][0]).query) == {"q": ["what do bees do"], "format": ["json"]}
    assert result.text.startswith(
        "[1] Bees <b>\n   https://www.bees.example/a\n   All about bees.\n\n[2] https://wax.example/\n"
    )
    assert result.sources[0] == Source("https://www.bees.example/a", "Bees <b>", "bees.example", 1)
    assert [source.url for source in result.sources[1:3]] == [
        "https://wax.example/",
        "https://more.example/0",
    ]
    assert len(result.sources) == 5


async def test_results_are_numbered_on_through_an_answer(
    caller: Caller, searxng: Internet, outside: Outside
) -> None:
    other = [{"title": "New", "url": "https://new.example/"}, RESULTS[1]]
    caller = replace(caller, numbering=Numbering({"https://old.example/": 3}, after=2))
    async with serving(answering(found(rows=RESULTS[:2]))) as world:
        outside(world, Names(**NAMES))
        first = await WebSearch().run({"query": "bees"}, caller)
    async with serving(answering(found(rows=other))) as world:
        outside(world, Names(**NAMES))
        second = await WebSearch().run({"query": "wax"}, caller)
        again = await WebSearch().run({"query": "bees"}, caller)

    assert [source.number for source in first.sources] == [4, 5]
    assert [(source.url, source.number) for source in second.sources] == [
        ("https://new.example/", 6),
        ("https://wax.example/", 5),
    ]
    assert second.text.startswith("[6] New\n   https://new.example/\n\n[5] https://wax.example/")
    assert again == first


async def test_jina_gets_its_key_and_nobody_else_does(
    caller: Caller, internet: Internet, outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chat.tools.search_engines.JINA", "http://s.jina.ai/")
    internet.search_engine = SearchEngine.JINA
    internet.set_jina_key("jina_secret")
    await in_database(internet.save)
    assert "jina_secret" not in internet.jina_key_encrypted
    async with serving(answering(found("data"))) as world:
        outside(world, Names(**NAMES))
        result = await WebSearch().run({"query": "bees", "num_results": 1}, caller)
    assert len(result.sources) == 1
    assert world.requests[0][1]["authorization"] == "Bearer jina_secret"
    assert "jina_secret" not in result.text
    async with serving(answering(reply("302 Found", location="http://evil.example/"))) as world:
        outside(world, Names(**NAMES, evil_example=[PUBLIC]))
        with pytest.raises(ToolError):
            await WebSearch().run({"query": "wax"}, caller)
    assert world.cable.connected == [(PUBLIC, 80)]


async def test_the_same_question_is_asked_once_a_day(
    caller: Caller, searxng: Internet, outside: Outside
) -> None:
    async with serving(answering(found())) as world:
        outside(world, Names(**NAMES))
        first = await WebSearch().run({"query": "bees", "num_results": 3}, caller)
        again = await WebSearch().run({"query": "BEES", "num_results": 10}, caller)
    assert len(world.requests) == 1
    assert (len(first.sources), len(again.sources)) == (3, 10)


async def test_too_many_searches_wait(
    caller: Caller, searxng: Internet, outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_search, "RATE", 2)
    monkeypatch.setattr(web_search.time, "time", lambda: 1_000_000.0)
    async with serving(answering(found())) as world:
        outside(world, Names(**NAMES))
        for query in ("a", "b"):
            await WebSearch().run({"query": query}, caller)
        with pytest.raises(ToolError, match="Too many"):
            await WebSearch().run({"query": "c"}, caller)
    assert len(world.requests) == 2


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (reply("403 Forbidden"), "status 403. An administrator can look whether SearXNG"),
        (reply(body=b"<p>no</p>"), "text/html, which is not read. An administrator can look whether SearXNG"),
        (reply("500 Oh"), "^searx.home answered with status 500.$"),
        (reply(body=b"[]", content_type="application/json"), "something else than results.$"),
        (reply(body=b'{"results": 7}', content_type="application/json"), "something else than results.$"),
        (reply(body=b"{", content_type="application/json"), "something else than results.$"),
    ],
)
async def test_another_answer_is_told(
    data: bytes, sentence: str, caller: Caller, searxng: Internet, outside: Outside
) -> None:
    async with serving(answering(data)) as world:
        outside(world, Names(**NAMES))
        with pytest.raises(ToolError, match=sentence):
            await WebSearch().run({"query": "bees"}, caller)


async def test_nothing_found_and_nothing_asked(caller: Caller, searxng: Internet, outside: Outside) -> None:
    async with serving(answering(found(rows=[]))) as world:
        outside(world, Names(**NAMES))
        result = await WebSearch().run({"query": "bees"}, caller)
        with pytest.raises(ToolError):
            await WebSearch().run({"query": "  "}, caller)
    assert not result.sources
    assert "Nothing was found" in result.text


def test_titles_and_snippets_are_bounded() -> None:
    row = {"title": "t" * 9000, "url": "https://a.example/", "description": "d" * 9000}
    hit = read_hits(json.dumps({"data": [row]}).encode())[0]
    assert (len(hit.title), len(hit.snippet)) == (200, 400)
