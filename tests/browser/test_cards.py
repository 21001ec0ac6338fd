"""Tools, requests and details as a person sees them: on every device, after a reload, without script."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.tab import Tab, Window
from tests.live.fixtures import assert_calm
from tests.live.hub import Hub

pytestmark = pytest.mark.xdist_group("browser-cards")


@pytest.fixture(scope="module")
def hub(make_module_hub: Callable[..., Hub]) -> Iterator[Hub]:
    """A hub whose only model uses tools and asks."""
    hub = make_module_hub(DJANGO_SETTINGS_MODULE="tests.live.scripted_settings")
    hub.add_backend("scripted:cards", "Cards", "scripted")
    yield hub.start()
    assert_calm(hub.output)


def asked(tab: Tab, word: str) -> Tab:
    """The tab once its question was sent."""
    tab.composer.fill(word)
    tab.page.get_by_role("button", name="Send").click()
    expect(tab.answers).to_have_count(1)
    return tab


def card(tab: Tab, name: str) -> Locator:
    """The card of that tool."""
    return tab.answer.locator(".activity", has_text=name)


def test_tools_show_while_they_work_and_what_came_of_them(
    hub: Hub, open_window: Callable[..., Window]
) -> None:
    window = open_window(hub, "alice")
    window.expect_trouble("favicon.ico")  # a page of plain text names none
    tab = asked(window.open("/"), "tools")
    tab.mark()
    reading = card(tab, "read_file")
    expect(reading).to_have_attribute("data-state", "running")
    expect(reading.locator("[data-seconds]")).to_have_text(re.compile("[1-9]"))
    reading.locator("summary").click()
    expect(reading.locator("pre")).to_contain_text("/etc/hosts")
    other = open_window(hub, "alice", viewport={"width": 360, "height": 740}).open(tab.path)

    for page in (tab, other):
        expect(card(page, "read_file")).to_have_attribute("data-state", "done")
        expect(card(page, "web_fetch")).to_have_attribute("data-state", "error")
        page.wait_until("completed")

    assert tab.is_same_page()
    expect(reading.locator("pre").last).to_be_visible()  # what was unfolded stays so
    expect(reading.locator("pre").last).to_contain_text("<script>")
    expect(other.answer.get_by_text("The name nowhere.invalid is unknown.")).to_be_visible()
    expect(card(other, "read_file").locator("pre").first).to_be_hidden()
    assert other.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    tab.page.reload()
    expect(card(tab, "read_file")).to_have_attribute("data-state", "done")
    card(tab, "read_file").locator("summary").click()
    with tab.page.expect_popup() as whole:
        card(tab, "read_file").get_by_role("link", name="Show all of it").click()
    assert whole.value.locator("body").inner_text().count("<script>") == 200
    assert "broken" not in tab.page.title()


def test_a_request_is_on_every_device_and_goes_when_it_is_answered(
    hub: Hub, open_window: Callable[..., Window]
) -> None:
    tab = asked(open_window(hub, "alice").open("/"), "permission")
    phone = open_window(
        hub, "alice", viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True
    ).open(tab.path)
    allow = phone.page.get_by_role("button", name="Allow once")
    for page in (tab, phone):
        expect(page.answer.locator(".ask")).to_contain_text("rm -rf /tmp/old")
    assert phone.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    tab.mark()

    allow.tap()

    for page in (tab, phone):
        expect(page.page.locator(".ask")).to_have_count(0)
        expect(page.body).to_contain_text("You said: once")
        page.wait_until("completed")
    assert tab.is_same_page()


@pytest.mark.parametrize(("button", "said"), [("Always allow", "always"), ("Deny", "deny")])
def test_the_other_words(hub: Hub, open_window: Callable[..., Window], button: str, said: str) -> None:
    tab = asked(open_window(hub, "alice").open("/"), "permission")

    tab.page.get_by_role("button", name=button).click()

    expect(tab.body).to_contain_text(f"You said: {said}")


def test_what_is_typed_survives_a_second_device_and_is_sent_with_enter(
    hub: Hub, open_window: Callable[..., Window]
) -> None:
    tab = asked(open_window(hub, "alice").open("/"), "question")
    words = tab.page.get_by_label("Or in your own words")
    words.fill("Green, please")

    other = open_window(hub, "alice").open(tab.path)
    expect(other.page.get_by_label("Or in your own words")).to_be_visible()
    other.wait_for_socket()

    expect(words).to_have_value("Green, please")
    words.press("Enter")
    for page in (tab, other):
        expect(page.body).to_contain_text("Green, please")
        expect(page.page.locator(".ask")).to_have_count(0)


def test_an_option_is_chosen_by_keyboard(hub: Hub, open_window: Callable[..., Window]) -> None:
    tab = asked(open_window(hub, "alice").open("/"), "question")
    tab.page.get_by_label("Red").focus()

    tab.page.keyboard.press("ArrowDown")
    tab.page.keyboard.press("Enter")

    expect(tab.body).to_contain_text("Blue")


def test_stop_takes_the_request_away(hub: Hub, open_window: Callable[..., Window]) -> None:
    tab = asked(open_window(hub, "alice").open("/"), "permission")
    expect(tab.page.locator(".ask")).to_be_visible()

    tab.stop.click()

    tab.wait_until("stopped")
    expect(tab.page.locator(".ask")).to_have_count(0)


def test_requests_are_answered_without_script(hub: Hub, open_window: Callable[..., Window]) -> None:
    tab = asked(open_window(hub, "alice", java_script_enabled=False).open("/"), "permission")
    expect(tab.page.locator(".ask")).to_be_visible()

    tab.page.get_by_role("button", name="Allow once").click()

    expect(tab.body).to_contain_text("You said: once")
    tab.wait_until("completed")
    tab.answer.locator(".details summary").click()
    tab.answer.get_by_role("link", name="Show the details").click()
    expect(tab.page.locator("[data-detail=endpoint] dd")).to_have_text("attic")


def test_details_are_loaded_when_they_are_unfolded(hub: Hub, open_window: Callable[..., Window]) -> None:
    window = open_window(hub, "alice")
    tab = asked(window.open("/"), "tools")
    tab.wait_until("completed")
    assert not [url for url in window.requests if "/details/" in url]

    tab.answer.locator(".details summary").click()

    expect(tab.answer.locator("[data-detail=endpoint] dd")).to_have_text("attic")
    expect(tab.answer.locator("[data-detail=answered] dd")).to_have_text("cards-large")
    expect(tab.answer.locator("[data-detail=input] dd")).to_have_text("1,234")
    assert len([url for url in window.requests if "/details/" in url]) == 1
