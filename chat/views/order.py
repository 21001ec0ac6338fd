"""Pins, archive and tags of one conversation."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from chat.access import own_conversation
from chat.models import Conversation, Tag
from chat.realtime import frames
from chat.services import order
from chat.services.refusals import Refused
from chat.views.listing import sidebar
from chat.views.requests import fragment, is_htmx, person, posted


@require_POST
@login_required
def pin(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """On top of the list, or no longer."""
    conversation = own_conversation(person(request), conversation_id)
    order.pin(person(request), [conversation.pk], on=posted(request, "on") == "1")
    return ordered(request, conversation)


@require_POST
@login_required
def archive(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """Put away, or back on the list."""
    conversation = own_conversation(person(request), conversation_id)
    order.archive(person(request), [conversation.pk], on=posted(request, "on") == "1")
    return ordered(request, conversation)


def ordered(request: HttpRequest, conversation: Conversation) -> HttpResponse:
    """The list as it is now, and what the open conversation's menu offers."""
    if not is_htmx(request):
        return redirect(conversation)
    response = sidebar(request)
    if str(conversation.pk) in request.headers.get("HX-Current-URL", ""):
        conversation.refresh_from_db(fields=["pinned_at", "archived_at"])
        thread = {
            "id": str(conversation.pk),
            "is_pinned": conversation.pinned_at is not None,
            "is_archived": conversation.archived_at is not None,
        }
        html = fragment(request, "chat/fragments/thread_order.html", {"thread": thread})
        response.content += frames.partial("thread-order", "outerHTML", html).encode()
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def tags(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """The tags of a conversation, as one line."""
    conversation = own_conversation(person(request), conversation_id)
    if request.method == "POST":
        try:
            order.set_tags(person(request), conversation, posted(request, "tags"))
        except Refused as refused:
            messages.error(request, str(refused))
        return redirect(conversation)
    context = {
        "back_url": conversation.get_absolute_url(),
        "title": conversation.title,
        "line": ", ".join(tag.name for tag in conversation.tags.all()),
        "known": [tag.name for tag in Tag.objects.owned_by(person(request))],
    }
    return render(request, "chat/pages/tags.html", context)
