"""A file as the hub gets it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from asgiref.sync import sync_to_async
from django.db import connections

from backends.database import close_connections
from chat.transfer.portable import Talk
from chat.transfer.reading import Loss, conversations
from chat.transfer.unpacking import Upload

Read = Callable[..., list[Talk | Loss]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Everything that is read from such a file."""

    def from_bytes(data: bytes, name: str = "export.json") -> list[Talk | Loss]:
        path = tmp_path / "upload"
        path.write_bytes(data)
        return list(conversations(Upload(path, name)))

    return from_bytes


@pytest_asyncio.fixture
async def threads(transactional_db: None) -> AsyncIterator[None]:
    """Rows that other threads see; the connections of those threads are closed at the end."""
    yield
    await sync_to_async(connections.close_all)()
    close_connections()
