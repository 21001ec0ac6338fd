"""Asking, and what can be done with messages. Every one is a plain POST; htmx only saves the reload."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages as notices
from django.contrib.auth.decorators import login_required
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import escape
from django.views.decorators.http import require_POST, require_safe

from chat.access import own_conversation, own_place
from chat.generation.updates import Kind
from chat.models import Conversation, Message, Status
from chat.presenting.composer import composer_view, submission_key
from chat.presenting.endings import model_label
from chat.presenting.message import message_view
from chat.presenting.sidebar import newest_group
from chat.presenting.thread import new_thread, thread_view
from chat.presenting.upcoming import upcoming_view
from chat.prompts.fields import PREFIX
from chat.realtime import frames
from chat.realtime.room import rooms
from chat.services import answers, upcoming
from chat.services.project_finder import find_project
from chat.services.refusals import Refused
from chat.services.sending import Sent, StillAnswering, send_message, start_conversation, tell
from chat.start_forms import beginning_of
from chat.views.pages import render_conversation, render_new
from chat.views.requests import is_htmx, person, posted


@require_POST
@login_required
def create(request: HttpRequest) -> HttpResponse:
    """The first question makes the conversation."""
    try:
        sent = start_conversation(
            person(request),
            text_of(request),
            ref_of(request),
            key_of(request),
            files_of(request),
            beginning_of(person(request), fields_of(request)),
        )
    except Refused as refused:
        return refuse(request, None, refused)
    if not is_htmx(request):
        return redirect(sent.conversation)
    thread = (
        None if sent.repeated else new_thread(sent.conversation, sent.question, sent.answer, sent.generation)
    )
    response = render_conversation(request, sent.conversation, thread=thread)
    response.content += on_top_of_list(sent.conversation).encode()
    response["HX-Retarget"] = "#main"
    response["HX-Reswap"] = "outerHTML"
    response["HX-Push-Url"] = sent.conversation.get_absolute_url()
    return response


@require_POST
@login_required
def send(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """The next question."""
    conversation = own_conversation(person(request), conversation_id)
    was_on_top = is_on_top(conversation)
    try:
        sent = send_message(
            person(request),
            conversation,
            text_of(request),
            ref_of(request),
            key_of(request),
            files_of(request),
        )
    except StillAnswering as refused:
        if conversation.comparison_id or files_of(request):
            return refuse(request, conversation, refused)
        return type_ahead(request, conversation)
    except Refused as refused:
        return refuse(request, conversation, refused)
    articles = articles_of(sent)
    if not sent.repeated:
        runs = sent.generation.status == Status.RUNNING
        label = model_label(sent.generation) if runs else ""
        tell(Kind.ADDED, sent.conversation, message_id=sent.answer.pk, html=articles, model_label=label)
    if not is_htmx(request):
        return redirect(sent.conversation)
    order = "" if was_on_top else on_top_of_list(sent.conversation)
    return HttpResponse(articles + fresh_key() + order)


def type_ahead(request: HttpRequest, conversation: Conversation) -> HttpResponse:
    """Keep the posted question until the answer that is being written has ended."""
    try:
        upcoming.add(person(request), conversation, text_of(request), ref_of(request), key_of(request))
    except Refused as refused:
        return refuse(request, conversation, refused)
    if not is_htmx(request):
        return redirect(conversation)
    conversation.refresh_from_db(fields=["upcoming_count"])
    view = upcoming_view(conversation)
    return HttpResponse((frames.upcoming(view) if view else "") + fresh_key())


@require_POST
@login_required
def stop(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """Stop whatever is being written or waits in this conversation."""
    conversation = own_conversation(person(request), conversation_id)
    answers.stop_answers(conversation)
    return HttpResponse(status=204) if is_htmx(request) else redirect(conversation)


@require_POST
@login_required
def retry(request: HttpRequest, message_id: int) -> HttpResponse:
    """The same question again."""
    message, conversation = place(request, message_id)
    try:
        answers.retry(person(request), message, ref_of(request), within=conversation)
    except Refused as refused:
        return refuse(request, conversation, refused)
    return changed(request, conversation)


@require_POST
@login_required
def continue_(request: HttpRequest, message_id: int) -> HttpResponse:
    """Go on with an answer that was cut off."""
    message, conversation = place(request, message_id)
    try:
        answers.continue_answer(person(request), message, within=conversation)
    except Refused as refused:
        return refuse(request, conversation, refused)
    return changed(request, conversation)


@require_safe
@login_required
def raw(request: HttpRequest, message_id: int) -> HttpResponse:
    """The Markdown as the model wrote it, for copying."""
    message, _conversation = place(request, message_id)
    return HttpResponse(message.text, content_type="text/plain; charset=utf-8")


def refuse(request: HttpRequest, conversation: Conversation | None, refused: Refused) -> HttpResponse:
    """Say why, and give the text back."""
    draft, ref, error = text_of(request), ref_of(request), str(refused)
    if conversation and conversation.comparison_id:
        return refuse_in_comparison(request, conversation, error)
    project = None if conversation else find_project(person(request), posted(request, "project"))
    if is_htmx(request):
        composer = composer_view(
            person(request), conversation, draft=draft, error=error, ref=ref, project=project
        )
        response = render(request, "chat/fragments/composer.html", {"composer": composer}, status=422)
        response["HX-Retarget"] = "#composer"
        response["HX-Reswap"] = "outerHTML"
        return response
    if conversation is None:
        chosen = chosen_in(request) or None
        return render_new(request, draft=draft, error=error, ref=ref, chosen=chosen, project=project)
    return render_conversation(request, conversation, draft=draft, error=error, ref=ref)


def refuse_in_comparison(request: HttpRequest, column: Conversation, error: str) -> HttpResponse:
    """Say why, above the one composer of all columns."""
    if not is_htmx(request):
        notices.error(request, error)
        return redirect(column)
    headers = {"HX-Retarget": "#composer-error", "HX-Reswap": "innerHTML"}
    return HttpResponse(escape(error), status=422, headers=headers)


def changed(request: HttpRequest, conversation: Conversation) -> HttpResponse:
    """The thread anew; a page whose socket brings it anyway needs nothing here."""
    if not is_htmx(request):
        return redirect(conversation)
    if str(conversation.pk) in rooms:
        return HttpResponse(status=204)
    if conversation.comparison_id:
        return HttpResponse(headers={"HX-Refresh": "true"})
    conversation.refresh_from_db()
    return render(request, "chat/fragments/thread_messages.html", thread_context(conversation))


def thread_context(conversation: Conversation) -> dict[str, object]:
    """What the list of messages needs."""
    return {"thread": thread_view(conversation)}


def articles_of(sent: Sent) -> str:
    """The question and its answer as they stand in the thread."""
    views = message_view(sent.question, None), message_view(sent.answer, sent.generation)
    return "".join(frames.message_html(view) for view in views)


def fresh_key() -> str:
    """The composer's next key, so that the next question is another one."""
    key = submission_key()
    field = f'<input type="hidden" id="composer-key" name="key" value="{key}">'
    return frames.partial("composer-key", "outerHTML", field)


