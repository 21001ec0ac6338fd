"""Models call the hub's own tools; the hub is killed in the middle of one and goes on."""

from __future__ import annotations

import re

import pytest

from tests.fakes.thread import FakeServerThread
from tests.live.hub import Hub
from tests.live.pagesocket import PageSocket
from tests.live.person import Person
from tests.live.process import wait_for

pytestmark = pytest.mark.xdist_group("live-tools")

TWO_ROUNDS = (
    '!call get_current_datetime {"timezone": "UTC"} !call get_current_datetime {"timezone": "Nowhere"} '
    '!then !call get_current_datetime {"timezone": "Asia/Tokyo"} !then !echo It is late.'
)


def test_tools_run_in_the_hub_and_stay_on_the_page(fresh_hub: Hub, fake: FakeServerThread) -> None:
    alice = fresh_hub.person("alice")
    alice.post("/settings/tools/", {"switch-*": "on", "switch-get_current_datetime": "on"})
    path = alice.ask(TWO_ROUNDS, "tools")
    with PageSocket(alice, path) as page:
        page.wait_for('assistant" data-status="completed"')

    answer = alice.last(path)
    assert answer.text.strip() == "It is late."
    assert answer.whole.count("get_current_datetime") == 3
    assert "There is no time zone" in answer.whole
    calls = alice.get("/settings/tool-calls/").text
    assert calls.count('class="activity"') == 3
    assert "Asia/Tokyo" in calls
    assert [len(request.messages) for request in fake.chats] == [2, 5, 7]

    bob = fresh_hub.sign_in("bob")
    assert bob.get(path).status == 404
    assert "Asia/Tokyo" not in bob.get("/settings/tool-calls/").text


def allow(person: Person, path: str, *, besides: str = "") -> str:
    """Allow what the last answer asks; gives the id of the request."""

    def asked() -> str:
        found = re.search(r'id="ask-([0-9a-f-]{36})"', person.get(path).text)
        return found[1] if found and found[1] != besides else ""

    ask = wait_for(asked, "a request")
    person.post(f"/asks/{ask}/answer/", {"verdict": "once"})
    return ask


def test_killed_in_the_middle_of_a_tool_the_answer_goes_on_from_the_round_before(
    fresh_hub: Hub, fake: FakeServerThread
) -> None:
    alice = fresh_hub.person("alice")
    alice.post("/settings/tools/", {"switch-*": "on", "rule-get_current_datetime": "ask"})
    path = alice.ask(
        '!call get_current_datetime {"timezone": "UTC"} '
        '!then !call get_current_datetime {"timezone": "Asia/Tokyo"} !then !echo It is late.',
        "tools",
    )
    first = allow(alice, path)
    fake.wait_until(lambda: len(fake.chats) == 2, timeout=20)
    wait_for(lambda: re.search(rf'id="ask-(?!{first})', alice.get(path).text), "the second request")

    fresh_hub.kill()
    fresh_hub.start()

    answer = alice.last(path)
    assert answer.status == "interrupted"
    assert 'class="ask"' not in alice.get(path).text
    fake.clear()
    alice.post(f"/messages/{answer.id}/continue/")
    fake.wait_until(lambda: fake.chats, timeout=20)
    assert [message["role"] for message in fake.chats[0].messages] == ["system", "user", "assistant", "tool"]
    allow(alice, path)
    ended = alice.wait_for_status(path, "completed")
    assert (ended.id, ended.text.strip()) == (answer.id, "It is late.")
