"""A thread to read: its place on the screen, its code, its pictures, and a narrow telephone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.tab import Tab, Window
from tests.live.hub import Hub

pytestmark = pytest.mark.xdist_group("browser-2")

LONG_WORD = "Donaudampfschifffahrtsgesellschaftskapitän" * 6
WIDE_TABLE = "\n".join(
    [
        "|" + "|".join(f"a long heading {n}" for n in range(12)) + "|",
        "|" + "---|" * 12,
        "|" + "|".join(LONG_WORD[:40] for _ in range(12)) + "|",
    ]
)
LONG_CODE = "```python\n" + "x = " + " + ".join(f"value_{n}" for n in range(60)) + "\n```"
LONG_FORMULA = "$$" + " + ".join(f"x_{{{n}}}^{{{n}}}" for n in range(60)) + "$$"


def overflow(page: Page) -> int:
    """How many pixels the page is wider than its window."""
    return int(
        page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    ) + int(
        page.evaluate(
            "(() => { const s = document.getElementById('scroller'); return s ? s.scrollWidth - s.clientWidth : 0 })()"
        )
    )


def scroll_to(page: Page, top: int) -> None:
    """Scroll the thread: 0 is its end, negative values lie above."""
    page.evaluate("top => { document.getElementById('scroller').scrollTop = top }", top)


def shown_at(line: Locator) -> float:
    """Where it is drawn. Asked in between, its place is not yet what the browser holds still when it draws."""
    where = """line => new Promise((tell) => {
      new IntersectionObserver(([seen], watch) => (watch.disconnect(), tell(seen.boundingClientRect.y))).observe(line);
    })"""
    return float(line.evaluate(where))


def test_the_page_follows_an_answer_until_the_reader_scrolls_up(tab: Tab) -> None:
    tab.ask("!stamped 4000 rate 200 as paragraphs")
    expect(tab.body).to_contain_text("t400@")
    newest = tab.page.get_by_role("button", name="Jump to newest")
    expect(newest).to_be_hidden()
    expect(tab.answer.locator("p").last).to_be_in_viewport()

    scroll_to(tab.page, -300)
    expect(newest).to_be_visible()
    line = tab.answer.locator("p").nth(2)
    line.evaluate("line => line.scrollIntoView({ block: 'center' })")
    before = shown_at(line)
    expect(tab.body).to_contain_text("t900@")
    assert abs(shown_at(line) - before) <= 2, "the reader's line moved"

    newest.click()
    expect(newest).to_be_hidden()
    expect(tab.composer).to_be_focused()
    expect(tab.answer.locator("p").last).to_be_in_viewport()
    tab.stop.click()
    tab.wait_until("stopped")


def test_code_is_copied_as_it_was_written(window: Window, tab: Tab) -> None:
    window.context.grant_permissions(["clipboard-read", "clipboard-write"])
    tab.ask("!code 3")
    tab.wait_until("completed")
    figure = tab.answer.locator("figure.code")
    expect(figure.locator("figcaption")).to_contain_text("python", ignore_case=True)

    figure.get_by_role("button", name="Copy").click()

    expect(tab.page.locator("#announcer")).to_have_text("Copied.")
    copied = tab.page.evaluate("navigator.clipboard.readText()")
    lines = [f'value_{n} = compute({n}, "step {n}")  # line {n}' for n in (1, 2, 3)]
    assert copied == "\n".join(lines)


def test_a_message_is_copied_as_the_model_wrote_it(window: Window, tab: Tab) -> None:
    window.context.grant_permissions(["clipboard-read", "clipboard-write"])
    tab.ask("!echo **bold** and `code`")
    tab.wait_until("completed")

    tab.answer.get_by_role("button", name="Copy").click()

    expect(tab.page.locator("#announcer")).to_have_text("Copied.")
    assert tab.page.evaluate("navigator.clipboard.readText()").strip() == "**bold** and `code`"


def test_a_remote_picture_is_not_fetched(window: Window, tab: Tab) -> None:
    tab.ask("!echo ![a cat](http://127.0.0.2:9/cat.png) and ![](https://example.org/pixel.gif)")
    tab.wait_until("completed")
    tab.page.reload()

    links = tab.answer.locator("a.remote-image")
    expect(links).to_have_count(2)
    expect(links.first).to_contain_text("a cat")
    expect(tab.page.locator(".message-body img")).to_have_count(0)
    assert not [url for url in window.requests if not url.startswith((window.origin, "data:"))]


def test_nothing_is_wider_than_a_telephone(phone: Window) -> None:
    tab = phone.open("/")
    for text in (LONG_WORD, WIDE_TABLE, LONG_CODE, LONG_FORMULA):
        tab.ask(f"!echo {text}")
        tab.wait_until("completed")
        assert overflow(tab.page) <= 0, text[:40]
    table, code = (
        tab.page.locator(".table-scroll"),
        tab.page.get_by_role("figure", name="Python").locator("pre"),
    )
    for wide in (table, code):
        assert wide.evaluate("element => element.scrollWidth > element.clientWidth")
    tab.page.reload()
    assert overflow(tab.page) <= 0


def test_every_page_fits_on_a_telephone(
    open_window: Callable[..., Window], live_hub: Hub, phone: Window
) -> None:
    small = {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True}
    ada = open_window(live_hub, "ada", **small)
    for path in (
        "/", "/settings/", "/backends/", "/backends/add/", "/backends/fake/", "/backends/?find=1", "/people/",
        "/accounts/password/change/", "/accounts/sessions/", "/accounts/logout/",
    ):  # fmt: skip
        page = ada.open(path)
        assert overflow(page.page) <= 0, path
        page.page.close()
    nobody = open_window(live_hub, **small)
    assert overflow(nobody.open("/accounts/login/").page) <= 0
    tab = phone.open("/")
    tab.ask("!echo options")
    tab.wait_until("completed")
    tab.page.goto(f"{tab.path}settings/")
    assert overflow(tab.page) <= 0


def test_on_a_telephone_the_conversations_are_a_drawer(phone: Window) -> None:
    tab = phone.open("/")
    tab.ask("!echo in the drawer")
    tab.wait_until("completed")
    sidebar = tab.page.locator("#sidebar")
    expect(sidebar).to_be_hidden()

    tab.page.get_by_role("button", name="Conversations").tap()
    expect(sidebar).to_be_visible()
    tab.page.get_by_role("button", name="Close the list").tap()
    expect(sidebar).to_be_hidden()
    tab.page.get_by_role("button", name="Conversations").tap()
    sidebar.get_by_role("link", name="New chat").tap()
    expect(sidebar).to_be_hidden()
    expect(tab.messages).to_have_count(0)

    tab.page.get_by_role("button", name="Conversations").tap()
    sidebar.get_by_role("link", name="in the drawer").first.tap()
    expect(sidebar).to_be_hidden()
    expect(tab.body).to_have_text("in the drawer")


def test_on_a_telephone_enter_breaks_the_line(phone: Window) -> None:
    tab = phone.open("/")
    tab.composer.fill("one")
    tab.composer.press("Enter")

    expect(tab.composer).to_have_value("one\n")
    expect(tab.messages).to_have_count(0)


def test_the_theme_is_switched_at_once_and_kept(tab: Tab) -> None:
    page = tab.page
    page.emulate_media(color_scheme="light")

    def lightness() -> int:
        return int(page.evaluate("Number(getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0])"))

    assert lightness() > 200
    tab.mark()
    page.locator(".person-button").click()
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert lightness() < 60
    assert tab.is_same_page()
    expect(page.get_by_role("button", name="Dark")).to_have_attribute("aria-pressed", "true")

    page.goto("/settings/")
    assert lightness() < 60
    with page.expect_response("**/settings/theme/"):
        page.get_by_role("button", name="System").click()
    assert lightness() > 200
    page.emulate_media(color_scheme="dark")
    page.reload()
    assert lightness() < 60
