"""Messages that wait for their server. Plain forms; htmx only saves the reload."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.html import escape
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from chat.access import own_message
from chat.health import health_view
from chat.models import Message
from chat.presenting.meter import meter_view
from chat.presenting.thread import thread_view
from chat.realtime import frames
from chat.services import waiting
from chat.services.models import find_model
from chat.services.project_finder import find_project
from chat.services.refusals import Refused
from chat.tool_pages import tools_hint
from chat.tools.switches import in_force
from chat.views.listing import current
from chat.views.messages import changed, ref_of, refuse, text_of
from chat.views.requests import person, posted


@require_POST
@login_required
def send_now(request: HttpRequest, message_id: int) -> HttpResponse:
    """Try at once."""
    message = own_message(person(request), message_id)
    try:
        waiting.send_now(message)
    except Refused as refused:
        return refuse(request, message.conversation, refused)
    return changed(request, message.conversation)


@require_POST
@login_required
def send_elsewhere(request: HttpRequest, message_id: int) -> HttpResponse:
    """Ask another model."""
    message = own_message(person(request), message_id)
    try:
        waiting.send_elsewhere(person(request), message, posted(request, "other") or ref_of(request))
    except Refused as refused:
        return refuse(request, message.conversation, refused)
    return changed(request, message.conversation)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def edit(request: HttpRequest, message_id: int) -> HttpResponse:
    """Another text for the question."""
    message = own_message(person(request), message_id)
    if request.method != "POST":
        return edit_page(request, message)
    try:
        waiting.edit_question(message, text_of(request))
    except Refused as refused:
        return edit_page(request, message, text=text_of(request), error=str(refused))
    return redirect(message.conversation)


def edit_page(request: HttpRequest, message: Message, *, text: str = "", error: str = "") -> HttpResponse:
    """The form; a text that was refused is in it. Without one, a message that no longer waits has no form."""
    if not error and not waiting.is_waiting(message):
        messages.info(request, str(waiting.no_longer()))
        return redirect(message.conversation)
    context = {
        "text": text or (message.parent.text if message.parent and not error else ""),
        "error": error,
        "back_url": message.conversation.get_absolute_url(),
    }
    return render(request, "chat/pages/waiting_edit.html", context, status=422 if error else 200)


@require_safe
@login_required
def health(request: HttpRequest) -> HttpResponse:
    """How the server of a model is, beside the model picker; nothing of one that this person may not use."""
    try:
        model = find_model(person(request), request.GET.get("model", "").replace("\x00", ""))
    except Refused:
        return render(request, "chat/fragments/health.html", {"health": None})
    response = render(request, "chat/fragments/health.html", {"health": health_view(model.backend)})
    conversation = current(request)
    project = find_project(person(request), request.GET.get("project", ""))
    hint = escape(tools_hint(in_force(person(request), conversation, project), model))
    response.content += frames.partial("composer-tools", "innerHTML", hint).encode()
    if conversation:
        meter = meter_view(conversation, thread_view(conversation), model)
        response.content += frames.meter(meter).encode()
    return response
