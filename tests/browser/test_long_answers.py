"""A long answer at full speed leaves the page usable."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.tab import Tab

pytestmark = pytest.mark.xdist_group("browser-1")

#: Counts frames, how often the page looked at all of itself, and the time in scripts between two frames.
_COUNT = """
window.frames_seen = 0;
window.looks = 0;
window.slowest = 0;
document.addEventListener("htmx:after:swap", () => { window.frames_seen += 1; });
document.addEventListener("hub:changed", () => { window.looks += 1; });
new PerformanceObserver((list) => {
  for (const task of list.getEntries()) window.slowest = Math.max(window.slowest, task.duration);
}).observe({ type: "longtask" });
"""


def test_the_page_stays_responsive_at_ten_thousand_tokens(tab: Tab) -> None:
    tab.ask("!echo before")
    tab.wait_until("completed")
    tab.page.evaluate(_COUNT)
    tab.ask("!stamped 10000 rate 1500 as paragraphs")
    expect(tab.body).to_contain_text("t9000@")
    tab.composer.press_sequentially("typed at the end")
    expect(tab.composer).to_have_value("typed at the end")
    tab.wait_until("completed")

    expect(tab.body).to_contain_text("t9999@")
    frames, looks, slowest = tab.page.evaluate("[window.frames_seen, window.looks, window.slowest]")
    assert frames > 50
    assert looks < 10, f"{looks} of {frames} frames made the page look at all of itself"
    assert slowest < 500, f"the page was busy for {slowest} ms"


def test_three_thousand_lines_of_code(tab: Tab) -> None:
    tab.ask("!code 3000")
    tab.wait_until("completed")

    expect(tab.body).to_contain_text("value_3000")
    expect(tab.body.locator("figure.code")).to_have_count(1)
    expect(tab.body.locator("figcaption")).to_be_in_viewport()
    tab.composer.press_sequentially("still here")
    expect(tab.composer).to_have_value("still here")
