"""For whom the tools run: Alice, in no conversation in particular."""

from __future__ import annotations

import uuid

import pytest

from chat.tools.base import Caller
from privatechathub.accounts.models import User


@pytest.fixture
def nobody() -> Caller:
    """For tools that ask nothing about the person."""
    return Caller(0, uuid.uuid4(), uuid.uuid4())


@pytest.fixture
def caller(alice: User) -> Caller:
    """Alice."""
    return Caller(alice.pk, uuid.uuid4(), uuid.uuid4())
