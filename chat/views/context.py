"""The window of a conversation's model: what fills it, and what happens when it is full. Plain forms throughout."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST
from django.views.decorators.vary import vary_on_headers

from chat.access import own_conversation, own_cut, own_message
from chat.models import Overflow
from chat.permalinks import permalink
from chat.presenting.cuts import cut_view
from chat.presenting.filling import filling_view
from chat.services import context as service
from chat.services.refusals import Refused
from chat.views.messages import changed, place, ref_of, refuse
from chat.views.requests import is_htmx, person, posted

#: What a failed answer offers beside the two ways to leave something out.
NEW = "new"


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@vary_on_headers("HX-Request")
def show(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """What fills the window; a form says what happens when it is full."""
    conversation = own_conversation(person(request), conversation_id)
    if request.method == "POST":
        try:
            service.decide(conversation, posted(request, "overflow"))
        except Refused as refused:
            messages.error(request, str(refused))
        else:
            messages.success(request, _("Saved."))
        return redirect("chat:context", conversation.pk)
    if conversation.alias:  # a window tells its model
        return redirect(conversation)
    page = "fragments/filling" if is_htmx(request) else "pages/context"
    return render(request, f"chat/{page}.html", {"filling": filling_view(person(request), conversation)})


@require_POST
@login_required
def choose(request: HttpRequest, message_id: int, choice: str) -> HttpResponse:
    """What happens with what does not fit, decided at an answer that failed for it."""
    answer = own_message(person(request), message_id)
    if choice == NEW:
        return carry_on(request, answer.conversation_id, message_id)
    if choice not in (Overflow.DROP, Overflow.SUMMARISE):
        raise Http404
    try:
        service.answer_so(person(request), answer, choice, ref_of(request))
    except Refused as refused:
        return refuse(request, answer.conversation, refused)
    return changed(request, answer.conversation)


@require_POST
@login_required
def carry_on(request: HttpRequest, conversation_id: UUID, message_id: int | None = None) -> HttpResponse:
    """A new conversation that begins with a summary of this one."""
    conversation = own_conversation(person(request), conversation_id)
    answer = own_message(person(request), message_id) if message_id else None
    try:
        new = service.carry_on(person(request), conversation, answer)
    except Refused as refused:
        return refuse(request, conversation, refused)
    if is_htmx(request):
        return HttpResponse(headers={"HX-Redirect": new.get_absolute_url()})
    return redirect(new)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def summary(request: HttpRequest, cut_id: UUID) -> HttpResponse:
    """The summary that is sent in place of what is above a line: read it, change it, have it written anew."""
    cut = own_cut(person(request), cut_id)
    text, error = cut.summary, ""
    if request.method == "POST":
        try:
            service.edit_summary(cut, "" if "rewrite" in request.POST else posted(request, "summary"))
        except Refused as refused:
            text, error = posted(request, "summary"), str(refused)
        else:
            return redirect(cut.conversation)
    context = {"cut": cut_view(cut), "text": text, "error": error, "title": cut.conversation.title}
    context |= {"back_url": cut.conversation.get_absolute_url(), "longest": service.LONGEST_SUMMARY}
    return render(request, "chat/pages/summary.html", context, status=422 if error else 200)


@require_POST
@login_required
def remove(request: HttpRequest, cut_id: UUID) -> HttpResponse:
    """Send what is above the line again."""
    cut = own_cut(person(request), cut_id)
    service.remove_line(cut)
    return changed(request, cut.conversation)


@require_POST
@login_required
def leave_out(request: HttpRequest, message_id: int) -> HttpResponse:
    """Send nothing above a question, or up to an answer, from now on; the line that is drawn there says so."""
    row, conversation = place(request, message_id)
    try:
        service.leave_out(conversation, row)
    except Refused as refused:
        return refuse(request, conversation, refused)
    if not is_htmx(request):
        return redirect(permalink(row, conversation.pk))
    return changed(request, conversation)
