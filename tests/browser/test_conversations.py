"""What can be done with conversations and messages, and that a stranger can do nothing."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.tab import Tab, Window
from tests.live.hub import Hub

pytestmark = pytest.mark.xdist_group("browser-1")

_AGE = """
from datetime import timedelta
from django.utils import timezone
from chat.models import Conversation
Conversation.objects.filter(title={title!r}).update(updated_at=timezone.now() - timedelta(days={days}))
"""


def line_of(tab: Tab, title: str) -> Locator:
    """A conversation's line in the list."""
    return tab.page.locator("#conversations li", has_text=title)


def test_an_answer_is_written_again_with_another_model(tab: Tab) -> None:
    tab.ask("!stamped 5", "fast")
    tab.wait_until("completed")
    first = tab.answer.get_attribute("id")
    tab.mark()

    tab.choose("steady-50")
    tab.answer.hover()
    tab.answer.get_by_role("button", name="Answer again").click()

    expect(tab.answer).not_to_have_attribute("id", first or "")
    tab.wait_until("completed")
    expect(tab.answer.locator("[data-fact=model]")).to_contain_text("steady-50")
    expect(tab.messages).to_have_count(2)
    assert tab.is_same_page()


def test_an_answer_that_was_stopped_goes_on(tab: Tab) -> None:
    tab.ask("!stamped 3000 rate 50")
    expect(tab.body).to_contain_text("t20@")
    tab.stop.click()
    tab.wait_until("stopped")
    before = tab.text().strip()

    tab.answer.get_by_role("button", name="Continue").click()

    tab.wait_until("completed")
    assert tab.text().startswith(before)
    assert len(tab.text()) > len(before) + 20
    expect(tab.messages).to_have_count(2)


def test_a_message_is_deleted_and_can_be_had_back(tab: Tab) -> None:
    tab.ask("!echo keep me")
    tab.wait_until("completed")
    tab.ask("!echo delete me")
    tab.wait_until("completed")
    tab.mark()

    tab.answer.hover()
    tab.answer.get_by_role("link", name="More").click()
    tab.page.get_by_role("button", name="Delete this answer").click()

    expect(tab.messages).to_have_count(3)
    tab.page.get_by_role("button", name="Undo").click()
    expect(tab.messages).to_have_count(4)
    expect(tab.body).to_have_text("delete me")
    assert tab.is_same_page()


def test_a_conversation_is_renamed_from_its_title(tab: Tab) -> None:
    tab.ask("!echo a title to change")
    tab.wait_until("completed")
    tab.mark()

    tab.page.locator("#title-button").click()
    field = tab.page.locator("#rename-title")
    expect(field).to_be_focused()
    field.fill("Tides <b>& moons</b>")
    field.press("Enter")

    expect(tab.page.locator("#title")).to_have_text("Tides <b>& moons</b>")
    expect(line_of(tab, "Tides <b>& moons</b>")).to_have_count(1)
    expect(tab.page).to_have_title(re.compile("^Tides <b>& moons</b> · "))
    assert tab.is_same_page()


def test_a_conversation_is_renamed_and_deleted_from_the_list(tab: Tab) -> None:
    tab.ask("!echo the other one")
    tab.wait_until("completed")
    tab.page.get_by_role("link", name="New chat").first.click()
    expect(tab.messages).to_have_count(0)
    tab.ask("!echo the open one")
    tab.wait_until("completed")
    tab.mark()
    menu = tab.page.locator("#conversation-menu")

    line_of(tab, "the other one").hover()
    line_of(tab, "the other one").get_by_role("button").click()
    menu.get_by_label("Name").fill("A better name")
    menu.get_by_role("button", name="Rename").click()
    expect(line_of(tab, "A better name")).to_have_count(1)
    expect(menu).to_be_hidden()

    line_of(tab, "A better name").hover()
    line_of(tab, "A better name").get_by_role("button").click()
    menu.get_by_text("Delete").click()

    expect(line_of(tab, "A better name")).to_have_count(0)
    expect(tab.body).to_have_text("the open one")
    assert tab.is_same_page()


def test_deleting_the_open_conversation_leads_to_a_new_one(window: Window, tab: Tab) -> None:
    tab.ask("!echo soon gone")
    tab.wait_until("completed")
    path = tab.path

    tab.page.get_by_role("button", name="Menu of this conversation").click()
    tab.page.locator("#thread-menu").get_by_text("Delete").click()

    expect(tab.page).to_have_url(f"{window.origin}/")
    window.expect_trouble("404")
    expect(window.open(path).page.get_by_role("heading")).to_have_text("There is nothing here")


def test_conversations_are_listed_by_date(
    open_window: Callable[..., Window], live_hub: Hub, tab: Tab
) -> None:
    # A page of the list holds sixty.
    live_hub.sql("UPDATE chat_conversation SET deleted_at = CURRENT_TIMESTAMP")
    ages = {"of today": 0, "of yesterday": 1, "of last week": 5, "of this month": 20, "of long ago": 500}
    for title in ages:
        tab.page.goto("/")
        tab.ask(f"!echo {title}")
        tab.wait_until("completed")
    live_hub.shell("".join(_AGE.format(title=f"!echo {title}", days=days) for title, days in ages.items()))

    tab.page.goto("/")

    groups = tab.page.locator("#conversations section")
    labels = ["Today", "Yesterday", "Previous 7 days", "Previous 30 days"]
    for label, title in zip(labels, ages, strict=False):
        group = groups.filter(has=tab.page.get_by_role("heading", name=label, exact=True))
        expect(group.locator("li", has_text=title)).to_have_count(1)
    expect(groups.last.get_by_role("heading")).to_have_text(re.compile(r"^\w+ 20\d\d$"))
    expect(groups.last.locator("li", has_text="of long ago")).to_have_count(1)


def test_a_stranger_gets_a_page_that_says_nothing(
    open_window: Callable[..., Window], live_hub: Hub, tab: Tab
) -> None:
    tab.ask("!echo a secret")
    tab.wait_until("completed")
    stranger = open_window(live_hub, "bob")
    stranger.expect_trouble("404")

    page = stranger.open(tab.path).page

    expect(page.get_by_role("heading")).to_have_text("There is nothing here")
    assert "secret" not in page.content()
    page.get_by_role("link", name="Back to your chats").click()
    expect(page.locator("form#composer")).to_be_visible()


def test_errors_are_pages_with_a_way_back(open_window: Callable[..., Window], live_hub: Hub) -> None:
    window = open_window(live_hub, "bob")
    window.expect_trouble("40[34]")
    for path, heading in (("/nowhere/", "There is nothing here"), ("/backends/", "This page isn’t for you")):
        page = window.open(path).page
        expect(page.get_by_role("heading")).to_have_text(heading)
        expect(page.get_by_role("link", name="Back to your chats")).to_be_visible()
