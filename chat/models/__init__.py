"""Rows of the product, one noun a file."""

from chat.models.conversation import TITLE_LENGTH, Conversation
from chat.models.generation import ACTIVE, Generation, Status
from chat.models.message import Message, MessageRole
from chat.models.submission import Submission

__all__ = [
    "ACTIVE",
    "TITLE_LENGTH",
    "Conversation",
    "Generation",
    "Message",
    "MessageRole",
    "Status",
    "Submission",
]
