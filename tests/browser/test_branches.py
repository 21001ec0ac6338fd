"""Versions of messages: arrows, editing in place, the menu of a message, undo, in every open tab."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.tab import Tab, Window

pytestmark = pytest.mark.xdist_group("browser-1")


def arrows(message: Locator) -> Locator:
    return message.get_by_role("group", name="Versions of this message")


def question(tab: Tab) -> Locator:
    return tab.page.locator("article[data-role=user]").first


def talked(tab: Tab, *texts: str) -> None:
    for text in texts:
        tab.ask(f"!echo {text}")
        tab.wait_until("completed")
    tab.wait_for_socket()


def more(tab: Tab, message: Locator, item: str) -> None:
    """An entry of a message's menu."""
    message.hover()
    message.get_by_role("link", name="More").click()
    tab.page.locator("#message-menu").get_by_text(item).click()


def test_a_question_is_edited_in_place_and_every_tab_follows(tab: Tab) -> None:
    talked(tab, "first", "second")
    other = tab.window.open(tab.path)
    other.wait_for_socket()
    tab.mark()
    other.mark()

    question(tab).hover()
    question(tab).get_by_role("link", name="Edit").click()
    field = tab.page.locator("form.edit textarea")
    expect(field).to_be_focused()
    expect(field).to_have_value("!echo first")
    field.press("Escape")
    expect(question(tab)).to_contain_text("!echo first")
    question(tab).get_by_role("link", name="Edit").click()
    field.fill("!echo changed")
    field.press("Control+Enter")

    for page in (tab, other):
        expect(page.answers).to_have_count(1)
        expect(page.body).to_contain_text("changed")
        page.wait_until("completed")
        expect(arrows(question(page))).to_contain_text("2/2")
        assert page.is_same_page()

    previous = arrows(question(tab)).get_by_role("button", name="Previous version")
    previous.focus()
    tab.page.keyboard.press("Enter")
    for page in (tab, other):
        expect(page.answers).to_have_count(2)
        expect(page.body).to_contain_text("second")
        expect(arrows(question(page))).to_contain_text("1/2")
        assert page.is_same_page()
    expect(arrows(question(tab)).get_by_role("button", name="Next version")).to_be_focused()
    tab.page.keyboard.press("Enter")
    expect(tab.body).to_contain_text("changed")


def test_what_is_being_edited_stays_when_another_tab_changes_the_thread(tab: Tab) -> None:
    talked(tab, "first")
    other = tab.window.open(tab.path)
    other.wait_for_socket()
    question(tab).hover()
    question(tab).get_by_role("link", name="Edit").click()
    field = tab.page.locator("form.edit textarea")
    field.fill("!echo half a thou")

    other.answer.hover()
    other.answer.get_by_role("button", name="Answer again").click()
    expect(arrows(tab.answer)).to_contain_text("2/2")
    expect(field).to_have_value("!echo half a thou")
    expect(field).to_be_focused()
    field.press_sequentially("ght")
    field.press("Control+Enter")
    expect(question(tab)).to_contain_text("half a thought")
    expect(tab.page.locator("form.edit")).to_have_count(0)


def test_an_answer_has_versions_by_other_models_and_by_hand(tab: Tab) -> None:
    talked(tab, "mine")
    tab.answer.hover()
    tab.answer.get_by_role("link", name="More").click()
    menu = tab.page.locator("#message-menu")
    menu.get_by_label("Try with…").select_option("fake/fast")
    menu.get_by_role("button", name="Answer again").click()
    expect(arrows(tab.answer)).to_contain_text("2/2")
    expect(menu).to_be_hidden()
    tab.wait_until("completed")

    more(tab, tab.answer, "Edit the answer")
    tab.page.locator("form.edit textarea").fill("In **my** words.")
    tab.page.get_by_role("button", name="Save").click()
    expect(tab.body.locator("strong")).to_have_text("my")
    expect(tab.answer.get_by_text("Edited by you")).to_be_visible()
    expect(arrows(tab.answer)).to_contain_text("3/3")


def test_what_was_deleted_is_brought_back(tab: Tab) -> None:
    talked(tab, "first", "second")
    tab.mark()
    more(tab, tab.answers.first, "Delete from here on")
    expect(tab.messages).to_have_count(1)
    undo = tab.page.locator("#deleted")
    expect(undo).to_contain_text("Deleted.")
    expect(tab.page.locator("#announcer")).to_contain_text("Deleted.")
    undo.get_by_role("button", name="Undo").click()
    expect(tab.answers).to_have_count(2)
    expect(undo).to_have_count(0)
    assert tab.is_same_page()


def test_a_fork_opens_with_what_came_before(tab: Tab) -> None:
    talked(tab, "first", "second")
    origin = tab.path
    more(tab, tab.answers.first, "New conversation from here")
    tab.page.wait_for_url(lambda url: origin not in url)
    expect(tab.page.locator("#title")).to_contain_text("(fork)")
    expect(tab.answers).to_have_count(1)
    tab.ask("!echo third")
    tab.wait_until("completed")
    tab.page.goto(origin)
    expect(tab.body).to_contain_text("second")


def test_a_long_thread_opens_at_a_message_and_reads_on_both_ways(window: Window, tab: Tab) -> None:
    talked(tab, "first")
    grow = """
from chat.models import Conversation, Message
talk = Conversation.objects.get(pk="{pk}")
rows = [talk.head]
for place in range(120):
    role = "assistant" if place % 2 else "user"
    rows.append(Message.objects.create(conversation=talk, parent=rows[-1], role=role, text=f"turn {{place}} " * 60))
talk.head = rows[-1]
talk.save()
print(rows[40].pk)
"""
    pk = int(window.hub.shell(grow.format(pk=tab.path.split("/")[2])).strip().split()[-1])
    tab.page.goto(f"{tab.path}?message={pk}#message-{pk}")
    tab.wait_for_socket()
    found = tab.page.locator(f"#message-{pk}")
    expect(found).to_be_in_viewport()
    assert tab.messages.count() < 100

    box = found.bounding_box()
    assert box is not None
    tab.page.wait_for_timeout(500)
    after = found.bounding_box()
    assert after is not None
    assert abs(after["y"] - box["y"]) < 2, "the page jumped"

    tab.page.locator("#scroller").evaluate("element => { element.scrollTop = 0 }")
    expect(tab.page.get_by_text("turn 70 turn")).to_have_count(1)
    assert tab.page.get_by_text("turn 119 turn").count() == 0, "it ran to the end"
    tab.page.get_by_role("button", name="Jump to newest").click()
    expect(tab.page.get_by_text("turn 119 turn")).to_be_in_viewport()

    tab.page.evaluate(f"location.hash = '#message-{pk}'")
    expect(found).to_be_in_viewport()
    expect(tab.page).to_have_url(re.compile(rf"\?message={pk}#"))
