"""The pages that are read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from chat.access import own_conversation
from chat.models import Conversation
from chat.presenting.composer import composer_view
from chat.presenting.sidebar import sidebar_view
from chat.presenting.thread import thread_view
from chat.services.models import usable_models
from chat.views.requests import is_htmx, person

if TYPE_CHECKING:
    from chat.presenters import ThreadView
    from privatechathub.accounts.models import User


@require_safe
@login_required
@vary_on_headers("HX-Request")
def new(request: HttpRequest) -> HttpResponse:
    """An empty conversation; it is made with its first question."""
    return render_new(request, draft=request.GET.get("text", "")[:2000])


@require_safe
@login_required
@vary_on_headers("HX-Request")
def conversation(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """One conversation of this person; with ``?before=ID`` the messages before that one."""
    found = own_conversation(person(request), conversation_id)
    before = request.GET.get("before", "")
    if not (before.isdecimal() and len(before) < 19):
        return render_conversation(request, found)
    if is_htmx(request):
        view = thread_view(found, int(before))
        return render(request, "chat/fragments/thread_earlier.html", {"thread": view})
    return render_conversation(request, found, before=int(before))


@require_safe
@login_required
@vary_on_headers("HX-Request")
def sidebar(request: HttpRequest) -> HttpResponse:
    """The list of conversations, from a moment on backwards."""
    view = sidebar_view(person(request), before=request.GET.get("before", ""))
    if is_htmx(request):
        return render(request, "chat/fragments/sidebar_list.html", {"sidebar": view})
    context = new_context(person(request)) | {"sidebar": view}
    return render(request, "chat/pages/new.html", context)


def render_new(request: HttpRequest, *, draft: str = "", error: str = "", ref: str = "") -> HttpResponse:
    """The page of a new conversation, or what is right of the sidebar."""
    context = new_context(person(request), draft=draft, error=error, ref=ref)
    if is_htmx(request):
        return render(request, "chat/fragments/main.html", context)
    context["sidebar"] = sidebar_view(person(request))
    return render(request, "chat/pages/new.html", context, status=422 if error else 200)


def new_context(user: User, *, draft: str = "", error: str = "", ref: str = "") -> dict[str, Any]:
    """What the page of a new conversation shows."""
    models = usable_models(user)
    return {
        "composer": composer_view(user, None, models=models, draft=draft, error=error, ref=ref),
        "has_models": bool(models),
        "only_builtin": bool(models) and all(offer.model.backend.managed for offer in models),
    }


def render_conversation(
    request: HttpRequest,
    conversation: Conversation,
    *,
    draft: str = "",
    error: str = "",
    ref: str = "",
    before: int | None = None,
    thread: ThreadView | None = None,
) -> HttpResponse:
    """The page of a conversation, or what is right of the sidebar; ``thread`` where it is known already."""
    user = person(request)
    thread = thread or thread_view(conversation, before)
    active = thread.active if before is None else None  # the last message is the one that is written
    context = {
        "thread": thread,
        "composer": composer_view(user, conversation, draft=draft, error=error, ref=ref, active=active),
    }
    if is_htmx(request):
        return render(request, "chat/fragments/main.html", context)
    context["sidebar"] = sidebar_view(user, conversation)
    return render(request, "chat/pages/conversation.html", context, status=422 if error else 200)
