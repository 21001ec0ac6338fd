"""Twenty thousand tokens of conversation and a window of four thousand: what a person sees and decides."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.tab import Tab, Window
from tests.chat.context.talking import turns_in
from tests.fakes.thread import FakeServerThread
from tests.live.hub import Hub

pytestmark = pytest.mark.xdist_group("browser-context")

WINDOW = 4096
EXCHANGES = 100

_SEED = """
from backends.models import Backend
from chat.models import Conversation
from privatechathub.accounts.models import User
from tests.chat.context.talking import long_conversation

backend = Backend.objects.get()
for _ in range(3):
    long = long_conversation(User.objects.get(username="alice"), {exchanges}, backend)
    Conversation.objects.filter(pk=long.pk).update(backend=backend, model_id="fast")
    print(long.get_absolute_url())
"""


@pytest.fixture
def talks(make_hub: Callable[..., Hub], fake: FakeServerThread) -> tuple[Hub, list[str]]:
    """A hub with an Ollama that holds four thousand tokens, and Alice's long conversations."""
    fake.server.context_length = fake.server.announced = WINDOW
    hub = make_hub()
    hub.add_backend(fake.url, kind="ollama")
    paths = hub.shell(_SEED.format(exchanges=EXCHANGES)).split()
    return hub.start(), paths


