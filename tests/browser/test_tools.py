"""Tools in a browser: switched on, asked for on two devices, shown while they work, and listed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.tab import Window
from tests.live.hub import Hub

pytestmark = pytest.mark.xdist_group("browser-tools")

TWO_ROUNDS = (
    '!call get_current_datetime {"timezone": "UTC"} !call get_current_datetime {"timezone": "<b>Nowhere</b>"} '
    '!then !call get_current_datetime {"timezone": "Asia/Tokyo"} !then !echo It is late.'
)


def test_tools_are_asked_for_on_every_device_and_shown(
    fresh_hub: Hub, open_window: Callable[..., Window]
) -> None:
    desk = open_window(fresh_hub, "alice").open("/settings/tools/")
    desk.page.get_by_label("Let models use tools").select_option("on")
    tool = desk.page.locator("#tool-get_current_datetime")
    tool.get_by_label("When it is called").select_option("Ask first")
    desk.page.get_by_role("button", name="Save").click()
    expect(desk.page.get_by_label("Let models use tools")).to_have_value("on")
    assert desk.page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    desk.page.goto("/")
    desk.page.get_by_label("Model", exact=True).select_option("fake/tools")
    desk.composer.fill(TWO_ROUNDS)
    desk.page.get_by_role("button", name="Send").click()
    expect(desk.answers).to_have_count(1)
    desk.mark()
    phone = open_window(fresh_hub, "alice", viewport={"width": 360, "height": 740}).open(desk.path)
    for tab in (desk, phone):
        expect(tab.answer.locator(".ask")).to_have_count(2)
        expect(tab.answer.locator(".activity")).to_have_count(2)
    expect(phone.answer.locator(".ask pre").first).to_be_visible()
    assert phone.page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    phone.answer.get_by_role("button", name="Allow in this conversation").first.click()
    expect(desk.answer.locator(".ask")).to_have_count(1)
    desk.answer.get_by_role("button", name="Allow once").click()

    for tab in (desk, phone):
        tab.wait_until("completed")
        expect(tab.answer.locator(".message-body")).to_contain_text("It is late.")
        expect(tab.answer.locator('.activity[data-state="done"]')).to_have_count(2)
        expect(tab.answer.locator('.activity[data-state="error"]')).to_have_count(1)
        expect(tab.answer.locator(".activity-error")).to_contain_text("<b>Nowhere</b>")
    assert desk.is_same_page()

    desk.page.goto("/settings/tool-calls/")
    expect(desk.page.locator(".activity")).to_have_count(3)
    expect(desk.page.get_by_text("allowed once")).to_have_count(1)
    expect(desk.page.get_by_text("allowed by a rule")).to_have_count(1)
