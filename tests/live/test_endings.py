"""The hub ends in mid-answer, in order or not, and starts again."""

from __future__ import annotations

import re
import signal
import time

import pytest

from tests.fakes.thread import FakeServerThread
from tests.live.hub import Hub
from tests.live.pagesocket import PageSocket
from tests.live.process import wait_for

pytestmark = pytest.mark.xdist_group("endings")

#: Tokens that may be lost: one and a half seconds of fifty a second.
LOST_AT_MOST = 75


def numbers_in(text: str) -> list[int]:
    """The numbers of the stamped tokens."""
    return [int(number) for number in re.findall(r"\bt(\d+)@", text)]


def test_after_a_crash_hardly_anything_is_missing(fresh_hub: Hub, fake: FakeServerThread) -> None:
    alice = fresh_hub.person("alice")
    earlier = alice.ask("Before the crash")
    alice.wait_for_status(earlier, "completed")
    path = alice.ask("!stamped 3000", "steady-50")
    fake.wait_until(lambda: fake.streams[-1].tokens >= 150, timeout=30)

    fresh_hub.kill()
    sent = fake.streams[-1].tokens
    fresh_hub.start()

    answer = alice.last(path)
    kept = numbers_in(answer.text)
    assert answer.status == "interrupted"
    assert kept == list(range(len(kept)))
    assert len(kept) >= sent - LOST_AT_MOST, f"{sent - len(kept)} of {sent} tokens are missing"
    assert [article.status for article in alice.get(path).articles] == ["completed", "interrupted"]
    assert [article.status for article in alice.get(earlier).articles] == ["completed", "completed"]
    assert "Before the crash" in alice.get("/").text

    alice.post(f"/messages/{answer.id}/retry/", {"model": "fake/steady-50"})
    alice.wait_for_text(path, "t30@")
    alice.stop(path)
    assert alice.wait_for_status(path, "stopped").id != answer.id


def test_an_interrupted_answer_can_be_continued(fresh_hub: Hub, fake: FakeServerThread) -> None:
    alice = fresh_hub.person("alice")
    path = alice.ask("!tokens 2000", "steady-50")
    alice.wait_for_text(path, r"(\w+ ){20}")

    fresh_hub.kill()
    fresh_hub.start()
    answer = alice.last(path)
    assert answer.status == "interrupted"
    alice.post(f"/messages/{answer.id}/continue/")

    ended = alice.wait_for_status(path, "completed")
    assert ended.id == answer.id
    assert ended.text.startswith(answer.text.strip()[:60])
    assert len(ended.text) > len(answer.text)
    assert fake.chats[-1].messages[-2]["role"] == "assistant"


def test_sigterm_ends_the_hub_in_order_and_keeps_the_whole_text(
    fresh_hub: Hub, fake: FakeServerThread
) -> None:
    alice = fresh_hub.person("alice")
    path = alice.ask("!stamped 3000", "steady-50")
    with PageSocket(alice, path) as page:
        page.wait_for("t60@")
        began = time.monotonic()
        code = fresh_hub.stop(10)
        assert time.monotonic() - began < 10
        shown = numbers_in(page.text)
    assert code == 0
    fake.wait_until(lambda: fake.disconnects)

    fresh_hub.start()

    answer = alice.last(path)
    kept = numbers_in(answer.text)
    assert answer.status == "interrupted"
    assert kept == list(range(len(kept)))
    assert kept[-1] >= max(shown)
    assert "restarted" in answer.whole


def test_ctrl_c_ends_the_hub_too(fresh_hub: Hub) -> None:
    fresh_hub.program.send(signal.SIGINT)

    assert fresh_hub.program.wait(10) == 0


def test_a_page_that_reconnects_after_the_crash_gets_the_thread_as_it_is(fresh_hub: Hub) -> None:
    alice = fresh_hub.person("alice")
    path = alice.ask("!stamped 3000", "steady-50")
    with PageSocket(alice, path) as page:
        page.wait_for("t60@")
        fresh_hub.kill()
        wait_for(lambda: page.is_closed, "the end of the websocket")
    fresh_hub.start()

    with PageSocket(alice, path, revision=1) as page:
        page.wait_for('assistant" data-status="interrupted"')


def test_questions_that_wait_in_line_survive_a_crash(fresh_hub: Hub, fake: FakeServerThread) -> None:
    fresh_hub.stop()
    fresh_hub.add_backend(f"{fake.url}/v1", "Fake", "openai", "--slots", "1")
    fresh_hub.start()
    alice = fresh_hub.person("alice")
    first = alice.ask("!tokens 3000", "steady-50")
    second = alice.ask("!tokens 5 !echo finally")
    fake.wait_until(lambda: fake.streams and fake.streams[0].tokens > 20, timeout=30)
    assert alice.last(second).status == "queued"

    fresh_hub.kill()
    fresh_hub.start()

    assert alice.last(first).status == "interrupted"
    assert alice.wait_for_status(second, "completed").text.strip().endswith("finally")
