"""Real servers, one of each for all tests of a run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from backends.adapters.base import Endpoint, Secret
from backends.adapters.http import Http
from backends.builtin.facts import SMOLLM2
from backends.builtin.process import BuiltinServer
from backends.builtin.state import Policy
from tests.conformance.opencode import PASSWORD, OpenCode, opencode
from tests.conformance.provider import ShellModel, shell_model
from tests.fakes.builtin import give_builtin


@pytest.fixture(scope="session")
def llamacpp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """The real llama.cpp server with the built-in model."""
    folder = tmp_path_factory.mktemp("llamacpp")
    give_builtin(folder)
    server = BuiltinServer(folder, policy=Policy(idle=3600.0))  # nothing tells it that tests use it
    url, key = asyncio.run(server.endpoint())
    yield Endpoint(url, api_key=key)
    server.stop_now()


@pytest.fixture(scope="session")
def shell() -> Iterator[ShellModel]:
    """The model that wants to run a command."""
    with shell_model() as model:
        yield model


@pytest.fixture(scope="session")
def opencode_server(
    tmp_path_factory: pytest.TempPathFactory, llamacpp: Endpoint, shell: ShellModel
) -> Iterator[OpenCode]:
    """The real OpenCode server in front of the built-in model, the shell's, and one that is down."""
    opencode()
    server = OpenCode(tmp_path_factory.mktemp("opencode"), config(llamacpp, shell))
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture
def fresh_server(tmp_path: Path, llamacpp: Endpoint, shell: ShellModel) -> Iterator[OpenCode]:
    """One that has not answered anything yet."""
    opencode()
    server = OpenCode(tmp_path, config(llamacpp, shell))
    try:
        server.start()
        yield server
    finally:
        server.stop()


def config(llamacpp: Endpoint, shell: ShellModel) -> dict[str, object]:
    """``opencode.json``: the agents ``chat`` (a short prompt, no tools) and ``worker``."""
    small = SMOLLM2.id
    providers = {
        "local": _provider(llamacpp.base_url, llamacpp.api_key.reveal(), small),
        "shell": _provider(shell.url, "none", "shell"),
        "down": _provider("http://127.0.0.1:9/v1", "none", "nobody"),
    }
    return {
        "provider": providers,
        "enabled_providers": list(providers),
        "model": f"local/{small}",
        "small_model": f"local/{small}",
        "lsp": False,
        "formatter": False,
        "agent": {
            "chat": {
                "mode": "primary",
                "prompt": "You are a concise assistant.",
                "permission": {"*": "deny"},
            },
            "worker": {"mode": "primary", "prompt": "You use tools.", "permission": {"*": "ask"}},
        },
    }


def _provider(url: str, key: str, model: str) -> dict[str, object]:
    return {
        "npm": "@ai-sdk/openai-compatible",
        "options": {"baseURL": url, "apiKey": key},
        "models": {model: {"name": model, "limit": {"context": 4096, "output": 512}}},
    }


@pytest.fixture
def place(opencode_server: OpenCode) -> Endpoint:
    """How to reach OpenCode, with the agent for chats."""
    return Endpoint(opencode_server.url, password=Secret(PASSWORD), options={"agent": "chat"})


@pytest.fixture
async def http() -> AsyncIterator[Http]:
    """Connections of the test's own."""
    http = Http()
    yield http
    await http.aclose()
