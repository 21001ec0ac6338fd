"""A conversation for paper: all of its messages, nothing else."""

from __future__ import annotations

from itertools import chain
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from chat.access import own_conversation
from chat.presenting.message import message_views
from chat.presenting.thread import thread_of
from chat.views.requests import person

#: Messages that are read at once: databases take only so many ids in one query.
CHUNK = 1000


@require_safe
@login_required
def show(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """The shown path from its first message to its last. A fixed number of queries for each chunk."""
    conversation = own_conversation(person(request), conversation_id)
    ids = conversation.path_ids()
    parts = (message_views(ids[at : at + CHUNK], conversation) for at in range(0, len(ids), CHUNK))
    thread = thread_of(conversation, tuple(chain.from_iterable(parts)))
    context = {"thread": thread, "began": conversation.created_at}
    return render(request, "chat/pages/print.html", context)
