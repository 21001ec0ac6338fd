"""Rename, delete, system prompt and options."""

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
from chat.forms import ConversationSettingsForm
from chat.models import Conversation
from chat.presenting.sidebar import conversation_item, sidebar_view
from chat.presenting.thread import thread_view
from chat.realtime import frames
from chat.services import conversations
from chat.services.refusals import Refused
from chat.views.requests import is_htmx, person, posted


@require_safe
@login_required
def menu(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """What can be done with a conversation of the list."""
    item = conversation_item(own_conversation(person(request), conversation_id))
    return render(request, "chat/fragments/conversation_menu.html", {"item": item})


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
    response = sidebar(request, current(request))
    if str(conversation_id) in request.headers.get("HX-Current-URL", ""):
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
            "detail": _("All its messages are deleted too. This can’t be undone."),
            "back_url": conversation.get_absolute_url(),
        }
        return render(request, "chat/pages/confirm_delete.html", context)
    conversations.delete(conversation)
    if not is_htmx(request):
        return redirect("chat:new")
    if str(conversation_id) in request.headers.get("HX-Current-URL", ""):
        return HttpResponse(headers={"HX-Redirect": reverse("chat:new")})
    return sidebar(request, current(request))


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def settings(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """System prompt and sampling options of this conversation."""
    conversation = own_conversation(person(request), conversation_id)
    if request.method == "POST":
        form = ConversationSettingsForm(request.POST)
        if form.is_valid():
            conversations.change_settings(conversation, form.cleaned_data["system_prompt"], form.options())
            return redirect(conversation)
    else:
        initial = ConversationSettingsForm.initial_from(conversation.options, conversation.system_prompt)
        form = ConversationSettingsForm(initial=initial)
    context = {"form": form, "thread": thread_view(conversation), "sidebar": sidebar_view(person(request))}
    return render(
        request, "chat/pages/conversation_settings.html", context, status=422 if form.errors else 200
    )


def sidebar(request: HttpRequest, shown: Conversation | None) -> HttpResponse:
    """The list of conversations, the shown one marked."""
    context = {"sidebar": sidebar_view(person(request), shown)}
    return render(request, "chat/fragments/sidebar_list.html", context)


def current(request: HttpRequest) -> Conversation | None:
    """The conversation that the browser shows, by the address it tells."""
    path = request.headers.get("HX-Current-URL", "").partition("/chat/")[2].partition("/")[0]
    try:
        mine = Conversation.objects.owned_by(person(request)).select_related("project")
        return mine.filter(pk=UUID(path)).first()
    except ValueError:
        return None
