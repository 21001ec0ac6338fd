"""Addresses at which something else or nothing answers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.backends.servers import web_page
from tests.fakes.thread import FakeServerThread


@pytest.fixture
def refusing() -> str:
    """An address where nothing listens any more."""
    with FakeServerThread() as gone:
        pass
    return gone.url


@pytest.fixture
def printer() -> Iterator[str]:
    """An address with a web page for everything."""
    with web_page() as url:
        yield url
