"""Chromium for tests. Every page is watched: whatever goes wrong in it fails the test."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser.tab import Tab, Window
from tests.live.hub import Hub

#: The same browser twice; the one without windows is there in half the time.
CHROMIUMS = (Path("/usr/bin/chromium-headless-shell"), Path("/usr/bin/chromium"))
ARGUMENTS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip

#: Milliseconds; for what takes a moment on an idle machine and long on a busy one.
PATIENCE = 45_000


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here drives a browser."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


# For the package, not for the session: while Playwright runs, no other test of this process may run
# an event loop.
@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """The browser."""
    program = next((path for path in CHROMIUMS if path.exists()), None)
    if program is None:
        message = "needs Debian's chromium (apt install chromium-headless-shell)"
        pytest.fail(message) if os.environ.get("CI") == "true" else pytest.skip(message)
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def open_window(chromium: Browser) -> Iterator[Callable[..., Window]]:
    """Opens windows of a fresh browser profile each: ``open_window(hub, "alice")``, through ``origin`` if given."""
    windows: list[Window] = []

    def open_one(hub: Hub, name: str = "", origin: str = "", **options: object) -> Window:
        origin = origin or hub.origin
        context = chromium.new_context(
            base_url=origin, **{"viewport": {"width": 1280, "height": 800}} | options
        )
        context.set_default_timeout(PATIENCE)
        window = Window(context, hub, origin, touch=bool(options.get("has_touch")))
        windows.append(window)
        if name:
            window.come_in_as(name)
        return window

    yield open_one
    trouble = [line for window in windows for line in window.close()]
    assert not trouble, "\n".join(trouble)


@pytest.fixture
def window(open_window: Callable[..., Window], live_hub: Hub) -> Window:
    """Alice's window on the shared hub."""
    return open_window(live_hub, "alice")


@pytest.fixture
def tab(window: Window) -> Tab:
    """A tab of Alice's on the page of a new chat, without what another test typed there and did not send."""
    tab = window.open("/")
    if tab.composer.input_value():
        tab.composer.fill("")
    return tab


@pytest.fixture
def phone(open_window: Callable[..., Window], live_hub: Hub) -> Window:
    """Alice's telephone, narrow and without a mouse."""
    return open_window(
        live_hub, "alice", viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True
    )
