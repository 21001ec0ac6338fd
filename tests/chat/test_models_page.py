"""The page on which administrators look after the models of a server."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from backends import manager
from backends.adapters.errors import ModelNotFound
from backends.adapters.management import LoadedModel
from backends.adapters.ollama import OllamaAdapter
from backends.database import in_database
from backends.models import Backend, CatalogueModel, Pull
from backends.pulls.models import PullStatus
from chat.generation import runtime
from chat.views import models as views

PAGE = "/backends/ollama/models/"


@pytest.fixture
def ollama(db: None) -> Backend:
    """A server at which nothing listens, with two models."""
    backend = Backend.objects.create(name="Ollama", kind="ollama", base_url="http://127.0.0.1:9")
    CatalogueModel.objects.create(backend=backend, model_id="qwen3:8b", loaded=True, size_bytes=5_200_000_000)
    CatalogueModel.objects.create(backend=backend, model_id="a/b c:1", loaded=False)
    return backend


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What the server was asked to do; it does it."""
    calls: list[tuple[str, str]] = []

    def verb(name: str) -> Any:
        async def call(self: OllamaAdapter, model: str) -> None:
            calls.append((name, model))

        return call

    for name in ("load", "unload", "delete"):
        monkeypatch.setattr(OllamaAdapter, name, verb(name))
    return calls


def page(browser: Client, address: str = PAGE, **headers: str) -> str:
    response = browser.get(address, headers=headers)
    assert response.status_code == 200
    return response.content.decode()


def test_it_shows_the_models_without_asking_the_server(
    ollama: Backend, as_ada: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "glance", lambda backend: pytest.fail("the page waited"))
    html = page(as_ada)
    assert "qwen3:8b" in html
    assert "4.8\xa0GB" in html
    assert html.count('action="/backends/ollama/models/unload/"') == 1
    assert html.count('action="/backends/ollama/models/load/"') == 1
    assert "?model=a%2Fb%20c%3A1" in html
    assert 'hx-get="/backends/ollama/models/memory/"' in html
    assert 'href="?memory=1"' in html


def test_a_model_with_an_alias_goes_by_its_own_name_too(as_ada: Client, ollama: Backend) -> None:
    ollama.models.filter(model_id="qwen3:8b").update(alias="Quick")

    page = as_ada.get(PAGE).content.decode()

    assert ">Quick</strong>" in page
    assert "qwen3:8b ·" in page


def test_a_vanished_model_that_the_hub_has_a_rule_for_is_not_installed(
    as_ada: Client, ollama: Backend
) -> None:
    ollama.models.filter(model_id="a/b c:1").update(alias="Kept", listed=False)

    assert "Kept" not in as_ada.get(PAGE).content.decode()


def test_a_kind_that_manages_nothing_has_no_such_page(demo: Backend, as_ada: Client) -> None:
    assert as_ada.get("/backends/demo/models/").status_code == 404
    assert as_ada.post("/backends/demo/models/pull/", {"name": "m"}).status_code == 404
    assert not Pull.objects.exists()


