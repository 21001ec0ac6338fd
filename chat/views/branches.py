"""The tree of a conversation: other versions, forks, deleting and bringing back. Plain forms; htmx saves the reload."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from chat.access import own_conversation
from chat.models import Conversation, Generation, Message
from chat.permalinks import permalink
from chat.presenting.branches import edit_view, menu_view
from chat.presenting.message import message_views
from chat.presenting.thread import thread_view
from chat.presenting.window import around
from chat.services import branches, deleting, editing
from chat.services.refusals import Refused
from chat.views.messages import changed, place, ref_of, refuse, text_of
from chat.views.pages import render_conversation
from chat.views.requests import is_htmx, person


@require_safe
@login_required
@vary_on_headers("HX-Request")
def message(request: HttpRequest, message_id: int) -> HttpResponse:
    """One message anew; without htmx, among its neighbours."""
    row, conversation = place(request, message_id)
    if not is_htmx(request) and conversation.comparison_id:
        return redirect(permalink(row, conversation.pk))
    if not is_htmx(request):
        thread = thread_view(conversation, around(conversation, row.pk))
        return render_conversation(request, conversation, thread=thread)
    views = message_views([row.pk], conversation)
    if not views:
        raise Message.DoesNotExist
    return render(request, "chat/fragments/message.html", {"message": views[0]})


@require_safe
@login_required
@vary_on_headers("HX-Request")
def menu(request: HttpRequest, message_id: int) -> HttpResponse:
    """What can be done with a message beyond its buttons."""
    row, conversation = place(request, message_id)
    template = "chat/fragments/message_menu.html" if is_htmx(request) else "chat/pages/message_menu.html"
    return render(request, template, {"menu": menu_view(person(request), row, conversation)})


@require_POST
@login_required
def show(request: HttpRequest, message_id: int) -> HttpResponse:
    """Another version of a message, with what followed it."""
    row, conversation = place(request, message_id)
    try:
        branches.show(conversation, message_id)
    except Message.DoesNotExist:
        raise Http404 from None
    except Refused as refused:
        return refuse(request, conversation, refused)
    if not is_htmx(request):
        return redirect(permalink(row, conversation.pk))
    conversation.refresh_from_db()
    window = around(conversation, message_id)
    if not window.has_later:
        return changed(request, conversation)
    return render(
        request, "chat/fragments/thread_messages.html", {"thread": thread_view(conversation, window)}
    )


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@vary_on_headers("HX-Request")
def edit(request: HttpRequest, message_id: int) -> HttpResponse:
    """Another version of a message, in one's own words."""
    row, conversation = place(request, message_id)
    if request.method != "POST":
        waiting = Generation.objects.awaiting_server().filter(message__parent=row).first()
        return edit_waiting(request, waiting) if waiting else edit_form(request, row, conversation)
    kept = files_kept(request)
    try:
        editing.edit(person(request), conversation, row, text_of(request), ref_of(request), kept)
    except Refused as refused:
        return edit_form(request, row, conversation, refused)
    return changed(request, conversation)


def edit_waiting(request: HttpRequest, generation: Generation) -> HttpResponse:
    """A question that waits for its server is changed itself: nobody has read it yet."""
    url = reverse("chat:waiting-edit", args=[generation.message_id])
    return HttpResponse(headers={"HX-Redirect": url}) if is_htmx(request) else redirect(url)


def edit_form(
    request: HttpRequest, row: Message, conversation: Conversation, refused: Refused | None = None
) -> HttpResponse:
    """The form in the message's place or on a page of its own; a text that was refused is in it."""
    text = text_of(request) if refused else row.text
    view = edit_view(row, conversation, text, str(refused or ""), files_kept(request) if refused else None)
    status = 422 if refused else 200
    if not is_htmx(request):
        return render(request, "chat/pages/message_edit.html", {"edit": view}, status=status)
    response = render(request, "chat/fragments/message_edit.html", {"edit": view}, status=status)
    response["HX-Retarget"], response["HX-Reswap"] = f"#message-{row.pk}", "outerHTML"
    return response


def files_kept(request: HttpRequest) -> set[UUID]:
    """The files that stay with an edited question."""
    found = set()
    for value in request.POST.getlist("keep"):
        try:
            found.add(UUID(value))
        except ValueError:
            raise Http404 from None
    return found


@require_POST
@login_required
def fork(request: HttpRequest, message_id: int) -> HttpResponse:
    """A new conversation that goes on from that message."""
    row, conversation = place(request, message_id)
    try:
        made = branches.fork(conversation, row)
    except Refused as refused:
        return refuse(request, conversation, refused)
    if is_htmx(request):
        return HttpResponse(headers={"HX-Redirect": made.get_absolute_url()})
    return redirect(made)


@require_POST
@login_required
def delete(request: HttpRequest, message_id: int) -> HttpResponse:
    """Take a message out; with ``branch``, also all that follows it."""
    row, conversation = place(request, message_id)
    remove = deleting.delete_branch if "branch" in request.POST else deleting.delete_message
    try:
        remove(conversation, row)
    except Refused as refused:
        return refuse(request, conversation, refused)
    return changed(request, conversation)


@require_POST
@login_required
def undo(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """Bring back what was deleted last."""
    conversation = own_conversation(person(request), conversation_id)
    try:
        deleting.undo(conversation)
    except Refused as refused:
        if is_htmx(request):
            return refuse(request, conversation, refused)
        messages.info(request, str(refused))
        return redirect(conversation)
    return changed(request, conversation)
