"""Which messages of a path a page holds: the last ones, those before or after one, or those around one."""

from __future__ import annotations

from dataclasses import dataclass

from chat.models import Conversation, Message

#: Messages that a thread shows at once; others come on the way up or down.
PAGE = 30
#: Of these, how many stand before the one that a page was opened for.
BEFORE = 10


@dataclass(frozen=True, slots=True)
class Window:
    """Ids of neighbours on the path, and whether there are others before and after them."""

    ids: list[int]
    has_earlier: bool = False
    has_later: bool = False


def newest(conversation: Conversation) -> Window:
    """The end of the path."""
    return _up_from(conversation, conversation.head_id)


def before(conversation: Conversation, message_id: int) -> Window:
    """What stands before that message; the end of the path where the conversation has no such message."""
    place = Message.objects.filter(pk=message_id).values_list("conversation_id", "parent_id").first()
    if place is None or (place[0] != conversation.pk and not conversation.shares(message_id)):
        return newest(conversation)
    found = _up_from(conversation, place[1])
    return Window(found.ids, found.has_earlier, has_later=bool(found.ids))


def after(conversation: Conversation, message_id: int) -> Window:
    """What follows that message on the path; the end of the path where it is not on it."""
    ids = conversation.ids_up_from(conversation.head_id, until=message_id, first=PAGE + 2)
    if ids[:1] != [message_id]:
        return newest(conversation)
    return Window(ids[1 : PAGE + 1], has_earlier=True, has_later=len(ids) > PAGE + 1)


def around(conversation: Conversation, message_id: int) -> Window:
    """That message with some before and after it; the end of the path where it is near that or not on the path."""
    end = newest(conversation)
    if message_id in end.ids:
        return end
    found = after(conversation, message_id)
    if not found.has_later:
        return end
    ids = conversation.ids_up_from(message_id, limit=BEFORE + 1)
    shown = ids[-BEFORE:]
    later = found.ids[: PAGE - BEFORE]
    return Window([*shown, *later], has_earlier=len(ids) > len(shown), has_later=True)


def _up_from(conversation: Conversation, start: int | None) -> Window:
    ids = conversation.ids_up_from(start, limit=PAGE + 1)
    return Window(ids[-PAGE:], has_earlier=len(ids) > PAGE)
