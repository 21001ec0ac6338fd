"""A project of Alice's."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chat.models import Conversation, Project
from chat.services.sending import Sent
from privatechathub.accounts.models import User


@pytest.fixture
def garden(alice: User) -> Project:
    """With instructions and a memory."""
    return Project.objects.create(
        owner=alice, name="Garden", instructions="Answer as a gardener.", memory="The soil is clay."
    )


@pytest.fixture
def planted(garden: Project, ask: Callable[..., Sent]) -> Conversation:
    """A conversation in it, whose answer is over."""
    conversation = ask("When do I sow peas?").conversation
    conversation.project = garden
    conversation.save(update_fields=["project"])
    return conversation
