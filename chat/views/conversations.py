"""Rename and delete."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import escape
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from chat.access import own_conversation
from chat.models import Conversation, Generation
from chat.presenting.sidebar import conversation_item
from chat.realtime import frames
from chat.services import conversations
from chat.services.refusals import Refused
from chat.trash import KEPT_DAYS
from chat.views.listing import sidebar, undo_notice
from chat.views.requests import is_htmx, person, posted


@require_safe
@login_required
def menu(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """What can be done with a conversation of the list."""
    item = conversation_item(own_conversation(person(request), conversation_id))
    return render(request, "chat/fragments/conversation_menu.html", {"item": item})


@require_safe
@login_required
def line(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """A conversation's line in the list, as it is now."""
    conversation = own_conversation(person(request), conversation_id)
    running = Generation.objects.active().filter(message__conversation=conversation).exists()
    item = conversation_item(conversation, is_running=running)
    return render(request, "chat/fragments/sidebar_item.html", {"item": item})


@require_POST
@login_required
def rename(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """Another title."""
    conversation = own_conversation(person(request), conversation_id)
    try:
        conversations.rename(conversation, posted(request, "title"))
    except Refused as refused:
        messages.error(request, str(refused))
    if not is_htmx(request):
        return redirect(conversation)
    response = sidebar(request)
    if is_shown(request, conversation):
        title = f'<span id="title" dir="auto">{escape(conversation.title)}</span>'
        response.content += frames.partial("title", "outerHTML", title).encode()
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def delete(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """Ask, then delete."""
    conversation = own_conversation(person(request), conversation_id)
    if request.method != "POST":
        context = {
            "question": _("Delete “%(title)s”?") % {"title": conversation.title},
            "detail": _("All its messages are deleted too. For %(days)d days you can have it back.")
            % {"days": KEPT_DAYS},
            "button": _("Delete"),
            "back_url": conversation.get_absolute_url(),
        }
        return render(request, "chat/pages/confirm_delete.html", context)
    moment = conversations.delete(conversation)
    sentence = _("“%(title)s” was deleted.") % {"title": conversation.title or _("New chat")}
    if is_htmx(request) and not is_shown(request, conversation):
        response = sidebar(request)
        response.content += undo_notice(request, sentence, moment).encode()
        return response
    messages.success(request, sentence, extra_tags=moment.isoformat())
    if is_htmx(request):
        return HttpResponse(headers={"HX-Redirect": reverse("chat:new")})
    return redirect("chat:new")


def is_shown(request: HttpRequest, conversation: Conversation) -> bool:
    """Whether the browser shows it, by the address it tells."""
    return conversation.get_absolute_url() in request.headers.get("HX-Current-URL", "")
