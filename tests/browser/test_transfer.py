"""A conversation out and in again, by hand and without a script."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.tab import Tab, Window
from tests.chat.transfer import samples
from tests.live.hub import Hub

pytestmark = pytest.mark.xdist_group("browser-2")


def bring_in(page: Page, file: Path, *, finds: str) -> None:
    """Import a file on a telephone, from its choice to the chats."""
    page.get_by_label("File", exact=True).set_input_files(file)
    page.get_by_role("button", name="Look through the file").click()
    expect(page.locator("#import-new")).to_contain_text(finds)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.get_by_role("button", name="Import").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("The import is done")
    page.get_by_role("link", name="To the chats").click()


def test_a_conversation_leaves_by_its_menu(tab: Tab) -> None:
    tab.ask("Tell me of bread")
    tab.wait_until("completed")
    item = tab.page.locator("#conversations li").filter(has_text="Tell me of bread").first
    item.hover()
    item.get_by_role("button").click()

    with tab.page.expect_download() as download:
        tab.page.get_by_role("link", name="Export as JSON (complete)").click()

    assert download.value.suggested_filename == "Tell me of bread.json"
    document = json.loads(Path(download.value.path()).read_text())
    assert document["conversation"]["messages"][0]["text"] == "Tell me of bread"
    expect(tab.answer).to_have_attribute("data-status", "completed")


def test_everything_leaves_as_a_zip_and_a_file_comes_in_without_a_script(
    open_window: Callable[..., Window], live_hub: Hub, tmp_path: Path
) -> None:
    window = open_window(live_hub, "bob", java_script_enabled=False, viewport={"width": 360, "height": 740})
    page = window.open("/settings/").page
    page.get_by_role("link", name="Export and import").click()
    export = tmp_path / "claude.zip"
    export.write_bytes(samples.zipped({"conversations.json": samples.as_json([samples.CLAUDE])}))

    bring_in(page, export, finds="Claude")
    expect(page.locator("#conversations a").filter(has_text="Tides")).to_have_count(1)

    page.goto("/transfer/")
    page.get_by_label("Kind of file").select_option("md")
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
    assert download.value.suggested_filename.endswith("-md.zip")
    assert Path(download.value.path()).read_bytes().startswith(b"PK")


def test_everything_of_one_person_comes_in_at_another_with_its_facts(
    tab: Tab, open_window: Callable[..., Window], live_hub: Hub, tmp_path: Path
) -> None:
    tab.ask("Tell me of salt")
    tab.wait_until("completed")
    tab.page.reload()
    used = tab.page.locator("#meter").get_attribute("data-used")
    assert used
    tab.page.goto("/settings/")
    tab.page.get_by_label("Your place").fill("Bergen")
    tab.page.get_by_role("button", name="Save").last.click()
    expect(tab.page.get_by_text("Saved.")).to_be_visible()
    tab.page.goto("/transfer/")
    with tab.page.expect_download() as download:
        tab.page.get_by_role("button", name="Export").click()
    zipped = tmp_path / "everything.zip"
    download.value.save_as(zipped)

    window = open_window(live_hub, "bob", java_script_enabled=False, viewport={"width": 360, "height": 740})
    page = window.open("/transfer/").page
    bring_in(page, zipped, finds="Settings of yours that are not chosen here yet")
    address = page.locator("#conversations a").filter(has_text="Tell me of salt").first.get_attribute("href")
    page.goto(str(address))
    expect(page.locator("#meter")).to_have_attribute("data-used", used)
    expect(page.get_by_text("Tell me of salt", exact=True).last).to_be_visible()
    page.goto(str(page.locator("a[href*='/details/']").last.get_attribute("href")))
    page.get_by_role("link", name="Receipt").click()
    expect(page.get_by_text("This is exactly what was sent")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.goto("/settings/")
    expect(page.get_by_label("Your place")).to_have_value("Bergen")
