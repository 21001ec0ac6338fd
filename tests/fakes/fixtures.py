"""Pytest fixtures; ``from tests.fakes.fixtures import *`` in a conftest makes them known."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fakes.thread import FakeServerThread

__all__ = ["fake"]


@pytest.fixture
def fake() -> Iterator[FakeServerThread]:
    """A fake AI server of the test's own, in a thread."""
    with FakeServerThread() as server:
        yield server
