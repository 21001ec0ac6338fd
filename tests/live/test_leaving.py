"""Whoever signs out is cut off at once, by the real server too."""

from __future__ import annotations

import time

import pytest

from tests.live.hub import PASSWORD, Hub
from tests.live.pagesocket import PageSocket

pytestmark = pytest.mark.xdist_group("live")

FORBIDDEN = 4403
#: Seconds; the regular look at all pages comes round every 30.
AT_ONCE = 15.0


def test_signing_out_closes_the_page_in_the_middle_of_an_answer(live_hub: Hub) -> None:
    phone, laptop = live_hub.sign_in("alice"), live_hub.sign_in("alice")
    path = phone.ask("!tokens 2000 rate 50")
    with PageSocket(phone, path) as page, PageSocket(laptop, path) as other:
        page.wait_for("beforebegin")
        phone.post("/accounts/logout/")

        assert page.wait_for_end(AT_ONCE) == FORBIDDEN
        heard = len(page.frames)
        other.wait_for(r"(?s)(beforebegin.*){20}")
        assert not other.is_closed
        assert len(page.frames) == heard
    laptop.stop(path)


def test_the_administrator_disables_somebody_and_they_are_gone(live_hub: Hub) -> None:
    live_hub.shell(
        "from privatechathub.accounts.models import User\n"
        f"User.objects.create_user('carol', password={PASSWORD!r})"
    )
    carol, ada = live_hub.sign_in("carol"), live_hub.sign_in("ada")
    path = carol.ask("Hello")
    carol.wait_for_status(path, "completed")
    with PageSocket(carol, path) as page:
        number = live_hub.shell(
            "from privatechathub.accounts.models import User\nprint(User.objects.get(username='carol').pk)"
        )
        fields = {
            "username": "carol",
            "theme": "system",
            "date_joined_0": "2026-01-01",
            "date_joined_1": "00:00",
        }
        began = time.monotonic()
        ada.post(f"/admin/accounts/user/{int(number)}/change/", fields)

        assert page.wait_for_end(AT_ONCE) == FORBIDDEN
        assert time.monotonic() - began < AT_ONCE
    assert "/login/" in carol.get(path, follow=False).headers["location"]
