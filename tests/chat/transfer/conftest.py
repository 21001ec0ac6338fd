"""A file as the hub gets it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

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
