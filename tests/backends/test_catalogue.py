"""What the hub and its people decided about a model: who may use it, and that a refresh loses none of it."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from backends.adapters.base import ModelInfo
from backends.models import Access, Backend, CatalogueModel, ModelPreference
from backends.presenting import backend_rows
from backends.service import forget_models, replace_models
from privatechathub.accounts.models import User


@pytest.fixture
def box(db: None) -> Backend:
    """A server with one model."""
    backend = Backend.objects.create(name="Box", kind="ollama", base_url="http://127.0.0.1:9")
    replace_models(backend, (ModelInfo(id="m"),))
    return backend


@pytest.fixture
def model(box: Backend) -> CatalogueModel:
    """That model."""
    return box.models.get()


def usable(user: User) -> bool:
    """Whether the person may ask the one model; the query and the row agree."""
    row = CatalogueModel.objects.select_related("backend").get()
    by_row = row.is_open_to(user) and row.backend.is_open_to(user)
    by_query = CatalogueModel.objects.usable_by(user).exists()
    assert by_row == by_query
    return by_query


# --- what is kept ---------------------------------------------------------------------------------


def test_a_refresh_brings_facts_and_keeps_what_was_decided(
    box: Backend, model: CatalogueModel, alice: User
) -> None:
    group = Group.objects.create(name="friends")
    CatalogueModel.objects.update(alias="Best", hidden=True, hub_default=True, access=Access.GROUPS)
    model.groups.add(group)
    ModelPreference.objects.create(user=alice, model=model, favourite=True)

    replace_models(box, (ModelInfo(id="m", family="qwen3", loaded=True),))

    kept = box.models.get()
    assert (kept.pk, kept.family, kept.loaded) == (model.pk, "qwen3", True)
    assert (kept.alias, kept.hidden, kept.hub_default, kept.access) == ("Best", True, True, Access.GROUPS)
    assert list(kept.groups.all()) == [group]
    assert kept.preferences.get().favourite


@pytest.mark.parametrize(
    "decided", [{"alias": "Best"}, {"hidden": True}, {"hub_default": True}, {"access": Access.ADMINS}]
)
def test_a_model_that_returns_is_as_it_was(
    box: Backend, model: CatalogueModel, alice: User, decided: dict[str, object]
) -> None:
    CatalogueModel.objects.update(**decided)

    replace_models(box, ())

    assert not CatalogueModel.objects.for_chat().exists()
    assert backend_rows()[0].model_count == 0

    replace_models(box, (ModelInfo(id="m"),))

    assert CatalogueModel.objects.for_chat().filter(pk=model.pk, **decided).exists()
    assert backend_rows()[0].model_count == 1


def test_a_favourite_waits_for_its_model(box: Backend, model: CatalogueModel, alice: User) -> None:
    ModelPreference.objects.create(user=alice, model=model, favourite=True)

    replace_models(box, (ModelInfo(id="other"),))
    assert [row.model_id for row in box.models.listed()] == ["other"]
    replace_models(box, (ModelInfo(id="other"), ModelInfo(id="m")))

    assert ModelPreference.objects.get().model == box.models.listed().get(model_id="m")


def test_a_model_of_which_nobody_wanted_anything_is_dropped(box: Backend) -> None:
    replace_models(box, (ModelInfo(id="other"),))

    assert [row.model_id for row in box.models.all()] == ["other"]


def test_only_what_is_named_is_forgotten(box: Backend, model: CatalogueModel) -> None:
    replace_models(box, (ModelInfo(id="m"), ModelInfo(id="other")))
    CatalogueModel.objects.update(access=Access.ADMINS)

    forget_models(box.models.filter(model_id="m"))

    assert [row.model_id for row in box.models.listed()] == ["other"]
    assert box.models.count() == 2


def test_there_is_one_first_choice(box: Backend) -> None:
    replace_models(box, (ModelInfo(id="m"), ModelInfo(id="other")))
    box.models.filter(model_id="m").update(hub_default=True)

    with pytest.raises(IntegrityError), transaction.atomic():
        box.models.filter(model_id="other").update(hub_default=True)


def test_the_alias_is_the_name(model: CatalogueModel) -> None:
    assert str(model) == "m"
    model.name = "Model"
    assert str(model) == "Model"
    model.alias = "Best"
    assert str(model) == "Best"


# --- who may use it -------------------------------------------------------------------------------


@pytest.mark.parametrize("of_backend", [Access.EVERYONE, Access.GROUPS, Access.ADMINS])
@pytest.mark.parametrize("of_model", [Access.EVERYONE, Access.GROUPS, Access.ADMINS])
def test_the_stricter_rule_counts(
    model: CatalogueModel, alice: User, bob: User, ada: User, of_backend: Access, of_model: Access
) -> None:
    friends = Group.objects.create(name="friends")
    alice.groups.add(friends, Group.objects.create(name="others"))
    for row, access in ((model, of_model), (model.backend, of_backend)):
        row.access = access
        row.save()
        row.groups.set(Group.objects.all())

    rules = {of_backend, of_model}
    assert usable(ada)
    assert usable(alice) == (Access.ADMINS not in rules)
    assert usable(bob) == (rules == {Access.EVERYONE})


def test_groups_of_one_rule_say_nothing_about_the_other(model: CatalogueModel, alice: User) -> None:
    cooks, readers = Group.objects.create(name="cooks"), Group.objects.create(name="readers")
    alice.groups.add(cooks)
    Backend.objects.update(access=Access.GROUPS)
    CatalogueModel.objects.update(access=Access.GROUPS)
    model.backend.groups.add(cooks)
    model.groups.add(readers)
    assert not usable(alice)

    alice.groups.add(readers)

    assert usable(alice)


def test_groups_that_are_chosen_no_longer_open_nothing(model: CatalogueModel, alice: User) -> None:
    group = Group.objects.create(name="friends")
    alice.groups.add(group)
    model.groups.add(group)
    CatalogueModel.objects.update(access=Access.ADMINS)

    assert not usable(alice)


def test_a_model_for_everybody_is_answered_without_a_query(model: CatalogueModel, alice: User) -> None:
    with CaptureQueriesContext(connection) as queries:
        assert model.is_open_to(alice)
    assert not queries.captured_queries
