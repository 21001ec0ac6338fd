"""A download outlives pages, restarts and crashes of the hub."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest

from tests.live.fixtures import assert_calm
from tests.live.hub import Hub
from tests.live.process import wait_for
from tests.live.registry import TOTAL, Registry, registry

pytestmark = pytest.mark.xdist_group("endings")

PAGE = "/backends/ollama/models/"


@pytest.fixture
def ollama() -> Iterator[Registry]:
    with registry() as server:
        yield server


@pytest.fixture
def hub(make_hub: Callable[..., Hub], ollama: Registry) -> Iterator[Hub]:
    made = make_hub()
    ollama.models.append("old:1b")
    made.add_backend(ollama.url, "Ollama", "ollama")
    yield made.start()
    assert_calm(made.output)


def percent(hub: Hub) -> int:
    """What the bar shows; 0 where there is none."""
    found = re.search(r'<progress max="100" value="(\d+)"', hub.person("ada").get(f"{PAGE}downloads/").text)
    return int(found[1]) if found else 0


def test_a_crash_and_a_restart_only_interrupt_a_download(hub: Hub, ollama: Registry) -> None:
    ollama.stop_at = TOTAL // 2
    hub.person("ada").post(f"{PAGE}pull/", {"name": "new:4b"})
    wait_for(lambda: percent(hub) == 50, "half of the download")

    hub.kill()
    wait_for(lambda: ollama.open == 0, "the end of the connection")
    hub.start()
    wait_for(lambda: len(ollama.begun) == 2, "the second attempt")
    assert hub.stop() == 0
    wait_for(lambda: ollama.open == 0, "the end of the second connection")
    hub.start()
    wait_for(lambda: len(ollama.begun) == 3, "the third attempt")
    ollama.stop_at = TOTAL
    wait_for(lambda: "new:4b" in ollama.models, "the whole model")

    wait_for(lambda: "?model=new%3A4b" in hub.person("ada").get(PAGE).text, "the model in the list")
    assert ollama.begun == [0, TOTAL // 2, TOTAL // 2]
    assert "Installed" in hub.person("ada").get(f"{PAGE}downloads/").text


def test_two_watchers_see_the_same_and_either_may_cancel(hub: Hub, ollama: Registry) -> None:
    ollama.stop_at = TOTAL // 2
    ada, other = hub.sign_in("ada"), hub.sign_in("ada")
    ada.post(f"{PAGE}pull/", {"name": "new:4b"})
    other.post(f"{PAGE}pull/", {"name": "new:4b"})
    wait_for(lambda: percent(hub) == 50, "half of the download")
    assert len(ollama.begun) == 1

    found = re.search(r'action="(/pulls/\d+/cancel/)"', other.get(PAGE).text)
    assert found
    assert hub.person("bob").post(found[1]).status == 403
    assert ollama.open == 1
    other.post(found[1])
    wait_for(lambda: ollama.open == 0, "the end of the connection", 5)
    wait_for(lambda: "Cancelled" in ada.get(PAGE).text, "the end on the other page")
