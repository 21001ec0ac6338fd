"""A temporary conversation in a browser: it answers, and nothing of it is found on the disk afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.cable import Cable
from tests.browser.tab import Tab, Window
from tests.fakes.thread import FakeServerThread
from tests.live.hub import Hub

pytestmark = pytest.mark.xdist_group("browser-2")

SECRET = "zebra-in-the-moonlight"


@pytest.fixture
def private(make_hub: Callable[..., Hub], fake: FakeServerThread) -> Hub:
    """A hub with a data folder of the test's own."""
    hub = make_hub()
    hub.add_backend(f"{fake.url}/v1")
    return hub.start()


@pytest.fixture
def cable(live_hub: Hub) -> Iterator[Cable]:
    """The connection between a telephone and the hub."""
    cable = Cable(live_hub.port)
    yield cable
    cable.close()


def say(tab: Tab, text: str) -> None:
    """Type and send."""
    field = tab.page.locator("#composer-text")
    field.fill(text)
    if tab.window.touch:
        tab.page.get_by_role("button", name="Send").tap()
    else:
        field.press("Enter")
    expect(field).to_have_value("")


def files_with(folder: Path, word: str) -> list[str]:
    """Files below the folder that hold the word."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return [str(path) for path in found if word.encode() in path.read_bytes()]


def test_nothing_of_it_is_on_the_disk_or_in_the_log(open_window: Callable[..., Window], private: Hub) -> None:
    window = open_window(private, "alice")
    tab = window.open("/")
    tab.page.get_by_role("link", name="Temporary chat").click()
    expect(tab.page.get_by_text("Nothing of this conversation is stored")).to_be_visible()
    tab.wait_for_socket()

    say(tab, f"!echo {SECRET}")
    expect(tab.body).to_contain_text(SECRET)
    tab.wait_until("completed")
    expect(tab.answer.locator(".facts")).to_contain_text("fast")
    say(tab, "!echo and again")
    expect(tab.body).to_contain_text("and again")
    tab.wait_until("completed")

    stored = "JSON.stringify([{...localStorage}, {...sessionStorage}])"
    assert SECRET not in tab.page.evaluate(stored)
    assert not any(SECRET in url for url in window.requests)
    path = tab.path
    tab.page.close()
    again = window.open(path)
    expect(again.messages).to_have_count(0)
    expect(window.open("/").page.locator("#conversations li")).to_have_count(0)
    private.stop()
    assert (private.data_dir / "hub.sqlite3").exists() or list(private.data_dir.glob("*.sqlite3"))
    assert files_with(private.folder, SECRET) == []
    assert SECRET not in private.output


def test_it_streams_on_a_telephone_and_comes_back_after_a_lost_connection(
    open_window: Callable[..., Window], live_hub: Hub, cable: Cable
) -> None:
    phone = open_window(
        live_hub,
        "alice",
        cable.origin,
        viewport={"width": 360, "height": 740},
        has_touch=True,
        is_mobile=True,
    )
    phone.expect_trouble(r"WebSocket connection|htmx:ws:error|net::ERR_")
    small = phone.open("/temporary/")
    small.wait_for_socket()
    say(small, "!stamped 3000 rate 50")
    expect(small.body).to_contain_text("t20@")

    cable.cut()
    expect(small.page.locator("#connection")).to_have_attribute("data-state", "lost")
    cable.mend()

    small.wait_for_socket()
    expect(small.body).to_contain_text("t200@")
    small.page.get_by_role("button", name="Stop").tap()
    small.wait_until("stopped")
    assert small.page.evaluate("document.documentElement.scrollWidth") <= 360


def test_a_refused_question_comes_back(tab: Tab) -> None:
    tab.page.goto("/temporary/")
    tab.wait_for_socket()
    tab.page.evaluate("document.querySelector('#composer-model option').value = 'fake/nobody'")
    tab.page.locator("#composer-model").select_option("fake/nobody")
    tab.page.locator("#composer-text").fill("Are you there?")
    tab.page.locator("#composer-text").press("Enter")

    expect(tab.page.locator("#composer-error")).to_contain_text("not available")
    expect(tab.page.locator("#composer-text")).to_have_value("Are you there?")
