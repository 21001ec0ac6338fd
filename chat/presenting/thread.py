"""A conversation as its page shows it."""

from __future__ import annotations

from django.utils.translation import gettext as _

from chat.models import Conversation, Generation, Message
from chat.presenters import MessageView, ThreadView
from chat.presenting.message import message_view, message_views

#: Messages that a thread shows at once; earlier ones come on the way up.
THREAD_PAGE = 30


def thread_view(conversation: Conversation, before: int | None = None) -> ThreadView:
    """A conversation with the last messages of its path, or the last before one. A fixed number of queries."""
    start = conversation.head_id if before is None else parent_of(conversation, before)
    ids = conversation.ids_up_from(start, limit=THREAD_PAGE + 1)
    shown = ids[-THREAD_PAGE:]
    earlier_url = f"{conversation.get_absolute_url()}?before={shown[0]}" if len(ids) > len(shown) else ""
    return thread_of(conversation, message_views(shown), earlier_url)


def parent_of(conversation: Conversation, message_id: int) -> int | None:
    """What is before that message; the head where this is no message of the conversation."""
    place = Message.objects.filter(pk=message_id).values_list("conversation_id", "parent_id").first()
    if place is None or (place[0] != conversation.pk and not conversation.shares(message_id)):
        return conversation.head_id
    return place[1]


def new_thread(
    conversation: Conversation, question: Message, answer: Message, generation: Generation
) -> ThreadView:
    """A conversation that has just begun: what :func:`thread_view` would read, without reading it."""
    return thread_of(conversation, (message_view(question, None), message_view(answer, generation)))


def thread_of(
    conversation: Conversation, messages: tuple[MessageView, ...], earlier_url: str = ""
) -> ThreadView:
    """The conversation with these messages."""
    return ThreadView(
        id=str(conversation.pk),
        title=conversation.title or _("New chat"),
        url=conversation.get_absolute_url(),
        socket_path=f"/ws/conversations/{conversation.pk}/?revision={conversation.revision}",
        revision=conversation.revision,
        messages=messages,
        earlier_url=earlier_url,
        system_prompt=conversation.system_prompt,
        has_options=bool(conversation.options or conversation.system_prompt),
        active=any(message.is_active for message in messages),
    )
