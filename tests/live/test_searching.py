"""The hub ends in the middle of a search for servers, and starts again."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from tests.fakes.exchange import Hanging, InThread
from tests.live.hub import Hub

pytestmark = pytest.mark.xdist_group("endings")


def test_a_search_does_not_hold_up_the_end_of_the_hub(fresh_hub: Hub) -> None:
    ada = fresh_hub.person("ada")
    with InThread(Hanging(host="127.0.0.5")) as hanging:
        begun = ada.post("/discovery/", {"places": "127.0.0.5", "ports": str(hanging.port)})
        assert "Searching" in begun.text
        assert fresh_hub.stop() == 0

    fresh_hub.start()
    assert ada.get(urlsplit(begun.url).path).status == 200
