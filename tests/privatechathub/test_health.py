"""``/healthz`` for machines that watch the hub."""

from __future__ import annotations

from typing import Any

import pytest
from channels.layers import InMemoryChannelLayer
from django.db import InterfaceError, OperationalError
from django.test import Client

from privatechathub import views


class GoneLayer(InMemoryChannelLayer):  # type: ignore[misc]
    """A Redis that nobody answers for."""

    async def send(self, channel: str, message: dict[str, Any]) -> None:
        raise ConnectionRefusedError("redis://:s3cret@127.0.0.1")


class OddLayer(InMemoryChannelLayer):  # type: ignore[misc]
    """Gives back something else than was sent."""

    async def receive(self, channel: str) -> dict[str, Any]:
        return {"type": "another"}


class GoneDatabase:
    """A PostgreSQL that went away."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def cursor(self) -> Any:
        raise self.error


def test_all_is_well(db: None, settings: Any) -> None:
    response = Client().get("/healthz")

    assert response.status_code == 200
    assert response["Content-Type"] == "application/json"
    assert response.json() == {
        "status": "ok", "version": settings.VERSION, "database": True, "channel_layer": True,
    }  # fmt: skip
    assert Client().head("/healthz").status_code == 200
    assert Client().post("/healthz").status_code == 405


@pytest.mark.parametrize("error", [OperationalError("no such host s3cret"), InterfaceError("s3cret")])
def test_without_the_database_it_fails_and_says_no_more(
    db: None, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(views, "connection", GoneDatabase(error))

    response = Client().get("/healthz")

    assert response.status_code == 503
    body = response.json()
    assert (body["status"], body["database"], body["channel_layer"]) == ("failing", False, True)
    assert b"s3cret" not in response.content


@pytest.mark.parametrize("layer", ["GoneLayer", "OddLayer"])
def test_without_the_channel_layer_it_fails(db: None, settings: Any, layer: str) -> None:
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": f"{__name__}.{layer}"}}

    response = Client().get("/healthz")

    assert response.status_code == 503
    assert (response.json()["database"], response.json()["channel_layer"]) == (True, False)
    assert b"s3cret" not in response.content
