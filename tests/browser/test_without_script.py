"""Everything works as plain forms where scripts are switched off."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.tab import Tab, Window
from tests.live.hub import PASSWORD, Hub

pytestmark = pytest.mark.xdist_group("browser-2")


@pytest.fixture
def plain(open_window: Callable[..., Window], live_hub: Hub) -> Tab:
    """Alice's tab without script, signed in through the form."""
    tab = open_window(live_hub, java_script_enabled=False).open("/")
    tab.page.locator("input[name=login]").fill("alice")
    tab.page.locator("input[name=password]").fill(PASSWORD)
    tab.page.get_by_role("button", name="Sign in").click()
    return tab


def ask(tab: Tab, text: str) -> None:
    """Fill in and send."""
    tab.choose("fast")
    tab.composer.fill(text)
    tab.page.get_by_role("button", name="Send").click()


def test_a_question_and_a_page_that_refreshes_itself_while_the_answer_runs(plain: Tab) -> None:
    ask(plain, "!stamped 220 rate 50")

    plain.wait_until("running")
    expect(plain.stop).to_be_visible()
    expect(plain.body).to_contain_text("t120@")
    plain.wait_until("completed")
    expect(plain.body).to_contain_text("t219@")
    expect(plain.page.locator("meta[http-equiv=refresh]")).to_have_count(0)


def test_stopping_and_answering_again(plain: Tab) -> None:
    ask(plain, "!stamped 3000 rate 50")
    plain.wait_until("running")
    plain.stop.click()
    plain.wait_until("stopped")
    expect(plain.answer).to_contain_text("You stopped this answer")

    plain.answer.get_by_role("button", name="Answer again").click()
    plain.wait_until("running")
    expect(plain.messages).to_have_count(2)
    plain.stop.click()
    plain.wait_until("stopped")


def test_what_needs_a_script_is_not_offered(plain: Tab) -> None:
    ask(plain, "!code 2")
    plain.wait_until("completed")

    expect(plain.answer.locator("figure.code")).to_be_visible()
    expect(plain.page.locator(".code-copy")).to_be_hidden()
    expect(plain.page.locator("[data-action=copy-message]").first).to_be_hidden()


def test_renaming_deleting_and_the_theme(plain: Tab) -> None:
    ask(plain, "!echo a plain conversation")
    plain.wait_until("completed")
    page = plain.page

    page.locator("#title-button").click()
    page.locator("#rename-title").fill("Plainly renamed")
    page.locator("#rename").get_by_role("button", name="Rename").click()
    expect(page.locator("#title")).to_have_text("Plainly renamed")

    page.locator(".person-button").click()
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.goto(f"{plain.window.origin}/settings/")
    page.get_by_role("button", name="System").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "system")

    page.goto(f"{plain.window.origin}/")
    page.locator("#conversations a", has_text="Plainly renamed").click()
    page.get_by_role("button", name="Menu of this conversation").click()
    page.locator("#thread-menu").get_by_text("Delete").click()
    expect(page.get_by_role("heading")).to_contain_text("Plainly renamed")
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.locator("#conversations a", has_text="Plainly renamed")).to_have_count(0)

    page.locator(".flash").get_by_role("button", name="Undo").click()
    expect(page.locator("#title")).to_have_text("Plainly renamed")
    expect(page.locator("#conversations a", has_text="Plainly renamed")).to_have_count(1)


def test_a_refused_question_comes_back_with_its_text(plain: Tab) -> None:
    plain.window.expect_trouble("422")
    plain.page.locator("textarea[name=text]").fill("  ")
    plain.page.get_by_role("button", name="Send").click()

    expect(plain.page.locator("#composer-error")).not_to_be_empty()


def test_versions_editing_deleting_and_undo(plain: Tab) -> None:
    ask(plain, "!echo first")
    plain.wait_until("completed")
    question = plain.page.locator("article[data-role=user]").first
    question.get_by_role("link", name="Edit").click()
    plain.page.locator("form.edit textarea").fill("!echo changed")
    plain.page.get_by_role("button", name="Send").click()
    expect(plain.body).to_contain_text("changed")
    plain.wait_until("completed")
    plain.page.get_by_role("button", name="Previous version").click()
    expect(plain.body).to_contain_text("first")

    plain.answer.get_by_role("link", name="More").click()
    plain.page.get_by_role("button", name="Delete this answer").click()
    expect(plain.answers).to_have_count(0)
    plain.page.get_by_role("button", name="Undo").click()
    expect(plain.body).to_contain_text("first")

    plain.answer.get_by_role("link", name="More").click()
    plain.page.get_by_role("button", name="New conversation from here").click()
    expect(plain.page.locator("#title")).to_contain_text("(fork)")
    expect(plain.body).to_contain_text("first")


def test_searching_and_keeping_order(plain: Tab) -> None:
    ask(plain, "!echo capybaras bathe")
    plain.wait_until("completed")
    page = plain.page
    page.locator("#find").fill("capybara from:model")
    page.locator("#find").press("Enter")
    expect(page.locator(".hits mark")).to_have_text("capybaras")
    page.locator(".hits a").click()
    expect(plain.body).to_have_text("capybaras bathe")

    page.get_by_role("button", name="Menu of this conversation").click()
    page.locator("#thread-menu").get_by_role("button", name="Pin", exact=True).click()
    expect(page.locator("section[data-pinned]")).to_contain_text("capybaras")
    page.get_by_role("button", name="Menu of this conversation").click()
    page.locator("#thread-menu").get_by_text("Tags…").click()
    page.get_by_label("Tags of this conversation").fill("rodents")
    page.get_by_role("button", name="Save").click()
    page.goto(f"{plain.window.origin}/conversations/?tag=rodents")
    page.get_by_role("checkbox", name="capybaras").check()
    page.get_by_role("button", name="Archive").click()
    expect(page.locator(".flash")).to_contain_text("1 conversation archived")
