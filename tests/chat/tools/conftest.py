"""For whom the tools run, and what stands for the world outside."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest

from backends.database import close_connections
from chat.models import Internet
from chat.outbound import service
from chat.outbound.sockets import GuardedSockets
from chat.tools.base import Caller
from privatechathub.accounts.models import User
from tests.chat.outbound.world import Names, World


@pytest.fixture
def nobody() -> Caller:
    """For tools that ask nothing about the person."""
    return Caller(0, uuid.uuid4(), uuid.uuid4())


@pytest.fixture
def caller(transactional_db: None, alice: User) -> Caller:
    """Alice, in rows that database threads see too."""
    return Caller(alice.pk, uuid.uuid4(), uuid.uuid4())


@pytest.fixture
def internet(transactional_db: None) -> Internet:
    """An administrator has allowed it."""
    return Internet.objects.create(pk=1, allowed=True)


Outside = Callable[[World, Names], None]


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch) -> Outside:
    """Let all that tools fetch come from this world."""

    def use(world: World, names: Names) -> None:
        def sockets(policy: object, noted: object) -> GuardedSockets:
            return GuardedSockets(policy, noted, resolver=names, sockets=world.cable)  # type: ignore[arg-type]

        monkeypatch.setattr(service, "GuardedSockets", sockets)

    return use


@pytest.fixture(autouse=True)
def _no_open_connections() -> object:
    yield
    close_connections()
