"""Questions typed ahead. Plain forms; htmx only saves the reload."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from chat.access import own_upcoming
from chat.models import UpcomingQuestion
from chat.services import upcoming
from chat.services.refusals import Refused
from chat.views.messages import changed, refuse, text_of
from chat.views.requests import person


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
    """Another text."""
    row = own_upcoming(person(request), upcoming_id)
    if request.method != "POST":
        return edit_page(request, row, row.text)
    try:
        upcoming.edit(row, text_of(request))
    except Refused as refused:
        return edit_page(request, row, text_of(request), str(refused))
    return redirect(row.conversation)


def edit_page(request: HttpRequest, row: UpcomingQuestion, text: str, error: str = "") -> HttpResponse:
    """The form; a text that was refused is in it."""
    context = {"text": text, "error": error, "back_url": row.conversation.get_absolute_url()}
    return render(request, "chat/pages/upcoming_edit.html", context, status=422 if error else 200)
