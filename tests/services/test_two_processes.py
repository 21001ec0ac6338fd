"""Two processes on one database and one Redis are one hub."""

from __future__ import annotations

import re
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from tests.bench.pages import read_form
from tests.fakes.thread import FakeServerThread
from tests.live.hub import Hub
from tests.live.pagesocket import PageSocket, Refused
from tests.services.fixtures import Pair, numbers_in, shown_in_order
from tests.services.servers import Redis

pytestmark = [pytest.mark.postgres, pytest.mark.redis, pytest.mark.xdist_group("services")]


def test_who_signed_in_at_one_is_signed_in_at_the_other_until_signed_out(pair: Pair) -> None:
    here = pair.one.sign_in("alice")
    there = replace(here.copy(), origin=pair.other.origin)
    assert there.get("/", follow=False).status == 200

    here.post("/accounts/logout/")

    assert there.get("/", follow=False).status == 302


def test_a_page_at_the_other_process_sees_the_whole_answer_in_order(pair: Pair) -> None:
    here, there = pair.tabs("alice")
    path = here.ask("!stamped 150 rate 60")

    with PageSocket(there, path) as page:
        page.wait_for('assistant" data-status="completed"')
        first = next(frame for frame in page.frames if "t0@" in frame)
        assert "t149@" not in first, "it came in one piece"

    assert shown_in_order(page.text) == list(range(150))
    assert numbers_in(there.last(path).text) == list(range(150))


def test_a_question_shows_at_once_on_a_page_at_the_other_process(pair: Pair) -> None:
    here, there = pair.tabs("alice")
    path = here.ask("!echo first")
    here.wait_for_status(path, "completed")

    with PageSocket(there, path) as page:
        here.ask("!echo the answer to the second", path=path)
        page.wait_for("the answer to the second")
        page.wait_for('assistant" data-status="completed"')


def test_stop_at_the_other_process_closes_the_upstream_connection_at_once(
    pair: Pair, pair_fake: FakeServerThread
) -> None:
    here, there = pair.tabs("alice")
    path = here.ask("!tokens 2000 rate 50")
    with PageSocket(here, path) as page:
        page.wait_for("light")

        there.stop(path)

        pair_fake.wait_until(lambda: pair_fake.disconnects, timeout=5.0)  # the answer has 40 s to go
        page.wait_for('assistant" data-status="stopped"')
    assert there.wait_for_status(path, "stopped").text.strip()


def test_one_answer_at_a_time_in_a_conversation_whatever_process_is_asked(
    pair: Pair, pair_fake: FakeServerThread
) -> None:
    here, there = pair.tabs("alice")
    path = here.ask("!tokens 2000 rate 50")
    here.wait_for_text(path, "light")
    form = read_form(there.get(path).text, "composer")

    page = there.post(form.action, form.fields | {"text": "And now?", "model": "fake/fast"})

    assert "Sent when the answer has ended" in page.text
    assert len(there.get(path).articles) == 2
    here.stop(path)
    pair_fake.wait_until(lambda: pair_fake.disconnects)


def test_the_slots_of_a_backend_count_for_both_processes(pair: Pair, pair_fake: FakeServerThread) -> None:
    people = pair.tabs("alice") * 3

    def ask(number: int) -> str:
        return people[number].copy().ask(f"!tokens 12 rate 60 !echo number {number}", "narrow/fast")

    with ThreadPoolExecutor(6) as threads:
        paths = list(threads.map(ask, range(6)))
    most = 0
    while len([stream for stream in pair_fake.streams if stream.ended]) < 6:
        most = max(most, len([stream for stream in pair_fake.streams if not stream.ended]))
        time.sleep(0.005)

    for number, path in enumerate(paths):
        answer = people[0].wait_for_status(path, "completed", "failed", "interrupted")
        assert answer.status == "completed"
        assert answer.text.strip().endswith(f"number {number}")
    assert most == 1


