"""A conversation as its page shows it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from chat.models import Conversation, Generation, Message, MessageRole
from chat.presenters.message import MessageView
from chat.presenters.thread import ThreadView
from chat.presenting.cuts import first_line, last_line, with_cuts
from chat.presenting.message import message_view, message_views
from chat.presenting.projects import mark_of
from chat.presenting.upcoming import upcoming_view
from chat.presenting.window import Window, newest

#: How long a page offers to bring back what was deleted, unless something is asked before.
UNDO_OFFERED = timedelta(hours=1)


def thread_view(conversation: Conversation, shown: Window | None = None) -> ThreadView:
    """A conversation with the last messages of its path, or those shown. A fixed number of queries."""
    shown = newest(conversation) if shown is None else shown
    url, ids = page_of(conversation), shown.ids
    messages = with_cuts(conversation, message_views(ids, conversation))
    thread = thread_of(
        conversation,
        messages if shown.has_later else with_open_end(messages),
        earlier_url=f"{url}?before={ids[0]}" if shown.has_earlier else "",
        later_url=f"{url}?after={ids[-1]}" if shown.has_later else "",
    )
    end_cut = last_line(conversation, ids[-1]) if ids and not shown.has_later else None
    return replace(thread, end_cut=end_cut) if end_cut else thread


def page_of(conversation: Conversation) -> str:
    """Where its own messages are read, also those of a column of a comparison."""
    return reverse("chat:conversation", args=[conversation.pk])


def with_open_end(messages: tuple[MessageView, ...]) -> tuple[MessageView, ...]:
    """A last question without an answer, which was deleted or not taken along by a fork, can be asked."""
    if not messages or messages[-1].role != MessageRole.USER:
        return messages
    return (*messages[:-1], replace(messages[-1], can_retry=True))


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
        upcoming=upcoming_view(conversation),
        earlier_url=earlier_url,
        later_url=later_url,
        system_prompt=conversation.system_prompt,
        prompt_name=conversation.prompt.name if conversation.prompt else "",
        is_pinned=conversation.pinned_at is not None,
        is_archived=conversation.archived_at is not None,
        active=any(message.is_active for message in messages),
        project=mark_of(conversation.project),
        undo_url=undo_url(conversation),
        cut=None if messages else first_line(conversation),
    )


def undo_url(conversation: Conversation) -> str:
    """Where what was deleted last is brought back; empty once that is some time ago."""
    moment = conversation.last_deletion
    if moment is None or timezone.now() - moment > UNDO_OFFERED:
        return ""
    return reverse("chat:undo", args=[conversation.pk])
