"""System prompts, presets and options in a browser, with a script and without."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.tab import Tab, Window
from tests.fakes.thread import FakeServerThread
from tests.live.hub import Hub

pytestmark = pytest.mark.xdist_group("browser-prompts")


def write_prompt(page: Page, name: str, text: str) -> None:
    """A new entry of the library."""
    page.goto("/prompts/add/")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Text", exact=True).fill(text)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("link", name=name, exact=True)).to_be_visible()


def last_system(fake: FakeServerThread) -> str:
    """What the newest question came with."""
    bodies = [request.json for request in fake.requests if request.path == "/v1/chat/completions"]
    first = bodies[-1]["messages"][0]
    return first["content"] if first["role"] == "system" else ""


def test_a_prompt_is_written_chosen_asked_followed_and_changed(tab: Tab, live_fake: FakeServerThread) -> None:
    page = tab.page
    write_prompt(page, "Sailor", "Talk of {{topic:text}} in {{language:choice:German|English}}.")
    page.goto("/")
    page.get_by_text("System prompt and preset").click()
    page.get_by_label("System prompt", exact=True).select_option(label="Sailor")
    page.get_by_label("Topic").fill("ships")
    page.get_by_label("Language").select_option("English")
    page.get_by_label("Preset").select_option("precise")
    tab.ask("!tokens 3")
    tab.wait_until("completed")
    assert last_system(live_fake) == "Talk of ships in English."
    thread = tab.path

    page.goto("/prompts/")
    page.get_by_role("link", name="Sailor", exact=True).click()
    expect(page.locator("#followers")).to_contain_text("1 conversation follows")
    page.get_by_label("Text", exact=True).fill("Now talk of {{topic:text}}.")
    page.get_by_role("button", name="Save").click()
    page.goto(thread)
    tab.ask("!tokens 4")
    tab.wait_until("completed")
    assert last_system(live_fake) == "Now talk of ships."

    page.goto("/prompts/")
    page.get_by_role("link", name="Sailor", exact=True).click()
    page.get_by_role("link", name="Delete…").click()
    page.get_by_role("button", name="Delete for good").click()
    expect(page.locator(".flash")).to_contain_text("was deleted")


def test_a_missing_answer_is_asked_for_and_the_text_stays(tab: Tab) -> None:
    page = tab.page
    tab.window.expect_trouble("status of 422")
    write_prompt(page, "Poet", "Of {{subject:text}}.")
    page.get_by_role("link", name="New chat with “Poet”").click()
    expect(page.get_by_label("Subject")).to_be_visible()
    tab.choose("fast")
    tab.composer.fill("Hello")
    tab.composer.press("Enter")

    expect(page.locator("#composer-error")).to_contain_text("Subject")
    expect(tab.composer).to_have_value("Hello")
    expect(tab.messages).to_have_count(0)
    page.get_by_label("Subject").fill("rain")
    tab.composer.press("Enter")
    expect(tab.answers).to_have_count(1)


def test_the_settings_show_what_is_sent_and_keep_a_preset(tab: Tab) -> None:
    page = tab.page
    write_prompt(page, "Judge", "Weigh every word of {{case:text}}.")
    page.goto("/")
    tab.ask("!tokens 3")
    tab.wait_until("completed")
    page.goto(f"{tab.path}settings/")
    page.get_by_label("System prompt", exact=True).select_option(label="Judge")
    expect(page.get_by_label("Case")).to_be_visible()
    page.get_by_label("Case").fill("one")
    page.get_by_label("Preset", exact=True).select_option("creative")
    page.get_by_label("Temperature").fill("0.4")
    page.get_by_label("Name of the preset").fill("Careful")
    page.get_by_role("button", name="Save as preset").click()

    expect(page.locator(".flash")).to_contain_text("Careful")
    row = page.locator('#sent-options [data-option="temperature"]')
    expect(row).to_contain_text("0.4")
    expect(row).to_contain_text("from “Careful”")
    expect(page.get_by_label("Preset", exact=True).locator("option:checked")).to_have_text("Careful")
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("path", ["/prompts/", "/prompts/add/", "/?start=1"])
def test_the_pages_fit_a_phone(phone: Window, path: str) -> None:
    page = phone.open(path).page

    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_without_a_script_a_chat_begins_with_a_prompt(
    open_window: Callable[..., Window], live_hub: Hub, live_fake: FakeServerThread
) -> None:
    window = open_window(live_hub, "bob", java_script_enabled=False)
    window.expect_trouble("status of 422")
    page = window.open("/").page
    write_prompt(page, "Plain", "Plainly of {{thing:text}}.")
    page.goto("/")
    page.get_by_text("System prompt and preset").click()
    page.get_by_role("link", name="Choose").click()
    page.get_by_label("System prompt", exact=True).select_option(label="Plain")
    page.locator("select[name=model]").select_option("fake/fast")
    page.get_by_label("Message", exact=True).fill("!tokens 3")
    page.get_by_role("button", name="Send").click()

    page.get_by_label("Thing").fill("rain")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("article[data-role=assistant]")).to_have_count(1)
    page.wait_for_timeout(500)
    assert last_system(live_fake) == "Plainly of rain."


def test_thinking_streams_while_its_fold_is_open(tab: Tab) -> None:
    tab.ask("!rate 30 !reasoning 240 then 10", "fast")
    trace = tab.answer.locator("details.reasoning")
    body = trace.locator(".reasoning-body")
    trace.locator("summary").click()
    expect(body).to_be_visible()
    before = len(body.inner_text())

    tab.page.wait_for_function(
        "([id, length]) => document.getElementById(id).innerText.length > length + 40",
        arg=[body.get_attribute("id"), before],
    )

    expect(tab.answer).to_have_attribute("data-status", "running")
    tab.wait_until("completed")
    expect(body).to_be_visible()
    expect(trace.locator("summary")).to_contain_text("tokens")
