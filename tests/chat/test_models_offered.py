"""Which models a person is offered and may ask: favourites first, hidden ones not, and rules hold everywhere."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from backends.models import Access, Backend, CatalogueModel, ModelPreference, State
from backends.service import forget_models
from chat.generation.prompt import NotAllowed, prepare
from chat.models import Conversation, Generation, Message, Status
from chat.presenting.composer import composer_view
from chat.services.answers import continue_answer, retry
from chat.services.models import find_model
from chat.services.refusals import Refused
from chat.services.sending import Sent, send_message, start_conversation
from privatechathub.accounts.models import User

Ask = Callable[..., Sent]


@pytest.fixture(autouse=True)
def _models(demo: Backend) -> None:
    """Two more models beside Demo's one: one there, one on a server that is off."""
    CatalogueModel.objects.create(backend=demo, model_id="slow", name="Slow", position=1)
    away = Backend.objects.create(
        name="Attic", kind="ollama", base_url="http://127.0.0.1:9", state=State.OFFLINE
    )
    CatalogueModel.objects.create(backend=away, model_id="big", parameter_size="70B")


def wish(user: User, model_id: str, **wanted: bool) -> None:
    ModelPreference.objects.create(user=user, model=CatalogueModel.objects.get(model_id=model_id), **wanted)


def picker(user: User, conversation: Conversation | None = None, ref: str = "") -> dict[str, list[str]]:
    """What the picker shows: groups and the values of their lines, a star before the selected one."""
    groups = composer_view(user, conversation, ref=ref).models
    return {
        group.backend: [f"*{line.value}" if line.selected else line.value for line in group.choices]
        for group in groups
    }


def test_without_wishes_the_first_of_all_is_selected(alice: User) -> None:
    assert picker(alice) == {"Attic": ["*attic/big"], "Demo": ["demo/play", "demo/slow"]}


def test_favourites_come_first_and_once(alice: User, bob: User) -> None:
    wish(alice, "slow", favourite=True)
    wish(alice, "big", favourite=True)

    assert picker(alice) == {"Favourites": ["*attic/big", "demo/slow"], "Demo": ["demo/play"]}
    assert "Favourites" not in picker(bob)
    notes = [line.note for line in composer_view(alice, None).models[0].choices]
    assert notes == ["70B · Attic (offline)", "Demo"]


def test_what_a_person_hides_is_not_offered_to_them_alone(alice: User, bob: User) -> None:
    wish(alice, "big", hidden=True)

    assert picker(alice) == {"Demo": ["*demo/play", "demo/slow"]}
    assert "Attic" in picker(bob)


def test_what_the_hub_hides_is_offered_to_nobody(alice: User, ada: User) -> None:
    wish(alice, "big", favourite=True)
    CatalogueModel.objects.filter(model_id="big").update(hidden=True)

    for person in (alice, ada):
        assert picker(person) == {"Demo": ["*demo/play", "demo/slow"]}


@pytest.mark.parametrize("by_hub", [True, False])
def test_a_conversation_keeps_a_model_that_was_hidden(ask: Ask, alice: User, by_hub: bool) -> None:
    conversation = ask().conversation
    if by_hub:
        CatalogueModel.objects.filter(model_id="play").update(hidden=True)
    else:
        wish(alice, "play", hidden=True)

    assert "*demo/play" in picker(alice, conversation)["Demo"]
    assert picker(alice)["Demo"] == ["demo/slow"]
    Generation.objects.update(status=Status.COMPLETED)
    assert send_message(alice, conversation, "More", "demo/play", "k2").generation.model_id == "play"


def test_an_alias_is_what_is_shown_and_noted(alice: User) -> None:
    CatalogueModel.objects.filter(model_id="slow").update(alias="The thorough one")

    labels = [line.label for group in composer_view(alice, None).models for line in group.choices]
    assert labels == ["big", "Play", "The thorough one"]
    sent = start_conversation(alice, "Hi", "demo/slow", "k")
    assert (sent.generation.model_id, sent.generation.model_name) == ("slow", "The thorough one")


def test_a_new_chat_begins_with_the_persons_default_then_the_last_then_the_hubs(alice: User) -> None:
    CatalogueModel.objects.filter(model_id="slow").update(hub_default=True)
    assert picker(alice)["Demo"] == ["demo/play", "*demo/slow"]
    alice.last_model = "demo/play"
    assert picker(alice)["Demo"] == ["*demo/play", "demo/slow"]
    alice.default_model = "attic/big"
    assert picker(alice)["Attic"] == ["*attic/big"]


