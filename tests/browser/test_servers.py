"""An administrator finds servers and sets what a kind understands, with a script and on a telephone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.tab import Window
from tests.browser.test_reading import overflow
from tests.fakes.exchange import InThread
from tests.fakes.lmstudio import FakeLMStudio
from tests.live.hub import Hub

SMALL = {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True}
WIDE = {"viewport": {"width": 1280, "height": 800}}


@pytest.mark.parametrize("size", [WIDE, SMALL], ids=["wide", "telephone"])
def test_a_search_fills_in_while_one_looks(
    open_window: Callable[..., Window], live_hub: Hub, size: dict[str, object]
) -> None:
    page = open_window(live_hub, "ada", **size).open("/backends/").page
    page.get_by_role("link", name="Search the network…").click()
    assert overflow(page) <= 0
    with InThread(FakeLMStudio(host="127.0.0.5")) as studio:
        page.get_by_label("Where").fill("127.0.0.4/30")
        page.get_by_label("Ports").fill(f"9, {studio.port}")
        page.get_by_role("button", name="Search").click()

        expect(page.locator("#found-servers strong")).to_have_text("LM Studio on 127.0.0.5")
        expect(page.get_by_role("status").first).to_contain_text("Searched")
        expect(page.get_by_role("link", name="Search again")).to_be_visible()
    assert overflow(page) <= 0


def test_a_running_search_is_cancelled(open_window: Callable[..., Window], live_hub: Hub) -> None:
    page = open_window(live_hub, "ada").open("/discovery/").page
    page.get_by_label("Where").fill("127.0.4.0/22")
    page.get_by_label("Ports").fill(" ".join(map(str, range(1, 21))))
    page.get_by_role("button", name="Search").click()
    page.get_by_role("button", name="Cancel").click()

    expect(page.get_by_role("status").first).to_contain_text("Cancelled")
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0)


def test_another_kind_brings_its_options_and_no_key_into_an_address(
    open_window: Callable[..., Window], live_hub: Hub
) -> None:
    window = open_window(live_hub, "ada")
    page = window.open("/backends/add/").page
    page.get_by_label("Key", exact=True).fill("sk-typed")
    page.get_by_label("Kind").select_option("opencode")

    page.get_by_text("Advanced: what OpenCode understands").wait_for()
    page.get_by_label("Tools of the agent").select_option("ask")
    expect(page.get_by_label("Keep the model in memory")).to_have_count(0)
    assert page.get_by_label("Key", exact=True).input_value() == "sk-typed"
    assert any("/backends/add/options/?kind=opencode" in url for url in window.requests)
    assert not [url for url in window.requests if "sk-typed" in url]
