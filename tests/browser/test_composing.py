"""Writing a question: keys, drafts, and what happens when it can't be sent."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Route, expect

from tests.browser.tab import Tab, Window
from tests.fakes.thread import FakeServerThread
from tests.live.hub import Hub

pytestmark = pytest.mark.xdist_group("browser-1")


def test_enter_sends_and_shift_enter_breaks_the_line(tab: Tab) -> None:
    tab.choose("fast")
    tab.composer.press_sequentially("!echo one")
    tab.composer.press("Shift+Enter")
    tab.composer.press_sequentially("two")
    expect(tab.composer).to_have_value("!echo one\ntwo")
    expect(tab.messages).to_have_count(0)

    tab.composer.press("Enter")

    tab.wait_until("completed")
    expect(tab.composer).to_have_value("")
    expect(tab.composer).to_be_focused()
    expect(tab.messages.first).to_contain_text("two")


def test_enter_that_ends_a_word_of_an_input_method_does_not_send(tab: Tab) -> None:
    tab.composer.fill("にほん")
    tab.composer.dispatch_event("keydown", {"key": "Enter", "isComposing": True})
    tab.composer.dispatch_event("keydown", {"key": "Enter", "keyCode": 229})

    expect(tab.composer).to_have_value("にほん")
    expect(tab.messages).to_have_count(0)


def test_nothing_but_space_is_not_sent(tab: Tab) -> None:
    tab.composer.fill(" \n ")
    tab.composer.press("Enter")
    tab.page.get_by_role("button", name="Send").click()

    expect(tab.messages).to_have_count(0)
    assert tab.path == "/"


def test_the_field_grows_with_the_text_up_to_a_limit_and_shrinks_again(tab: Tab) -> None:
    def height() -> float:
        box = tab.composer.bounding_box()
        assert box is not None
        return box["height"]

    one = height()
    tab.composer.fill("\n".join("abcd"))
    four = height()
    tab.composer.fill("\n".join("a" * 80))
    many = height()
    tab.composer.fill("")

    assert one + 60 < four < many <= 0.4 * 800
    assert height() == one


def test_a_draft_survives_a_reload_and_belongs_to_its_conversation(tab: Tab) -> None:
    tab.composer.fill("half a thought")
    tab.page.reload()
    expect(tab.composer).to_have_value("half a thought")

    tab.ask("!echo sent")
    tab.wait_until("completed")
    tab.composer.fill("about the first")
    tab.page.get_by_role("link", name="New chat").first.click()
    expect(tab.messages).to_have_count(0)
    expect(tab.composer).to_have_value("")

    tab.page.go_back()
    expect(tab.composer).to_have_value("about the first")


def test_a_sent_question_is_no_draft_any_more(tab: Tab) -> None:
    tab.ask("!echo sent")
    tab.wait_until("completed")

    tab.page.reload()
    expect(tab.composer).to_have_value("")
    tab.page.goto("/")
    expect(tab.composer).to_have_value("")


def test_a_double_submit_makes_one_message(tab: Tab, live_fake: FakeServerThread) -> None:
    tab.choose("fast")
    tab.composer.fill("!echo only once")
    tab.page.evaluate(
        "() => { const f = document.getElementById('composer'); f.requestSubmit(); f.requestSubmit(); }"
    )

    tab.wait_until("completed")
    expect(tab.messages).to_have_count(2)
    tab.page.reload()
    expect(tab.messages).to_have_count(2)
    assert len(live_fake.chats) == 1


def test_the_question_is_in_the_thread_before_the_network_answers(tab: Tab) -> None:
    held: list[Route] = []
    tab.page.route("**/chat/", lambda route: held.append(route))
    tab.choose("fast")
    tab.composer.fill("!echo patience")
    with tab.page.expect_request("**/chat/"):
        tab.composer.press("Enter")

    expect(tab.messages).to_have_count(1)
    expect(tab.messages).to_have_text("You!echo patience")
    expect(tab.composer).to_have_value("")
    held[0].continue_()
    tab.wait_until("completed")
    expect(tab.messages).to_have_count(2)


def test_a_question_that_does_not_get_through_comes_back_into_the_field(window: Window, tab: Tab) -> None:
    window.expect_trouble("ERR_FAILED|Failed to fetch")
    tab.page.route("**/chat/", lambda route: route.abort())
    tab.composer.fill("!echo later")
    tab.composer.press("Enter")

    expect(tab.page.locator("#composer-error")).to_contain_text("can’t be reached")
    expect(tab.composer).to_have_value("!echo later")
    expect(tab.messages).to_have_count(0)

    tab.page.unroute("**/chat/")
    tab.choose("fast")
    tab.composer.press("Enter")
    tab.wait_until("completed")
    expect(tab.body).to_have_text("later")
    expect(tab.page.locator("#composer-error")).to_be_empty()


def test_questions_typed_while_an_answer_runs_follow_it(tab: Tab) -> None:
    tab.ask("!stamped 3000 rate 50")
    expect(tab.body).to_contain_text("t5@")
    other = tab.window.open(tab.path)
    other.wait_for_socket()
    other.mark()
    tab.mark()
    for text in ("!echo second", "!echo nonsense", "!echo fourth"):
        tab.composer.fill(text)
        tab.composer.press("Enter")
        expect(tab.page.locator("#upcoming li").last).to_contain_text(text)
        expect(tab.composer).to_have_value("")
    expect(tab.answers).to_have_count(1)
    expect(other.page.locator("#upcoming li")).to_have_count(3)

    other.page.locator("#upcoming li").nth(1).get_by_role("button", name="Remove").click()
    expect(tab.page.locator("#upcoming li")).to_have_count(2)
    tab.page.get_by_role("button", name="Stop").click()

    for each in (tab, other):
        expect(each.answers).to_have_count(3)
        expect(each.body).to_have_text("fourth")
        expect(each.page.locator("#upcoming li")).to_have_count(0)
        assert each.is_same_page()
    expect(tab.answers.nth(1)).to_contain_text("second")


def test_a_waiting_question_is_edited(tab: Tab) -> None:
    tab.ask("!stamped 3000 rate 50")
    expect(tab.body).to_contain_text("t5@")
    tab.composer.fill("!echo wrong")
    tab.composer.press("Enter")
    tab.page.locator("#upcoming").get_by_role("link", name="Edit").click()
    tab.page.get_by_label("Message").fill("!echo right")
    tab.page.get_by_role("button", name="Save").click()
    expect(tab.page.locator("#upcoming li")).to_contain_text("!echo right")
    tab.wait_for_socket()

    tab.page.get_by_role("button", name="Stop").click()
    expect(tab.body).to_have_text("right")


def test_a_draft_is_there_on_the_telephone_until_it_is_sent(tab: Tab, phone: Window) -> None:
    with tab.page.expect_response("**/draft/"):
        tab.composer.fill("!echo half a thou")
    small = phone.open("/")
    expect(small.composer).to_have_value("!echo half a thou")
    assert (
        tab.page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('draft:')).length") == 0
    )

    small.choose("fast")
    small.page.get_by_role("button", name="Send").tap()
    small.wait_until("completed")
    tab.page.reload()
    expect(tab.composer).to_have_value("")


def test_a_draft_that_was_long_on_its_way_does_not_come_back(tab: Tab) -> None:
    late: list[Route] = []
    tab.page.route("**/draft/", lambda route: late.append(route))
    with tab.page.expect_request("**/draft/"):
        tab.composer.fill("!echo half a thou")
    tab.ask("!echo half a thought")
    tab.wait_until("completed")

    with tab.page.expect_response("**/draft/") as response:
        late[0].continue_()
    assert response.value.status == 205
    tab.page.goto("/")
    expect(tab.composer).to_have_value("")


def test_an_example_is_put_into_the_field_not_sent(tab: Tab) -> None:
    example = tab.page.locator("[data-action=example]").first
    words = example.inner_text().strip()
    example.click()

    expect(tab.composer).to_have_value(words)
    expect(tab.composer).to_be_focused()
    expect(tab.messages).to_have_count(0)


def test_a_long_name_of_a_model_stays_on_one_line(open_window: Callable[..., Window], live_hub: Hub) -> None:
    page = open_window(live_hub, "alice", viewport={"width": 360, "height": 740}).open("/").page
    choice = page.get_by_label("Model", exact=True)
    before = choice.bounding_box()

    choice.evaluate(
        "select => { select.selectedOptions[0].textContent = 'A model with a long name '.repeat(9) }"
    )

    assert before is not None
    after = choice.bounding_box()
    assert after is not None
    assert after["height"] == before["height"]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_name_of_a_model_has_room_on_a_telephone(phone: Window) -> None:
    page = phone.open("/").page
    choice = page.get_by_label("Model", exact=True)

    choice.evaluate("select => { select.selectedOptions[0].textContent = 'A model with a long name' }")

    box = choice.bounding_box()
    assert box is not None
    assert box["width"] > 120
