"""A hub process on PostgreSQL and Redis does what it does on its own, and lives through their loss."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.fakes.thread import FakeServerThread
from tests.live.hub import Hub
from tests.live.pagesocket import PageSocket
from tests.live.process import wait_for
from tests.services.fixtures import Pair, numbers_in, shown_in_order
from tests.services.servers import Postgres, Redis, Server

pytestmark = [pytest.mark.postgres, pytest.mark.redis, pytest.mark.xdist_group("services")]


def health(hub: Hub) -> tuple[int, dict[str, Any]]:
    """Status and body of ``/healthz``."""
    connection = http.client.HTTPConnection("127.0.0.1", hub.port, timeout=10)
    try:
        connection.request("GET", "/healthz")
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


@contextmanager
def away(server: Server) -> Iterator[None]:
    """While that server is stopped."""
    server.stop()
    try:
        yield
    finally:
        server.start()


def test_an_answer_streams_and_stays(pair: Pair) -> None:
    alice = pair.one.person("alice")
    path = alice.ask("!stamped 60 rate 20")

    with PageSocket(alice, path) as page:
        page.wait_for('assistant" data-status="completed"')
        first = next(frame for frame in page.frames if "t0@" in frame)
        assert "t59@" not in first, "it came in one piece"

    answer = alice.last(path)
    assert answer.status == "completed"
    assert numbers_in(answer.text) == list(range(60))
    assert shown_in_order(page.text) == list(range(60))


def test_stop_closes_the_upstream_connection_at_once(pair: Pair, pair_fake: FakeServerThread) -> None:
    alice = pair.one.person("alice")
    path = alice.ask("!tokens 2000 rate 50")
    alice.wait_for_text(path, "light")

    alice.stop(path)

    pair_fake.wait_until(lambda: pair_fake.disconnects, timeout=5.0)  # the answer has 40 s to go
    assert alice.wait_for_status(path, "stopped").text.strip()


def test_health_is_stable_while_the_bus_listens(pair: Pair) -> None:
    answers = [health(pair.one) for _ in range(10)]

    assert [status for status, _body in answers] == [200] * 10
    body = answers[0][1]
    assert (body["status"], body["database"], body["channel_layer"]) == ("ok", True, True)


def test_health_tells_that_redis_is_away_and_back(pair: Pair, redis: Redis) -> None:
    with away(redis):
        status, body = health(pair.one)
        assert status == 503
        assert (body["status"], body["database"], body["channel_layer"]) == ("failing", True, False)

    wait_for(pair.one.is_well, "the hub's health", 10)


def test_health_tells_that_postgresql_is_away_and_back(pair: Pair, postgres: Postgres) -> None:
    with away(postgres):
        status, body = health(pair.one)
        assert status == 503
        assert (body["status"], body["database"], body["channel_layer"]) == ("failing", False, True)

    wait_for(pair.one.is_well, "the hub's health", 10)


def test_an_answer_outlives_a_restart_of_the_database(
    pair: Pair, postgres: Postgres, pair_fake: FakeServerThread
) -> None:
    alice = pair.one.person("alice")
    path = alice.ask("!stamped 150 rate 50")
    with PageSocket(alice, path) as page:
        page.wait_for("t30@")
        with away(postgres):
            page.wait_for("t149@")
            page.wait_for("keeps the text and tries again")
        page.wait_for('assistant" data-status="completed"')

    answer = alice.last(path)
    assert answer.status == "completed"
    assert numbers_in(answer.text) == list(range(150))
    assert len(pair_fake.chats) == 1


def test_an_answer_does_not_notice_that_redis_went_away(pair: Pair, redis: Redis) -> None:
    alice = pair.one.person("alice")
    path = alice.ask("!stamped 150 rate 50")
    with PageSocket(alice, path) as page:
        page.wait_for("t30@")
        with away(redis):
            page.wait_for("t100@")
            assert alice.get(path).status == 200
        page.wait_for('assistant" data-status="completed"')

    answer = alice.last(path)
    assert answer.status == "completed"
    assert numbers_in(answer.text) == list(range(150))
    assert shown_in_order(page.text) == list(range(150))
