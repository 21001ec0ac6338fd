"""Answers run in the hub, not in the browser."""

from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.bench.pages import read_form
from tests.fakes.thread import FakeServerThread
from tests.live.hub import Hub
from tests.live.pagesocket import PageSocket
from tests.live.process import wait_for

pytestmark = pytest.mark.xdist_group("live")


def test_an_answer_streams_over_the_socket_and_stays(live_hub: Hub) -> None:
    alice = live_hub.person("alice")
    path = alice.ask("!stamped 60 rate 20")

    with PageSocket(alice, path) as page:
        page.wait_for('assistant" data-status="completed"')
        first = next(frame for frame in page.frames if "t0@" in frame)
        assert "t59@" not in first, "it came in one piece"

    question, answer = alice.get(path).articles
    assert (question.role, answer.role, answer.status) == ("user", "assistant", "completed")
    assert re.findall(r"t(\d+)@", answer.text) == [str(number) for number in range(60)]
    assert "tokens/s" in answer.whole


def test_the_answer_goes_on_when_nobody_looks(live_hub: Hub, live_fake: FakeServerThread) -> None:
    alice = live_hub.person("alice")
    path = alice.ask("!tokens 100 rate 50 !echo done", "fast")
    with PageSocket(alice, path) as page:
        page.wait_for("light")

    answer = alice.wait_for_status(path, "completed")

    assert answer.text.strip().endswith("done")
    assert not live_fake.disconnects


def test_a_page_that_comes_late_gets_everything_and_what_follows(live_hub: Hub) -> None:
    alice = live_hub.person("alice")
    path = alice.ask("!stamped 150 rate 50")
    alice.wait_for_text(path, "t20@")

    with PageSocket(alice, path) as page:
        page.wait_for('assistant" data-status="completed"')
        numbers = {int(number) for number in re.findall(r"\bt(\d+)@", page.text)}

    assert numbers == set(range(150))


def test_stop_closes_the_upstream_connection_at_once(live_hub: Hub, live_fake: FakeServerThread) -> None:
    alice = live_hub.person("alice")
    path = alice.ask("!tokens 2000 rate 50")
    alice.wait_for_text(path, "light")

    elsewhere = live_hub.sign_in("alice")
    elsewhere.stop(path)

    live_fake.wait_until(lambda: live_fake.disconnects, timeout=5.0)  # the answer has 40 s to go
    answer = alice.wait_for_status(path, "stopped")
    assert answer.text.strip()
    assert "You stopped this answer" in answer.whole


def test_all_open_pages_hear_that_an_answer_was_stopped(live_hub: Hub) -> None:
    alice = live_hub.person("alice")
    path = alice.ask("!tokens 2000 rate 50")
    with PageSocket(alice, path) as one, PageSocket(live_hub.sign_in("alice"), path) as other:
        one.wait_for("light")
        other.wait_for("light")

        alice.stop(path)

        one.wait_for('data-status="stopped"')
        other.wait_for('data-status="stopped"')


def test_a_form_that_is_sent_twice_at_once_makes_one_message(
    live_hub: Hub, live_fake: FakeServerThread
) -> None:
    alice = live_hub.person("alice")
    form = read_form(alice.get("/").text, "composer")
    fields = form.fields | {"text": "Only once, please", "model": "fake/fast"}
    together = threading.Barrier(6)

    def send(_number: int) -> str:
        tab = alice.copy()
        together.wait()
        page = tab.post(form.action, fields, follow=False)
        assert page.status == 302, page.text[:2000]
        return page.headers["location"]

    with ThreadPoolExecutor(6) as threads:
        paths = set(threads.map(send, range(6)))

    assert len(paths) == 1
    path = paths.pop()
    alice.wait_for_status(path, "completed")
    assert [article.role for article in alice.get(path).articles] == ["user", "assistant"]
    assert len(live_fake.chats) == 1


def test_a_follow_up_that_is_sent_twice_at_once_makes_one_message(live_hub: Hub) -> None:
    alice = live_hub.person("alice")
    path = alice.ask("First")
    alice.wait_for_status(path, "completed")
    form = read_form(alice.get(path).text, "composer")
    fields = form.fields | {"text": "Second", "model": "fake/fast"}
    together = threading.Barrier(4)

    def send(_number: int) -> int:
        tab = alice.copy()
        together.wait()
        return tab.post(form.action, fields, follow=False).status

    with ThreadPoolExecutor(4) as threads:
        assert set(threads.map(send, range(4))) == {302}

    alice.wait_for_status(path, "completed")
    assert [article.role for article in alice.get(path).articles] == ["user", "assistant"] * 2


def test_thirty_people_send_at_once_and_nobody_fails(live_hub: Hub, live_fake: FakeServerThread) -> None:
    alice = live_hub.person("alice")
    form = read_form(alice.get("/").text, "composer")
    together = threading.Barrier(30)

    def send(number: int) -> str:
        tab = alice.copy()
        fields = form.fields | {
            "key": f"crowd-{number}",
            "text": f"!echo answer {number}",
            "model": "fake/fast",
        }
        together.wait()
        page = tab.post(form.action, fields, follow=False)
        assert page.status == 302, page.text[:2000]
        return page.headers["location"]

    with ThreadPoolExecutor(30) as threads:
        paths = list(threads.map(send, range(30)))

    assert len(set(paths)) == 30
    live_fake.wait_until(lambda: len([s for s in live_fake.streams if s.ended]) == 30, timeout=30)
    for number, path in enumerate(paths):
        answer = alice.wait_for_status(path, "completed", "failed", "interrupted")
        assert (answer.status, answer.text.strip()) == ("completed", f"answer {number}")


def test_pages_answer_while_a_backend_hangs(live_hub: Hub, live_fake: FakeServerThread) -> None:
    alice, bob = live_hub.person("alice"), live_hub.person("bob")
    paths = [alice.ask("!hang") for _ in range(4)]
    live_fake.wait_until(lambda: len(live_fake.chats) == 4)

    assert bob.get("/").status == 200
    other = bob.ask("Hello")
    bob.wait_for_status(other, "completed")

    for path in paths:
        assert alice.last(path).status == "running"
        alice.stop(path)
    live_fake.wait_until(lambda: len(live_fake.disconnects) == 4, timeout=5)
    for path in paths:
        alice.wait_for_status(path, "stopped")


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        ("!tokens 30 rate 200 !drop after 20", "connection"),
        ("!tokens 30 rate 200 !cut after 20", "connection"),
        ("!tokens 30 rate 200 !error after 20 the card is on fire", "the card is on fire"),
    ],
)
def test_what_came_before_the_upstream_went_away_stays_with_a_clear_error(
    live_hub: Hub, trouble: str, said: str
) -> None:
    alice = live_hub.person("alice")
    path = alice.ask(trouble)

    answer = alice.wait_for_status(path, "failed", "completed")

    assert answer.status == "failed"
    assert answer.text.split()[:3] == ["the", "light", "falls"]
    assert len(answer.text.split()) == 20
    assert said in answer.whole.lower()
    assert "Retry" in answer.whole


def test_retry_after_a_failure_gets_a_new_answer(live_hub: Hub) -> None:
    alice = live_hub.person("alice")
    path = alice.ask("!error 500 out of order")
    failed = alice.wait_for_status(path, "failed")

    alice.post(f"/messages/{failed.id}/retry/", {"model": "fake/fast"})

    wait_for(lambda: alice.last(path).id != failed.id, "another answer")
    assert alice.wait_for_status(path, "failed").id != failed.id
    assert [article.role for article in alice.get(path).articles] == ["user", "assistant"]
