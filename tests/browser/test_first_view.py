"""What the first view of the page costs, and that every page loads without a complaint."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.tab import Tab, Window
from tests.live.hub import PASSWORD, Hub
from tests.live.process import wait_for

pytestmark = pytest.mark.xdist_group("browser-2")


def test_the_first_view_is_light(window: Window) -> None:
    page = window.context.new_page()
    network = window.context.new_cdp_session(page)
    network.send("Network.enable")
    received: list[float] = []
    network.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))

    page.goto("/", wait_until="networkidle")

    asked = [url for url in window.requests if not url.startswith("data:")]
    assert 5 < len(asked) <= 12, asked
    assert sum(received) < 100_000
    assert all(url.startswith(f"{window.origin}/") for url in asked)


def test_a_second_view_asks_for_the_page_alone(window: Window) -> None:
    window.open("/").page.wait_for_load_state("networkidle")
    tab = window.open("/")
    tab.page.wait_for_load_state("networkidle")

    sizes = tab.page.evaluate(
        "performance.getEntriesByType('resource').filter(e => e.transferSize > 0).map(e => e.name)"
    )

    assert sizes == []


def test_no_page_makes_the_browser_complain(open_window: Callable[..., Window], live_hub: Hub) -> None:
    ada = open_window(live_hub, "ada", color_scheme="dark")
    ada.expect_trouble("favicon.ico")  # Django's admin pages name no icon
    for path in (
        "/", "/settings/", "/backends/", "/backends/add/", "/backends/fake/", "/backends/fake/delete/", "/people/",
        "/accounts/password/change/", "/accounts/sessions/", "/accounts/logout/", "/admin/",
    ):  # fmt: skip
        tab = ada.open(path)
        expect(tab.page.locator("h1").first).to_be_attached()
        tab.page.close()
    expect(open_window(live_hub).open("/accounts/login/").page.get_by_role("heading")).to_have_text("Sign in")


def test_an_answer_with_everything_makes_no_complaint(tab: Tab) -> None:
    tab.ask("!markdown")
    tab.wait_until("completed")
    for part in ("h3", "table", "figure.code", "math", "blockquote", "input[type=checkbox]", "a[rel]"):
        expect(tab.body.locator(part).first).to_be_attached()
    expect(tab.body.locator("script")).to_have_count(0)
    expect(tab.body).to_contain_text("<b>Raw HTML</b>")

    tab.page.reload()

    expect(tab.body.locator("table")).to_have_count(1)


def test_from_the_link_in_the_terminal_to_the_first_chat(
    make_hub: Callable[..., Hub], open_window: Callable[..., Window]
) -> None:
    hub = make_hub(like="new").start()
    link = wait_for(lambda: re.search(r"/setup/[\w-]+/", hub.output), "the set-up link")
    page = open_window(hub).open(link[0]).page
    expect(page.get_by_role("heading")).to_have_text("Welcome to your hub")

    page.get_by_label("User name").fill("owner")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password again").fill(PASSWORD)
    page.get_by_role("button", name="Create the account").click()

    expect(page).to_have_url(re.compile(r"/setup/servers/$"))
    page.get_by_role("link", name="Start chatting").click()
    expect(page.get_by_role("heading", name="There is no model to talk to yet")).to_be_visible()
    page.get_by_role("link", name="Add an AI server").click()
    expect(page.get_by_role("heading", name="Backends")).to_be_visible()


def test_a_wrong_password_is_named_and_the_name_kept(
    open_window: Callable[..., Window], live_hub: Hub
) -> None:
    page = open_window(live_hub).open("/").page
    page.get_by_label("Username").fill("bob")
    page.get_by_label("Password").fill("not his")
    page.get_by_role("button", name="Sign in").click()

    expect(page.locator(".errorlist")).to_contain_text("not correct")
    expect(page.get_by_label("Username")).to_have_value("bob")
