"""What can be done with a conversation as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from backends.database import write_transaction
from chat.generation.updates import Kind
from chat.models import TITLE_LENGTH, Conversation, SystemPrompt
from chat.services import order
from chat.services.answers import bump
from chat.services.presets import PresetChoice
from chat.services.refusals import Refused
from chat.services.sending import tell


def rename(conversation: Conversation, title: str) -> None:
    """Give it another title. Raises Refused for an empty one."""
    title = " ".join(title.split())[:TITLE_LENGTH]
    if not title:
        raise Refused(_("A title needs at least one letter."))
    conversation.title = title
    with write_transaction():
        conversation.save(update_fields=["title"])
        if conversation.comparison_id:
            Conversation.objects.filter(comparison=conversation.comparison_id).update(title=title)


def delete(conversation: Conversation) -> datetime:
    """Delete it with all its messages. Gives the moment, by which ``order.restore`` brings it back."""
    return order.delete(conversation.owner, [conversation.pk])[1]


def change_settings(
    conversation: Conversation,
    system_prompt: str,
    options: Mapping[str, Any],
    *,
    prompt: SystemPrompt | None = None,
    answers: Mapping[str, str] | None = None,
    preset: PresetChoice | None = None,
) -> None:
    """Use another system prompt and other sampling options from the next answer on.

    With a ``prompt`` it follows that entry of the library; its own text is kept for when it doesn't any more.
    """
    changed = {
        "system_prompt": system_prompt.replace("\r\n", "\n").strip(),
        "options": dict(options),
        "prompt": prompt,
        "prompt_values": dict(answers or {}),
        **(preset or PresetChoice()).columns(),
    }
    with write_transaction():
        for name, value in changed.items():
            setattr(conversation, name, value)
        conversation.save(update_fields=list(changed))
        bump(conversation)
    tell(Kind.CHANGED, conversation)
