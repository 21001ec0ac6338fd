"""Finding and keeping order: the sidebar's search, the quick switcher, pins, archive, undo, several at once."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.tab import Tab, Window
from tests.live.hub import Hub

_EMPTY = """
from django.utils import timezone
from chat.models import Conversation
Conversation.objects.update(deleted_at=timezone.now())
"""

pytestmark = pytest.mark.xdist_group("browser-1")


def line_of(tab: Tab, title: str) -> Locator:
    """A conversation's line in the list."""
    return tab.page.locator("#conversations li", has_text=title)


def menu_of(tab: Tab, title: str) -> Locator:
    """Its menu, opened."""
    line_of(tab, title).hover()
    line_of(tab, title).get_by_role("button").click()
    return tab.page.locator("#conversation-menu")


@pytest.fixture
def talks(tab: Tab, live_hub: Hub) -> Tab:
    """Two answered conversations and no others, the page of a new one open."""
    live_hub.shell(_EMPTY)
    for text in ("!echo zebras graze", "!echo quokkas smile"):
        tab.page.goto("/")
        tab.ask(text)
        tab.wait_until("completed")
    tab.page.goto("/")
    tab.mark()
    return tab


def test_searching_while_typing_and_by_keyboard(talks: Tab) -> None:
    page = talks.page
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("/")
    expect(page.locator("#find")).to_be_focused()

    page.keyboard.type("quokk")

    found = page.locator("#found .found-link")
    expect(found.first).to_contain_text("quokkas")
    expect(found.first.locator("mark").first).to_have_text("quokkas")
    expect(page.locator("#conversations")).to_be_hidden()
    page.keyboard.press("ArrowDown")
    expect(found.first).to_be_focused()
    page.keyboard.press("Enter")
    expect(talks.messages).to_have_count(2)
    expect(talks.body).to_have_text("quokkas smile")
    assert talks.is_same_page()

    page.locator("#find").press("Escape")
    expect(page.locator("#find")).to_have_value("")
    expect(page.locator("#conversations")).to_be_visible()


def test_the_switcher_leads_anywhere_by_keyboard(talks: Tab) -> None:
    page = talks.page
    page.keyboard.press("Control+k")
    dialog = page.get_by_role("dialog", name="Go to")
    expect(dialog.get_by_role("combobox")).to_be_focused()
    expect(dialog.get_by_role("option").first).to_have_attribute("aria-selected", "true")
    page.keyboard.type("zebra")
    expect(dialog.get_by_role("option", selected=True)).to_contain_text("zebras")
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    expect(talks.body).to_have_text("zebras graze")
    assert talks.is_same_page()

    page.keyboard.press("Control+k")
    expect(dialog).to_be_visible()
    page.keyboard.type("zeb")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()

    page.keyboard.press("Control+k")
    page.keyboard.type("settings")
    expect(dialog.get_by_role("option", selected=True)).to_have_text("Settings")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/settings/$"))
    page.keyboard.press("Control+k")
    page.keyboard.type("new ch")
    expect(dialog.get_by_role("option", selected=True)).to_have_text("New chat")
    page.keyboard.press("Enter")
    expect(talks.composer).to_be_visible()


def test_pins_archive_and_undo(talks: Tab) -> None:
    menu_of(talks, "zebras").get_by_role("button", name="Pin", exact=True).click()
    pinned = talks.page.locator("#conversations section", has_text="Pinned")
    expect(pinned.locator("li")).to_contain_text(["zebras"])
    menu_of(talks, "zebras").get_by_role("button", name="Archive").click()
    expect(line_of(talks, "zebras")).to_have_count(0)

    menu_of(talks, "quokkas").get_by_text("Delete").click()
    expect(line_of(talks, "quokkas")).to_have_count(0)
    talks.page.locator("#undo").get_by_role("button", name="Undo").click()
    expect(line_of(talks, "quokkas")).not_to_have_count(0)
    expect(talks.page.locator("#undo")).to_be_empty()
    assert talks.is_same_page()


def test_several_at_once(talks: Tab) -> None:
    page = talks.page
    page.goto("/conversations/")
    page.get_by_role("checkbox", name="zebras").first.check()
    page.get_by_role("checkbox", name="quokkas").first.check()
    expect(page.locator("#chosen")).to_have_text("2 chosen")
    page.get_by_text("More", exact=True).click()
    page.get_by_label("Add tags").fill("animals")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator(".flash")).to_contain_text("2 conversations tagged")
    page.get_by_role("link", name="animals").first.click()
    expect(page.locator(".listing li")).to_have_count(2)
    page.locator("#choose-all").check()
    page.get_by_role("button", name="Delete").click()
    expect(page.locator(".flash")).to_contain_text("2 conversations deleted")
    page.locator(".flash").get_by_role("button", name="Undo").click()
    expect(page.locator(".flash")).to_contain_text("2 conversations are back")


def test_an_answer_that_ended_unseen_is_marked_until_somebody_looks(tab: Tab) -> None:
    tab.ask("!stamped 150 rate 50")
    expect(tab.body).to_contain_text("t10@")
    tab.page.get_by_role("link", name="New chat").first.click()
    expect(tab.messages).to_have_count(0)

    unread = tab.page.locator("#conversations li[data-unread]").first
    expect(unread).to_contain_text("!stamped 150")

    unread.get_by_role("link").click()
    tab.wait_until("completed")
    expect(tab.page.locator("#conversations li[data-unread]", has_text="!stamped 150")).to_have_count(0)
    tab.wait_for_socket()
    tab.page.reload()
    expect(tab.page.locator("#conversations li[data-unread]", has_text="!stamped 150")).to_have_count(0)


def test_searching_on_a_phone(phone: Window, open_window: Callable[..., Window]) -> None:
    tab = phone.open("/")
    tab.ask("!echo axolotl")
    tab.wait_until("completed")
    tab.page.get_by_role("button", name="Conversations").tap()
    tab.page.locator("#find").fill("axolotl")
    tab.page.locator("#found .found-link").first.tap()
    expect(tab.page.locator("#sidebar")).to_be_hidden()
    expect(tab.body).to_have_text("axolotl")
