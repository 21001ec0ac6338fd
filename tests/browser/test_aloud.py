"""Answers read aloud, and a word from the browser when one ends behind other windows."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.tab import Window
from tests.browser.test_models_page import SIZES, fits
from tests.browser.test_notices import _NOTIFICATION
from tests.browser.test_receipts import picture
from tests.live.hub import Hub
from tests.live.process import wait_for

pytestmark = pytest.mark.xdist_group("browser-1")

#: Stands for the browser's own voices, of which headless browsers have none: remembers what it was to say.
_VOICES = """
window.said = [];
class Utterance extends EventTarget { constructor(text) { super(); this.text = text; } }
const synthesis = {
  cancelled: 0,
  speak(one) {
    if (one.text) window.said.push([one.text, one.lang]);
    setTimeout(() => one.dispatchEvent(new Event("end")), 20);
  },
  cancel() { this.cancelled += 1; },
  resume() {},
  getVoices: () => [],
};
Object.defineProperty(window, "speechSynthesis", { value: synthesis });
window.SpeechSynthesisUtterance = Utterance;
"""
#: A page that can be put behind others.
_HIDDEN = "window.behind = false; Object.defineProperty(document, 'hidden', { get: () => window.behind });"


def spoken(page: Page) -> str:
    return " ".join(text for text, _lang in page.evaluate("said"))


def test_an_answer_is_read_without_its_code(open_window: Callable[..., Window], live_hub: Hub) -> None:
    window = open_window(live_hub, "alice")
    window.context.add_init_script(_VOICES)
    tab = window.open("/")
    tab.ask("!markdown")
    tab.wait_until("completed")
    assert not any("aloud.js" in url for url in window.requests)

    tab.answer.get_by_role("button", name="Read aloud").click()
    wait_for(lambda: "That is all." in spoken(tab.page), "the end to be read")

    heard = spoken(tab.page)
    assert heard.startswith("Growing tomatoes on a balcony")
    for named in ("Code block.", "Table.", "Formula."):
        assert named in heard
    for unread in ("dataclass", "Black Cherry", "example.org/tomatoes", "**"):
        assert unread not in heard
    assert {lang for _text, lang in tab.page.evaluate("said")} == {"en"}
    assert all(len(text) <= 220 for text, _lang in tab.page.evaluate("said"))
    expect(tab.page.get_by_role("button", name="Stop reading aloud")).to_be_hidden()  # it has ended by itself


def test_it_is_read_while_it_is_written_and_stops_at_a_click(
    open_window: Callable[..., Window], live_hub: Hub
) -> None:
    window = open_window(live_hub, "alice")
    window.context.add_init_script(_VOICES)
    tab = window.open("/")
    text = " ".join(f"Der Satz Nummer {number} ist nicht lang und endet hier." for number in range(1, 60))
    tab.ask(f"!rate 40 !echo {text}")
    tab.wait_until("running")

    tab.answer.get_by_role("button", name="Read aloud").click()
    wait_for(lambda: "Nummer 2 " in spoken(tab.page), "the second sentence to be read")

    expect(tab.answer).to_have_attribute("data-status", "running")
    assert all(said.endswith((".", ":")) for said, _lang in tab.page.evaluate("said"))
    assert tab.page.evaluate("said[0][1]") == "de"
    expect(tab.answer.get_by_role("button", name="Read aloud")).to_have_attribute("aria-pressed", "true")
    picture(tab.page, "aloud")
    tab.page.get_by_role("button", name="Stop reading aloud").click()
    count = tab.page.evaluate("said.length")
    tab.page.wait_for_timeout(1200)
    assert tab.page.evaluate("said.length") == count
    assert tab.page.evaluate("speechSynthesis.cancelled") >= 1
    expect(tab.answer.get_by_role("button", name="Read aloud")).to_have_attribute("aria-pressed", "false")
    tab.stop.first.click()


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Das ist ein Satz, und der ist nicht lang.", "de"),
        ("This is a sentence and it is not long.", "en"),
        ("Ceci est une phrase qui n'est pas dans les autres.", "fr"),
        ("Это короткое предложение.", "ru"),
        ("Це коротке речення і його кінець.", "uk"),
        ("これは短い文です。", "ja"),
        ("这是一个短句。", "zh"),
        ("هذه جملة قصيرة", "ar"),
        ("42", "en-US"),
    ],
)
def test_languages_are_guessed(
    text: str, language: str, open_window: Callable[..., Window], live_hub: Hub
) -> None:
    window = open_window(live_hub, "alice", locale="en-US")
    page = window.open("/settings/").page

    guess = "async (text) => (await import(document.body.dataset.aloud)).languageOf(text)"

    assert page.evaluate(guess, text) == language


def test_one_of_several_hidden_pages_tells_that_an_answer_ended(
    open_window: Callable[..., Window], live_hub: Hub
) -> None:
    window = open_window(live_hub, "alice")
    window.context.add_init_script(_NOTIFICATION.replace("PERMISSION", "granted") + _HIDDEN)
    tab = window.open("/")
    tab.ask("!echo First")
    tab.wait_until("completed")
    other = window.open(tab.path)
    pages = (tab.page, other.page)
    both = lambda: [text for page in pages for text in page.evaluate("shown")]  # noqa: E731
    assert both() == []  # nobody has asked for it

    settings = window.open("/settings/").page
    settings.get_by_role("button", name="Tell me when an answer is ready").click()
    expect(settings.locator("#answer-notices")).to_have_attribute("data-state", "on")
    for page in pages:
        page.evaluate("behind = true")
    tab.ask("!rate 20 !echo The second answer, a little slower than the first")
    wait_for(lambda: len(both()) > 0, "a notification")
    tab.page.wait_for_timeout(1000)
    assert both() == ["!echo First: Answer finished."]

    other.page.evaluate("behind = false")  # somebody looks at one of them
    tab.ask("!rate 20 !echo The third answer, a little slower than the first")
    tab.wait_until("completed")
    tab.page.wait_for_timeout(1000)
    assert len(both()) == 1

    other.page.evaluate("behind = true")
    tab.ask(f"!rate 20 !echo {'A long answer that is stopped. ' * 20}")
    tab.wait_until("running")
    tab.stop.first.click()
    wait_for(lambda: len(both()) == 2, "a notification of the stop")
    tab.answer.get_by_role("button", name="Continue this answer").click()
    wait_for(lambda: len(both()) == 3, "a notification of the same answer's second end")
    tab.page.wait_for_timeout(1000)
    assert len(both()) == 3

    settings.get_by_role("button", name="Tell me when an answer is ready").click()
    expect(settings.locator("#answer-notices")).to_have_attribute("data-state", "off")


@pytest.mark.parametrize("size", SIZES)
def test_the_permission_is_asked_for_by_a_click_only(
    size: str, open_window: Callable[..., Window], live_hub: Hub
) -> None:
    window = open_window(live_hub, "alice", viewport=SIZES[size])
    window.context.add_init_script(
        _NOTIFICATION.replace("PERMISSION", "default").replace(
            "async () => (Notification", "async () => (window.asked = true, Notification"
        )
    )
    page = window.open("/settings/").page
    button = page.get_by_role("button", name="Tell me when an answer is ready")
    expect(button).to_be_visible()
    assert page.evaluate("window.asked") is None
    assert fits(page)
    button.scroll_into_view_if_needed()
    picture(page, f"settings-{size}")

    button.click()

    expect(page.locator("#answer-notices")).to_have_attribute("data-state", "on")
    assert page.evaluate("window.asked") is True
