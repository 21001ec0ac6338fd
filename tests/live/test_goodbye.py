"""Pages that leave are let go, so that a hub that runs for weeks does not keep them."""

from __future__ import annotations

import pytest

from tests.live.hub import Hub
from tests.live.pagesocket import PageSocket

#: Seconds.
AT_ONCE = 5.0

pytestmark = pytest.mark.xdist_group("live")


def test_the_hub_closes_the_connection_of_a_page_that_says_goodbye(live_hub: Hub) -> None:
    alice = live_hub.sign_in("alice")
    path = alice.ask("Hello")
    alice.wait_for_status(path, "completed")

    assert PageSocket(alice, path).say_goodbye(AT_ONCE)


def test_also_in_the_middle_of_an_answer(live_hub: Hub) -> None:
    alice = live_hub.sign_in("alice")
    path = alice.ask("!tokens 2000 rate 50")
    page = PageSocket(alice, path)
    page.wait_for("beforebegin")

    assert page.say_goodbye(AT_ONCE)
    alice.stop(path)
