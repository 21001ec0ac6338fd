"""What a conversation's model is told: its own text or that of the library, filled, and by which queries."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chat.generation.prompt import prepare
from chat.generation.system import instructions, joined, system_parts
from chat.models import Conversation, Generation, SamplingPreset, Status, SystemPrompt
from chat.services.sending import Sent
from privatechathub.accounts.models import User

Ask = Callable[..., Sent]


def told(sent: Sent) -> str:
    """The system text of the request."""
    return prepare(sent.generation.pk).request.system


def ended(sent: Sent) -> Sent:
    Generation.objects.filter(pk=sent.generation.pk).update(status=Status.COMPLETED)
    return sent


def follow(conversation: Conversation, **values: object) -> None:
    Conversation.objects.filter(pk=conversation.pk).update(**values)


def test_a_linked_entry_is_sent_as_it_is_at_that_moment(ask: Ask, pirate: SystemPrompt) -> None:
    sent = ask()
    follow(sent.conversation, prompt=pirate, system_prompt="its own")
    assert told(sent) == "Talk like a pirate."

    SystemPrompt.objects.update(text="Talk like a duke.")
    assert told(ended(sent)) == "Talk like a duke."
    assert told(ask("And?", sent.conversation)) == "Talk like a duke."


def test_a_deleted_entry_leaves_its_text(ask: Ask, pirate: SystemPrompt) -> None:
    sent = ask()
    pirate.text = "Talk of {{topic:text}} like a pirate."
    pirate.save()
    follow(sent.conversation, prompt=pirate, prompt_values={"topic": "ships"})

    pirate.delete()

    conversation = Conversation.objects.get(pk=sent.conversation.pk)
    assert (conversation.prompt, conversation.system_prompt) == (None, pirate.text)
    assert told(sent) == "Talk of ships like a pirate."


def test_deleting_many_at_once_leaves_their_texts_too(ask: Ask, pirate: SystemPrompt) -> None:
    sent = ask()
    follow(sent.conversation, prompt=pirate)

    SystemPrompt.objects.all().delete()

    assert told(sent) == "Talk like a pirate."


def test_the_hub_knows_date_person_and_model(ask: Ask, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: datetime(2026, 5, 31, 23, 30, tzinfo=UTC))
    alice.first_name, alice.time_zone = "Alice", "Asia/Tokyo"
    alice.save()
    text = "{{date}} {{time}} {{weekday}} {{timezone}} {{name}} {{model}} {{mood}}"
    sent = ask()
    follow(sent.conversation, system_prompt=text)

    assert told(sent) == "2026-06-01 08:30 Monday Asia/Tokyo Alice Play {{mood}}"

    User.objects.update(time_zone="Mars/Olympus")
    assert told(sent).startswith("2026-05-31 23:30 Sunday")


def test_the_parts_name_the_conversation_s_model_where_none_is_asked(ask: Ask) -> None:
    conversation = ask().conversation
    conversation.system_prompt = "You are {{model}}."

    assert joined(system_parts(conversation)) == instructions(conversation) == "You are play."


def test_neither_prompts_nor_presets_cost_a_query_where_there_are_none(ask: Ask) -> None:
    first = ended(ask())
    with CaptureQueriesContext(connection) as queries:
        prepare(ask("And?", first.conversation).generation.pk)
    tables = (SystemPrompt._meta.db_table, SamplingPreset._meta.db_table)
    assert not [
        query["sql"] for query in queries if any(f'FROM "{table}"' in query["sql"] for table in tables)
    ]
