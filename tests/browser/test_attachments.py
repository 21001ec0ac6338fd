"""Pictures in the composer: chosen, pasted, dropped, looked at, taken out, sent, given back."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.tab import Tab, Window
from tests.chat.attachments.pictures import plain
from tests.fakes.thread import FakeServerThread
from tests.live.hub import Hub

pytestmark = pytest.mark.xdist_group("browser-1")

RED, BLUE = plain((300, 200), "red"), plain((200, 300), "blue")

#: What a browser does when a file comes by the clipboard or by the mouse.
_BRING = """(field, [kind, name, data]) => {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], name, { type: "image/png" }));
  const options = { bubbles: true, cancelable: true };
  const event = kind === "paste"
    ? new ClipboardEvent("paste", { clipboardData: transfer, ...options })
    : new DragEvent(kind, { dataTransfer: transfer, ...options });
  return !field.dispatchEvent(event);
}"""


def file(name: str, data: bytes, kind: str = "image/png") -> dict[str, Any]:
    return {"name": name, "mimeType": kind, "buffer": data}


def choose(tab: Tab, *files: dict[str, Any]) -> None:
    tab.page.locator("#composer-files").set_input_files(list(files))


def shelf(tab: Tab) -> Locator:
    return tab.page.locator("#composer-attached li")


def bring(tab: Tab, kind: str, name: str, data: bytes) -> bool:
    """Whether the page took it."""
    return bool(tab.composer.evaluate(_BRING, [kind, name, b64encode(data).decode()]))


def is_drawn(picture: Locator) -> bool:
    return bool(picture.evaluate("async (image) => { await image.decode(); return image.naturalWidth > 0; }"))


def send(tab: Tab) -> None:
    tab.page.get_by_role("button", name="Send").click()


def test_pictures_are_chosen_looked_at_taken_out_and_sent(tab: Tab, live_fake: FakeServerThread) -> None:
    tab.choose("vision")
    choose(tab, file("red.png", RED))
    expect(shelf(tab)).to_have_count(1)
    choose(tab, file("blue.png", BLUE), file("third.png", RED))
    expect(shelf(tab)).to_have_count(3)
    assert is_drawn(shelf(tab).locator("img").first)

    tab.page.get_by_role("button", name="Remove: third.png").press("Enter")
    expect(shelf(tab)).to_have_count(2)
    tab.composer.fill("What is on them?")
    tab.mark()
    send(tab)

    tab.wait_until("completed")
    expect(shelf(tab)).to_have_count(0)
    pictures = tab.messages.first.locator(".attachments img")
    expect(pictures).to_have_count(2)
    expect(pictures.last).to_have_attribute("alt", "blue.png")
    assert is_drawn(pictures.first)
    assert tab.is_same_page()
    asked = next(request for request in live_fake.requests if request.messages)
    assert [part["type"] for part in asked.messages[-1]["content"]] == ["text", "image_url", "image_url"]

    tab.window.expect_trouble("/attachments/")  # the browser's own viewer may not style itself there
    with tab.window.context.expect_page() as opened:
        pictures.first.click()
    assert is_drawn(opened.value.locator("img"))

    tab.page.reload()
    expect(tab.messages.first.locator(".attachments img")).to_have_count(2)
    tab.ask("And without?", model="fast")
    tab.wait_until("completed")
    expect(
        tab.answer.get_by_text("fast can’t see images: 2 images of this conversation were left out.")
    ).to_be_visible()


@pytest.mark.parametrize("kind", ["paste", "drop"])
def test_a_picture_that_is_pasted_or_dropped_is_taken(tab: Tab, kind: str) -> None:
    tab.choose("vision")
    assert bring(tab, kind, "brought.png", BLUE)
    expect(shelf(tab)).to_have_count(1)

    send(tab)  # without a word

    tab.wait_until("completed")
    expect(tab.messages.first.locator(".attachments img")).to_have_attribute("alt", "brought.png")


def test_a_model_that_cannot_see_says_so_and_another_takes_them(tab: Tab) -> None:
    tab.window.expect_trouble("422")
    tab.choose("fast")
    choose(tab, file("red.png", RED))
    tab.composer.fill("Look!")
    send(tab)
    expect(tab.page.get_by_role("alert")).to_contain_text("“fast” can’t see images. Pick a model that can")

    tab.choose("vision")
    send(tab)

    tab.wait_until("completed")
    expect(tab.messages.first.locator(".attachments img")).to_have_count(1)


def test_what_is_refused_comes_back_text_and_pictures(tab: Tab) -> None:
    tab.window.expect_trouble("422")
    tab.choose("vision")
    choose(tab, file("red.png", RED), file("broken.png", b"nothing"))
    tab.composer.fill("Look!")
    send(tab)

    expect(tab.page.get_by_role("alert")).to_contain_text("“broken.png” is not an image")
    expect(tab.composer).to_have_value("Look!")
    expect(shelf(tab)).to_have_count(2)
    expect(tab.messages).to_have_count(0)

    tab.page.get_by_role("button", name="Remove: broken.png").click()
    send(tab)
    tab.wait_until("completed")
    expect(tab.messages.first.locator(".attachments img")).to_have_count(1)


def test_pictures_of_one_conversation_do_not_follow_into_another(tab: Tab) -> None:
    tab.ask("!echo one")
    tab.wait_until("completed")
    choose(tab, file("red.png", RED))
    expect(shelf(tab)).to_have_count(1)

    tab.page.get_by_role("link", name="New chat").first.click()

    expect(tab.messages).to_have_count(0)
    expect(shelf(tab)).to_have_count(0)


def test_on_a_telephone_there_is_a_camera_and_nothing_is_wider_than_the_page(
    open_window: Callable[..., Window], live_hub: Hub
) -> None:
    window = open_window(
        live_hub, "alice", viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True
    )
    tab = window.open("/")
    camera = tab.page.locator("#composer-camera")
    expect(camera).to_be_visible()
    expect(camera).to_have_attribute("capture", "environment")
    tab.choose("vision")
    camera.set_input_files([file("photo.jpg", plain((4000, 3000), kind="JPEG"), "image/jpeg")])
    choose(tab, *(file(f"{number}.png", RED) for number in range(6)))
    expect(shelf(tab)).to_have_count(7)

    width = "document.documentElement.scrollWidth"
    assert tab.page.evaluate(width) <= 360
    tab.page.get_by_role("button", name="Send").tap()
    tab.wait_until("completed")

    expect(tab.messages.first.locator(".attachments img")).to_have_count(7)
    assert tab.page.evaluate(width) <= 360


def test_a_document_is_read_by_a_model_that_cannot_see(tab: Tab, live_fake: FakeServerThread) -> None:
    tab.choose("fast")
    choose(tab, file("notes.md", b"# Tides\n", "text/markdown"))
    expect(shelf(tab)).to_contain_text("notes.md")
    send(tab)
    tab.wait_until("completed")

    asked = next(request for request in live_fake.requests if request.messages)
    assert "# Tides" in asked.messages[-1]["content"]
    with tab.window.context.expect_page() as opened:
        tab.messages.first.get_by_role("link", name="notes.md").click()
    expect(opened.value.locator("body")).to_contain_text("# Tides")


def test_without_a_script_a_picture_is_sent_too(open_window: Callable[..., Window], live_hub: Hub) -> None:
    tab = open_window(live_hub, "alice", java_script_enabled=False).open("/")
    expect(tab.page.locator("#composer-files")).to_be_visible()
    tab.choose("vision")
    choose(tab, file("red.png", RED))
    tab.composer.fill("!tokens 1")
    send(tab)

    expect(tab.messages.first.locator(".attachments img")).to_have_attribute("alt", "red.png")
