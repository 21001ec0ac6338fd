"""Who signs out at one process is cut off at the other one too."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.live.pagesocket import PageSocket
from tests.services.fixtures import Pair

pytestmark = [pytest.mark.postgres, pytest.mark.redis, pytest.mark.xdist_group("services")]

FORBIDDEN = 4403
#: Seconds; the regular look at all pages comes round every 30.
AT_ONCE = 15.0


def test_signing_out_closes_the_page_at_the_other_process(pair: Pair) -> None:
    here, stays = pair.one.sign_in("alice"), pair.other.sign_in("alice")
    there = replace(here.copy(), origin=pair.other.origin)
    path = here.ask("!tokens 2000 rate 50")
    with PageSocket(there, path) as page, PageSocket(stays, path) as other:
        page.wait_for("beforebegin")
        here.post("/accounts/logout/")

        assert page.wait_for_end(AT_ONCE) == FORBIDDEN
        other.wait_for(r"(?s)(beforebegin.*){20}")
        assert not other.is_closed
    stays.stop(path)


def test_ending_the_other_sessions_closes_their_pages_at_the_other_process(pair: Pair) -> None:
    here, there = pair.one.sign_in("bob"), pair.other.sign_in("bob")
    path = here.ask("Hello")
    here.wait_for_status(path, "completed")
    with PageSocket(there, path) as page:
        here.post("/accounts/sessions/")

        assert page.wait_for_end(AT_ONCE) == FORBIDDEN
