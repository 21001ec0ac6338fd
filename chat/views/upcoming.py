"""Questions typed ahead. Plain forms; htmx only saves the reload."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from chat.access import as_uuid, own_conversation, own_upcoming
from chat.models import UpcomingQuestion
from chat.services import upcoming
from chat.services.drafts import add_to_draft
from chat.services.refusals import Refused
from chat.views.messages import changed, refuse, text_of
from chat.views.requests import person, posted


@require_POST
@login_required
def send(request: HttpRequest, upcoming_id: int) -> HttpResponse:
    """Go on although the answer before it went wrong."""
    return done(request, upcoming_id, upcoming.send_now)


@require_POST
@login_required
def remove(request: HttpRequest, upcoming_id: int) -> HttpResponse:
    """Take it back."""
    return done(request, upcoming_id, upcoming.remove)


def done(request: HttpRequest, upcoming_id: int, verb: Callable[[UpcomingQuestion], None]) -> HttpResponse:
    """Do that with it, then show the conversation."""
    row = own_upcoming(person(request), upcoming_id)
    try:
        verb(row)
    except Refused as refused:
        return refuse(request, row.conversation, refused)
    return changed(request, row.conversation)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def edit(request: HttpRequest, upcoming_id: int) -> HttpResponse:
    """Another text. What was written too late is not lost."""
    try:
        row = own_upcoming(person(request), upcoming_id)
    except Http404:
        if "conversation" not in request.POST:
            raise
        return too_late(request)
    if request.method != "POST":
        return edit_page(request, row, row.text)
    try:
        upcoming.edit(row, text_of(request))
    except upcoming.Gone:
        return too_late(request)
    except Refused as refused:
        return edit_page(request, row, text_of(request), str(refused))
    return redirect(row.conversation)


def too_late(request: HttpRequest) -> HttpResponse:
    """The conversation, with what was written in its message field. Raises Http404."""
    conversation = own_conversation(person(request), as_uuid(posted(request, "conversation")))
    add_to_draft(conversation, text_of(request))
    messages.warning(
        request, _("The question was sent or removed meanwhile. What you wrote is in the message field.")
    )
    return redirect(conversation)


def edit_page(request: HttpRequest, row: UpcomingQuestion, text: str, error: str = "") -> HttpResponse:
    """The form; a text that was refused is in it."""
    context = {"text": text, "error": error, "back_url": row.conversation.get_absolute_url()}
    context["conversation_id"] = str(row.conversation_id)
    return render(request, "chat/pages/upcoming_edit.html", context, status=422 if error else 200)
