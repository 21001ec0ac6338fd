"""A message whose server is away waits on the page, and what the page offers meanwhile."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.tab import Tab, Window
from tests.fakes.thread import FakeServerThread
from tests.live.hub import PASSWORD, Hub

pytestmark = pytest.mark.xdist_group("browser-2")


@pytest.fixture
def two_servers(
    make_hub: Callable[..., Hub], fake: FakeServerThread
) -> Iterator[tuple[Hub, FakeServerThread]]:
    """A hub with a server that works, and one named “Desk PC” that is away."""
    desk = FakeServerThread()
    with desk:
        hub = make_hub()
        hub.add_backend(f"{fake.url}/v1")
        hub.add_backend(f"{desk.url}/v1", "Desk PC")
        desk.stop()
        yield hub.start(), desk


@pytest.fixture
def back(two_servers: tuple[Hub, FakeServerThread]) -> Iterator[Callable[[], FakeServerThread]]:
    """Switches “Desk PC” on again, at the same address."""
    started: list[FakeServerThread] = []

    def switch_on() -> FakeServerThread:
        started.append(FakeServerThread(port=two_servers[1].port))
        return started[-1].__enter__()

    yield switch_on
    for server in started:
        server.stop()


def ask(tab: Tab, text: str) -> None:
    """Of the model on the desk."""
    tab.page.locator("#composer-model").select_option("desk-pc/fast")
    tab.composer.fill(text)
    tab.page.get_by_role("button", name="Send", exact=True).click()
    tab.wait_until("queued")
    expect(tab.answer).to_contain_text("“Desk PC” does not answer. Your message is sent when it is back.")


def test_a_waiting_message_is_edited_and_goes_out_by_itself_in_both_tabs(
    open_window: Callable[..., Window],
    two_servers: tuple[Hub, FakeServerThread],
    back: Callable[[], FakeServerThread],
) -> None:
    window = open_window(two_servers[0], "alice")
    tab = window.open("/")
    ask(tab, "!echo first thought")
    other = window.open(tab.path)
    other.wait_for_socket()
    other.mark()

    tab.answer.get_by_role("link", name="Edit…").click()
    tab.page.get_by_label("Message").fill("!echo second thought")
    tab.page.get_by_role("button", name="Save").click()
    expect(tab.messages.first).to_contain_text("second thought")
    expect(other.messages.first).to_contain_text("second thought")

    back()
    tab.answer.get_by_role("button", name="Send now").click()

    for each in (tab, other):
        each.wait_until("completed")
        expect(each.body).to_have_text("second thought")
    assert other.is_same_page()


def test_it_is_sent_to_another_model_without_a_reload(
    open_window: Callable[..., Window], two_servers: tuple[Hub, FakeServerThread]
) -> None:
    tab = open_window(two_servers[0], "alice").open("/")
    ask(tab, "!echo elsewhere")
    tab.mark()

    tab.answer.get_by_label("Another model").select_option("fake/fast")
    tab.answer.get_by_role("button", name="Send to this model").click()

    tab.wait_until("completed")
    expect(tab.body).to_have_text("elsewhere")
    assert tab.is_same_page()


def test_cancelling_it(open_window: Callable[..., Window], two_servers: tuple[Hub, FakeServerThread]) -> None:
    tab = open_window(two_servers[0], "alice").open("/")
    ask(tab, "!echo never")

    tab.answer.get_by_role("button", name="Cancel").click()

    tab.wait_until("stopped")
    expect(tab.stop).to_be_hidden()


def test_the_picker_says_how_the_chosen_server_is(
    open_window: Callable[..., Window], two_servers: tuple[Hub, FakeServerThread]
) -> None:
    tab = open_window(two_servers[0], "alice").open("/")
    ask(tab, "so that the hub looks")
    tab.page.goto("/")
    picker, health = tab.page.locator("#composer-model"), tab.page.locator("#composer-health")

    picker.select_option("desk-pc/fast")
    expect(health).to_have_text(re.compile(r"^Offline since "))
    expect(health.locator(".dot")).to_have_attribute("data-state", "offline")
    picker.select_option("fake/fast")
    expect(health).to_have_text("Online")
    expect(tab.composer).to_have_value("")


def test_all_of_it_without_a_script(
    open_window: Callable[..., Window],
    two_servers: tuple[Hub, FakeServerThread],
    back: Callable[[], FakeServerThread],
) -> None:
    tab = open_window(two_servers[0], java_script_enabled=False).open("/")
    tab.page.locator("input[name=login]").fill("alice")
    tab.page.locator("input[name=password]").fill(PASSWORD)
    tab.page.get_by_role("button", name="Sign in").click()

    ask(tab, "!echo one")
    tab.answer.get_by_role("link", name="Edit…").click()
    tab.page.get_by_label("Message").fill("!echo two")
    tab.page.get_by_role("button", name="Save").click()
    expect(tab.messages.first).to_contain_text("two")
    tab.answer.get_by_label("Another model").select_option("fake/fast")
    tab.answer.get_by_role("button", name="Send to this model").click()
    tab.wait_until("completed")
    expect(tab.body).to_have_text("two")

    ask(tab, "!echo three")
    back()
    tab.answer.get_by_role("button", name="Send now").click()
    tab.wait_until("completed")
    expect(tab.body).to_have_text("three")
