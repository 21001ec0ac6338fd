"""An administrator searches the network: shown first, confirmed, followed, cancelled, added at a click."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from django.test import Client

from backends.database import close_connections
from backends.models import Backend, Search
from backends.searches.models import SearchStatus
from tests.backends.network import watched
from tests.chat.page import faults, read
from tests.fakes.exchange import InThread
from tests.fakes.lmstudio import FakeLMStudio
from tests.fakes.opencode import FakeOpenCode
from tests.fakes.thread import FakeServerThread

HTMX = {"HX-Request": "true"}


@pytest.fixture
def _searching(transactional_db: None) -> Iterator[None]:
    yield
    Search.objects.update(cancel_requested=True)
    deadline = time.monotonic() + 10
    while Search.objects.filter(status=SearchStatus.RUNNING).exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    close_connections()


def ended(seconds: float = 15) -> Search:
    deadline = time.monotonic() + seconds
    while (row := Search.objects.get()).status == SearchStatus.RUNNING:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return row


def path_of(row: Search) -> str:
    return f"/discovery/{row.pk}/"


def test_the_range_is_shown_and_nothing_is_contacted_before_the_click(as_ada: Client, db: None) -> None:
    with watched() as contacts:
        assert 'href="/discovery/"' in as_ada.get("/backends/").content.decode()
        response = as_ada.get("/discovery/", REMOTE_ADDR="10.20.30.40")

    page = read(response)
    assert page.one(id="id_places").text.split() == ["127.0.0.1", "10.20.30.0/24"]
    assert "11434" in page.one(id="id_ports").attributes["value"]
    assert faults(response) == []
    assert (contacts.addresses, contacts.names, Search.objects.count()) == (set(), set(), 0)


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({"places": "8.8.8.8", "ports": "80"}, "not a private network"),
        ({"places": "10.0.0.0/16", "ports": "80"}, "which is a /22"),
        ({"places": "127.0.0.1", "ports": "http"}, "Enter port numbers"),
        ({"places": "", "ports": "80"}, "This field is required"),
        ({}, "This field is required"),
    ],
)
def test_what_may_not_be_searched_is_explained(
    as_ada: Client, db: None, sent: dict[str, str], sentence: str
) -> None:
    with watched() as contacts:
        response = as_ada.post("/discovery/", sent)

    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert faults(response) == []
    assert (contacts.addresses, Search.objects.count()) == (set(), 0)


@pytest.mark.usefixtures("_searching")
def test_what_is_found_is_offered_and_added_at_a_click(as_ada: Client) -> None:
    with (
        InThread(FakeLMStudio(host="127.0.0.2")) as studio,
        InThread(FakeOpenCode(host="127.0.0.3", password="p")) as code,
        FakeServerThread(host="127.0.0.4") as ollama,
    ):
        ports = f"{studio.port}, {code.port}, {ollama.port}"
        with watched() as contacts:
            begun = as_ada.post("/discovery/", {"places": "127.0.0.0/29", "ports": ports})
            row = ended()
        assert begun["Location"] == path_of(row)
        assert contacts.hosts == {f"127.0.0.{last}" for last in range(1, 7)}

        response = as_ada.get(path_of(row))
        page = read(response)
        assert faults(response) == []
        texts = " ".join(page.texts())
        assert "Searched · 18 of 18 ports" in " ".join(texts.split())
        assert "LM Studio on 127.0.0.2" in texts
        assert "wants a key or a password" in texts
        (link,) = [tag for tag in page.all("a") if tag.attributes["href"].startswith("/backends/add/")]
        form = read(as_ada.get(link.attributes["href"]))
        assert form.one(id="id_base_url").attributes["value"] == code.url
        assert form.one(id="id_name").attributes["value"] == "OpenCode on 127.0.0.3"

        sent = {
            "name": "LM Studio on 127.0.0.2",
            "kind": "lmstudio",
            "base_url": studio.url,
            "next": path_of(row),
        }
        assert as_ada.post("/backends/add/", sent)["Location"] == path_of(row)

    added = Backend.objects.get()
    assert (added.kind, added.base_url, added.models.get().model_id) == ("lmstudio", studio.url, "m")
    assert "Added" in " ".join(read(as_ada.get(path_of(row))).texts())


@pytest.mark.parametrize(
    "wanted", ["https://evil.example/", "//evil.example/discovery/", "/accounts/logout/", ""]
)
def test_nobody_is_led_elsewhere_after_adding(as_ada: Client, db: None, wanted: str) -> None:
    sent = {"name": "A", "kind": "ollama", "base_url": "http://127.0.0.1:9", "next": wanted}

    assert as_ada.post("/backends/add/", sent)["Location"] == "/backends/"


def test_it_asks_for_itself_while_it_goes_on_and_no_longer(as_ada: Client, db: None) -> None:
    row = Search.objects.create(places="127.0.0.1", ports=[1], total=4, tried=1, unknown=["<b>far"])
    whole = as_ada.get(path_of(row))
    fragment = read(as_ada.get(path_of(row), headers=HTMX))

    assert faults(whole) == []
    assert "refresh" in whole.content.decode()  # without a script
    assert "<b>far" not in whole.content.decode()
    assert fragment.faults == []
    assert [tag.name for tag in fragment.tags][:1] == ["div"]
    assert fragment.one(id="search").attributes["hx-get"] == path_of(row)
    assert fragment.one("progress").attributes["value"] == "25"

    Search.objects.update(status=SearchStatus.COMPLETED)
    assert "hx-get" not in read(as_ada.get(path_of(row), headers=HTMX)).one(id="search").attributes
    assert "No AI server was found" in (page := as_ada.get(path_of(row)).content.decode())
    assert "http-equiv" not in page


def test_cancel_is_a_form(as_ada: Client, db: None) -> None:
    row = Search.objects.create(places="127.0.0.1", ports=[1])

    response = as_ada.post(f"{path_of(row)}cancel/")

    assert response["Location"] == path_of(row)
    assert Search.objects.get().cancel_requested
    assert "disabled" in read(as_ada.get(path_of(row))).one(id="cancel-search").attributes


def test_others_neither_search_nor_see(as_bob: Client, db: None) -> None:
    row = Search.objects.create(places="127.0.0.1", ports=[1])
    sent = {"places": "127.0.0.1", "ports": "1"}

    answers = [
        as_bob.get("/discovery/"), as_bob.post("/discovery/", sent), as_bob.get(path_of(row)),
        as_bob.get(path_of(row), headers=HTMX), as_bob.post(f"{path_of(row)}cancel/"),
    ]  # fmt: skip
    assert [answer.status_code for answer in answers] == [403] * 5
    assert not Search.objects.get().cancel_requested
