"""The hub or the network goes away in mid-answer and comes back: nothing is lost, and the page says so."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.cable import Cable
from tests.browser.tab import Tab, Window
from tests.browser.test_answering import numbers_in
from tests.fakes.thread import FakeServerThread
from tests.live.hub import Hub

pytestmark = pytest.mark.xdist_group("browser-2")

#: What a browser writes to its console when nobody answers.
NO_ANSWER = r"WebSocket connection|htmx:ws:error|net::ERR_|Failed to fetch"


@pytest.fixture
def cable(live_hub: Hub) -> Iterator[Cable]:
    """The network to the shared hub."""
    cable = Cable(live_hub.port)
    yield cable
    cable.close()


def test_a_cut_network_is_shown_and_what_was_missed_comes_after(
    open_window: Callable[..., Window], live_hub: Hub, cable: Cable
) -> None:
    window = open_window(live_hub, "alice", cable.origin)
    window.expect_trouble(NO_ANSWER)
    tab = window.open("/")
    tab.ask("!stamped 400 rate 50")
    expect(tab.body).to_contain_text("t20@")
    tab.mark()

    cable.cut()
    expect(tab.page.locator("#connection")).to_have_text("Reconnecting…")
    tab.composer.fill("typed while away")
    cable.mend()

    expect(tab.page.locator("#connection")).to_be_hidden()
    tab.wait_until("completed")
    assert numbers_in(tab.text()) == list(range(400))
    expect(tab.composer).to_have_value("typed while away")
    assert tab.is_same_page()


def test_an_answer_that_ended_meanwhile_is_there_when_the_network_is_back(
    open_window: Callable[..., Window], live_hub: Hub, live_fake: FakeServerThread, cable: Cable
) -> None:
    window = open_window(live_hub, "alice", cable.origin)
    window.expect_trouble(NO_ANSWER)
    tab = window.open("/")
    tab.ask("!stamped 100 rate 50")
    expect(tab.body).to_contain_text("t10@")

    cable.cut()
    live_fake.wait_until(lambda: live_fake.streams[-1].ended, timeout=30)
    tab.wait_until("running")
    cable.mend()

    tab.wait_until("completed")
    assert numbers_in(tab.text()) == list(range(100))
    expect(tab.stop).to_be_hidden()


def test_a_hub_that_was_killed_in_mid_answer(
    open_window: Callable[..., Window], make_hub: Callable[..., Hub], fake: FakeServerThread
) -> None:
    hub = make_hub()
    hub.add_backend(f"{fake.url}/v1")
    hub.start()
    window = open_window(hub, "alice")
    window.expect_trouble(NO_ANSWER)
    tab = window.open("/")
    tab.ask("!stamped 3000 rate 50")
    expect(tab.body).to_contain_text("t120@")
    tab.mark()

    hub.kill()
    expect(tab.page.locator("#connection")).to_have_text("Reconnecting…")
    shown = numbers_in(tab.text())[-1]
    hub.start()

    tab.wait_until("interrupted")
    expect(tab.page.locator("#connection")).to_be_hidden()
    expect(tab.answer).to_contain_text("The hub was restarted")
    kept = numbers_in(tab.text())
    assert kept == list(range(len(kept)))
    assert len(kept) > shown - 100, "more than two seconds of text are gone"
    assert tab.is_same_page()

    tab.answer.get_by_role("button", name="Answer again").click()
    tab.wait_until("running")
    expect(tab.body).to_contain_text("t20@")
    tab.stop.click()
    tab.wait_until("stopped")


def test_an_ai_server_that_goes_away_leaves_the_text_and_a_reason(tab: Tab) -> None:
    tab.ask("!stamped 100 rate 100 !drop after 30")
    tab.wait_until("failed")

    assert len(numbers_in(tab.text())) >= 25
    expect(tab.answer.locator(".error")).to_be_visible()
    expect(tab.answer.get_by_role("button", name="Retry")).to_be_visible()


@pytest.mark.parametrize("lost", [".message-body > *", "article[data-role=assistant]"])
def test_a_page_that_lost_a_piece_heals_itself(tab: Tab, lost: str) -> None:
    tab.ask("!stamped 3000 rate 50")
    expect(tab.body).to_contain_text("t10@")
    tab.mark()

    tab.page.evaluate(
        "lost => [...document.querySelectorAll(`article[data-role=assistant] ${lost}, ${lost}`)]"
        ".filter(e => e.closest('[data-role=assistant]')).forEach(e => e.remove())",
        lost,
    )

    expect(tab.body).to_contain_text("t0@")
    assert tab.answer.get_attribute("data-status") == "running"
    expect(tab.body).to_contain_text("t200@")
    tab.stop.click()
    tab.wait_until("stopped")
    assert numbers_in(tab.text()) == list(range(len(numbers_in(tab.text()))))
    expect(tab.messages).to_have_count(2)
    assert tab.is_same_page()


def test_a_hub_that_does_not_answer_is_named_where_something_was_clicked(
    open_window: Callable[..., Window], live_hub: Hub, cable: Cable
) -> None:
    window = open_window(live_hub, "alice", cable.origin)
    window.expect_trouble(NO_ANSWER)
    tab = window.open("/")
    tab.ask("!echo hello")
    tab.wait_until("completed")

    cable.cut()
    tab.page.get_by_role("link", name="New chat").first.click()

    expect(tab.page.locator("#notice")).to_have_text(re.compile("can’t be reached"))
    expect(tab.body).to_have_text("hello")
