"""Tools in a browser: switched on, asked for on two devices, shown while they work, and listed."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.tab import Tab, Window
from tests.chat.mcp.serving import served
from tests.chat.mcp.small_server import small_server
from tests.fakes.thread import FakeServerThread
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


def switch_tools_on(tab: Tab) -> None:
    """Let models use tools, everywhere."""
    tab.page.goto("/settings/tools/")
    tab.page.get_by_label("Let models use tools").select_option("on")
    tab.page.get_by_role("button", name="Save").click()
    expect(tab.page.get_by_label("Let models use tools")).to_have_value("on")
    tab.page.goto("/")


def test_parallel_calls_and_a_second_round_stream_with_their_cards_on_every_wire(
    fresh_hub: Hub, fake: FakeServerThread, open_window: Callable[..., Window]
) -> None:
    fake.server.models.append("tools-last")
    fresh_hub.add_backend(fake.url, "Old", "ollama")
    tab = open_window(fresh_hub, "alice").open()
    switch_tools_on(tab)
    for model in ("old/tools", "old/tools-last", "fake/tools"):
        tab.page.goto("/")
        tab.page.get_by_label("Model", exact=True).select_option(model)
        tab.composer.fill(
            '!call calculate {"expression": "6*7"} !call get_current_datetime {"timezone": "Asia/Tokyo"} '
            '!then !call calculate {"expression": "42+1"} !then !echo It is 43.'
        )
        tab.page.get_by_role("button", name="Send").click()
        expect(tab.answers).to_have_count(1)
        tab.mark()
        tab.wait_until("completed")

        expect(tab.answer.locator('.activity[data-state="done"]')).to_have_count(3)
        expect(tab.body).to_contain_text("It is 43.")
        assert tab.is_same_page()
        fold = tab.answer.locator(".activity").last
        fold.locator("summary").click()
        expect(fold.get_by_text("43", exact=True)).to_be_visible()


def test_a_tool_of_an_mcp_server_asks_answers_and_is_stopped(
    fresh_hub: Hub, fake: FakeServerThread, open_window: Callable[..., Window]
) -> None:
    with served(small_server().streamable_http_app()) as origin:
        office = open_window(fresh_hub, "ada").open("/mcp/add/")
        office.page.get_by_label("Name", exact=True).fill("Small")
        office.page.get_by_label("Address").fill(f"{origin}/mcp")
        office.page.get_by_role("button", name="Save").click()
        expect(office.page.get_by_text("Answers with 6 tools")).to_be_visible()

        tab = open_window(fresh_hub, "alice").open()
        switch_tools_on(tab)
        tab.ask('!call small__add {"a": 2, "b": 3} !then !call small__wait {} !then !echo Five.', "tools")
        tab.mark()
        expect(tab.answer.locator(".ask")).to_contain_text("small__add")
        tab.answer.get_by_role("button", name="Allow once").click()
        expect(tab.answer.locator('.activity[data-state="done"]')).to_have_count(1)
        tab.answer.get_by_role("button", name="Allow once").click()
        expect(tab.answer.locator('.activity[data-state="running"]')).to_contain_text("wait")

        began = time.monotonic()
        tab.stop.click()
        tab.wait_until("stopped")
        assert time.monotonic() - began < 15  # the tool itself takes its whole time-out, thirty seconds
        expect(tab.answer.locator('.activity[data-state="running"]')).to_have_count(0)
        assert tab.is_same_page()
        told = [message for message in fake.chats[1].messages if message["role"] == "tool"]
        assert re.search(r"\b5\b", told[0]["content"])

        bob = open_window(fresh_hub, "bob").open("/settings/tool-calls/")
        expect(bob.page.locator(".activity")).to_have_count(0)
