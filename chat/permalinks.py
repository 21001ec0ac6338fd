"""The address of one message, wherever it is in its conversation's tree."""

from __future__ import annotations

from django.urls import reverse

from chat.models import Message


def permalink(message: Message, conversation_id: object = None) -> str:
    """Opens the conversation with that message in view, on its branch.

    A message that a fork shares has one address in each; without ``conversation_id`` it is that of its own.
    """
    return permalink_of(message.pk, conversation_id or message.conversation_id)


def permalink_of(message_id: int, conversation_id: object) -> str:
    """The same by ids, for what is found without its row."""
    url = reverse("chat:conversation", args=[conversation_id])
    return f"{url}?message={message_id}#message-{message_id}"
