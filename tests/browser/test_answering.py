"""An answer in the browser: it streams, and it is the same in every tab, after a reload and later."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.tab import Tab, Window
from tests.fakes.thread import FakeServerThread
from tests.live.hub import PASSWORD, Hub

pytestmark = pytest.mark.xdist_group("browser-1")

#: Notes how long the newest answer is and whether it can be stopped while it runs, whenever the page changes.
_WATCH_GROWTH = """
window.lengths = [];
window.stoppable = false;
new MutationObserver(() => {
  const body = [...document.querySelectorAll("article[data-role=assistant] .message-body")].at(-1);
  if (body && body.textContent.length !== window.lengths.at(-1)) window.lengths.push(body.textContent.length);
  const running = body?.closest("article").dataset.status === "running";
  window.stoppable ||= running && document.querySelector("[data-action=stop]").checkVisibility();
}).observe(document, { childList: true, subtree: true, characterData: true });
"""


def numbers_in(text: str) -> list[int]:
    """The numbers of the stamped tokens."""
    return [int(number) for number in re.findall(r"\bt(\d+)@", text)]


def test_from_signing_in_to_an_answer_that_appears_piece_by_piece(
    open_window: Callable[..., Window], live_hub: Hub
) -> None:
    tab = open_window(live_hub).open("/")
    page = tab.page
    page.locator("input[name=login]").fill("alice")
    page.locator("input[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(tab.composer).to_be_focused()

    tab.mark()
    page.evaluate(_WATCH_GROWTH)
    tab.ask("!stamped 150 rate 50", "fast")
    expect(page).to_have_url(re.compile(r"/chat/[0-9a-f-]{36}/$"))
    tab.wait_until("completed")

    assert tab.is_same_page()
    assert page.evaluate("window.stoppable")
    lengths = page.evaluate("window.lengths")
    growing = [length for length in lengths if length]
    assert len(growing) > 2, lengths  # one that comes whole is laid out once more at its end
    assert growing == sorted(growing), lengths
    assert numbers_in(tab.text()) == list(range(150))
    expect(tab.stop).to_be_hidden()
    for fact in ("model", "ttft", "speed", "tokens", "finish"):
        expect(tab.answer.locator(f"[data-fact={fact}]")).to_be_visible()
    expect(page.locator("#conversations a[aria-current=page]")).to_have_count(1)
    expect(page).to_have_title(re.compile("stamped 150"))


def test_a_second_question_in_the_same_conversation(tab: Tab) -> None:
    tab.ask("!echo the first answer")
    tab.wait_until("completed")
    tab.mark()
    tab.ask("!echo the second answer")
    tab.wait_until("completed")

    assert tab.is_same_page()
    expect(tab.messages).to_have_count(4)
    expect(tab.body).to_have_text("the second answer")


def test_a_reload_in_mid_answer_shows_everything_and_goes_on(tab: Tab) -> None:
    tab.ask("!stamped 200 rate 50")
    expect(tab.body).to_contain_text("t30@")

    tab.page.reload()

    expect(tab.body).to_contain_text("t30@")
    tab.wait_until("running")
    tab.wait_until("completed")
    assert numbers_in(tab.text()) == list(range(200))


def test_a_second_tab_follows_and_stops(window: Window, tab: Tab, live_fake: FakeServerThread) -> None:
    tab.ask("!stamped 3000 rate 50")
    expect(tab.body).to_contain_text("t20@")
    other = window.open(tab.path)
    expect(other.body).to_contain_text("t60@")
    expect(tab.body).to_contain_text("t60@")

    other.stop.click()

    live_fake.wait_until(lambda: live_fake.disconnects, timeout=2)
    other.wait_until("stopped")
    tab.wait_until("stopped")
    assert numbers_in(tab.text()) == numbers_in(other.text())
    expect(tab.answer).to_contain_text("You stopped this answer")
    expect(tab.stop).to_be_hidden()


def test_a_question_of_one_tab_appears_in_the_other(window: Window, tab: Tab) -> None:
    tab.ask("!echo one")
    tab.wait_until("completed")
    other = window.open(tab.path)
    other.wait_for_socket()

    tab.ask("!stamped 30 rate 40")
    tab.wait_until("completed")

    expect(other.messages).to_have_count(4)
    other.wait_until("completed")
    expect(tab.messages).to_have_count(4)
    assert numbers_in(other.text()) == numbers_in(tab.text()) == list(range(30))


def test_somebody_who_closes_the_tab_and_comes_back_finds_the_answer(
    window: Window, tab: Tab, live_fake: FakeServerThread
) -> None:
    tab.ask("!stamped 100 rate 50")
    expect(tab.body).to_contain_text("t10@")
    path = tab.path
    tab.page.close()
    live_fake.wait_until(lambda: live_fake.streams[-1].ended, timeout=30)

    again = window.open(path)

    again.wait_until("completed")
    assert numbers_in(again.text()) == list(range(100))


def test_another_device_of_the_same_person_sees_the_running_answer(
    tab: Tab, open_window: Callable[..., Window], live_hub: Hub
) -> None:
    tab.ask("!stamped 150 rate 50")
    phone = open_window(live_hub, "alice", viewport={"width": 390, "height": 780}).open(tab.path)

    expect(phone.body).to_contain_text("t40@")
    phone.wait_until("completed")
    assert numbers_in(phone.text()) == list(range(150))


def test_going_to_another_conversation_and_back_in_mid_answer(tab: Tab) -> None:
    tab.ask("!echo a short one")
    tab.wait_until("completed")
    tab.page.get_by_role("link", name="New chat").first.click()
    expect(tab.messages).to_have_count(0)
    tab.ask("!stamped 200 rate 50")
    expect(tab.body).to_contain_text("t20@")
    tab.mark()
    here = tab.path

    tab.page.locator("#conversations a", has_text="a short one").first.click()
    expect(tab.body).to_have_text("a short one")
    assert tab.path != here
    tab.page.go_back()

    expect(tab.body).to_contain_text("t100@")
    tab.wait_until("completed")
    assert numbers_in(tab.text()) == list(range(200))


def test_thinking_is_folded_away_and_can_be_read(tab: Tab) -> None:
    tab.ask("!reasoning 40 then 5", "thinking")
    tab.wait_until("completed")
    trace = tab.answer.locator("details.reasoning")

    expect(trace.locator("summary")).to_contain_text("Thought for")
    expect(trace.locator(".reasoning-body")).to_be_hidden()
    trace.locator("summary").click()
    expect(trace.locator(".reasoning-body")).to_contain_text("the light falls")
    assert len(tab.text().split()) == 5


def test_a_failure_says_why_and_retry_asks_again(tab: Tab) -> None:
    tab.ask("!error 500 the card is on fire")
    tab.wait_until("failed")
    expect(tab.answer).to_contain_text("the card is on fire", ignore_case=True)
    first = tab.answer.get_attribute("id")

    tab.choose("slow-5")
    tab.answer.get_by_role("button", name="Retry").click()

    expect(tab.answer).not_to_have_attribute("id", first or "")
    tab.wait_until("failed")
    expect(tab.messages).to_have_count(2)


@pytest.fixture
def narrow(live_hub: Hub, live_fake: FakeServerThread) -> Iterator[None]:
    """A server that writes one answer at a time; gone afterwards, because other tests share the hub."""
    live_hub.add_backend(f"{live_fake.url}/v1", "Narrow", "openai", "--slots", "1")
    yield
    live_hub.shell("from backends.models import Backend\nBackend.objects.filter(name='Narrow').delete()")


@pytest.mark.usefixtures("narrow")
def test_a_question_waits_for_its_turn_and_can_be_cancelled(
    open_window: Callable[..., Window], live_hub: Hub
) -> None:
    window = open_window(live_hub, "bob")
    first, second = window.open("/"), window.open("/")
    for tab in (first, second):
        tab.page.locator("select[name=model]").select_option("narrow/steady-50")
        tab.composer.fill("!stamped 3000")
        tab.composer.press("Enter")
        expect(tab.answers).to_have_count(1)
    second.wait_until("queued")
    expect(second.answer).to_contain_text("in line")
    third = window.open("/")
    third.page.locator("select[name=model]").select_option("narrow/fast")
    third.composer.fill("!echo finally")
    third.composer.press("Enter")
    third.wait_until("queued")

    second.answer.get_by_role("button", name="Cancel").click()
    second.wait_until("stopped")
    first.stop.click()

    third.wait_until("completed")
    expect(third.body).to_have_text("finally")
