"""Messages of models, the page about the internet and the list of contacts, wide and narrow."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.tab import Window
from tests.browser.test_models_page import SIZES, fits
from tests.live.hub import Hub
from tests.live.process import wait_for

pytestmark = pytest.mark.xdist_group("browser-1")

_LEAVE = """
from chat.models import Notice, OutsideContact
from privatechathub.accounts.models import User
alice = User.objects.get(username="alice")
Notice.objects.leave(alice.pk, "Tea", "It is ready in the kitchen.")
OutsideContact.objects.note(user_id=alice.pk, tool="fetch_url", host="example.org", port=443, refused=False)
OutsideContact.objects.note(
    user_id=alice.pk, tool="read_url", host="a-very-long-name." * 9 + "example.org", port=8080, refused=True
)
"""
_TIDY = """
DELETE FROM chat_notice;
DELETE FROM chat_outsidecontact;
DELETE FROM chat_internet;
UPDATE accounts_user SET unread_notices = 0
"""
#: Stands for the browser's own, which no headless browser shows: remembers what it was given.
_NOTIFICATION = """
window.shown = [];
window.Notification = class extends EventTarget {
  static permission = "PERMISSION";
  static requestPermission = async () => (Notification.permission = "granted");
  constructor(title, { body }) { super(); window.shown.push(`${title}: ${body}`); }
};
const later = window.setInterval;
window.setInterval = (work, every) => later(work, every === 20000 ? 200 : every);
"""


@pytest.fixture(autouse=True)
def _tidy(live_hub: Hub) -> Iterator[None]:
    """Other tests share this hub."""
    yield
    live_hub.sql(_TIDY)


def test_an_open_page_shows_a_new_message_once(open_window: Callable[..., Window], live_hub: Hub) -> None:
    live_hub.shell(_LEAVE)
    window = open_window(live_hub, "alice")
    window.context.add_init_script(_NOTIFICATION.replace("PERMISSION", "granted"))
    page = window.open("/").page
    expect(page.locator("#unread-notices")).to_have_text("1")
    knows = "Object.keys(localStorage).some((key) => key.startsWith('hub-newest-notice'))"
    wait_for(lambda: page.evaluate(knows), "the page to know what was there before")
    live_hub.shell(_LEAVE.replace("Tea", "Bread"))
    wait_for(lambda: page.evaluate("shown.length > 0"), "a notification")
    page.wait_for_timeout(700)
    assert page.evaluate("shown") == ["Bread: It is ready in the kitchen."]


def test_nothing_is_asked_before_the_person_allows_it(
    open_window: Callable[..., Window], live_hub: Hub
) -> None:
    window = open_window(live_hub, "alice")
    window.context.add_init_script(_NOTIFICATION.replace("PERMISSION", "default"))
    asked: list[str] = []
    window.context.on("request", lambda request: asked.append(request.url))
    page = window.open("/inbox/").page
    page.wait_for_timeout(600)
    assert not any("/inbox/news/" in url for url in asked)
    with page.expect_response("**/inbox/news/**"):
        page.get_by_role("button", name="Let the browser show them").click()
    expect(page.locator("#browser-notices")).to_be_hidden()


@pytest.mark.parametrize("size", SIZES)
def test_the_pages_fit_and_do_their_work(
    size: str, open_window: Callable[..., Window], live_hub: Hub
) -> None:
    live_hub.shell(_LEAVE)
    page = open_window(live_hub, "alice", viewport=SIZES[size]).open("/inbox/").page
    assert fits(page)
    page.get_by_role("button", name="I have read them").click()
    expect(page.get_by_role("button", name="I have read them")).to_have_count(0)
    expect(page.get_by_text("It is ready in the kitchen.")).to_be_visible()
    page.goto("/internet/contacts/")
    expect(page.get_by_text("example.org", exact=True)).to_be_visible()
    expect(page.get_by_text("Refused")).to_be_visible()
    assert fits(page)
    page.goto("/settings/")
    assert fits(page)
    admin = open_window(live_hub, "ada", viewport=SIZES[size]).open("/internet/").page
    admin.get_by_label("Models may use the internet").check()
    assert fits(admin)
    admin.get_by_role("button", name="Save").click()
    expect(admin.get_by_role("status").filter(has_text="Saved.")).to_be_visible()
    expect(admin.get_by_label("Models may use the internet")).to_be_checked()
