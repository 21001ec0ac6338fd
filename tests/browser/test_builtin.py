"""The real built-in model answers in the browser."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.tab import Window
from tests.fakes.builtin import give_builtin
from tests.live.hub import Hub

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("browser-1")]


def test_the_capital_of_france(make_hub: Callable[..., Hub], open_window: Callable[..., Window]) -> None:
    hub = make_hub(HUB_BUILTIN="on")
    give_builtin(hub.data_dir)
    hub.start()
    tab = open_window(hub, "alice").open("/")
    expect(tab.page.locator("select[name=model] optgroup")).to_have_attribute("label", "Built-in")

    tab.composer.fill("What is the capital of France?")
    tab.composer.press("Enter")

    tab.wait_until("completed")
    expect(tab.body).to_contain_text("Paris")
    for fact in ("model", "ttft", "speed", "tokens", "finish"):
        expect(tab.answer.locator(f"[data-fact={fact}]")).to_be_visible()
