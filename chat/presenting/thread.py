"""A conversation as its page shows it."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext as _

from chat.models import Conversation, Generation, Message
from chat.presenters import MessageView, ThreadView
from chat.presenting.message import message_view, message_views
from chat.presenting.projects import mark_of
from chat.presenting.window import Window, newest


def thread_view(conversation: Conversation, shown: Window | None = None) -> ThreadView:
    """A conversation with the last messages of its path, or those shown. A fixed number of queries."""
    shown = newest(conversation) if shown is None else shown
    url, ids = page_of(conversation), shown.ids
    return thread_of(
        conversation,
        message_views(ids),
        earlier_url=f"{url}?before={ids[0]}" if shown.has_earlier else "",
        later_url=f"{url}?after={ids[-1]}" if shown.has_later else "",
    )


def page_of(conversation: Conversation) -> str:
    """Where its own messages are read, also those of a column of a comparison."""
    return reverse("chat:conversation", args=[conversation.pk])


def new_thread(
    conversation: Conversation, question: Message, answer: Message, generation: Generation
) -> ThreadView:
    """A conversation that has just begun: what :func:`thread_view` would read, without reading it."""
    return thread_of(conversation, (message_view(question, None), message_view(answer, generation)))


def thread_of(
    conversation: Conversation,
    messages: tuple[MessageView, ...],
    earlier_url: str = "",
    later_url: str = "",
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
        later_url=later_url,
        system_prompt=conversation.system_prompt,
        has_options=bool(conversation.options or conversation.system_prompt),
        is_pinned=conversation.pinned_at is not None,
        is_archived=conversation.archived_at is not None,
        active=any(message.is_active for message in messages),
        project=mark_of(conversation.project),
    )