def test_a_conversation_begins_with_its_own_model_whatever_the_default(ask: Ask, alice: User) -> None:
    conversation = ask().conversation
    alice.default_model = "attic/big"

    assert "*demo/play" in picker(alice, conversation)["Demo"]
    assert "*demo/slow" in picker(alice, conversation, ref="demo/slow")["Demo"]


def test_a_default_that_is_hidden_forbidden_or_gone_is_passed_over(alice: User) -> None:
    alice.default_model, alice.last_model = "attic/big", "demo/slow"
    big = CatalogueModel.objects.filter(model_id="big")
    for values in ({"hidden": True}, {"hidden": False, "access": Access.ADMINS}):
        big.update(**values)
        assert picker(alice)["Demo"] == ["demo/play", "*demo/slow"]
    forget_models(big)
    assert picker(alice)["Demo"] == ["demo/play", "*demo/slow"]


def test_the_picker_takes_one_query_however_many_models(alice: User, demo: Backend) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            composer_view(alice, None)
        return len(queries)

    assert count() == 1
    CatalogueModel.objects.bulk_create(
        CatalogueModel(backend=demo, model_id=f"m{number}") for number in range(50)
    )
    assert count() == 1


# --- rules ----------------------------------------------------------------------------------------


@pytest.fixture
def friends(alice: User) -> Group:
    """Alice's group; only it may ask Play."""
    group = Group.objects.create(name="friends")
    alice.groups.add(group)
    model = CatalogueModel.objects.get(model_id="play")
    model.access = Access.GROUPS
    model.save()
    model.groups.add(group)
    return group


def test_a_forbidden_model_is_neither_offered_nor_found(friends: Group, alice: User, bob: User) -> None:
    assert find_model(alice, "demo/play").model_id == "play"
    assert "demo/play" in str(picker(alice))
    assert "demo/play" not in str(picker(bob))
    with pytest.raises(Refused, match="not available"):
        find_model(bob, "demo/play")


def test_a_stranger_who_posts_its_name_is_refused(friends: Group, as_bob: Client, as_alice: Client) -> None:
    question = {"text": "Hi", "model": "demo/play", "key": "k"}

    refused = as_bob.post("/chat/", question)
    unknown = as_bob.post("/chat/", question | {"model": "demo/nothing"})

    assert refused.status_code == unknown.status_code == 422
    assert "This model is not available." in refused.content.decode()
    assert "This model is not available." in unknown.content.decode()
    assert not Conversation.objects.exists()
    assert as_alice.post("/chat/", question).status_code == 302


def test_a_rule_that_changes_holds_in_conversations_that_used_the_model(
    ask: Ask, alice: User, friends: Group
) -> None:
    sent = ask()
    Generation.objects.update(status=Status.STOPPED)
    Message.objects.filter(pk=sent.answer.pk).update(text="Half an")
    sent.answer.refresh_from_db()
    alice.groups.remove(friends)

    with pytest.raises(Refused, match="not available"):
        send_message(alice, sent.conversation, "More", "demo/play", "k2")
    with pytest.raises(Refused, match="not available"):
        retry(alice, sent.answer)
    with pytest.raises(Refused, match="not available"):
        continue_answer(alice, sent.answer)
    assert retry(alice, sent.answer, "demo/slow").model_id == "slow"


@pytest.mark.parametrize("of", [Backend, CatalogueModel])
def test_a_message_that_waited_is_not_sent_once_it_may_not(
    ask: Ask, of: type[Backend | CatalogueModel]
) -> None:
    generation = ask().generation
    assert prepare(generation.pk).request.model == "play"

    of.objects.update(access=Access.ADMINS)

    with pytest.raises(NotAllowed):
        prepare(generation.pk)


def test_a_rule_holds_while_the_server_does_not_list_the_model(ask: Ask, alice: User, friends: Group) -> None:
    generation = ask().generation
    forget_models(CatalogueModel.objects.filter(model_id="play"))
    assert prepare(generation.pk).request.model == "play"

    alice.groups.remove(friends)

    with pytest.raises(NotAllowed):
        prepare(generation.pk)


def test_an_administrators_message_is_sent_whatever_the_rule(ada: User) -> None:
    generation = start_conversation(ada, "Hi", "demo/play", "k").generation
    Backend.objects.update(access=Access.ADMINS)
    CatalogueModel.objects.update(access=Access.ADMINS)

    assert prepare(generation.pk).request.model == "play"
