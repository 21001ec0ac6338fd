"""Without a mouse, and for somebody who hears the page."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.tab import Tab

pytestmark = pytest.mark.xdist_group("browser-1")

_WATCH_ANNOUNCEMENTS = """
window.announced = [];
new MutationObserver(() => window.announced.push(document.getElementById("announcer").textContent))
  .observe(document.getElementById("announcer"), { childList: true, characterData: true, subtree: true });
"""

_UNNAMED = """
[...document.querySelectorAll("button, a[href], input:not([type=hidden], :disabled), select, textarea, [role=img]")]
  .filter((element) => element.checkVisibility())
  .filter((element) => !(element.ariaLabel || element.textContent.trim() || element.title || element.labels?.length
    || (element.getAttribute("aria-labelledby") ?? "").split(" ").some((id) => document.getElementById(id))))
  .map((element) => element.outerHTML.slice(0, 200))
"""


def test_a_whole_conversation_without_a_mouse(tab: Tab) -> None:
    keyboard = tab.page.keyboard
    tab.choose("fast")
    tab.composer.focus()
    keyboard.type("!stamped 3000 rate 50")
    keyboard.press("Enter")
    expect(tab.body).to_contain_text("t10@")
    keyboard.press("Escape")
    tab.wait_until("stopped")

    # Back from the field to the buttons of the answer.
    again = tab.answer.get_by_role("button", name="Answer again")
    for _ in range(12):
        if again.evaluate("button => button === document.activeElement"):
            break
        keyboard.press("Shift+Tab")
    expect(again).to_be_focused()
    expect(again).to_have_css("opacity", "1")
    keyboard.press("Enter")
    tab.wait_until("running")
    keyboard.press("Escape")
    tab.wait_until("stopped")

    keyboard.press("Control+Shift+O")
    expect(tab.messages).to_have_count(0)
    expect(tab.composer).to_be_focused()


def test_the_first_stop_of_the_tab_key_skips_the_list(tab: Tab) -> None:
    tab.page.evaluate("() => { document.body.tabIndex = -1; document.body.focus(); }")
    tab.page.keyboard.press("Tab")
    expect(tab.page.get_by_role("link", name="Skip to the message field")).to_be_focused()
    tab.page.keyboard.press("Enter")
    expect(tab.composer).to_be_focused()


def test_menus_open_and_close_by_keyboard_and_give_the_focus_back(tab: Tab) -> None:
    person = tab.page.locator(".person-button")
    menu = tab.page.locator("#person-menu")
    person.focus()
    tab.page.keyboard.press("Enter")
    expect(menu).to_be_visible()
    tab.page.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    expect(person).to_be_focused()


def test_a_question_mark_shows_the_keys_unless_one_is_writing(tab: Tab) -> None:
    keys = tab.page.get_by_role("dialog", name="Keys")
    tab.composer.press("?")
    expect(keys).to_be_hidden()
    tab.composer.fill("")
    tab.page.evaluate("document.activeElement.blur()")
    tab.page.keyboard.press("?")
    expect(keys).to_be_visible()
    tab.page.keyboard.press("Escape")
    expect(keys).to_be_hidden()


def test_a_screen_reader_hears_beginning_and_end_but_not_every_word(tab: Tab) -> None:
    expect(tab.page.locator("#announcer")).to_have_attribute("aria-live", "polite")
    tab.page.evaluate(_WATCH_ANNOUNCEMENTS)

    tab.ask("!stamped 60 rate 60")
    tab.wait_until("completed")

    expect(tab.page.locator("#announcer")).to_have_text("Answer finished.")
    assert tab.page.evaluate("window.announced") == ["Answering…", "Answer finished."]
    live = tab.page.locator("[aria-live]:not([aria-live=off])")
    expect(tab.page.locator("#messages").locator(live)).to_have_count(0)
    expect(live.filter(has=tab.page.locator("#messages"))).to_have_count(0)


def test_every_control_has_a_name_and_the_page_has_landmarks(tab: Tab) -> None:
    tab.ask("!markdown")
    tab.wait_until("completed")
    page = tab.page

    assert page.evaluate(_UNNAMED) == []
    expect(page.get_by_role("main")).to_have_count(1)
    expect(page.get_by_role("complementary", name="Conversations")).to_have_count(1)
    expect(page.get_by_role("navigation", name="Conversations")).to_have_count(1)
    expect(page.get_by_role("heading", level=1)).to_contain_text("markdown")
    expect(page.get_by_role("textbox", name="Message")).to_have_count(1)
    expect(page.get_by_role("combobox", name="Model")).to_have_count(1)
    expect(page.get_by_role("article")).to_have_count(2)
    expect(page.get_by_role("article").first.get_by_role("heading").first).to_have_text("You")
    expect(page.get_by_role("article").last.get_by_role("heading").first).to_have_text("fast")
    expect(page.locator("html")).to_have_attribute("lang", "en")


def test_the_last_question_is_edited_from_the_empty_field(tab: Tab) -> None:
    keyboard = tab.page.keyboard
    for text in ("!echo first", "!echo second"):
        tab.ask(text)
        tab.wait_until("completed")
    tab.composer.fill("words")
    keyboard.press("ArrowUp")
    expect(tab.composer).to_be_focused()

    tab.composer.fill("")
    keyboard.press("ArrowUp")

    expect(tab.page.locator("textarea:not(#composer-text):focus")).to_have_value("!echo second")