def test_a_form_sent_to_both_processes_at_once_makes_one_message(
    pair: Pair, pair_fake: FakeServerThread
) -> None:
    here, there = pair.tabs("alice")
    form = read_form(here.get("/").text, "composer")
    fields = form.fields | {"text": "Only once, please", "model": "fake/fast"}

    def send(number: int) -> str:
        page = (here, there)[number % 2].copy().post(form.action, fields, follow=False)
        assert page.status == 302, page.text[:2000]
        return page.headers["location"]

    with ThreadPoolExecutor(6) as threads:
        paths = set(threads.map(send, range(6)))

    assert len(paths) == 1
    here.wait_for_status(paths.pop(), "completed")
    assert len(pair_fake.chats) == 1


def test_what_a_killed_process_left_is_ended_and_its_line_served_by_the_others(
    pair: Pair, third: Hub, pair_fake: FakeServerThread
) -> None:
    there, here = third.person("alice"), pair.other.person("alice")
    running = there.ask("!stamped 3000 rate 50", "narrow/fast")
    waiting = there.ask("!echo taken over", "narrow/fast")
    pair_fake.wait_until(lambda: pair_fake.streams and pair_fake.streams[-1].tokens > 80, timeout=20)
    assert here.last(waiting).status == "queued"

    with PageSocket(here, running) as page, PageSocket(here, waiting) as other:
        third.kill()
        sent = pair_fake.streams[0].tokens
        page.wait_for('assistant" data-status="interrupted"', 15)
        other.wait_for('assistant" data-status="completed"')

    kept = numbers_in(here.last(running).text)
    assert kept == list(range(len(kept)))
    assert len(kept) >= sent - 75, f"{sent - len(kept)} of {sent} tokens are missing"
    assert here.last(waiting).text.strip() == "taken over"


def test_a_page_at_the_other_process_catches_up_when_redis_is_back(pair: Pair, redis: Redis) -> None:
    here, there = pair.tabs("alice")
    path, short = here.ask("!stamped 300 rate 50"), here.ask("!stamped 150 rate 50")
    with PageSocket(there, path) as page, PageSocket(there, short) as ended_meanwhile:
        page.wait_for("t40@")
        ended_meanwhile.wait_for("t30@")
        redis.stop()
        try:
            here.wait_for_status(short, "completed")
            assert "t149@" not in ended_meanwhile.text
        finally:
            redis.start()
        ended_meanwhile.wait_for('assistant" data-status="completed"', 10)
        page.wait_for('assistant" data-status="completed"')

    assert set(numbers_in(page.text)) == set(range(300))
    assert numbers_in(there.last(path).text) == list(range(300))
    assert numbers_in(there.last(short).text) == list(range(150))


def test_a_stranger_hears_nothing_at_either_process(pair: Pair) -> None:
    alice = pair.one.person("alice")
    path = alice.ask("!stamped 200 rate 50")
    for hub in (pair.one, pair.other):
        bob = hub.person("bob")
        own = bob.ask("!tokens 30 rate 60")
        with pytest.raises(Refused):
            PageSocket(bob, path).close()
        with PageSocket(bob, own) as page:
            page.wait_for('assistant" data-status="completed"')
        assert not re.search(r"t\d+@", page.text)
        assert bob.get(path).status == 404
        assert bob.post(f"{path}stop/", follow=False).status == 404
    assert alice.last(path).status == "running", "there was nothing to hear"
    alice.stop(path)


_DESK = """
from backends.models import Backend, CatalogueModel
desk = Backend.objects.create(name="Desk", kind="openai", base_url="http://127.0.0.1:{port}/v1")
CatalogueModel.objects.create(backend=desk, model_id="fast")
"""


def test_a_message_that_waits_for_its_server_goes_out_once_and_both_pages_show_it(pair: Pair) -> None:
    with FakeServerThread() as desk:
        desk.stop()
    pair.one.shell(_DESK.format(port=desk.port))
    here, there = pair.tabs("alice")
    path = here.ask("!echo at last", "desk/fast")
    there.wait_for_status(path, "queued")

    with (
        PageSocket(here, path) as page,
        PageSocket(there, path) as other,
        FakeServerThread(port=desk.port) as returned,
    ):
        for each in (page, other):
            each.wait_for('assistant" data-status="completed"')
        assert len(returned.chats) == 1
    assert there.last(path).text.strip() == "at last"
    pair.one.shell("from backends.models import Backend; Backend.objects.filter(slug='desk').delete()")
