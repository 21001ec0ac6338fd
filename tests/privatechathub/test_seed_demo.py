"""``manage.py seed_demo`` makes whole conversations, for one person, the same every time."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from chat.models import Conversation, Message, SearchEntry
from chat.searching.finding import find
from chat.searching.language import parse
from chat.services.sending import start_conversation
from privatechathub.accounts.models import User


def seed(**options: Any) -> None:
    call_command("seed_demo", "alice", verbosity=0, **options)


def test_conversations_of_a_year_with_all_that_belongs_to_them(
    alice: User, bob: User, as_alice: Client
) -> None:
    seed(conversations=40, messages=600)
    own = Conversation.objects.owned_by(alice)
    assert own.count() == 40
    assert not Conversation.objects.owned_by(bob).exists()
    shown = [row.path_ids() for row in own]
    assert sum(map(len, shown)) == 600
    assert max(map(len, shown)) > 3 * min(map(len, shown))
    assert Message.objects.count() >= 600
    assert (timezone.now() - own.order_by("created_at")[0].created_at).days > 300
    assert own.exclude(tags=None).exists()
    assert own.exclude(project=None).exists()
    assert find(alice, parse("the"))
    assert SearchEntry.objects.filter(kind="title").count() == 40
    for row in own[:3]:
        assert as_alice.get(row.get_absolute_url()).status_code == 200


def test_they_are_the_same_every_time(alice: User) -> None:
    seed(conversations=5, messages=20)
    first = list(Message.objects.values_list("text", flat=True))
    Conversation.objects.all().delete()
    seed(conversations=5, messages=20)
    assert list(Message.objects.values_list("text", flat=True)) == first


def test_what_was_there_stays_and_goes_on(alice: User, demo: Any) -> None:
    before = start_conversation(alice, "Mine", "demo/play", "k").conversation
    seed(conversations=2, messages=8)
    assert Conversation.objects.filter(pk=before.pk).exists()
    assert start_conversation(alice, "And on", "demo/play", "k2").question.pk > 8


@pytest.mark.parametrize(
    ("name", "options"), [("nobody", {}), ("alice", {"conversations": 10, "messages": 19})]
)
def test_what_cannot_be_made(name: str, options: dict[str, int], alice: User) -> None:
    with pytest.raises(CommandError):
        call_command("seed_demo", name, **options)
    assert not Conversation.objects.exists()
