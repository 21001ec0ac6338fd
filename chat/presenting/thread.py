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
    ids = conversation.path_ids()
    end = ids.index(before) if before in ids else len(ids)
    start = max(0, end - THREAD_PAGE)
    messages = message_views(ids[start:end])
    earlier_url = f"{conversation.get_absolute_url()}?before={ids[start]}" if start else ""
    return thread_of(conversation, messages, earlier_url)


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
