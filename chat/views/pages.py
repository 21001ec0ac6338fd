"""The pages that are read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from chat.access import own_conversation, own_project
from chat.models import Conversation, Message, Project
from chat.presenting.composer import composer_view
from chat.presenting.projects import mark_of
from chat.presenting.sidebar import sidebar_view
from chat.presenting.thread import thread_view
from chat.presenting.window import Window, after, around, before
from chat.services import order
from chat.services.branches import is_shown, show
from chat.services.models import usable_models
from chat.services.refusals import Refused
from chat.start_forms import NAMES, StartForms, asks
from chat.views.requests import is_htmx, person, uuid_or_404

if TYPE_CHECKING:
    from chat.presenters.thread import ThreadView
    from privatechathub.accounts.models import User


@require_safe
@login_required
@vary_on_headers("HX-Request")
def new(request: HttpRequest) -> HttpResponse:
    """An empty conversation; it is made with its first question."""
    chosen = request.GET.dict() if any(name in request.GET for name in NAMES) else None
    asked = request.GET.get("project", "")
    project = own_project(person(request), uuid_or_404(asked)) if asked else None
    draft = request.GET.get("text", "")[:2000]
    return render_new(request, draft=draft, chosen=chosen, project=project)


@require_safe
@login_required
@vary_on_headers("HX-Request")
def conversation(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """One conversation of this person, at its end or where the address says.

    ``?before=ID`` and ``?after=ID`` give the messages on that side of one, ``?around=ID`` those on both.
    ``?message=ID`` is the address of a message: it changes to the branch where that is.
    """
    found = own_conversation(person(request), conversation_id)
    if found.comparison_id and not (is_htmx(request) and ("before" in request.GET or "after" in request.GET)):
        return redirect(within_comparison(request, found))
    if message_id := number(request, "message"):
        return at_message(request, found, message_id)
    for name, window in (("before", before), ("after", after), ("around", around)):
        if message_id := number(request, name):
            return render_window(request, found, window(found, message_id), name)
    return render_conversation(request, found)


def within_comparison(request: HttpRequest, column: Conversation) -> str:
    """Where a part of a column is read: on the page of all, which names no model before the vote."""
    asked = {
        name: found for name in ("message", "before", "after", "around") if (found := number(request, name))
    }
    return column.get_absolute_url() + (f"?{urlencode(asked)}" if asked else "")


def at_message(request: HttpRequest, conversation: Conversation, message_id: int) -> HttpResponse:
    """The conversation with that message in view. Raises Http404 where it has no such message."""
    try:
        bring_into_view(conversation, message_id)
    except Refused as refused:
        messages.info(request, str(refused))
        return redirect(conversation)
    return render_window(request, conversation, around(conversation, message_id), "message")


def bring_into_view(conversation: Conversation, message_id: int) -> None:
    """Change to the branch with that message. Raises Refused, and Http404 where there is no such message."""
    if is_shown(conversation, message_id):
        return
    try:
        show(conversation, message_id)
    except Message.DoesNotExist:
        raise Http404 from None
    conversation.refresh_from_db(fields=["head", "revision"])


def number(request: HttpRequest, name: str) -> int:
    """A message's id from the address; 0 where there is none."""
    value = request.GET.get(name, "")
    return int(value) if value.isascii() and value.isdecimal() and len(value) < 19 else 0


def render_window(
    request: HttpRequest, conversation: Conversation, window: Window, name: str
) -> HttpResponse:
    """A part of the thread, or its page."""
    thread = thread_view(conversation, window)
    if is_htmx(request) and name in ("before", "after"):
        side = "earlier" if name == "before" else "later"
        return render(request, f"chat/fragments/thread_{side}.html", {"thread": thread})
    return render_conversation(request, conversation, thread=thread)


@require_safe
@login_required
@vary_on_headers("HX-Request")
def sidebar(request: HttpRequest) -> HttpResponse:
    """The list of conversations, from a moment on backwards."""
    whole = not is_htmx(request)
    view = sidebar_view(person(request), before=request.GET.get("before", ""), whole=whole)
    if not whole:
        return render(request, "chat/fragments/sidebar_list.html", {"sidebar": view})
    context = new_context(person(request)) | {"sidebar": view}
    return render(request, "chat/pages/new.html", context)


def render_new(
    request: HttpRequest,
    *,
    draft: str = "",
    error: str = "",
    ref: str = "",
    chosen: Mapping[str, str] | None = None,
    project: Project | None = None,
) -> HttpResponse:
    """The page of a new conversation, or what is right of the sidebar. ``chosen`` is what it begins with."""
    context = new_context(person(request), draft=draft, error=error, ref=ref, project=project)
    if chosen is not None or asks(project):
        context["start"] = StartForms(person(request), chosen or {}, project)
    if is_htmx(request):
        return render(request, "chat/fragments/main.html", context)
    context["sidebar"] = sidebar_view(person(request), whole=True)
    return render(request, "chat/pages/new.html", context, status=422 if error else 200)


def new_context(
    user: User, *, draft: str = "", error: str = "", ref: str = "", project: Project | None = None
) -> dict[str, Any]:
    """What the page of a new conversation shows."""
    models = usable_models(user)
    return {
        "composer": composer_view(
            user, None, models=models, draft=draft, error=error, ref=ref, project=project
        ),
        "project": mark_of(project),
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
    thread: ThreadView | None = None,
) -> HttpResponse:
    """The page of a conversation, or what is right of the sidebar; ``thread`` where it is known already."""
    if conversation.alias:  # its form would tell the model that is hidden until a vote
        return redirect(conversation)
    user = person(request)
    thread = thread or thread_view(conversation)
    active = None if thread.later_url else thread.active  # the last message is the one that is written
    context = {
        "thread": thread,
        "composer": composer_view(
            user,
            conversation,
            draft=draft,
            error=error,
            ref=ref,
            active=active,
            thread=None if thread.later_url else thread,
        ),
    }
    if is_htmx(request):
        return render(request, "chat/fragments/main.html", context)
    order.mark_read(conversation)  # a fragment may be loaded ahead; its socket tells that somebody looks
    context["sidebar"] = sidebar_view(user, conversation, whole=True)
    return render(request, "chat/pages/conversation.html", context, status=422 if error else 200)
