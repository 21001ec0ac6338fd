"""The receipt of an answer, its request sent again, two answers compared, a conversation for paper."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.tab import Tab, Window
from tests.browser.test_models_page import SIZES, fits
from tests.live.hub import Hub

pytestmark = pytest.mark.xdist_group("browser-1")


def picture(page: Page, name: str) -> None:
    """For whoever wants to look."""
    if folder := os.environ.get("PICTURES"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def receipt_of(tab: Tab) -> None:
    """From the thread to the receipt of the newest answer, as a person goes there."""
    tab.answer.locator("details.details > summary").click()
    tab.answer.get_by_role("link", name="Receipt").click()
    expect(tab.page.get_by_role("heading", level=1)).to_have_text("What fast was asked")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_a_request_is_read_sent_again_and_its_answers_compared(
    size: str, scheme: str, open_window: Callable[..., Window], live_hub: Hub
) -> None:
    window = open_window(live_hub, "alice", viewport=SIZES[size], color_scheme=scheme)
    tab = window.open("/")
    tab.ask(
        "!echo The **capital** of France is Paris, of course.\n\nA second paragraph with a_very_long_word_"
        + "x" * 80
    )
    tab.wait_until("completed")
    thread = tab.path

    receipt_of(tab)
    page = tab.page
    expect(page.get_by_text("This is exactly what was sent")).to_be_visible()
    page.locator("details.piece > summary").last.click()
    expect(page.locator("details.piece pre").last).to_contain_text("The **capital** of France")
    assert fits(page)
    picture(page, f"receipt-{size}-{scheme}")
    with page.expect_download() as download:
        page.get_by_role("link", name="Request as JSON").click()
    assert '"model":"fast"' in Path(download.value.path()).read_text()

    page.get_by_role("button", name="Run again").click()
    expect(page).to_have_url(f"{window.origin}{thread}")
    tab.wait_until("completed")
    change = "\n".join(
        (
            "from chat.models import Message",
            "row = Message.objects.filter(role='assistant').latest('pk')",
            "row.text = row.text.replace('France is Paris', 'Italy is Rome') + '\\n\\nOne more thing.'",
            "row.save()",
        )
    )
    live_hub.shell(change)
    receipt_of(tab)
    expect(page.get_by_text("It is the same request to the letter.")).to_be_visible()
    page.get_by_role("link", name="Compare with the other answers").click()
    expect(page.locator(".diff del")).to_contain_text("France is Paris")
    expect(page.locator(".diff ins").first).to_contain_text("Italy is Rome")
    expect(page.get_by_text("Both were asked exactly the same.")).to_be_visible()
    assert fits(page)
    picture(page, f"compared-{size}-{scheme}")

    page.goto(thread)
    receipt_of(tab)
    page.get_by_role("button", name="Run on this model").click()
    tab.wait_until("completed")
    tab.answer.get_by_role("link", name="More").click()
    page.get_by_role("link", name="Compare the answers").click()
    page.get_by_label("First").select_option(index=0)
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_text("Both answers say the same, to the letter.")).to_be_visible()
    assert fits(page)
    picture(page, f"three-{size}-{scheme}")


def test_without_script_everything_is_there(open_window: Callable[..., Window], live_hub: Hub) -> None:
    window = open_window(live_hub, "alice")
    tab = window.open("/")
    tab.ask("!echo Hello")
    tab.wait_until("completed")
    plain = open_window(live_hub, "alice", java_script_enabled=False).open(tab.path).page

    plain.get_by_text("Details", exact=True).last.click()
    plain.get_by_role("link", name="Show the details").click()
    plain.get_by_role("link", name="Receipt").click()
    plain.get_by_role("button", name="Run on this model").click()
    expect(plain.locator("article[data-role=assistant]")).to_have_count(1)
    tab.wait_until("completed")


@pytest.mark.parametrize("size", SIZES)
def test_a_conversation_for_paper(size: str, open_window: Callable[..., Window], live_hub: Hub) -> None:
    window = open_window(live_hub, "alice", viewport=SIZES[size], color_scheme="dark")
    tab = window.open("/")
    tab.ask("!markdown")
    tab.wait_until("completed")

    tab.page.goto(f"{tab.path}print/")

    expect(tab.page.locator("article")).to_have_count(2)
    assert fits(tab.page)
    picture(tab.page, f"paper-{size}")
    tab.page.emulate_media(media="print")
    expect(tab.page.get_by_role("button", name="Print")).to_be_hidden()
    background = tab.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == "rgb(255, 255, 255)"
    cut = "[...document.querySelectorAll('pre')].filter((pre) => pre.scrollWidth > pre.clientWidth).length"
    assert tab.page.evaluate(cut) == 0  # paper does not scroll
    picture(tab.page, f"paper-{size}-printed")
