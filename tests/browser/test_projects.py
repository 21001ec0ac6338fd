"""Projects in a browser: made, asked in, noted in by a model, moved between, and all of it without a script."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.tab import Tab, Window
from tests.live.hub import PASSWORD, Hub

pytestmark = pytest.mark.xdist_group("browser-projects")

NOTE = '!call update_project_memory {"instructions": "The soil is clay.\\nPeas in March."} !then !echo Noted.'


def make(page: Page, name: str, **fields: str) -> None:
    """A project, from the list of projects."""
    page.goto("/projects/")
    page.get_by_role("link", name="New project").click()
    page.get_by_label("Name").fill(name)
    for label, text in fields.items():
        page.get_by_label(label).fill(text)
    page.get_by_role("button", name="Make the project").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)


def fits(page: Page) -> bool:
    """Whether nothing sticks out at the side."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.screen.width"))


def test_a_project_is_made_asked_in_and_left(fresh_hub: Hub, open_window: Callable[..., Window]) -> None:
    tab = open_window(fresh_hub, "alice").open("/projects/add/")
    page = tab.page
    page.get_by_label("Name").fill("Garden")
    page.get_by_title("Green").click()
    page.get_by_title("Sun").click()
    page.get_by_label("Instructions").fill("Answer as a gardener.")
    page.get_by_role("button", name="Make the project").click()
    page.get_by_role("link", name="New chat").click()
    expect(page.get_by_role("heading", name="New chat in “Garden”")).to_be_visible()

    tab.mark()
    tab.ask("!echo Sow them in March.")
    tab.wait_until("completed")
    assert tab.is_same_page()
    chip = page.locator(".topbar-project")
    expect(chip).to_have_text("Garden")
    expect(page.locator("#conversations a[aria-current] .tint[data-colour=green]")).to_be_visible()
    tab.ask("!echo And beans in May.")
    tab.wait_until("completed")

    page.get_by_role("button", name="Menu of this conversation").click()
    page.locator("#thread-menu").get_by_role("link", name="Move to a project…").click()
    page.get_by_role("button", name="No project").click()
    expect(tab.answers).to_have_count(2)
    expect(chip).to_have_count(0)
    page.get_by_role("link", name="Garden").click()
    expect(page.get_by_text("None yet. Start one here")).to_be_visible()


def test_a_model_notes_something_down_and_the_person_takes_it_back(
    fresh_hub: Hub, open_window: Callable[..., Window]
) -> None:
    tab = open_window(fresh_hub, "alice", viewport={"width": 360, "height": 740}).open("/")
    page = tab.page
    make(page, "Garden")
    page.get_by_role("link", name="Tools in this project").click()
    page.get_by_label("Let models use tools").select_option("on")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("link", name="New chat").click()
    page.get_by_label("Model", exact=True).select_option("fake/tools")
    tab.composer.fill(NOTE)
    page.get_by_role("button", name="Send").click()
    card = tab.answer.locator(".ask")
    expect(card).to_contain_text("Change the project’s memory")
    expect(card).to_contain_text("The soil is clay.")
    card.get_by_role("button", name="Allow once").click()
    tab.wait_until("completed")
    expect(tab.body).to_contain_text("Noted.")

    page.locator(".topbar-project").click()
    expect(page.locator("#memory .project-text")).to_have_text("The soil is clay.\nPeas in March.")
    assert fits(page)
    page.get_by_role("link", name="Edit the memory").click()
    page.locator("#earlier summary").click()
    expect(page.locator("#earlier")).to_contain_text("Changed by a model")
    assert fits(page)
    page.get_by_role("button", name="Bring this back").click()
    expect(page.get_by_label("Memory")).to_have_value("")


def test_everything_works_without_a_script(fresh_hub: Hub, open_window: Callable[..., Window]) -> None:
    tab = open_window(fresh_hub, java_script_enabled=False).open("/projects/")
    page = tab.page
    page.locator("input[name=login]").fill("alice")
    page.locator("input[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    make(page, "Garden", Instructions="Be brief.")
    page.get_by_role("link", name="New chat").click()
    ask_plainly(tab, "!echo In March.")
    expect(page.locator(".topbar-project")).to_have_text("Garden")
    chat = page.url
    make(page, "Kitchen")

    page.goto(f"{chat}settings/")
    page.get_by_role("link", name="Garden").click()
    page.get_by_role("button", name="Kitchen").click()
    expect(page.locator(".topbar-project")).to_have_text("Kitchen")

    page.locator(".topbar-project").click()
    page.get_by_role("button", name="Archive").click()
    page.goto("/")
    expect(page.locator("#conversations li")).to_have_count(0)
    page.goto("/projects/?archived=1")
    page.get_by_role("link", name="Kitchen").click()
    page.get_by_role("button", name="Take it out of the archive").click()
    page.get_by_role("link", name="Delete the project…").click()
    page.get_by_role("button", name="Delete it with its conversation").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Projects")
    expect(page.get_by_role("link", name="Garden")).to_be_visible()
    page.goto("/conversations/?in=deleted")
    expect(page.get_by_text("!echo In March.")).to_be_visible()


def ask_plainly(tab: Tab, text: str) -> None:
    """Fill in, send, and wait for the pages that refresh themselves."""
    tab.choose("fast")
    tab.composer.fill(text)
    tab.page.get_by_role("button", name="Send").click()
    tab.wait_until("completed")