def test_what_a_server_cannot_do_is_not_offered(as_ada: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    Backend.objects.create(name="Ollama", kind="ollama", base_url="http://127.0.0.1:9")
    monkeypatch.setattr(OllamaAdapter, "operations", frozenset({"loaded"}))
    html = page(as_ada)
    assert "Download" not in html
    assert as_ada.post(PAGE + "load/", {"model": "m"}).status_code == 404
    assert as_ada.get(PAGE + "delete/?model=m").status_code == 404


def test_the_built_in_model_is_not_managed_here(as_ada: Client) -> None:
    Backend.objects.create(name="Ollama", kind="ollama", base_url="x", managed=True)
    assert as_ada.get(PAGE).status_code == 404


def test_a_servers_page_leads_to_its_models(ollama: Backend, demo: Backend, as_ada: Client) -> None:
    assert f'href="{PAGE}"' in page(as_ada, "/backends/ollama/")
    assert "/models/" not in page(as_ada, "/backends/demo/")
    assert "/models/" not in page(as_ada, "/backends/add/")


# Downloads


def test_a_download_is_begun_and_seen(ollama: Backend, as_ada: Client) -> None:
    response = as_ada.post(PAGE + "pull/", {"name": " qwen3:4b "})
    assert response["Location"] == PAGE
    assert Pull.objects.get().name == "qwen3:4b"
    html = page(as_ada)
    assert "qwen3:4b" in html
    assert 'hx-trigger="every 1s"' in html


@pytest.mark.parametrize("name", ["", "  ", "x" * 251, "\x00"])
def test_a_name_has_to_be_one(ollama: Backend, as_ada: Client, name: str) -> None:
    response = as_ada.post(PAGE + "pull/", {"name": name}, follow=True)
    assert "for example qwen3:8b" in response.content.decode()
    assert not Pull.objects.exists()


def download(backend: Backend, **values: Any) -> Pull:
    return Pull.objects.create(backend=backend, name="m", **values)


def test_bars_tell_layer_total_and_speed(ollama: Backend, as_ada: Client) -> None:
    layers = [
        {"id": "sha256:aaa", "completed": 50_000, "total": 100_000},
        {"id": "sha256:<b>", "completed": 0, "total": 100_000},
    ]
    download(
        ollama, status=PullStatus.RUNNING, layers=layers, completed=50_000, total=200_000, speed=1000,
        detail="pulling <aaa>",
    )  # fmt: skip
    html = page(as_ada, PAGE + "downloads/")
    assert '<progress max="100" value="25"' in html
    assert '<progress max="100000" value="50000"' in html
    assert "48.8\xa0KB of 195.3\xa0KB" in html
    assert "1000\xa0bytes a second" in html
    assert "3 minutes left" in html
    assert "pulling &lt;aaa&gt;" in html
    assert "<b>" not in html


def test_a_download_that_has_no_size_yet_moves_without_a_number(ollama: Backend, as_ada: Client) -> None:
    download(ollama)
    html = page(as_ada, PAGE + "downloads/")
    assert '<progress max="100" aria-label' in html
    assert "Waiting" in html


def test_a_failure_tells_the_way_forward_and_can_be_resumed(ollama: Backend, as_ada: Client) -> None:
    pull = download(
        ollama, status=PullStatus.FAILED, error="server", message="no space left", hint="Make room."
    )
    html = page(as_ada, PAGE + "downloads/")
    assert "no space left Make room." in html
    assert f'action="/pulls/{pull.pk}/resume/"' in html
    assert "every 1s" not in html
    as_ada.post(f"/pulls/{pull.pk}/resume/")
    assert Pull.objects.get().status == "waiting"


def test_cancelling_is_one_press(ollama: Backend, as_ada: Client) -> None:
    pull = download(ollama)
    assert f'action="/pulls/{pull.pk}/cancel/"' in page(as_ada, PAGE + "downloads/")
    assert as_ada.post(f"/pulls/{pull.pk}/cancel/")["Location"] == PAGE
    pull.refresh_from_db()
    assert pull.status == "cancelled"


def test_asking_every_second_ends_with_a_fresh_page(ollama: Backend, as_ada: Client) -> None:
    htmx = {"HX-Request": "true"}
    pull = download(ollama, status=PullStatus.COMPLETED, finished_at=timezone.now())
    response = as_ada.get(PAGE + "downloads/", headers=htmx)
    assert "HX-Refresh" not in response
    assert "every 1s" in response.content.decode()
    Pull.objects.filter(pk=pull.pk).update(finished_at=timezone.now() - timedelta(seconds=5))
    assert as_ada.get(PAGE + "downloads/", headers=htmx)["HX-Refresh"] == "true"
    assert "HX-Refresh" not in as_ada.get(PAGE + "downloads/")


# Memory


def test_memory_tells_size_window_and_until_when(
    ollama: Backend, as_ada: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def loaded(self: OllamaAdapter) -> list[LoadedModel]:
        soon = datetime.now(UTC) + timedelta(minutes=5, seconds=30)
        return [LoadedModel("qwen3:8b", "", 6 * 2**30, 2**30, soon, 4096), LoadedModel("n")]

    monkeypatch.setattr(OllamaAdapter, "loaded", loaded)
    for address in (PAGE + "memory/", PAGE + "?memory=1"):
        html = page(as_ada, address)
        assert "6.0\xa0GB (1.0\xa0GB on the graphics card)" in html
        assert "4096 tokens of context" in html
        assert "stays for 5\xa0minutes" in html
        assert "stays until it is unloaded" in html


def test_memory_of_a_dead_server_is_a_sentence(ollama: Backend, as_ada: Client) -> None:
    assert "Nothing answers at this address" in page(as_ada, PAGE + "memory/")


def test_memory_of_a_server_that_hangs_is_a_sentence_soon(
    ollama: Backend, as_ada: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def loaded(self: OllamaAdapter) -> list[LoadedModel]:
        await asyncio.sleep(60)
        return []

    monkeypatch.setattr(OllamaAdapter, "loaded", loaded)
    monkeypatch.setattr(manager, "GLANCE", 0.05)
    assert "Does not answer in time" in page(as_ada, PAGE + "memory/")


def test_an_unreadable_key_is_a_sentence(ollama: Backend, as_ada: Client) -> None:
    Backend.objects.update(api_key_encrypted="nonsense")
    assert "The key or password was rejected" in page(as_ada, PAGE + "memory/")
    response = as_ada.post(PAGE + "load/", {"model": "m"}, follow=True)
    assert "The key or password was rejected" in response.content.decode()


# Load, unload, delete


def test_load_and_unload_are_done_and_seen(
    ollama: Backend, as_ada: Client, asked: list[tuple[str, str]]
) -> None:
    response = as_ada.post(PAGE + "load/", {"model": "a/b c:1"}, follow=True)
    assert "a/b c:1 is loaded." in response.content.decode()
    as_ada.post(PAGE + "unload/", {"model": "qwen3:8b"})
    assert asked == [("load", "a/b c:1"), ("unload", "qwen3:8b")]


def test_delete_asks_first_and_tells_the_size(
    ollama: Backend, as_ada: Client, asked: list[tuple[str, str]]
) -> None:
    html = page(as_ada, PAGE + "delete/?model=qwen3:8b")
    assert "Delete qwen3:8b?" in html
    assert "This frees 4.8\xa0GB on Ollama." in html
    assert asked == []
    response = as_ada.post(PAGE + "delete/", {"model": "qwen3:8b"})
    assert response["Location"] == PAGE
    assert asked == [("delete", "qwen3:8b")]
    assert not CatalogueModel.objects.filter(model_id="qwen3:8b").exists()


def test_a_refusal_is_a_sentence_and_changes_nothing(
    ollama: Backend, as_ada: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(self: OllamaAdapter, model: str) -> None:
        raise ModelNotFound("model 'qwen3:8b' not found", status=404)

    monkeypatch.setattr(OllamaAdapter, "delete", refuse)
    response = as_ada.post(PAGE + "delete/", {"model": "qwen3:8b"}, follow=True)
    assert "model &#x27;qwen3:8b&#x27; not found" in response.content.decode()
    assert CatalogueModel.objects.filter(model_id="qwen3:8b").exists()


@pytest.mark.django_db(transaction=True)
async def test_a_slow_load_goes_on_without_the_page(
    hub: runtime.Runtime, ollama: Backend, as_ada: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready, done = asyncio.Event(), asyncio.Event()

    async def load(self: OllamaAdapter, model: str) -> None:
        await ready.wait()
        done.set()

    monkeypatch.setattr(OllamaAdapter, "load", load)
    monkeypatch.setattr(views, "PATIENCE", 0.05)
    response = await in_database(as_ada.post, PAGE + "load/", {"model": "a/b c:1"}, follow=True)
    assert "it goes on without this page" in response.content.decode()
    ready.set()
    async with asyncio.timeout(5):
        await done.wait()
