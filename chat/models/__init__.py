"""Rows of the product, one noun a file."""

from chat.models.activity import AT_WORK, Activity, ActivityState
from chat.models.ask import Ask, AskState
from chat.models.conversation import TITLE_LENGTH, Conversation
from chat.models.generation import ACTIVE, Generation, Status
from chat.models.message import Message, MessageRole
from chat.models.submission import Submission

__all__ = [
    "ACTIVE",
    "AT_WORK",
    "TITLE_LENGTH",
    "Activity",
    "ActivityState",
    "Ask",
    "AskState",
    "Conversation",
    "Generation",
    "Message",
    "MessageRole",
    "Status",
    "Submission",
]
