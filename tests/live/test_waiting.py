"""Servers that are away, in front of the hub as its owner runs it: messages wait, pages do not."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator

import pytest

from tests.fakes.thread import FakeServerThread
from tests.live.hub import Hub
from tests.live.pagesocket import PageSocket

pytestmark = pytest.mark.xdist_group("endings")

#: Backends whose names and models were listed while they were there.
_KNOWN = """
from backends.models import Backend, CatalogueModel
for name, port in {servers!r}:
    backend = Backend.objects.create(name=name, kind="openai", base_url=f"http://127.0.0.1:{{port}}/v1")
    CatalogueModel.objects.create(backend=backend, model_id="fast")
"""


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of a server that takes every connection and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as door:
        yield door.getsockname()[1]


@pytest.fixture
def desk() -> Iterator[FakeServerThread]:
    """A server that has gone away; its address stays."""
    with FakeServerThread() as server:
        server.stop()
        yield server


def test_messages_to_servers_that_are_away_wait_through_a_crash_and_go_out_when_one_is_back(
    make_hub: Callable[..., Hub], desk: FakeServerThread, silent: int, fake: FakeServerThread
) -> None:
    hub = make_hub()
    hub.add_backend(f"{fake.url}/v1")
    hub.shell(_KNOWN.format(servers=[("Desk PC", desk.port), ("Silent", silent)]))
    hub.start()
    alice = hub.person("alice")
    path = alice.ask("!echo at last", "desk-pc/fast")
    waiting = alice.wait_for_status(path, "queued")
    assert "“Desk PC” does not answer. Your message is sent when it is back." in waiting.whole
    unheard = alice.ask("is anybody there?", "silent/fast")

    answered = alice.ask("!echo quick")
    assert alice.wait_for_status(answered, "completed").text.strip() == "quick"
    for page in ("/", path, unheard, answered, "/settings/"):
        assert alice.get(page).status == 200

    hub.kill()
    hub.start()
    assert alice.wait_for_status(path, "queued", "running").id == waiting.id
    with PageSocket(alice, path) as page, FakeServerThread(port=desk.port) as returned:
        page.wait_for('assistant" data-status="completed"')
        assert len(returned.chats) == 1
    assert alice.last(path).text.strip() == "at last"


def test_a_stranger_can_do_nothing_with_a_waiting_message(
    make_hub: Callable[..., Hub], desk: FakeServerThread
) -> None:
    hub = make_hub()
    hub.shell(_KNOWN.format(servers=[("Desk PC", desk.port)]))
    hub.start()
    alice, bob = hub.person("alice"), hub.person("bob")
    path = alice.ask("!echo mine", "desk-pc/fast")
    number = alice.wait_for_status(path, "queued").id

    for what in ("send", "model", "edit"):
        fields = {"text": "yours", "other": "desk-pc/fast"}
        assert bob.post(f"/messages/{number}/waiting/{what}/", fields).status == 404
    assert bob.post(f"{path}stop/").status == 404
    assert alice.get(path).articles[0].text.strip() == "!echo mine"

    alice.stop(path)
    assert alice.last(path).status == "stopped"