def fits(tab: Tab) -> bool:
    """Whether nothing stands out of the page at its side."""
    return bool(tab.page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def test_the_person_sees_what_the_model_will_not(
    talks: tuple[Hub, list[str]], fake: FakeServerThread, open_window: Callable[..., Window]
) -> None:
    hub, [path, *_more] = talks
    tab = open_window(hub, "alice").open(path)
    meter = tab.page.locator("#meter")
    expect(meter).to_contain_text("ore than")

    tab.composer.fill("And now?")
    tab.page.get_by_role("button", name="Send").click()
    expect(tab.answer.locator(".error")).to_contain_text("The conversation is too long")
    expect(meter.get_by_text("does not fit")).to_be_visible()
    expect(tab.page.locator('.cut[data-kind="proposed"]')).to_contain_text("would begin here")
    assert not fake.chats
    assert fits(tab)

    tab.mark()
    tab.page.get_by_role("button", name="Leave out the oldest").click()
    tab.wait_until("completed")
    line = tab.page.locator('.cut[data-kind="dropped"]')
    expect(line).to_contain_text("The model does not see the")
    expect(meter).to_contain_text(re.compile(r"^Context: [\d,]+ of 4,096 tokens"))
    assert tab.is_same_page()

    sent = turns_in(fake.chats[-1])
    first_below = line.locator("xpath=following-sibling::article[1]")
    expect(first_below).to_contain_text(f"turn {sent[0]:05d}")
    above = line.locator("xpath=preceding-sibling::article[1]")
    expect(above).to_contain_text(f"turn {sent[0] - 1:05d}")
    tab.composer.fill("y" * 12_000)
    expect(meter).to_contain_text("tokens with your message")
    expect(meter.get_by_text("does not fit")).to_be_visible()
    tab.composer.fill("")
    expect(meter).to_contain_text(re.compile(r"of 4,096 tokens *(does not fit)?$"))
    expect(meter.get_by_text("does not fit")).to_be_hidden()
    assert fake.chats[-1].json["truncate"] is False
    assert fake.server.silent_cuts == 0


def test_a_summary_is_written_shown_and_edited_on_a_phone(
    talks: tuple[Hub, list[str]], fake: FakeServerThread, open_window: Callable[..., Window]
) -> None:
    hub, [path, *_more] = talks
    phone = open_window(hub, "alice", viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    tab = phone.open(path)
    tab.page.locator("#meter button").tap()
    panel = tab.page.locator("#filling")
    expect(panel).to_be_visible()
    expect(panel.get_by_role("row", name="Messages")).to_be_visible()
    panel.get_by_label("Summarise the oldest messages").check()
    assert fits(tab)
    panel.get_by_role("button", name="Save").tap()
    expect(tab.page.get_by_role("heading", name="What the model reads")).to_be_visible()
    expect(tab.page.get_by_label("Summarise the oldest messages")).to_be_checked()
    assert fits(tab)

    tab.page.goto(path)
    tab.composer.fill("And now?")
    tab.page.get_by_role("button", name="Send").tap()
    tab.wait_until("completed")
    line = tab.page.locator('.cut[data-kind="summarised"]')
    expect(line).to_contain_text("only a summary of them")
    line.locator("summary").tap()
    expect(line.locator(".cut-summary")).to_contain_text("Thank you for asking")
    assert fits(tab)

    line.get_by_role("link", name="Edit the summary").tap()
    tab.page.get_by_label("Summary").fill("We counted turns.")
    tab.page.get_by_role("button", name="Save").tap()
    expect(tab.page.locator(".cut")).to_contain_text("Edited by you.")
    tab.composer.fill("Once more?")
    tab.page.get_by_role("button", name="Send").tap()
    expect(tab.body).to_contain_text("Once more?")
    tab.wait_until("completed")
    texts = [str(message["content"]) for message in fake.chats[-1].messages]
    assert any(text.startswith("<summary_of_earlier_conversation>\nWe counted turns.") for text in texts)


def test_a_new_chat_carries_on_without_a_script(
    talks: tuple[Hub, list[str]], fake: FakeServerThread, open_window: Callable[..., Window]
) -> None:
    hub, [path, *_more] = talks
    tab = open_window(hub, "alice", java_script_enabled=False).open(path)
    tab.page.get_by_label("Message", exact=True).fill("And now?")
    tab.page.get_by_role("button", name="Send").click()
    tab.page.get_by_role("button", name="New chat with a summary").click()
    expect(tab.page.locator(".cut")).to_contain_text("goes on from another one")
    expect(tab.messages).to_have_count(2)
    expect(tab.answer).to_have_attribute("data-status", "completed")
    expect(tab.page.locator(".cut-summary")).to_contain_text("Thank you for asking")
    tab.page.get_by_text("Summary that the model reads instead").click()
    tab.page.get_by_role("link", name="Edit the summary").click()
    expect(tab.page.get_by_label("Summary")).to_contain_text("Thank you for asking")


@pytest.mark.parametrize("java_script", [True, False])
def test_a_person_draws_a_line_and_takes_it_away(
    java_script: bool, live_hub: Hub, live_fake: FakeServerThread, open_window: Callable[..., Window]
) -> None:
    size = {"width": 360, "height": 740}
    tab = open_window(live_hub, "alice", viewport=size, java_script_enabled=java_script).open()
    page, send = tab.page, tab.page.get_by_role("button", name="Send")
    line = page.locator('.cut[data-kind="dropped"]')

    def ask(text: str) -> None:
        tab.composer.fill(f"!echo {text}")
        send.click()
        expect(tab.answers.filter(has_text=text)).to_have_count(1)
        tab.wait_until("completed")

    tab.choose("fast")
    ask("First of all")
    ask("Second to none")
    thread = tab.path
    tab.mark() if java_script else None
    tab.messages.nth(2).get_by_role("link", name="More").click()
    expect(page.get_by_role("button", name="Leave out everything above")).to_be_visible()
    picture(tab, f"menu-{java_script}")
    page.get_by_role("button", name="Leave out everything above").click()
    expect(line).to_contain_text("The model does not see the 2 messages above.")
    expect(line.locator("xpath=following-sibling::article[1]")).to_contain_text("Second to none")
    picture(tab, f"above-{java_script}")

    tab.answer.get_by_role("link", name="More").click()
    page.get_by_role("button", name="Leave out everything up to here").click()
    expect(line).to_contain_text("The model does not see the 4 messages above.")
    expect(line.locator("xpath=following-sibling::article")).to_have_count(0)
    picture(tab, f"below-{java_script}")
    ask("Third time lucky")
    assert len(live_fake.chats[-1].messages) == 1
    expect(line.locator("xpath=following-sibling::article")).to_have_count(2)

    line.get_by_role("button", name="Remove the line").click()
    expect(line).to_contain_text("The model does not see the 2 messages above.")
    line.get_by_role("button", name="Remove the line").click()
    expect(line).to_have_count(0)
    assert tab.path == thread
    if java_script:
        assert tab.is_same_page()
        assert fits(tab)
    ask("Fourth and last")
    assert len(live_fake.chats[-1].messages) == 7


def picture(tab: Tab, name: str) -> None:
    """For whoever wants to look."""
    if folder := os.environ.get("PICTURES"):
        for scheme in ("light", "dark"):
            tab.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            tab.page.screenshot(path=Path(folder) / f"line-{name}-{scheme}.png", full_page=True)
