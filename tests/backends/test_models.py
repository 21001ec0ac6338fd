"""Backends as rows: names, limits, secrets, and who may use them."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client

from backends.adapters.base import Capability, ModelInfo
from backends.models import Access, Backend, CatalogueModel, can_chat, row_values
from privatechathub.accounts.models import User

pytestmark = pytest.mark.django_db

KEY, PASSWORD = "sk-v3ry-s3cret", "pa55 w0rd"


def make(name: str = "Box", **values: Any) -> Backend:
    return Backend.objects.create(name=name, kind="ollama", base_url="http://127.0.0.1:9", **values)


# --- secrets --------------------------------------------------------------------------------------


def test_secrets_are_encrypted_at_rest_and_come_back_for_the_adapter() -> None:
    backend = make(username="hub")
    backend.set_api_key(KEY)
    backend.set_password(PASSWORD)
    backend.save()

    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM backends_backend")
        stored = str(cursor.fetchall())
    assert KEY not in stored
    assert PASSWORD not in stored
    endpoint = Backend.objects.get().endpoint()
    assert (endpoint.api_key.reveal(), endpoint.username, endpoint.password.reveal()) == (
        KEY,
        "hub",
        PASSWORD,
    )
    assert KEY not in f"{endpoint!r} {endpoint} {backend!r}"
    assert PASSWORD not in f"{endpoint!r} {endpoint}"


def test_an_empty_secret_takes_the_stored_one_away() -> None:
    backend = make()
    backend.set_api_key(KEY)
    assert backend.has_api_key
    assert not backend.has_password

    backend.set_api_key("")

    assert not backend.has_api_key
    assert not backend.endpoint().api_key


def test_the_endpoint_has_the_rows_limits() -> None:
    backend = make(connect_timeout=1.5, first_byte_timeout=20, stall_timeout=3)
    backend.options = {"a": 1}

    endpoint = backend.endpoint()

    timeouts = endpoint.timeouts
    assert (timeouts.connect, timeouts.first_byte, timeouts.stall) == (1.5, 20, 3)
    assert endpoint.options == {"a": "1"}


# --- names ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "slugs"),
    [
        (["Big Box"], ["big-box"]),
        (["Big Box", "big box!", "BIG-BOX"], ["big-box", "big-box-2", "big-box-3"]),
        (["日本", "…"], ["backend", "backend-2"]),
        (["box", "box 2", "box?"], ["box", "box-2", "box-3"]),
        (["x" * 60, "x" * 59], ["x" * 50, f"{'x' * 50}-2"]),
    ],
)
def test_a_slug_is_made_of_the_name_and_nobody_elses(names: list[str], slugs: list[str]) -> None:
    assert [make(name).slug for name in names] == slugs


def test_a_slug_stays_when_the_name_changes() -> None:
    backend = make("Old")
    backend.name = "New"
    backend.save()

    assert Backend.objects.get().slug == "old"


def test_an_address_has_no_slash_at_its_end() -> None:
    assert (
        Backend.objects.create(name="A", kind="openai", base_url=" http://h/v1/ ").base_url == "http://h/v1"
    )


@pytest.mark.parametrize(
    ("own", "reported", "limit"), [(None, None, None), (None, 4, 4), (2, 4, 2), (0, 4, 4), (3, None, 3)]
)
def test_the_owners_limit_beats_the_servers(own: int | None, reported: int | None, limit: int | None) -> None:
    assert make(slots=own, reported_slots=reported).slot_limit == limit


def test_a_kind_that_is_gone_is_shown_by_its_name() -> None:
    assert make().kind_label == "Ollama"
    assert Backend(kind="telepathy").kind_label == "telepathy"


# --- who may use it -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("access", "who"),
    [
        (Access.EVERYONE, {"alice", "bob", "ada"}),
        (Access.GROUPS, {"alice", "ada"}),
        (Access.ADMINS, {"ada"}),
    ],
)
def test_access(access: Access, who: set[str], alice: User, bob: User, ada: User) -> None:
    backend = make(access=access)
    for name in ("family", "friends"):
        group = Group.objects.create(name=name)
        backend.groups.add(group)
        alice.groups.add(group)
    bob.groups.add(Group.objects.create(name="others"))

    found = {
        user.username for user in (alice, bob, ada) if list(Backend.objects.usable_by(user)) == [backend]
    }

    assert found == who


def test_what_is_switched_off_is_for_nobody(alice: User, ada: User) -> None:
    make(enabled=False)

    assert not Backend.objects.usable_by(alice)
    assert not Backend.objects.usable_by(ada)


def test_groups_count_only_where_groups_are_asked_for(alice: User) -> None:
    backend = make(access=Access.ADMINS)
    group = Group.objects.create(name="family")
    backend.groups.add(group)
    alice.groups.add(group)

    assert not Backend.objects.usable_by(alice)


# --- the catalogue --------------------------------------------------------------------------------


def test_models_are_named_by_backend_and_id() -> None:
    model = CatalogueModel.objects.create(backend=make("Big Box"), model_id="hf.co/a/b:Q4_K_M")

    assert model.ref == "big-box/hf.co/a/b:Q4_K_M"
    assert str(model) == "hf.co/a/b:Q4_K_M"


@pytest.mark.parametrize(
    ("capabilities", "chats"),
    [(None, True), ([], True), (["chat"], True), (["embedding"], False), (["embedding", "chat"], True)],
)
def test_only_what_only_embeds_is_not_for_chat(capabilities: list[str] | None, chats: bool) -> None:
    assert can_chat(capabilities) is chats


def test_what_a_model_can_do_is_known_or_not() -> None:
    def model(capabilities: frozenset[Capability] | None) -> CatalogueModel:
        return CatalogueModel(**row_values(ModelInfo(id="m", capabilities=capabilities), 0))

    assert model(None).can(Capability.VISION) is None
    assert model(frozenset()).can(Capability.VISION) is False
    assert model(frozenset({Capability.VISION})).can(Capability.VISION) is True


def test_models_of_what_is_off_or_only_embeds_are_not_offered() -> None:
    on, off = make("On"), make("Off", enabled=False)
    wanted = CatalogueModel.objects.create(backend=on, model_id="chat")
    CatalogueModel.objects.create(backend=on, model_id="embed", is_chat=False)
    CatalogueModel.objects.create(backend=off, model_id="chat")

    assert list(CatalogueModel.objects.for_chat()) == [wanted]


def test_a_backend_named_like_a_page_has_a_page_of_its_own(db: None, as_ada: Client) -> None:
    backend = Backend.objects.create(name="Add", kind="ollama", base_url="http://127.0.0.1:9")

    assert backend.slug == "add-2"
    assert 'value="Add"' in as_ada.get(f"/backends/{backend.slug}/").content.decode()
