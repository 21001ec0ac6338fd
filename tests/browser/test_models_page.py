"""The page of all models: filtered live, by mouse, keyboard and thumb, and without a script."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.tab import Window
from tests.live.hub import Hub

pytestmark = pytest.mark.xdist_group("browser-1")

_TIDY = """
DELETE FROM backends_modelpreference;
UPDATE accounts_user SET default_model = '';
UPDATE backends_cataloguemodel SET alias = '', access = 'everyone', hidden = 0, hub_default = 0
"""

SIZES = {"wide": {"width": 1280, "height": 800}, "narrow": {"width": 360, "height": 740}}


@pytest.fixture(autouse=True)
def _tidy(live_hub: Hub) -> Iterator[None]:
    """Other tests share this hub."""
    yield
    live_hub.sql(_TIDY)


@pytest.fixture(params=SIZES)
def models(request: pytest.FixtureRequest, open_window: Callable[..., Window], live_hub: Hub) -> Page:
    """The page, wide and narrow."""
    return open_window(live_hub, "alice", viewport=SIZES[request.param]).open("/models/").page


def lines(page: Page) -> Locator:
    """The models of the list."""
    return page.locator("#catalogue .catalogue-model")


def star(page: Page, name: str) -> Locator:
    """The button that makes it a favourite."""
    return page.get_by_role("button", name=f"Favourite: {name}", exact=True)


def fits(page: Page) -> bool:
    """Whether nothing sticks out to the side."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def test_typing_narrows_the_list_and_the_address_remembers(models: Page) -> None:
    everything = lines(models).count()
    models.evaluate("window.hubTestMark = true")
    assert everything > 1
    assert fits(models)

    models.get_by_role("searchbox", name="Search models").press_sequentially("steady-50")

    expect(lines(models)).to_have_count(1)
    expect(models.get_by_role("status").filter(has_text="1 model")).to_be_visible()
    expect(models).to_have_url(re.compile(r"/models/\?q=steady-50"))
    expect(models.get_by_role("searchbox")).to_be_focused()
    assert models.evaluate("window.hubTestMark === true")
    models.reload()
    expect(lines(models)).to_have_count(1)
    models.get_by_role("link", name="Show all").click()
    expect(lines(models)).to_have_count(everything)


def test_a_favourite_is_made_by_keyboard_and_comes_first_in_the_picker(models: Page) -> None:
    star(models, "steady-50").focus()
    models.keyboard.press("Enter")

    expect(star(models, "steady-50")).to_have_attribute("aria-pressed", "true")
    expect(star(models, "steady-50")).to_be_focused()
    models.get_by_label("Which").select_option("favourites")
    expect(lines(models)).to_have_count(1)
    models.goto("/")
    first = models.locator("#composer-model optgroup").first
    expect(first).to_have_attribute("label", "Favourites")
    expect(first.locator("option")).to_have_attribute("value", "fake/steady-50")


def test_what_was_hidden_can_be_shown_again_at_once(models: Page) -> None:
    everything = lines(models).count()
    hide = models.get_by_role("button", name="Hide steady-50 from me")
    hide.focus()

    models.keyboard.press("Space")

    expect(hide).to_have_attribute("aria-pressed", "true")
    expect(hide).to_be_focused()
    expect(lines(models)).to_have_count(everything)
    models.reload()
    expect(lines(models)).to_have_count(everything - 1)
    models.get_by_role("link", name="1 hidden").click()
    hide.click()
    expect(hide).to_have_attribute("aria-pressed", "false")
    models.get_by_role("link", name="Show all").click()
    expect(lines(models)).to_have_count(everything)


def test_a_model_becomes_the_default_on_its_page(models: Page) -> None:
    models.get_by_role("link", name="steady-50", exact=True).click()
    expect(models.locator("h1")).to_have_text("steady-50")
    assert fits(models)

    models.get_by_role("button", name="My default").click()

    expect(models.get_by_role("button", name="My default")).to_have_attribute("aria-pressed", "true")
    models.goto("/")
    expect(models.locator("#composer-model")).to_have_value("fake/steady-50")


def test_it_is_reached_from_the_persons_menu_and_from_the_picker(window: Window) -> None:
    page = window.open("/").page
    page.locator(".person-button").click()
    page.locator("#person-menu").get_by_role("link", name="Models").click()
    expect(page.locator("h1")).to_have_text("Models")
    page.goto("/")
    page.locator("#composer").get_by_role("link", name="All models").click()
    expect(page.locator("h1")).to_have_text("Models")


def test_an_administrator_keeps_a_model_to_themselves(
    open_window: Callable[..., Window], live_hub: Hub, window: Window
) -> None:
    mine = open_window(live_hub, "ada").open("/models/").page
    mine.get_by_role("link", name="steady-50", exact=True).click()
    mine.get_by_label("Name on this hub").fill("The steady one")
    mine.get_by_label("Who may use it").select_option("admins")
    mine.get_by_role("button", name="Save", exact=True).click()
    expect(mine.locator("h1")).to_have_text("The steady one")

    theirs = window.open("/models/").page
    expect(theirs.get_by_role("link", name="steady-50", exact=True)).to_have_count(0)
    expect(theirs.get_by_role("link", name="The steady one")).to_have_count(0)
    theirs.goto("/")
    expect(theirs.locator("option[value='fake/steady-50']")).to_have_count(0)
    mine.goto("/")
    expect(mine.locator("option[value='fake/steady-50']")).to_have_text(re.compile("The steady one"))


def test_all_of_it_works_without_a_script(open_window: Callable[..., Window], live_hub: Hub) -> None:
    page = open_window(live_hub, "alice", java_script_enabled=False).open("/models/").page
    page.get_by_role("searchbox").fill("steady-50")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(lines(page)).to_have_count(1)

    star(page, "steady-50").click()

    expect(star(page, "steady-50")).to_have_attribute("aria-pressed", "true")
    expect(page).to_have_url(re.compile(r"/models/\?q=steady-50$"))
    page.get_by_label("Which").select_option("favourites")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(lines(page)).to_have_count(1)
