"""Servers for the tests, and rows for them."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from backends.database import close_connections
from chat.mcp.looking import look_now, record
from chat.models import McpServer
from chat.tools.base import Caller
from privatechathub.accounts.models import User
from tests.chat.mcp.serving import Crooked, served
from tests.chat.mcp.small_server import small_server

Make = Callable[..., McpServer]


@pytest.fixture(scope="session")
def small_url() -> Iterator[str]:
    """A friendly server by HTTP."""
    with served(small_server().streamable_http_app()) as origin:
        yield f"{origin}/mcp"


@pytest.fixture
def crooked() -> Iterator[tuple[Crooked, str]]:
    """A server that can be told to misbehave, and its address."""
    server = Crooked()
    with served(server.app) as origin:
        yield server, f"{origin}/mcp"


@pytest.fixture
def make(transactional_db: None) -> Iterator[Make]:
    """A row whose tools were listed."""

    def made(url: str = "", *, look: bool = True, **values: Any) -> McpServer:
        server = McpServer.objects.create(**{"name": "Small", "url": url, "timeout": 10.0} | values)
        if look:
            record(server, look_now(server))
            server.refresh_from_db()
        return server

    yield made
    close_connections()


@pytest.fixture
def commands(settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The friendly server may be started. The folder where it leaves the number of its process."""
    root = Path(__file__).resolve().parents[3]
    run = f"import sys; sys.path.insert(0, {str(root)!r}); from tests.chat.mcp import small_server as it; it.main()"
    settings.MCP_COMMANDS = {"small": (sys.executable, "-c", run)}
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def caller(transactional_db: None, alice: User) -> Caller:
    """Alice, in rows that database threads see too."""
    return Caller(alice.pk, uuid.uuid4(), uuid.uuid4())
