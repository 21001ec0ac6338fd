"""The page "Backends": an administrator adds, changes, tests and removes AI servers; secrets go in and never out."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from backends.models import Access, Backend, State
from backends.service import refresh_now
from chat.models import Conversation
from chat.services.sending import Sent
from tests.chat.page import read
from tests.fakes.thread import FakeServerThread

pytestmark = pytest.mark.django_db

KEY, PASSWORD = "sk-v3ry-s3cret", "pa55-w0rd"


def fields(url: str, **more: str) -> dict[str, str]:
    return {"name": "Box", "kind": "ollama", "base_url": url, "access": "everyone", "enabled": "on", **more}


@pytest.fixture
def stored(fake: FakeServerThread) -> Backend:
    """A server with a key and a password, online."""
    backend = Backend(name="Box", kind="ollama", base_url=fake.url, username="hub")
    backend.set_api_key(KEY)
    backend.set_password(PASSWORD)
    backend.save()
    refresh_now(backend)
    fake.clear()
    return backend


def press_test(browser: Client, backend: Backend, **data: str) -> str:
    """The text of the answer to a press on Test, as htmx gets it."""
    response = browser.post(f"/backends/{backend.slug}/test/", data, headers={"HX-Request": "true"})
    assert response.status_code == 200
    return " ".join(" ".join(read(response).texts()).split())


# --- adding ---------------------------------------------------------------------------------------


def test_adding_lists_its_models_at_once(as_ada: Client, fake: FakeServerThread) -> None:
    response = as_ada.post("/backends/add/", fields(f"{fake.url}/"), follow=True)

    assert response.redirect_chain == [("/backends/", 302)]
    page = response.content.decode()
    assert "Box was saved." in page
    assert "Answers, version 0.9.3" in page
    assert "7 models" in page
    assert Backend.objects.get().base_url == fake.url


def test_an_offered_server_is_added_by_three_fields(as_ada: Client, fake: FakeServerThread) -> None:
    as_ada.post("/backends/add/", {"name": "Ollama", "kind": "ollama", "base_url": fake.url})

    backend = Backend.objects.get()
    assert (backend.enabled, backend.access, backend.state) == (True, Access.EVERYONE, State.ONLINE)
    assert (backend.connect_timeout, backend.first_byte_timeout, backend.stall_timeout) == (5, 330, 120)


def test_a_link_may_propose_values_but_no_secret(as_ada: Client) -> None:
    page = read(as_ada.get("/backends/add/?name=Proposed&kind=openai&base_url=http://h/v1&api_key=planted"))

    assert page.one(id="id_name").attributes["value"] == "Proposed"
    assert page.one(id="id_base_url").attributes["value"] == "http://h/v1"
    assert "value" not in page.one(id="id_api_key").attributes


def test_a_server_that_is_off_is_kept_and_shown_as_such(as_ada: Client, refusing: str) -> None:
    page = as_ada.post("/backends/add/", fields(refusing), follow=True).content.decode()

    assert "Nothing answers at this address" in page
    assert 'data-state="error"' in page


def test_the_demo_kind_is_not_offered(as_ada: Client) -> None:
    assert "scripted" not in as_ada.get("/backends/add/").content.decode()
    assert as_ada.post("/backends/add/", fields("scripted:play", kind="scripted")).status_code == 422
    assert not Backend.objects.exists()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"base_url": "ftp://h"}, "Enter an address like http://"),
        ({"base_url": "http://"}, "Enter an address like http://"),
        ({"base_url": "http://me:pw@h:1"}, "User name and password have their own fields."),
        ({"base_url": "me:pw@h:1/x"}, "User name and password have their own fields."),
        ({"base_url": "http://h:port"}, "Enter an address like http://"),
        ({"base_url": "http://[::1"}, "Enter an address like http://"),
        ({"base_url": "javascript:alert(1)"}, "Enter an address like http://"),
        ({"base_url": ""}, "This field is required."),
        ({"name": ""}, "This field is required."),
        ({"name": "Taken"}, "Backend with this Name already exists."),
        ({"slots": "-1"}, "greater than or equal to 0"),
        ({"connect_timeout": "soon"}, "Enter a number."),
        ({"connect_timeout": "0"}, "greater than or equal to 1"),
        ({"stall_timeout": "-5"}, "greater than or equal to 1"),
        ({"kind": "telnet"}, "Select a valid choice."),
        ({"access": "nobody"}, "Select a valid choice."),
    ],
)
def test_what_cannot_be_is_said_and_not_stored(as_ada: Client, change: dict[str, str], sentence: str) -> None:
    Backend.objects.create(name="Taken", kind="ollama", base_url="http://127.0.0.1:9")

    response = as_ada.post("/backends/add/", fields("http://127.0.0.1:9", api_key=KEY) | change)

    assert response.status_code == 422
    page = response.content.decode()
    assert sentence in page
    assert KEY not in page
    assert Backend.objects.count() == 1


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("127.0.0.1:9", "http://127.0.0.1:9"),
        (" http://127.0.0.1:9/v1// ", "http://127.0.0.1:9/v1"),
        ("http://[::1]:9", "http://[::1]:9"),
    ],
)
def test_an_address_is_brought_into_form(as_ada: Client, typed: str, kept: str) -> None:
    as_ada.post("/backends/add/", fields(typed))

    assert Backend.objects.get().base_url == kept


# --- changing -------------------------------------------------------------------------------------


def test_an_empty_secret_keeps_what_is_stored(as_ada: Client, stored: Backend) -> None:
    as_ada.post("/backends/box/", fields(stored.base_url, username="hub", name="Big box"))

    changed = Backend.objects.get()
    assert (changed.name, changed.slug) == ("Big box", "box")
    endpoint = changed.endpoint()
    assert (endpoint.api_key.reveal(), endpoint.password.reveal()) == (KEY, PASSWORD)


def test_a_typed_secret_replaces_and_a_tick_forgets(as_ada: Client, stored: Backend) -> None:
    as_ada.post("/backends/box/", fields(stored.base_url, api_key="another"))
    assert Backend.objects.get().endpoint().api_key.reveal() == "another"

    as_ada.post("/backends/box/", fields(stored.base_url, forget_secrets="on"))
    assert not Backend.objects.get().has_api_key
    assert not Backend.objects.get().has_password


def test_secrets_never_stand_on_any_page(as_ada: Client, stored: Backend, printer: str) -> None:
    answers = [
        as_ada.get("/backends/"),
        as_ada.get("/backends/box/"),
        as_ada.get("/backends/box/delete/"),
        as_ada.get("/admin/backends/backend/"),
        as_ada.get(f"/admin/backends/backend/{stored.pk}/change/"),
        as_ada.get(f"/admin/backends/backend/{stored.pk}/history/"),
        as_ada.post("/backends/box/", fields("ftp://h", api_key="typed-key", password="typed-password")),
        as_ada.post("/backends/box/test/", fields(stored.base_url, api_key="typed-key")),
        as_ada.post("/backends/box/test/", fields(printer, api_key="typed-key", password="typed-password")),
    ]

    for answer in answers:
        page = answer.content.decode()
        assert answer.status_code in (200, 422)
        for secret in (KEY, PASSWORD, "typed-key", "typed-password", stored.api_key_encrypted):
            assert secret not in page
    form = read(answers[1])
    for name in ("api_key", "password"):
        field = form.one(id=f"id_{name}").attributes
        assert field["type"] == "password"
        assert "value" not in field
        assert "stored" in field["placeholder"]


@pytest.mark.parametrize("address", ["saved", "tested"])
def test_a_stored_secret_goes_to_no_other_server(as_ada: Client, stored: Backend, address: str) -> None:
    path = "/backends/box/" if address == "saved" else "/backends/box/test/"
    with FakeServerThread() as thief:
        page = as_ada.post(path, fields(thief.url)).content.decode()
        assert thief.requests == []

    assert "The address changed. Type this again for the new server, or forget it." in page
    assert Backend.objects.get().base_url == stored.base_url


@pytest.mark.parametrize(
    "more", [{"api_key": "for-the-new", "password": "for-the-new"}, {"forget_secrets": "on"}]
)
def test_typed_again_or_forgotten_it_moves(as_ada: Client, stored: Backend, more: dict[str, str]) -> None:
    with FakeServerThread() as new:
        as_ada.post("/backends/box/", fields(new.url, **more))
        sent = [request.headers.get("authorization", "") for request in new.requests]

    assert Backend.objects.get().base_url == new.url
    assert KEY not in " ".join(sent)


def test_another_path_on_the_same_server_keeps_the_secret(as_ada: Client, stored: Backend) -> None:
    as_ada.post("/backends/box/", fields(f"{stored.base_url}/v1", kind="openai"))

    assert Backend.objects.get().endpoint().api_key.reveal() == KEY


def test_groups_are_chosen_and_empty_time_outs_go_back(as_ada: Client, stored: Backend) -> None:
    group = Group.objects.create(name="family")
    limits = {"slots": "2", "connect_timeout": "9", "first_byte_timeout": "", "stall_timeout": "7"}

    as_ada.post("/backends/box/", fields(stored.base_url, access="groups", groups=str(group.pk), **limits))

    changed = Backend.objects.get()
    assert (changed.access, list(changed.groups.all()), changed.slots) == (Access.GROUPS, [group], 2)
    assert (changed.connect_timeout, changed.first_byte_timeout, changed.stall_timeout) == (9, 330, 7)


def test_switched_off_it_says_so(as_ada: Client, stored: Backend) -> None:
    data = fields(stored.base_url)
    del data["enabled"]

    page = as_ada.post("/backends/box/", data, follow=True).content.decode()

    assert "Switched off" in page
    assert 'data-state="off"' in page


# --- removing -------------------------------------------------------------------------------------


def test_removing_asks_first_and_leaves_conversations(
    as_ada: Client, ask: Callable[..., Sent], demo: Backend
) -> None:
    ask("Hello")
    assert "Remove Demo?" in as_ada.get("/backends/demo/delete/").content.decode()
    assert Backend.objects.exists()

    page = as_ada.post("/backends/demo/delete/", follow=True).content.decode()

    assert "Demo was removed." in page
    assert not Backend.objects.exists()
    assert Conversation.objects.get().backend is None
    assert as_ada.get("/backends/demo/").status_code == 404


# --- testing --------------------------------------------------------------------------------------


def test_a_server_that_answers_tells_version_models_and_latency(as_ada: Client, stored: Backend) -> None:
    said = press_test(as_ada, stored, **fields(stored.base_url))

    assert re.search(r"It answers in \d+ ms, version 0\.9\.3, 7 models\.", said)


def test_one_model_is_one_model(as_ada: Client, stored: Backend, fake: FakeServerThread) -> None:
    fake.server.models = ["only"]

    assert "1 model." in press_test(as_ada, stored, **fields(stored.base_url))


def test_refused_says_what_to_set(as_ada: Client, stored: Backend, refusing: str) -> None:
    said = press_test(as_ada, stored, **fields(refusing, forget_secrets="on"))

    assert "Nothing answers at this address (connection refused)." in said
    assert "Is Ollama running, and listening on the network? Set OLLAMA_HOST" in said


def test_a_rejected_key_is_called_one(as_ada: Client, stored: Backend, fake: FakeServerThread) -> None:
    fake.server.api_key = "right"

    said = press_test(as_ada, stored, **fields(stored.base_url, api_key="wrong-key"))

    assert "401: The key or password was rejected" in said
    assert "wrong-key" not in said
    assert "7 models." in press_test(as_ada, stored, **fields(stored.base_url, api_key="right"))


@pytest.mark.parametrize(
    ("kind", "hint"),
    [
        ("ollama", "This is not Ollama. Check the port: Ollama's own is 11434."),
        ("openai", "There is no OpenAI-compatible API. Check the port and the path"),
    ],
)
def test_a_web_page_is_called_one(
    as_ada: Client, stored: Backend, printer: str, kind: str, hint: str
) -> None:
    said = press_test(as_ada, stored, **fields(printer, kind=kind, forget_secrets="on"))

    assert "200: Another program answers at this address (HTTP 200 with a web page)." in said
    assert hint in said


def test_the_test_uses_what_is_typed_and_stores_nothing(
    as_ada: Client, stored: Backend, fake: FakeServerThread
) -> None:
    before = Backend.objects.values().get()

    press_test(as_ada, stored, **fields(stored.base_url, api_key="typed", name="Typed"))

    assert fake.requests[0].headers["authorization"] == "Bearer typed"
    assert Backend.objects.values().get() == before


def test_fields_that_cannot_be_are_not_tested(as_ada: Client, stored: Backend) -> None:
    assert "Correct the fields first." in press_test(as_ada, stored, **fields("ftp://h"))


def test_without_a_script_the_whole_page_comes_back(as_ada: Client, stored: Backend) -> None:
    response = as_ada.post("/backends/box/test/", fields(stored.base_url, name="Typed name"))

    page = read(response)
    assert page.one(id="id_name").attributes["value"] == "Typed name"
    assert any("It answers in" in text for text in page.texts())


# --- the built-in model ---------------------------------------------------------------------------


@pytest.fixture
def builtin() -> Backend:
    return Backend.objects.create(
        name="Built-in", kind="openai", managed=True, base_url="builtin:", state=State.ONLINE
    )


def test_of_the_built_in_model_only_who_may_use_it_is_changed(as_ada: Client, builtin: Backend) -> None:
    page = read(as_ada.get("/backends/built-in/"))
    assert not page.all(id="id_base_url")
    assert not page.all(id="id_api_key")
    assert not [tag for tag in page.tags if "/test/" in tag.attributes.get("formaction", "")]

    sent = {"name": "Small one", "access": "admins", "enabled": "on", "slots": "1"}
    as_ada.post("/backends/built-in/", sent | {"kind": "ollama", "base_url": "http://evil.example"})

    changed = Backend.objects.get()
    assert (changed.name, changed.access, changed.slots) == ("Small one", Access.ADMINS, 1)
    assert (changed.kind, changed.base_url, changed.state) == ("openai", "builtin:", State.ONLINE)


def test_the_built_in_model_is_not_tested(as_ada: Client, builtin: Backend) -> None:
    assert as_ada.post("/backends/built-in/test/", {}).status_code == 404


# --- strangers ------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize(
    "path", ["", "?find=1", "add/", "box/", "box/delete/", "box/test/", "nowhere/", "nowhere/test/"]
)
def test_others_get_nothing_and_learn_nothing(
    as_bob: Client, stored: Backend, fake: FakeServerThread, method: str, path: str
) -> None:
    before = Backend.objects.values().get()

    response: Any = getattr(as_bob, method)(f"/backends/{path}", fields(fake.url, name="Mine"))

    only_the_other_method = (method == "post") == (path in ("", "?find=1")) and (
        path in ("", "?find=1") or path.endswith("test/")
    )
    assert response.status_code == (405 if only_the_other_method else 403)
    assert stored.base_url not in response.content.decode()
    assert fake.requests == []
    assert Backend.objects.values().get() == before
