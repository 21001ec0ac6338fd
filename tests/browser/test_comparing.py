"""Models side by side in a browser: streaming in columns, a blind vote, one that is kept."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.tab import Window
from tests.fakes.thread import FakeServerThread
from tests.live.hub import Hub

pytestmark = pytest.mark.xdist_group("browser-2")


_ADD = """
from django.core.management import call_command
for name in ("Fake", "Second", "Third", "Fourth"):
    call_command("add_backend", name, kind="openai", url="{url}/v1")
"""


@pytest.fixture(scope="module")
def four_servers(make_module_hub: Callable[..., Hub], running_fake: FakeServerThread) -> Hub:
    """A hub with four servers; each says how many slots it has."""
    hub = make_module_hub()
    hub.shell(_ADD.format(url=running_fake.url))
    return hub.start()


@pytest.fixture
def comparing(four_servers: Hub) -> Hub:
    """The same, with no conversation yet."""
    four_servers.sql("UPDATE chat_conversation SET deleted_at = created_at")
    return four_servers


def begin(page: Page, text: str, *models: str, blind: bool = False) -> None:
    """Fill in the form and send it."""
    page.get_by_label("Question").fill(text)
    for number, model in enumerate(models):
        page.locator(f"select[name=model-{number}]").select_option(model if "/" in model else f"fake/{model}")
    if blind:
        page.get_by_label("Blind", exact=True).check()
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page.locator(".column")).to_have_count(len(models))


def answer(page: Page, column: int) -> Locator:
    """The newest answer of a column."""
    return page.locator(f"#messages-{column} > article[data-role=assistant]").last


def all_completed(page: Page, count: int) -> None:
    for column in range(count):
        expect(answer(page, column)).to_have_attribute("data-status", "completed")


def test_four_columns_stream_at_once_over_one_socket(
    open_window: Callable[..., Window], comparing: Hub
) -> None:
    window = open_window(comparing, "alice")
    tab = window.open("/")
    tab.page.get_by_role("link", name="Compare models").click()
    begin(tab.page, "!stamped 3000 rate 50", "fast", "second/fast", "third/fast", "fourth/fast")
    tab.wait_for_socket()
    tab.mark()

    for column in range(4):
        expect(answer(tab.page, column)).to_have_attribute("data-status", "running")
        expect(answer(tab.page, column).locator(".message-body")).not_to_be_empty()
    for column in range(4):
        expect(answer(tab.page, column)).to_contain_text("t40@")

    tab.page.get_by_role("button", name="Stop all").click()
    for column in range(4):
        expect(answer(tab.page, column)).to_have_attribute("data-status", "stopped")
    assert tab.is_same_page()


def test_a_blind_vote_then_a_question_to_all_then_one_is_kept(
    open_window: Callable[..., Window], comparing: Hub
) -> None:
    window = open_window(comparing, "alice")
    tab = window.open("/compare/")
    page = tab.page
    begin(page, "!echo a tide", "fast", "slow-5", blind=True)
    all_completed(page, 2)
    tab.wait_for_socket()
    names = page.locator(".column-head h2")
    expect(names).to_have_text(["Model A", "Model B"])
    expect(page.locator(".facts [data-fact=model]")).to_have_text(["Model Model A", "Model Model B"])

    page.get_by_role("button", name="Model B", exact=True).click()
    expect(page.get_by_text("You have voted")).to_be_visible()
    assert set(names.all_inner_texts()) == {"fast", "slow-5"}

    tab.mark()
    tab.composer.fill("!echo an ebb")
    tab.composer.press("Enter")
    for column in range(2):
        expect(page.locator(f"#messages-{column} > article")).to_have_count(4)
        expect(answer(page, column).locator(".message-body")).to_have_text("an ebb")
    all_completed(page, 2)
    expect(page.locator("#conversations li")).to_have_count(1)
    assert tab.is_same_page()

    tab.composer.fill("!echo only here")
    page.locator("#composer-to").select_option("1")
    tab.composer.press("Enter")
    expect(answer(page, 1).locator(".message-body")).to_have_text("only here")
    expect(page.locator("#messages-0 > article")).to_have_count(4)
    all_completed(page, 2)

    page.locator("#column-1").get_by_role("button", name=re.compile("Menu of")).click()
    page.get_by_role("link", name="Keep only this one…").click()
    page.get_by_role("button", name="Keep this one").click()
    expect(page).to_have_url(re.compile("/chat/"))
    expect(tab.messages).to_have_count(6)
    expect(page.locator("#conversations li")).to_have_count(1)


def test_a_comparison_is_opened_from_the_list_and_deleted(
    open_window: Callable[..., Window], comparing: Hub
) -> None:
    window = open_window(comparing, "alice")
    tab = window.open("/compare/")
    begin(tab.page, "!echo a tide", "fast", "fast")
    all_completed(tab.page, 2)
    url = tab.path
    tab.page.locator("#new-chat").click()
    expect(tab.page.locator(".column")).to_have_count(0)
    tab.mark()

    tab.page.locator("#conversations a").first.click()

    expect(tab.page.locator(".column")).to_have_count(2)
    expect(tab.page).to_have_url(re.compile(url))
    expect(tab.page.locator("#conversations a[aria-current]")).to_have_count(1)
    assert tab.is_same_page()
    tab.page.get_by_role("button", name="Menu of this comparison").click()
    tab.page.get_by_role("link", name="Delete…").click()
    tab.page.get_by_role("button", name="Delete for good").click()
    expect(tab.page.locator("#conversations li")).to_have_count(0)


def test_on_a_telephone_the_columns_stand_below_each_other(
    open_window: Callable[..., Window], comparing: Hub
) -> None:
    phone = open_window(
        comparing, "alice", viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True
    )
    page = phone.open("/compare/").page
    begin(page, "!stamped 60 rate 200", "fast", "fast", "fast")
    all_completed(page, 3)

    boxes = [page.locator(f"#column-{column}").bounding_box() for column in range(3)]
    assert all(box and box["width"] > 350 for box in boxes)
    for column in range(2):
        article, following = (
            answer(page, column).bounding_box(),
            page.locator(f"#column-{column + 1}").bounding_box(),
        )
        assert article
        assert following
        assert article["y"] + article["height"] <= following["y"]
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.locator("#column-2 .message-body").last.scroll_into_view_if_needed()
    expect(page.locator("#column-2 .message-body").last).to_be_in_viewport()


def test_without_a_script(open_window: Callable[..., Window], comparing: Hub) -> None:
    window = open_window(comparing, "alice", java_script_enabled=False)
    page = window.open("/compare/").page
    begin(page, "!echo a tide", "fast", "fast")
    for column in range(2):
        expect(answer(page, column).locator(".message-body")).to_have_text("a tide")

    page.locator("#composer-text").fill("!echo an ebb")
    page.get_by_role("button", name="Send", exact=True).click()
    for column in range(2):
        expect(answer(page, column).locator(".message-body")).to_have_text("an ebb")


def test_versions_retry_and_delete_work_in_one_column(
    open_window: Callable[..., Window], comparing: Hub
) -> None:
    window = open_window(comparing, "alice")
    tab = window.open("/compare/")
    page = tab.page
    begin(page, "!echo a tide", "fast", "second/fast")
    all_completed(page, 2)
    tab.wait_for_socket()
    tab.mark()
    first, other = page.locator("#column-0"), page.locator("#column-1")
    untouched = other.locator("article[data-role=assistant]").inner_text()
    shown = first.locator("article[data-role=assistant]")

    answer(page, 0).hover()
    answer(page, 0).get_by_role("button", name="Answer again").click()
    arrows = first.get_by_role("group", name="Versions of this message")
    expect(arrows).to_contain_text("2/2")
    expect(shown).to_have_attribute("data-status", "completed")
    newest = shown.get_attribute("id")
    arrows.get_by_role("button", name="Previous version").click()
    expect(arrows).to_contain_text("1/2")
    expect(shown).not_to_have_attribute("id", newest or "")
    expect(arrows.get_by_role("button", name="Next version")).to_be_focused()
    arrows.get_by_role("button", name="Next version").click()
    expect(shown).to_have_attribute("id", newest or "")

    expect(first.get_by_role("link", name="Edit", exact=True)).to_have_count(0)
    shown.hover()
    shown.get_by_role("link", name="More", exact=True).click()
    menu = page.locator("#message-menu")
    expect(menu.get_by_role("link", name=re.compile("^Edit"))).to_have_count(0)
    menu.get_by_role("button", name="Delete this answer").click()
    expect(arrows).to_have_count(0)
    expect(shown).not_to_have_attribute("id", newest or "")
    first.get_by_role("button", name="Undo").click()
    expect(arrows).to_contain_text("2/2")
    expect(other.locator("article[data-role=assistant]")).to_have_text(untouched, use_inner_text=True)
    assert tab.is_same_page()


def test_a_hit_in_a_column_opens_the_comparison_at_it(
    open_window: Callable[..., Window], comparing: Hub
) -> None:
    window = open_window(comparing, "alice")
    tab = window.open("/compare/")
    page = tab.page
    begin(page, "!echo a walrus", "fast", "fast")
    all_completed(page, 2)
    page.get_by_role("button", name="Menu of this comparison").click()
    page.get_by_role("link", name="Find in this comparison").click()
    page.get_by_role("searchbox").fill("walrus")
    page.get_by_role("searchbox").press("Enter")
    expect(page.locator(".hits a")).to_have_count(4)

    page.locator(".hits a").last.click()

    expect(page.locator(".column")).to_have_count(2)
    expect(page).to_have_url(re.compile(r"/compare/[^?]*\?message=\d+#message-\d+$"))
    expect(answer(page, 1)).to_be_in_viewport()
