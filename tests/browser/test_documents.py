"""Long documents: the passages that were sent stand under the answer, and open where they are. Files of projects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.tab import Tab, Window
from tests.browser.test_attachments import choose, file, send, shelf
from tests.chat.attachments.office import STYLES, docx, paragraph, xlsx
from tests.chat.attachments.test_documents import pdf
from tests.fakes.thread import FakeServerThread
from tests.live.hub import Hub

pytestmark = pytest.mark.xdist_group("browser-1")

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
LINE = "Nothing of note happened and nobody wrote anything down about it. " * 10


def report() -> bytes:
    """A PDF that is too long for any model; what is asked for stands on page 412."""
    pages = [f"Day {number}. {LINE}" for number in range(1, 701)]
    pages[411] = "The lighthouse keeper measured a spring tide of seven metres."
    return pdf(*pages)


def is_in_sight(place: Locator) -> bool:
    """Whether it stands on the part of the page that one sees."""
    top = place.evaluate("(node) => node.getBoundingClientRect().top / innerHeight")
    return bool(0 <= top < 1)


def test_passages_of_a_long_document_stand_under_the_answer_and_open_at_their_place(
    tab: Tab, live_fake: FakeServerThread
) -> None:
    tab.choose("fast")
    choose(tab, file("report.pdf", report(), "application/pdf"))
    tab.composer.fill("!echo The lighthouse keeper says it in [1] and [2].")
    send(tab)
    tab.wait_until("completed")

    asked = next(request for request in live_fake.requests if request.messages)
    assert "spring tide of seven metres" in asked.messages[-1]["content"]
    assert len(asked.messages[-1]["content"]) < 20_000
    named = tab.answer.get_by_role("list", name="Passages that the answer names").get_by_role("link")
    chip = named.filter(has_text="report.pdf p. 412")
    mark = tab.body.get_by_role("link", name="Source 1: report.pdf").first
    expect(mark).to_have_text("[1]")
    assert mark.get_attribute("href") == named.first.get_attribute("href")
    tab.answer.get_by_text("Too long for the model’s window: “report.pdf”.").click()
    sent = tab.answer.locator(".excerpts ol a").filter(has_text="p. 412")
    expect(sent).to_be_visible()
    with tab.window.context.expect_page() as opened:
        (chip if chip.count() else sent).click()

    page = opened.value
    expect(page.locator("#passage")).to_contain_text("The lighthouse keeper measured")
    assert is_in_sight(page.locator("#passage"))
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280

    tab.page.reload()
    expect(named.first).to_be_visible()


def test_office_documents_are_read_and_their_text_is_shown(tab: Tab, live_fake: FakeServerThread) -> None:
    letter = docx(paragraph("Tides", '<w:pStyle w:val="berschrift1"/>') + paragraph("High."), styles=STYLES)
    ports = xlsx({"Ports": '<row r="1"><c r="A1" t="inlineStr"><is><t>Emden</t></is></c></row>'})
    tab.choose("fast")
    choose(tab, file("letter.docx", letter, DOCX), file("ports.xlsx", ports))
    expect(shelf(tab)).to_have_count(2)
    send(tab)
    tab.wait_until("completed")

    asked = next(request for request in live_fake.requests if request.messages)
    assert "# Tides\n\nHigh." in asked.messages[-1]["content"]
    assert "## Sheet: Ports\n\nEmden" in asked.messages[-1]["content"]
    with tab.window.context.expect_page() as opened:
        tab.messages.first.get_by_role("link", name="letter.docx").click()
    expect(opened.value.locator("pre")).to_have_text("# Tides\n\nHigh.")
    opened.value.get_by_role("link", name="Chats").click()
    expect(opened.value.locator("article")).to_have_count(2)


def test_after_a_file_is_taken_out_the_focus_is_where_one_goes_on(tab: Tab) -> None:
    choose(tab, file("a.txt", b"a"), file("b.txt", b"b"))

    tab.page.get_by_role("button", name="Remove: a.txt").press("Enter")
    expect(tab.page.get_by_role("button", name="Remove: b.txt")).to_be_focused()
    tab.page.keyboard.press("Enter")

    expect(shelf(tab)).to_have_count(0)
    expect(tab.composer).to_be_focused()


@pytest.mark.parametrize("java_script", [True, False])
def test_files_of_a_project_are_added_read_and_removed(
    open_window: Callable[..., Window], live_hub: Hub, live_fake: FakeServerThread, java_script: bool
) -> None:
    project = "Ports" if java_script else "Quays"  # the hub is shared
    options: dict[str, Any] = {"java_script_enabled": java_script}
    window = open_window(live_hub, "alice", viewport={"width": 360, "height": 740}, **options)
    page = window.open("/projects/add/").page
    page.get_by_label("Name", exact=True).fill(project)
    page.locator("main form button").last.click()
    page.get_by_role("link", name="Add and remove files").click()
    expect(page.get_by_text("No files yet.")).to_be_visible()

    page.get_by_label("Add files").set_input_files([file("tides.txt", b"High at noon.", "text/plain")])
    page.get_by_role("button", name="Add", exact=True).click()

    expect(page.get_by_role("link", name="tides.txt")).to_be_visible()
    if java_script:
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.get_by_role("link", name=project).click()
    page.get_by_role("link", name="New chat").click()
    tab = Tab(page, window)
    tab.choose("fast")
    tab.composer.fill("!tokens 1")
    tab.page.get_by_role("button", name="Send").click()
    expect(tab.messages).to_have_count(2)
    if java_script:
        tab.wait_until("completed")
        asked = next(request for request in live_fake.requests if request.messages)
        assert "High at noon." in asked.messages[0]["content"]
    page.goto("/projects/")
    page.get_by_role("link", name=project).first.click()
    page.get_by_role("link", name="Add and remove files").click()
    page.get_by_role("button", name="Remove tides.txt").click()
    expect(page.get_by_text("No files yet.")).to_be_visible()
