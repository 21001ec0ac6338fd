"""The page "Models": everybody sees what they may use and sets their own wishes; administrators set the rules."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from backends.models import Access, Backend, CatalogueModel, ModelPreference, State
from backends.service import forget_models
from privatechathub.accounts.models import User
from tests.chat.page import Page, faults, read

HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def _catalogue(db: None) -> None:
    """A server that is there, and one that is off."""
    box = Backend.objects.create(name="Box", kind="ollama", base_url="http://127.0.0.1:9", state=State.ONLINE)
    attic = Backend.objects.create(
        name="Attic",
        kind="lmstudio",
        base_url="http://127.0.0.1:9",
        state=State.OFFLINE,
        state_since=datetime(2026, 3, 1, 12, tzinfo=UTC),
        state_message="refused at 10.1.2.3",
    )
    CatalogueModel.objects.create(
        backend=box,
        model_id="qwen3:8b",
        family="qwen3",
        parameter_size="8.2B",
        quantization="Q4_K_M",
        size_bytes=5_200_000_000,
        context_length=40_960,
        max_context_length=262_144,
        capabilities=["chat", "tools", "reasoning"],
        loaded=True,
        digest="sha256:0123",
        details={"modified_at": "2026-02-03T04:05:06Z", "odd_thing": "<b>7</b>"},
    )
    CatalogueModel.objects.create(
        backend=box, model_id="glm:cloud", remote=True, capabilities=["chat", "vision"], position=1
    )
    CatalogueModel.objects.create(
        backend=box, model_id="nomic", capabilities=["embedding"], is_chat=False, position=2
    )
    CatalogueModel.objects.create(backend=attic, model_id="org/gemma", name="Gemma", loaded=True)


def model(model_id: str) -> CatalogueModel:
    return CatalogueModel.objects.select_related("backend").get(model_id=model_id)


def get(browser: Client, path: str, **more: Any) -> Any:
    """One page."""
    return browser.get(path, **more)


def listed(browser: Client, query: str = "") -> list[str]:
    """The names on the page; htmx gets the same."""
    whole = get(browser, f"/models/?{query}")
    part = get(browser, f"/models/?{query}", headers=HTMX)
    assert whole.status_code == part.status_code == 200
    assert faults(whole) == []
    assert read(part).faults == []
    assert names(read(whole)) == names(read(part))
    assert "<html" not in part.content.decode()
    return names(read(whole))


def names(page: Page) -> list[str]:
    """The models of a list, in order."""
    return [
        tag.text for tag in page.all("a") if re.fullmatch(r"/models/\d+/", tag.attributes.get("href", ""))
    ]


def text(response: Any) -> str:
    """What a reader sees."""
    return " ".join(" ".join(read(response).texts()).split())


def press(browser: Client, wish: str, model_id: str, **more: Any) -> Any:
    """A press on a button of the list."""
    return browser.post("/models/wishes/", {wish: model(model_id).ref, **more.pop("data", {})}, **more)


# --- the list -------------------------------------------------------------------------------------


def test_every_model_is_listed_with_what_its_server_told(as_alice: Client) -> None:
    assert listed(as_alice) == ["Gemma", "qwen3:8b", "glm:cloud", "nomic"]
    page = text(get(as_alice, "/models/"))
    assert "qwen3 · 8.2B · Q4_K_M · 4.8 GB · 40,960 tokens of context" in page.replace("\xa0", " ")
    for word in ("Tools", "Thinking", "Vision", "Embedding", "Cloud", "Online", "4 models"):
        assert word in page


def test_a_server_that_is_off_keeps_its_models_and_says_since_when(as_alice: Client) -> None:
    page = get(as_alice, "/models/?backend=attic")

    assert names(read(page)) == ["Gemma"]
    assert "Offline since 03/01/2026" in text(page)
    assert "In memory" not in [tag.text for tag in read(page).all("span")]
    assert "10.1.2.3" not in page.content.decode()


def test_only_what_a_person_may_use_is_listed(as_alice: Client, as_ada: Client) -> None:
    CatalogueModel.objects.filter(model_id="qwen3:8b").update(access=Access.ADMINS)
    Backend.objects.filter(slug="attic").update(access=Access.ADMINS)
    CatalogueModel.objects.filter(model_id="nomic").update(hidden=True)

    assert listed(as_alice) == ["glm:cloud"]
    assert "1 hidden" not in text(get(as_alice, "/models/"))
    assert listed(as_ada) == ["Gemma", "qwen3:8b", "glm:cloud"]
    assert listed(as_ada, "show=hidden") == ["nomic"]


def test_switched_off_backends_and_vanished_models_are_not_listed(as_alice: Client) -> None:
    ModelPreference.objects.create(
        user=User.objects.get(username="alice"), model=model("glm:cloud"), favourite=True
    )
    forget_models(CatalogueModel.objects.filter(model_id="glm:cloud"))
    Backend.objects.filter(slug="attic").update(enabled=False)

    assert listed(as_alice) == ["qwen3:8b", "nomic"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=QWEN", ["qwen3:8b"]),
        ("q=box+cloud", ["glm:cloud"]),
        ("q=box+gemma", []),
        ("q=%00%22%3E", []),
        ("backend=box", ["qwen3:8b", "glm:cloud", "nomic"]),
        ("backend=nowhere", []),
        ("can=vision", ["glm:cloud"]),
        ("can=flying", []),
        ("loaded=1", ["qwen3:8b"]),
        ("show=favourites", []),
        ("show=anything", ["Gemma", "qwen3:8b", "glm:cloud", "nomic"]),
        ("backend=box&can=tools&loaded=1&q=8.2b", ["qwen3:8b"]),
    ],
)
def test_filters_narrow_the_list(as_alice: Client, query: str, found: list[str]) -> None:
    assert listed(as_alice, query) == found
    assert ("Show all" in text(get(as_alice, f"/models/?{query}"))) == (query != "show=anything")


def test_the_form_shows_what_was_asked(as_alice: Client) -> None:
    page = read(get(as_alice, "/models/?q=a%22b&backend=box&can=vision&loaded=1&show=hidden"))

    assert page.one("input", name_="q").attributes["value"] == 'a"b'
    chosen = [tag.attributes["value"] for tag in page.all("option") if "selected" in tag.attributes]
    assert chosen == ["box", "vision", "hidden"]
    assert "checked" in page.one("input", name_="loaded").attributes
    assert page.one("form", id="catalogue-filters").attributes["method"] == "get"


def test_an_empty_catalogue_says_what_to_do(as_alice: Client, as_ada: Client) -> None:
    Backend.objects.all().delete()

    assert "ask the administrator" in text(get(as_alice, "/models/"))
    assert read(get(as_ada, "/models/")).all("a", href="/backends/")
    assert not read(get(as_alice, "/models/")).all("form", id="catalogue-filters")


@pytest.mark.parametrize("path", ["/models/", "/models/?q=m"])
def test_the_list_takes_the_same_queries_however_long(as_ada: Client, path: str) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            get(as_ada, path)
        return len(queries)

    before = count()
    box = Backend.objects.get(slug="box")
    CatalogueModel.objects.bulk_create(
        CatalogueModel(backend=box, model_id=f"m{number}") for number in range(30)
    )
    assert count() == before == 2  # person, models


def test_it_is_found_from_the_chat_the_settings_and_the_servers_page(
    as_alice: Client, as_ada: Client
) -> None:
    for browser, path in ((as_alice, "/"), (as_alice, "/settings/"), (as_ada, "/backends/")):
        assert read(get(browser, path)).all("a", href="/models/")
    assert read(get(as_ada, "/backends/box/models/")).all("a", href="/models/?backend=box")
    assert read(get(as_ada, "/models/")).all("a", href="/backends/box/models/")
    assert not read(get(as_alice, "/models/")).all("a", href="/backends/box/models/")
    assert "/backends/" not in get(as_alice, "/settings/").content.decode()


# --- wishes ---------------------------------------------------------------------------------------


def test_a_favourite_is_marked_and_unmarked(as_alice: Client, as_bob: Client) -> None:
    press(as_alice, "favourite", "qwen3:8b")

    assert listed(as_alice, "show=favourites") == ["qwen3:8b"]
    assert listed(as_bob, "show=favourites") == []
    assert "Favourites" in get(as_alice, "/").content.decode()
    press(as_alice, "unfavourite", "qwen3:8b")
    assert not ModelPreference.objects.exists()


def test_hiding_takes_a_model_from_list_and_picker_of_one_person(as_alice: Client, as_bob: Client) -> None:
    press(as_alice, "hide", "qwen3:8b")

    assert "qwen3:8b" not in listed(as_alice)
    assert listed(as_alice, "show=hidden") == ["qwen3:8b"]
    assert "1 hidden" in text(get(as_alice, "/models/"))
    assert 'value="box/qwen3:8b"' not in get(as_alice, "/").content.decode()
    assert 'value="box/qwen3:8b"' in get(as_bob, "/").content.decode()
    press(as_alice, "show", "qwen3:8b")
    assert "qwen3:8b" in listed(as_alice)


def test_a_model_is_favourite_or_hidden_and_a_hidden_one_is_no_default(as_alice: Client, alice: User) -> None:
    for wish in ("favourite", "default", "hide"):
        press(as_alice, wish, "qwen3:8b")
    alice.refresh_from_db()
    assert alice.default_model == ""
    row = ModelPreference.objects.get()
    assert (row.favourite, row.hidden) == (False, True)


def test_a_default_is_set_and_unset(as_alice: Client, alice: User, as_bob: Client) -> None:
    def chosen(browser: Client) -> list[str]:
        page = read(get(browser, "/"))
        return [tag.attributes["value"] for tag in page.all("option") if "selected" in tag.attributes]

    press(as_alice, "default", "glm:cloud")
    assert chosen(as_alice) == ["box/glm:cloud"]
    assert chosen(as_bob) == ["attic/org/gemma"]
    assert "Your default" in text(get(as_alice, "/models/"))
    press(as_alice, "no-default", "qwen3:8b")
    assert chosen(as_alice) == ["box/glm:cloud"]
    press(as_alice, "no-default", "glm:cloud")
    assert chosen(as_alice) == ["attic/org/gemma"]


def test_a_press_comes_back_to_the_list_as_it_was(as_alice: Client) -> None:
    filters = "q=qwen&backend=box&next=//evil.example"

    response = press(as_alice, "favourite", "qwen3:8b", data={"filters": filters})

    assert (response.status_code, response["Location"]) == (302, "/models/?q=qwen&backend=box")


def test_htmx_gets_the_list_and_the_pressed_line_stays(as_alice: Client) -> None:
    response = press(as_alice, "hide", "qwen3:8b", data={"filters": "q=qwen"}, headers=HTMX)

    assert names(read(response)) == ["qwen3:8b"]
    assert read(response).one("button", name_="show").attributes["aria-pressed"] == "true"
    assert listed(as_alice, "q=qwen") == []


def test_a_press_on_the_page_of_a_model_stays_there(as_alice: Client) -> None:
    response = press(as_alice, "favourite", "qwen3:8b", data={"from": "details"})

    assert response["Location"] == f"/models/{model('qwen3:8b').pk}/"


@pytest.mark.parametrize("headers", [{}, HTMX])
@pytest.mark.parametrize("wish", ["favourite", "hide", "default"])
def test_a_wish_for_a_forbidden_model_is_refused_like_one_for_none(
    as_bob: Client, bob: User, wish: str, headers: dict[str, str]
) -> None:
    CatalogueModel.objects.filter(model_id="qwen3:8b").update(access=Access.ADMINS)

    for ref in ("box/qwen3:8b", "box/nothing", ""):
        response: Any = as_bob.post("/models/wishes/", {wish: ref}, headers=headers, follow=True)
        assert response.status_code == 200
        assert "qwen3:8b" not in names(read(response))
        if not headers:
            assert "not available" in text(response) or not ref
    bob.refresh_from_db()
    assert not ModelPreference.objects.exists()
    assert bob.default_model == ""


def test_a_press_on_nothing_is_a_bad_request(as_alice: Client) -> None:
    assert as_alice.post("/models/wishes/", {"explode": "box/qwen3:8b"}).status_code == 400


# --- one model ------------------------------------------------------------------------------------


def test_a_model_tells_everything(as_alice: Client) -> None:
    response = get(as_alice, f"/models/{model('qwen3:8b').pk}/")

    assert faults(response) == []
    page = text(response).replace("\xa0", " ")
    for fact in ("qwen3:8b", "8.2B", "Q4_K_M", "4.8 GB", "40,960 tokens", "262,144 tokens", "sha256:0123",
                 "Chat, Tools, Thinking", "Feb. 3, 2026", "Odd thing", "<b>7</b>", "at its server"):  # fmt: skip
        assert fact in page
    assert "On this hub" not in page


def test_what_ollm_plans_is_told(as_alice: Client) -> None:
    plan = {"support": "generic", "engine": "transformers-generic", "plan": "It fits.", "device": "cpu"}
    CatalogueModel.objects.filter(model_id="nomic").update(details=plan)

    page = read(get(as_alice, f"/models/{model('nomic').pk}/"))

    told = {
        tag.attributes["data-fact"]: page.tags[page.tags.index(tag) + 2].text
        for tag in page.all("div")
        if "data-fact" in tag.attributes
    }
    assert told.items() >= plan.items()


def test_what_a_server_does_not_tell_is_not_guessed(as_alice: Client) -> None:
    CatalogueModel.objects.filter(model_id="qwen3:8b").update(
        capabilities=None, details={"modified_at": "soon"}
    )

    page = text(get(as_alice, f"/models/{model('qwen3:8b').pk}/"))

    assert "the server does not tell" in page
    assert "soon" in page


@pytest.mark.parametrize("why", [{"access": Access.ADMINS}, {"hidden": True}])
def test_a_model_that_one_may_not_see_is_not_there(
    as_alice: Client, as_ada: Client, why: dict[str, Any]
) -> None:
    CatalogueModel.objects.filter(model_id="qwen3:8b").update(**why)
    path = f"/models/{model('qwen3:8b').pk}/"

    assert get(as_alice, path).status_code == 404
    assert get(as_ada, path).status_code == 200
    assert get(as_alice, "/models/99999999/").status_code == 404


# --- the hub's rules ------------------------------------------------------------------------------


def save(browser: Client, model_id: str, **values: Any) -> Any:
    """A press on Save of the rules."""
    data = {"alias": "", "access": "everyone", **values}
    return browser.post(f"/models/{model(model_id).pk}/rules/", data)


def test_an_administrator_names_restricts_and_hides(as_ada: Client) -> None:
    group = Group.objects.create(name="friends")

    response = save(
        as_ada, "qwen3:8b", alias="  The  quick one ", access="groups", groups=[group.pk], hidden="on"
    )

    row = model("qwen3:8b")
    assert response["Location"] == f"/models/{row.pk}/"
    assert (row.alias, row.access, row.hidden) == ("The quick one", Access.GROUPS, True)
    assert list(row.groups.all()) == [group]
    page = get(as_ada, f"/models/{row.pk}/")
    assert faults(page) == []
    assert "The quick one was saved." in text(page)


def test_everybody_sees_the_alias_and_can_search_both_names(as_ada: Client, as_alice: Client) -> None:
    save(as_ada, "qwen3:8b", alias="Quick")

    for query in ("q=quick", "q=qwen3:8b"):
        assert listed(as_alice, query) == ["Quick"]
    assert ">Quick · 8.2B</option>" in get(as_alice, "/").content.decode()


def test_another_first_choice_takes_the_place_of_the_first(as_ada: Client) -> None:
    save(as_ada, "qwen3:8b", first_choice="on")
    save(as_ada, "glm:cloud", first_choice="on")
    assert [row.model_id for row in CatalogueModel.objects.filter(hub_default=True)] == ["glm:cloud"]

    save(as_ada, "glm:cloud")

    assert not CatalogueModel.objects.filter(hub_default=True).exists()


def test_groups_without_a_group_are_sent_back(as_ada: Client) -> None:
    response = save(as_ada, "qwen3:8b", access="groups", alias="Not stored")

    assert response.status_code == 422
    assert faults(response) == []
    assert "Choose at least one group." in text(response)
    assert read(response).one("h1").text == "qwen3:8b"
    assert model("qwen3:8b").access == Access.EVERYONE


def test_a_model_that_cannot_chat_is_no_first_choice(as_ada: Client) -> None:
    assert not read(get(as_ada, f"/models/{model('nomic').pk}/")).all("input", name_="first_choice")
    save(as_ada, "nomic", first_choice="on")
    assert not model("nomic").hub_default


def test_rules_are_for_administrators(as_alice: Client) -> None:
    assert save(as_alice, "qwen3:8b", alias="Mine").status_code == 403
    assert model("qwen3:8b").alias == ""
