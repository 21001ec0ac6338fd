"""What answers is recognised by its answers: every kind, its imitators, and other programs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from backends.adapters.http import Http
from backends.recognition import Sight, kinds, recognise
from tests.backends.servers import answering
from tests.fakes.exchange import Exchange, ExchangeServer, Hanging
from tests.fakes.lmstudio import FakeLMStudio
from tests.fakes.opencode import FakeOpenCode
from tests.fakes.server import FakeServer

Answer = Callable[[Exchange], None]


class Table(ExchangeServer):
    """Answers from a table of paths; everything else is 404."""

    def __init__(self, **answers: Any) -> None:
        super().__init__()
        self.answers = {path.replace("__", "/"): answer for path, answer in answers.items()}

    async def answer(self, exchange: Exchange) -> None:
        assert exchange.request.method == "GET"
        assert "authorization" not in exchange.request.headers
        found = self.answers.get(exchange.request.path.strip("/"))
        if found is None:
            exchange.reply(self.answers.get("else", 404), self.answers.get("says", {"error": "not found"}))
        else:
            exchange.reply(*found) if isinstance(found, tuple) else exchange.reply(200, found)


async def seen_at(url: str, patience: float = 1.0) -> Sight | None:
    http = Http()
    try:
        return await recognise(url, http, patience)
    finally:
        await http.aclose()


def openai_list(owner: str) -> dict[str, Any]:
    return {"object": "list", "data": [{"id": "m", "object": "model", "owned_by": owner}]}


LLAMA = openai_list("llamacpp") | {"models": [{"name": "m", "model": "m"}]}
STUDIO_LIST = {"object": "list", "data": [{"id": "m", "state": "loaded"}]}


def test_kinds_that_others_imitate_come_last() -> None:
    assert kinds()[-2:] == ["ollama", "openai"]
    assert set(kinds()) == {"ollama", "openai", "olla", "ollm", "lmstudio", "opencode"}


async def test_the_fakes_are_what_they_pretend_to_be() -> None:
    async with FakeServer() as ollama, FakeLMStudio() as studio, FakeOpenCode() as code:
        assert await seen_at(ollama.url) == Sight("ollama", "Ollama", ollama.url, 7, "0.9.3")
        assert await seen_at(studio.url) == Sight("lmstudio", "LM Studio", studio.url, 1)
        assert await seen_at(code.url) == Sight("opencode", "OpenCode", code.url, 1, "1.18.34")


@pytest.mark.parametrize(
    ("answers", "kind", "software", "path"),
    [
        ({"v1__models": LLAMA, "health": {"status": "ok"}}, "openai", "llama.cpp", "/v1"),
        ({"v1__models": LLAMA, "api__tags": LLAMA, "props": {}}, "openai", "llama.cpp", "/v1"),
        ({"v1__models": openai_list("vllm"), "health": (200, b"")}, "openai", "vLLM", "/v1"),
        ({"v1__models": openai_list("somebody")}, "openai", "OpenAI-compatible", "/v1"),
        # A server that has OpenAI's list below LM Studio's prefix too is not LM Studio.
        ({"v1__models": openai_list("x"), "api__v1__models": openai_list("x")}, "openai", "OpenAI-compatible", "/v1"),
        ({"api__tags": {"models": []}, "api__version": {"version": "0.33.0"}}, "ollama", "Ollama", ""),
        ({"api__tags": {"models": None}}, "ollama", "Ollama", ""),
        ({"v1__models": STUDIO_LIST, "else": 200, "says": {"error": "Unexpected endpoint or method. (GET /x)"}},
         "lmstudio", "LM Studio", ""),
        ({"v1__health": {"ok": True, "service": "ollm", "version": "0.5"}, "v1__ollm__models": {"models": []},
          "v1__models": openai_list("ollm")}, "ollm", "oLLM", ""),
        ({"internal__health": {"status": "healthy"}, "olla__proxy__v1__models": openai_list("x")}, "olla", "Olla", ""),
        ({"global__health": {"healthy": True, "version": "1"}, "config__providers": {"providers": []}},
         "opencode", "OpenCode", ""),
    ],
)  # fmt: skip
async def test_each_kind_by_its_answers(answers: dict[str, Any], kind: str, software: str, path: str) -> None:
    async with Table(**answers) as server:
        sight = await seen_at(server.url)

    assert sight is not None
    assert (sight.kind, sight.software, sight.url) == (kind, software, f"{server.url}{path}")
    assert not sight.needs_key


@pytest.mark.parametrize(
    "answers",
    [
        {},
        {"else": 200, "says": {"hello": "world"}},
        {"else": 200, "says": {"status": "ok"}},
        {"else": 200, "says": []},
        {"else": 200, "says": b"OK"},
        {"else": 401, "says": {"error": "Unauthorized"}},
        {"else": 401, "says": b""},
        {"else": 500, "says": {"error": {"message": "boom"}}},
        {"health": {"status": "ok"}, "v1__health": {"status": "ok"}},
        {"internal__health": {"status": "healthy"}},
        {"global__health": {"healthy": False}},
        {"v1__models": (200, b"<html>Router</html>", "text/html")},
    ],
)
async def test_other_programs_are_nothing(answers: dict[str, Any]) -> None:
    async with Table(**answers) as server:
        assert await seen_at(server.url) is None


async def test_a_web_page_and_a_redirect_are_nothing(printer: str, refusing: str) -> None:
    async with FakeServer() as elsewhere:
        with answering(302, Location=elsewhere.url) as url:
            assert await seen_at(url) is None
        assert elsewhere.requests == []
    assert await seen_at(printer) is None
    assert await seen_at(refusing) is None


async def test_one_that_never_answers_is_given_up_in_time() -> None:
    async with Hanging() as server:
        assert await seen_at(server.url, 0.2) is None


async def test_a_server_behind_a_key_is_told_by_how_it_refuses() -> None:
    guarded = {"v1__models": (401, {"error": {"message": "Invalid API Key", "code": 401}})}
    async with FakeLMStudio(api_key="k") as studio, FakeOpenCode(password="p") as code:
        assert await seen_at(studio.url) == Sight("lmstudio", "LM Studio", studio.url, None)
        found = await seen_at(code.url)
        assert found == Sight("opencode", "OpenCode", code.url, None)
        assert found.needs_key
    async with Table(**guarded, health={"status": "ok"}) as llama, Table(**guarded) as unknown:
        assert await seen_at(llama.url) == Sight("openai", "OpenAI-compatible", f"{llama.url}/v1", None)
        assert await seen_at(unknown.url) is None
