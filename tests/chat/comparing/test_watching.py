"""One socket shows all columns of its owner's comparison, each in its place."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from uuid import uuid4

import pytest

from backends.adapters import scripted
from backends.adapters.events import TextDelta
from backends.adapters.messages import ChatRequest
from backends.database import in_database
from backends.models import Backend
from chat.generation import runtime
from chat.models import Comparison, Generation, Status
from chat.realtime.columns import in_column
from chat.realtime.room import rooms
from chat.services import comparing, deciding
from privatechathub.accounts.models import User
from tests.chat.comparing.conftest import Compare
from tests.chat.test_realtime import FORBIDDEN, Tab
from tests.chat.watching import until
from tests.conftest import signed_in

pytestmark = pytest.mark.django_db(transaction=True)


async def opened(user: User, comparison: Comparison, revision: str = "") -> tuple[Tab, int | None]:
    cookie = (await in_database(signed_in, user)).cookies["sessionid"].value
    tab = Tab(f"/ws/comparisons/{comparison.pk}/?revision={revision}", cookie)
    return tab, await tab.open()


def statuses(comparison: Comparison) -> list[str]:
    rows = Generation.objects.filter(message__conversation__comparison=comparison)
    return list(rows.order_by("message__conversation__column").values_list("status", flat=True))


async def test_strangers_and_what_never_was_are_refused(
    hub: runtime.Runtime, compare: Compare, bob: User, ada: User, alice: User
) -> None:
    comparison = await in_database(compare)

    for user in (bob, ada):
        assert (await opened(user, comparison))[1] == FORBIDDEN
    assert (await opened(alice, Comparison(pk=uuid4())))[1] == FORBIDDEN
    assert not rooms


async def test_columns_of_one_slot_are_written_in_turn_and_shown_in_their_places(
    hub: runtime.Runtime, compare: Compare, alice: User
) -> None:
    running: list[str] = []
    most: list[int] = []

    def script(request: ChatRequest) -> Iterator[TextDelta | float]:
        running.append(request.model)
        most.append(len(running))
        yield 0.05
        yield TextDelta(f"I am {request.model}")
        yield 0.05
        running.remove(request.model)

    scripted.register("play", script)
    comparison = await in_database(compare, "demo/play", "demo/second", "demo/third")
    tab, refused = await opened(alice, comparison)
    assert refused is None

    await until(lambda: statuses(comparison) == [Status.COMPLETED] * 3)
    assert max(most) == 1
    text = ""
    async with asyncio.timeout(10):
        while 'hx-target="#thread-state-2"' not in text or "I am third" not in text:
            text += await tab.socket.receive_from(timeout=5)
    assert 'hx-target="#messages"' not in text
    assert 'hx-target="#thread-state"' not in text
    await tab.socket.disconnect()
    assert not rooms


async def test_columns_of_servers_without_slots_are_written_at_once(
    hub: runtime.Runtime, compare: Compare, alice: User, three: Backend
) -> None:
    three.slots = None
    await in_database(three.save)
    waiting: list[str] = []

    def script(request: ChatRequest) -> Iterator[TextDelta | float]:
        waiting.append(request.model)
        while len(waiting) < 4:
            yield 0.01
        yield TextDelta("together")

    scripted.register("play", script)
    comparison = await in_database(compare, "demo/play", "demo/second", "demo/third", "demo/play")

    await until(lambda: statuses(comparison) == [Status.COMPLETED] * 4)


async def test_stop_all_ends_what_runs_and_what_waits(hub: runtime.Runtime, compare: Compare) -> None:
    def script(request: ChatRequest) -> Iterator[TextDelta | float]:
        yield TextDelta("on and on")
        while True:
            yield 0.01

    scripted.register("play", script)
    comparison = await in_database(compare, "demo/play", "demo/second", "demo/third")
    await until(lambda: statuses(comparison)[0] == Status.RUNNING)

    await in_database(comparing.stop_all, comparison)

    await until(lambda: statuses(comparison) == [Status.STOPPED] * 3)


async def test_a_page_that_missed_the_vote_gets_the_names_when_it_returns(
    hub: runtime.Runtime, compare: Compare, alice: User
) -> None:
    comparison = await in_database(lambda: compare(blind=True))
    await until(lambda: statuses(comparison) == [Status.COMPLETED] * 2)
    revisions = "-".join(
        str(row.revision) for row in await in_database(lambda: list(comparison.columns.order_by("column")))
    )
    tab, _refused = await opened(alice, comparison, revisions)
    assert await tab.socket.receive_nothing(timeout=0.2), "it has seen everything"
    await tab.socket.disconnect()

    await in_database(deciding.vote, comparison, None)

    again, _refused = await opened(alice, comparison, revisions)
    frames = [await again.socket.receive_from(timeout=5) for _column in range(2)]
    assert '<div id="messages-0"' in frames[0]
    assert '<div id="messages-1"' in frames[1]
    assert "Second" in "".join(frames)
    await again.socket.disconnect()


def test_only_places_of_threads_are_renamed() -> None:
    shown = '<p>&lt;div id="messages"&gt; and hx-target="#messages"</p>'

    assert in_column(shown, 1) == shown
    assert in_column('<hx-partial hx-target="#messages" hx-swap="outerHTML"><div id="messages">', 2) == (
        '<hx-partial hx-target="#messages-2" hx-swap="outerHTML"><div id="messages-2">'
    )
