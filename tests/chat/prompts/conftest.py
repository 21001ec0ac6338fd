"""The library, and scripts that nobody reads."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from backends.adapters import scripted
from backends.adapters.events import TextDelta
from chat.models import SystemPrompt
from privatechathub.accounts.models import User


@pytest.fixture(autouse=True)
def _original_script() -> Iterator[None]:
    with scripted.registered("play", [TextDelta("unused")]):
        yield


@pytest.fixture
def pirate(alice: User) -> SystemPrompt:
    """Alice's own."""
    return SystemPrompt.objects.create(owner=alice, name="Pirate", text="Talk like a pirate.")


@pytest.fixture
def house(db: None) -> SystemPrompt:
    """Everybody's."""
    return SystemPrompt.objects.create(name="House rules", text="Be kind to {{who:text=cats}}.")