def is_on_top(conversation: Conversation) -> bool:
    """Whether the list of conversations already begins with this one, today; a pinned one stays where it is."""
    if conversation.pinned_at:
        return True
    newer = Conversation.objects.filter(
        owner_id=conversation.owner_id,
        updated_at__gt=conversation.updated_at,
        deleted_at=None,
        archived_at=None,
        pinned_at=None,
    )
    if conversation.archived_at:
        return False
    return timezone.localdate(conversation.updated_at) == timezone.localdate() and not newer.exists()


def on_top_of_list(conversation: Conversation) -> str:
    """This conversation's line on top of the list (see static/js/navigation.js); the other lines stay."""
    html = render_to_string("chat/fragments/sidebar_group.html", {"group": newest_group(conversation)})
    return frames.partial("conversations", "bringToTop", html)


def place(request: HttpRequest, message_id: int) -> tuple[Message, Conversation]:
    """A message, and the conversation in which somebody clicked below it. Raises Http404."""
    named = request.GET if request.method in ("GET", "HEAD") else request.POST
    return own_place(person(request), message_id, named.get("conversation", ""))


def text_of(request: HttpRequest) -> str:
    """The question as typed."""
    return posted(request, "text")


def ref_of(request: HttpRequest) -> str:
    """The chosen model, ``BACKEND-SLUG/MODEL-ID``."""
    return posted(request, "model")


def chosen_in(request: HttpRequest) -> dict[str, str]:
    """What a new conversation is to begin with: a system prompt, its answers or those for the project's, a preset."""
    fields = fields_of(request)
    is_chosen = (
        fields.get("prompt") or fields.get("preset") or any(name.startswith(PREFIX) for name in fields)
    )
    return fields if is_chosen else {}


def fields_of(request: HttpRequest) -> dict[str, str]:
    """Everything that was posted but files."""
    return {name: posted(request, name) for name in request.POST}


def files_of(request: HttpRequest) -> list[UploadedFile[bytes]]:
    """What was attached."""
    return request.FILES.getlist("files")


def key_of(request: HttpRequest) -> str:
    """The form's key."""
    return posted(request, "key")
