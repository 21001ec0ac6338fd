"""What can be done with a conversation as a whole."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from backends.database import write_transaction
from chat.generation.updates import Kind
from chat.models import TITLE_LENGTH, Conversation
from chat.services import order
from chat.services.answers import bump
from chat.services.refusals import Refused
from chat.services.sending import tell


def rename(conversation: Conversation, title: str) -> None:
    """Give it another title. Raises Refused for an empty one."""
    title = " ".join(title.split())[:TITLE_LENGTH]
    if not title:
        raise Refused(_("A title needs at least one letter."))
    conversation.title = title
    conversation.save(update_fields=["title"])


def delete(conversation: Conversation) -> datetime:
    """Delete it with all its messages. Gives the moment, by which ``order.restore`` brings it back."""
    return order.delete(conversation.owner, [conversation.pk])[1]


def change_settings(conversation: Conversation, system_prompt: str, options: dict[str, Any]) -> None:
    """Use another system prompt and other sampling options from the next answer on."""
    with write_transaction():
        conversation.system_prompt = system_prompt.replace("\r\n", "\n").strip()
        conversation.options = options
        conversation.save(update_fields=["system_prompt", "options"])
        bump(conversation)
    tell(Kind.CHANGED, conversation)
